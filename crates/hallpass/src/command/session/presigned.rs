//! Real URLs that a session presigned: the one thing of it that goes on working when it has ended.

use hallpass_control::Store;
use hallpass_control::store::EntryFilter;
use hallpass_core::audit::{Entry, Event};
use hallpass_core::id::SessionId;
use hallpass_core::limits::REPORT_GROUPS_MAX;
use jiff::Timestamp;
use serde::Serialize;

use crate::command::Context;
use crate::error::CommandError;
use crate::output::count::counted;

/// One URL, without what makes it work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PresignedUrl {
    pub(super) method: String,
    pub(super) resource: String,
    pub(super) expires_at: Timestamp,
}

/// The URLs of a session: the first [`REPORT_GROUPS_MAX`], how many they all are, and how many of them still work.
#[derive(Debug, Default)]
pub(super) struct Presigned {
    pub(super) urls: Vec<PresignedUrl>,
    pub(super) count: u64,
    pub(super) working: u64,
    last: Option<Timestamp>,
}

impl Presigned {
    /// Takes the next entry; what is no presigned URL says nothing.
    pub(super) fn take(&mut self, entry: &Entry, now: Timestamp) {
        let Event::UrlPresigned { method, resources, expires_at, .. } = &entry.event else { return };
        self.count += 1;
        self.working += u64::from(*expires_at > now);
        self.last = self.last.max(Some(*expires_at));
        if self.urls.len() < REPORT_GROUPS_MAX {
            let (method, resource) = (method.clone(), resources.first().cloned().unwrap_or_default());
            self.urls.push(PresignedUrl { method, resource, expires_at: *expires_at });
        }
    }

    /// What outlives the session, if anything does.
    pub(super) fn outliving(&self) -> Option<String> {
        let last = self.last.filter(|_| self.working > 0)?;
        let (urls, verb) = (
            counted(self.working, "presigned URL", "presigned URLs"),
            if self.working == 1 { "works" } else { "work" },
        );
        Some(format!("{urls} still {verb} for whoever has them, until {last} at the latest, and cannot be taken back"))
    }
}

/// The URLs that a session presigned.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn of(context: &Context, store: &dyn Store, id: &SessionId) -> Result<Presigned, CommandError> {
    let kinds = vec!["url_presigned".to_owned()];
    let mut filter = EntryFilter { session: Some(id.clone()), kinds, ..EntryFilter::default() };
    let (mut presigned, now) = (Presigned::default(), context.now());
    loop {
        let page = context.block_on(store.entries(filter.clone()))??;
        for stored in &page {
            presigned.take(&stored.decode()?, now);
        }
        match page.last() {
            Some(last) => filter.from_seq = Some(last.seq.saturating_add(1)),
            None => return Ok(presigned),
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::audit::{Entry, Event};
    use hallpass_core::limits::REPORT_GROUPS_MAX;
    use jiff::{SignedDuration, Timestamp};

    use super::Presigned;

    fn taken(count: usize, life_s: i64) -> Presigned {
        let now = Timestamp::UNIX_EPOCH;
        let event = Event::UrlPresigned {
            method: "GET".into(),
            operation: "GetObject".into(),
            actions: vec!["s3:GetObject".into()],
            resources: vec!["arn:aws:s3:::b/k".into()],
            upstream: "host".into(),
            expires_at: now + SignedDuration::from_secs(life_s),
        };
        let mut presigned = Presigned::default();
        for seq in 0..count {
            let seq = u64::try_from(seq).expect("fits");
            let entry = Entry { seq, prev: String::new(), time: now, session: None, event: event.clone() };
            presigned.take(&entry, now);
        }
        presigned
    }

    #[test]
    fn a_url_outlives_its_session_until_it_expires() {
        assert_eq!(taken(1, 0).outliving(), None);
        let said = taken(1, 60).outliving().unwrap_or_default();
        assert!(said.contains("1 presigned URL still works") && said.contains("1970-01-01T00:01:00Z"), "{said}");
        assert!(taken(2, 60).outliving().is_some_and(|said| said.contains("2 presigned URLs still work ")));
    }

    #[test]
    fn past_the_limit_urls_are_counted_and_not_listed() {
        let presigned = taken(REPORT_GROUPS_MAX + 1, 60);
        assert_eq!((presigned.urls.len(), presigned.count), (REPORT_GROUPS_MAX, REPORT_GROUPS_MAX as u64 + 1));
    }
}
