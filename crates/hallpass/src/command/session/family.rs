//! The child sessions of a session, and theirs.

use std::collections::HashSet;

use hallpass_control::store::{Cursor, Filter, Page, Record};
use hallpass_control::{Store, StoreError};
use hallpass_core::budget::Usd;
use hallpass_core::id::SessionId;
use hallpass_core::session::Session;
use jiff::Timestamp;

/// Every session below `root`, the oldest first. Children are made while their parent lives, and nothing else is read.
///
/// # Errors
/// An outage of the store.
pub(crate) async fn below(store: &dyn Store, root: &Session) -> Result<Vec<Record>, StoreError> {
    let filter = Filter { since: Some(root.created_at), ..Filter::default() };
    let end = |at: Timestamp| Cursor { created_us: at.as_microsecond().saturating_add(1), id: root.id.clone() };
    let (mut children, mut page) = (Vec::new(), Page { after: root.ended_at.map(end), ..Page::default() });
    loop {
        let listing = store.list(filter.clone(), page).await?;
        children.extend(listing.records.into_iter().filter(|record| record.session.parent.is_some()));
        match listing.next {
            Some(after) => page = Page { after: Some(after), ..Page::default() },
            None => break,
        }
    }
    children.reverse();
    let mut family: HashSet<SessionId> = HashSet::from([root.id.clone()]);
    children.retain(|child| {
        let ours = child.session.parent.as_ref().is_some_and(|parent| family.contains(parent));
        ours && family.insert(child.session.id.clone())
    });
    Ok(children)
}

/// Ids shown in a line.
const SHOWN: usize = 10;

/// Child sessions in a line, with what all of them did; `None` without any.
pub(super) fn line(children: &[Record]) -> Option<String> {
    if children.is_empty() {
        return None;
    }
    let sum = |of: fn(&Record) -> u64| children.iter().map(of).fold(0, u64::saturating_add);
    let (allowed, refused) = (sum(|child| child.requests_allowed), sum(|child| child.requests_denied));
    let spent = Usd::from_nano(sum(|child| child.spent.nano()));
    let ids: Vec<&str> = children.iter().take(SHOWN).map(|child| child.session.short_id()).collect();
    let more = if children.len() > SHOWN { ", …" } else { "" };
    let count = children.len();
    let ids = ids.join(", ");
    Some(format!("{count}, with {allowed} requests allowed, {refused} refused, {spent} (estimate): {ids}{more}"))
}
