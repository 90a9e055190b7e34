//! What every [`Store`] must do. `store_conformance!(make)` turns each check into a test of its own.

use std::collections::BTreeSet;

use hallpass_control::authority::AuthorityKey;
use hallpass_control::store::{
    EntryFilter, Filter, NewSession, Page, Position, Retention, Store, StoreError, StoredEntry, Transition,
};
use hallpass_core::audit::checkpoint::Checkpoint;
use hallpass_core::audit::entry::{GENESIS, leaf_hash};
use hallpass_core::audit::{Entry, Event};
use hallpass_core::limits::{AUDIT_ENTRY_BYTES_MAX, AUDIT_LIST_BYTES_MAX, COMMAND_ARGS_MAX, LIST_PAGE_MAX};
use hallpass_core::provider::CloudProvider;
use hallpass_core::session::{Revocation, Session, SessionEvent, SessionStatus};
use jiff::SignedDuration;

use crate::store_fixtures::{
    StoreFixture, TTL_S, activate, change, full_session, id, keeper, new_session, policy, request_allowed,
    request_denied, request_settled, session, start, tunnel_opened,
};

/// Makes one test of each check; `$make` gives an empty [`StoreFixture`].
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::store_conformance! { $make:
            a_created_session_reads_back_in_every_field,
            a_session_is_created_once_and_only_pending,
            the_state_machine_is_the_one_of_core,
            a_revoked_session_stays_revoked,
            every_change_of_state_has_its_entry,
            what_is_refused_leaves_nothing_behind,
            activation_and_end_fill_in_what_is_known_then,
            entries_form_one_chain,
            no_request_is_allowed_outside_a_running_session,
            an_entry_past_the_limit_is_refused_and_the_log_goes_on,
            long_lists_are_cut_and_the_entry_fits,
            outcomes_are_there_after_a_flush,
            what_was_wrong_with_an_outcome_is_told_by_the_next_flush,
            requests_are_counted_per_session,
            what_a_session_has_used_adds_up,
            pages_hold_every_session_once_newest_first,
            each_filter_filters,
            a_page_past_the_limit_is_cut,
            a_prefix_finds_sessions_and_is_no_pattern,
            a_session_is_reused_only_for_exactly_its_authority,
            order_and_repetition_do_not_change_the_authority,
            of_several_reusable_sessions_the_longest_lived_is_chosen,
            entries_are_found_by_session_kind_and_direction,
            pruning_removes_the_oldest_and_never_a_live_one,
            a_checkpoint_covers_everything_before_it,
            creation_and_end_are_signed_at_once,
            an_import_is_history_and_happens_once,
            many_writers_at_once_get_positions_without_gap,
        }
    };
    ($make:path: $($check:ident,)+) => {
        $(
            #[test]
            fn $check() {
                let fixture = $make();
                $crate::store_fixtures::run($crate::store_conformance::$check(&fixture));
            }
        )+
    };
}

async fn found(store: &dyn Store, name: &str) -> hallpass_control::store::Record {
    store.session(&id(name)).await.expect("reads").expect("is there")
}

async fn all_entries(store: &dyn Store) -> Vec<StoredEntry> {
    let mut all = Vec::new();
    loop {
        let from_seq = Some(all.len() as u64);
        let more = store.entries(EntryFilter { from_seq, ..EntryFilter::default() }).await.expect("reads");
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

async fn kinds(store: &dyn Store, session: &str) -> Vec<&'static str> {
    let filter = EntryFilter { session: Some(id(session)), ..EntryFilter::default() };
    let entries = store.entries(filter).await.expect("reads");
    entries.iter().map(|entry| entry.decode().expect("an entry").event.kind()).collect()
}

async fn size(store: &dyn Store) -> u64 {
    store.log_info().await.expect("reads").size
}

/// Every field of a session and its keeper survives.
pub async fn a_created_session_reads_back_in_every_field(f: &StoreFixture) {
    let (session, keeper) = (full_session("full"), keeper());
    let new = NewSession { session: session.clone(), keeper: Some(keeper.clone()), user: "tester".into() };
    f.store.create(new).await.expect("created");
    let record = found(&*f.store, "full").await;
    assert_eq!(record.session, session);
    assert_eq!(record.keeper, Some(keeper));
    assert_eq!((record.requests_allowed, record.requests_denied, record.exit_code), (0, 0, None));
    assert_eq!(f.store.session(&id("other")).await, Ok(None));
}

/// An id is taken once; what has begun or ended is not created.
pub async fn a_session_is_created_once_and_only_pending(f: &StoreFixture) {
    f.store.create(new_session(session("one"))).await.expect("created");
    let again = f.store.create(new_session(full_session("one"))).await;
    assert_eq!(again, Err(StoreError::Exists("one".into())));
    assert_eq!(found(&*f.store, "one").await.session, session("one"));
    let before = size(&*f.store).await;
    for status in SessionStatus::ALL.into_iter().filter(|status| *status != SessionStatus::Pending) {
        let begun = Session { status, ..session("two") };
        assert!(matches!(f.store.create(new_session(begun)).await, Err(StoreError::Invalid(_))), "{status}");
    }
    assert_eq!(size(&*f.store).await, before);
}

/// Every state against every event.
pub async fn the_state_machine_is_the_one_of_core(f: &StoreFixture) {
    let ways: [&[SessionEvent]; 7] = [
        &[],
        &[SessionEvent::Activate],
        &[SessionEvent::Activate, SessionEvent::Complete],
        &[SessionEvent::Expire],
        &[SessionEvent::Activate, SessionEvent::Revoke],
        &[SessionEvent::Activate, SessionEvent::ExhaustBudget],
        &[SessionEvent::Fail],
    ];
    for (number, way) in ways.into_iter().enumerate() {
        for (other, event) in SessionEvent::ALL.into_iter().enumerate() {
            let name = format!("s-{number}-{other}");
            f.store.create(new_session(session(&name))).await.expect("created");
            for step in way {
                f.store.transition(change(&name, *step)).await.expect("a legal way");
            }
            let before = found(&*f.store, &name).await.session;
            assert_eq!(before.status, SessionStatus::ALL[number]);
            let answer = f.store.transition(change(&name, event)).await;
            let after = found(&*f.store, &name).await.session;
            match before.status.on(event) {
                Ok(status) => assert_eq!(answer.map(|record| record.session.status), Ok(status)),
                Err(_) => {
                    assert_eq!(answer, Err(StoreError::Conflict { id: name, status: before.status, event }));
                    assert_eq!(after, before);
                }
            }
            assert_eq!(Ok(after.status), before.status.on(event).or(Ok::<_, ()>(before.status)));
        }
    }
    let unknown = f.store.transition(change("nobody", SessionEvent::Fail)).await;
    assert_eq!(unknown, Err(StoreError::NotFound("nobody".into())));
}

/// A second revocation is no error, appends what it was given, and changes nothing.
pub async fn a_revoked_session_stays_revoked(f: &StoreFixture) {
    activate(&*f.store, session("s")).await;
    let revoked = f.store.transition(change("s", SessionEvent::Revoke)).await.expect("revoked");
    let detail = Event::CredentialsRevoked { reach: Revocation::Instant, detail: "again".into() };
    let again = Transition {
        events: vec![detail],
        at: start() + SignedDuration::from_secs(5),
        ..change("s", SessionEvent::Revoke)
    };
    assert_eq!(f.store.transition(again).await, Ok(revoked.clone()));
    assert!(f.store.transition(change("s", SessionEvent::Complete)).await.is_err());
    assert_eq!(found(&*f.store, "s").await, revoked);
    let expected = ["session_created", "session_activated", "session_ended", "credentials_revoked"];
    assert_eq!(kinds(&*f.store, "s").await, expected);
}

/// Nobody can change a state and forget to say so.
pub async fn every_change_of_state_has_its_entry(f: &StoreFixture) {
    for (number, event) in SessionEvent::ALL.into_iter().enumerate() {
        let name = format!("s{number}");
        activate(&*f.store, session(&name)).await;
        if event == SessionEvent::Activate {
            assert_eq!(kinds(&*f.store, &name).await, ["session_created", "session_activated"]);
            continue;
        }
        let end = Transition { exit_code: Some(3), ..change(&name, event) };
        let record = f.store.transition(end).await.expect("ends");
        let filter = EntryFilter { session: Some(id(&name)), newest_first: true, limit: 1, ..EntryFilter::default() };
        let last = f.store.entries(filter).await.expect("reads").remove(0).decode().expect("an entry").event;
        let expected = Event::SessionEnded {
            status: record.session.status,
            reason: format!("the test lets it {event}"),
            exit_code: Some(3),
            requests_allowed: 0,
            requests_denied: 0,
        };
        assert_eq!(last, expected);
        assert_eq!(record.exit_code, Some(3));
    }
}

/// Neither of a refused creation nor of a refused change with events is anything left.
pub async fn what_is_refused_leaves_nothing_behind(f: &StoreFixture) {
    activate(&*f.store, session("s")).await;
    f.store.transition(change("s", SessionEvent::Complete)).await.expect("ends");
    let (before, log) = (found(&*f.store, "s").await, size(&*f.store).await);
    let late = Transition { events: vec![request_denied(1)], ..change("s", SessionEvent::Expire) };
    assert!(f.store.transition(late).await.is_err());
    let mixed =
        Transition { events: vec![request_denied(1), request_allowed()], ..change("pending", SessionEvent::Activate) };
    f.store.create(new_session(session("pending"))).await.expect("created");
    let refused = f.store.transition(mixed).await;
    assert!(matches!(refused, Err(StoreError::NotActive { .. })), "{refused:?}");
    assert_eq!(found(&*f.store, "pending").await.session.status, SessionStatus::Pending);
    assert!(f.store.create(new_session(session("s"))).await.is_err());
    assert_eq!(found(&*f.store, "s").await, before);
    assert_eq!(size(&*f.store).await, log + 1, "only the creation of `pending` is new");
}

/// Access key and revocation come with activation, end and reason with the end.
pub async fn activation_and_end_fill_in_what_is_known_then(f: &StoreFixture) {
    f.store.create(new_session(session("s"))).await.expect("created");
    let issued = Transition {
        access_key_id: Some("ASIAEXAMPLE".into()),
        revocation: Some(Revocation::OnExpiry),
        ..change("s", SessionEvent::Activate)
    };
    let active = f.store.transition(issued).await.expect("activated").session;
    assert_eq!(active.access_key_id.as_deref(), Some("ASIAEXAMPLE"));
    assert_eq!((active.revocation, active.ended_at, active.end_reason), (Revocation::OnExpiry, None, None));
    let at = start() + SignedDuration::from_secs(7);
    let ended = Transition::new(id("s"), SessionEvent::Complete, at, "exit 0");
    let ended = f.store.transition(ended).await.expect("ends").session;
    assert_eq!((ended.ended_at, ended.end_reason.as_deref()), (Some(at), Some("exit 0")));
    assert_eq!(ended.access_key_id.as_deref(), Some("ASIAEXAMPLE"), "nothing is forgotten at the end");
}

/// Positions count up from 0, each entry links to the one before, and the head is the last hash.
pub async fn entries_form_one_chain(f: &StoreFixture) {
    activate(&*f.store, session("s")).await;
    for expected in 3..40_u64 {
        let event = if expected % 2 == 0 { request_denied(1) } else { request_allowed() };
        assert_eq!(f.store.append(Some(&id("s")), event).await, Ok(Position(expected)));
    }
    let mut prev = GENESIS;
    let entries = all_entries(&*f.store).await;
    assert_eq!(entries.len(), 40);
    for (seq, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq, seq as u64);
        assert_eq!(Entry::links(&entry.bytes), Some((seq as u64, prev)));
        prev = leaf_hash(&entry.bytes);
    }
    let log = f.store.log_info().await.expect("reads");
    assert_eq!((log.size, log.last_hash), (40, prev));
}

/// Pending, ended, past its time, unknown, none at all: nothing gets a position. Refusals are recorded always.
pub async fn no_request_is_allowed_outside_a_running_session(f: &StoreFixture) {
    f.store.create(new_session(session("pending"))).await.expect("created");
    activate(&*f.store, session("ended")).await;
    f.store.transition(change("ended", SessionEvent::Revoke)).await.expect("ends");
    activate(&*f.store, session("late")).await;
    let before = size(&*f.store).await;
    for (name, status) in [("pending", SessionStatus::Pending), ("ended", SessionStatus::Revoked)] {
        let refused = f.store.append(Some(&id(name)), request_allowed()).await;
        assert_eq!(refused, Err(StoreError::NotActive { id: name.into(), status }));
        let refused = f.store.append(Some(&id(name)), tunnel_opened()).await;
        assert_eq!(refused, Err(StoreError::NotActive { id: name.into(), status }));
    }
    let unknown = f.store.append(Some(&id("nobody")), request_allowed()).await;
    assert_eq!(unknown, Err(StoreError::NotFound("nobody".into())));
    assert!(matches!(f.store.append(None, request_allowed()).await, Err(StoreError::Invalid(_))));
    assert!(matches!(f.store.append(None, tunnel_opened()).await, Err(StoreError::Invalid(_))));
    f.clock.advance_s(TTL_S - 1);
    assert!(f.store.append(Some(&id("late")), request_allowed()).await.is_ok());
    f.clock.advance_s(1);
    for event in [request_allowed(), tunnel_opened()] {
        let late = f.store.append(Some(&id("late")), event).await;
        assert_eq!(late, Err(StoreError::NotActive { id: "late".into(), status: SessionStatus::Expired }));
    }
    assert_eq!(size(&*f.store).await, before + 1);
    for name in ["pending", "ended", "late"] {
        assert!(f.store.append(Some(&id(name)), request_denied(1)).await.is_ok(), "{name}");
    }
    assert!(f.store.append(None, request_denied(1)).await.is_ok(), "a stranger's request has no session");
}

/// The limit of the entry format, and one byte more.
pub async fn an_entry_past_the_limit_is_refused_and_the_log_goes_on(f: &StoreFixture) {
    let event = |length: usize| Event::LogInterrupted { since: start(), reason: "x".repeat(length), done: vec![] };
    f.store.append(None, event(AUDIT_ENTRY_BYTES_MAX - 300)).await.expect("fits");
    let refused = f.store.append(None, event(AUDIT_ENTRY_BYTES_MAX)).await;
    assert!(matches!(refused, Err(StoreError::EntryTooLarge(_))), "{refused:?}");
    f.store.append(None, event(1)).await.expect("the log goes on");
    entries_link(&all_entries(&*f.store).await);
}

/// A session with very long lists can be lent, and its entry says how much it leaves out.
pub async fn long_lists_are_cut_and_the_entry_fits(f: &StoreFixture) {
    let long = vec!["x".repeat(1_000); 500];
    let mut session = session("long");
    session.policy.resources.clone_from(&long);
    session.command = long;
    f.store.create(new_session(session)).await.expect("created");
    let mut many = crate::store_fixtures::session("many");
    many.command = vec!["y".into(); COMMAND_ARGS_MAX + 10];
    f.store.create(new_session(many)).await.expect("created");
    let command = found(&*f.store, "many").await.session.command;
    assert_eq!((command.len(), command[COMMAND_ARGS_MAX].as_str()), (COMMAND_ARGS_MAX + 1, "... 10 more"));
    let entry = all_entries(&*f.store).await.remove(1).decode().expect("an entry");
    let lists = match entry.event {
        Event::SessionCreated { command, resources, .. } => vec![command, resources],
        _ => Vec::new(),
    };
    assert_eq!(lists.len(), 2, "the entry after the opening of the log");
    for list in lists {
        assert!(list.iter().map(String::len).sum::<usize>() <= AUDIT_LIST_BYTES_MAX + 20);
        assert!(list.last().is_some_and(|last| last.ends_with(" more")), "{list:?}");
    }
}

/// Nobody waits for outcomes, but a flush does.
pub async fn outcomes_are_there_after_a_flush(f: &StoreFixture) {
    activate(&*f.store, session("s")).await;
    let Position(of) = f.store.append(Some(&id("s")), request_allowed()).await.expect("appended");
    for _ in 0..100 {
        f.store.append_later(Some(&id("s")), request_settled(of));
    }
    f.store.flush().await.expect("flushed");
    let settled = kinds(&*f.store, "s").await.into_iter().filter(|kind| *kind == "request_settled").count();
    assert_eq!(settled, 100);
}

/// An outcome that cannot be stored is not lost without a word, and does not take others along.
pub async fn what_was_wrong_with_an_outcome_is_told_by_the_next_flush(f: &StoreFixture) {
    activate(&*f.store, session("s")).await;
    f.store.append_later(Some(&id("nobody")), request_settled(0));
    f.store.append_later(Some(&id("s")), request_settled(0));
    assert_eq!(f.store.flush().await, Err(StoreError::NotFound("nobody".into())));
    assert_eq!(f.store.flush().await, Ok(()));
    assert_eq!(kinds(&*f.store, "s").await.last(), Some(&"request_settled"));
}

/// Counts in the record and in the last entry, also within one transaction, and after the end.
pub async fn requests_are_counted_per_session(f: &StoreFixture) {
    activate(&*f.store, session("a")).await;
    activate(&*f.store, session("b")).await;
    for _ in 0..3 {
        f.store.append(Some(&id("a")), request_allowed()).await.expect("appended");
    }
    f.store.append(Some(&id("b")), request_denied(7)).await.expect("appended");
    let end = Transition { events: vec![request_denied(2)], ..change("a", SessionEvent::Complete) };
    let record = f.store.transition(end).await.expect("ends");
    f.store.append(Some(&id("a")), request_denied(1)).await.expect("appended");
    let filter = EntryFilter { session: Some(id("a")), kinds: vec!["session_ended".into()], ..EntryFilter::default() };
    let ended = f.store.entries(filter).await.expect("reads").remove(0).decode().expect("an entry").event;
    assert!(matches!(ended, Event::SessionEnded { requests_allowed: 3, requests_denied: 2, .. }), "{ended:?}");
    assert_eq!(record.session.status, SessionStatus::Completed);
    let (a, b) = (found(&*f.store, "a").await, found(&*f.store, "b").await);
    assert_eq!((a.requests_allowed, a.requests_denied), (3, 3));
    assert_eq!((b.requests_allowed, b.requests_denied), (0, 7));
}

/// Cost and bytes of settled requests add up in the record, also after the end; caps come back as they were given.
pub async fn what_a_session_has_used_adds_up(f: &StoreFixture) {
    let caps = Session { max_requests: Some(9), max_bytes: Some(1 << 40), max_resources: Some(3), ..session("a") };
    activate(&*f.store, caps).await;
    activate(&*f.store, session("b")).await;
    let of = f.store.append(Some(&id("a")), request_allowed()).await.expect("appended").0;
    for _ in 0..3 {
        f.store.append_later(Some(&id("a")), request_settled(of));
    }
    f.store.flush().await.expect("flushed");
    f.store.transition(change("a", SessionEvent::ExhaustBudget)).await.expect("ends");
    f.store.append_later(Some(&id("a")), request_settled(of));
    f.store.flush().await.expect("flushed");
    let (a, b) = (found(&*f.store, "a").await, found(&*f.store, "b").await);
    assert_eq!((a.spent.nano(), a.bytes_passed), (4 * 400, 4 * 5));
    assert_eq!((b.spent.nano(), b.bytes_passed), (0, 0));
    let caps = |record: &hallpass_control::store::Record| {
        (record.session.max_requests, record.session.max_bytes, record.session.max_resources)
    };
    assert_eq!((caps(&a), caps(&b)), ((Some(9), Some(1 << 40), Some(3)), (None, None, None)));
}

/// Paging neither skips nor repeats, also among sessions of the same instant.
pub async fn pages_hold_every_session_once_newest_first(f: &StoreFixture) {
    for number in 0..25_i64 {
        let created_at = start() + SignedDuration::from_secs(number / 4);
        f.store
            .create(new_session(Session { created_at, ..session(&format!("s{number:02}")) }))
            .await
            .expect("created");
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let listing = f.store.list(Filter::default(), Page { limit: 4, after }).await.expect("reads");
        assert!(!listing.records.is_empty());
        seen.extend(listing.records.into_iter().map(|record| (record.session.created_at, record.session.id)));
        let Some(next) = listing.next else { break };
        after = Some(next.to_string().parse().expect("a cursor survives as text"));
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first, each once");
}

/// Each condition alone, and two together.
pub async fn each_filter_filters(f: &StoreFixture) {
    activate(&*f.store, session("plain")).await;
    f.store.create(new_session(full_session("full"))).await.expect("created");
    let later = Session { created_at: start() + SignedDuration::from_secs(60), ..session("later") };
    activate(&*f.store, later).await;
    f.store.transition(change("later", SessionEvent::Complete)).await.expect("ends");
    let all = Filter::default;
    let cases: [(Filter, &[&str]); 12] = [
        (all(), &["later", "plain", "full"]),
        (Filter { statuses: vec![SessionStatus::Pending], ..all() }, &["full"]),
        (Filter { statuses: vec![SessionStatus::Pending, SessionStatus::Completed], ..all() }, &["later", "full"]),
        (Filter { provider: Some(CloudProvider::Azure), ..all() }, &["full"]),
        (Filter { agent: Some("claude-code".into()), ..all() }, &["full"]),
        (Filter { tag: Some(("ticket".into(), None)), ..all() }, &["full"]),
        (Filter { tag: Some(("ticket".into(), Some("T-1".into()))), ..all() }, &["full"]),
        (Filter { tag: Some(("ticket".into(), Some("T-2".into()))), ..all() }, &[]),
        (Filter { principal: Some("principal".into()), ..all() }, &["full"]),
        (Filter { since: Some(start() + SignedDuration::from_secs(1)), ..all() }, &["later"]),
        (Filter { live: true, ..all() }, &["plain", "full"]),
        (Filter { live: true, provider: Some(CloudProvider::Aws), ..all() }, &["plain"]),
    ];
    for (filter, expected) in cases {
        let listing = f.store.list(filter.clone(), Page::default()).await.expect("reads");
        let names: BTreeSet<_> = listing.records.iter().map(|record| record.session.id.as_str()).collect();
        assert_eq!(names, expected.iter().copied().collect(), "{filter:?}");
        assert_eq!(listing.next, None);
    }
}

/// A caller that asks for more than a page gets a page.
pub async fn a_page_past_the_limit_is_cut(f: &StoreFixture) {
    let many = LIST_PAGE_MAX as usize + 1;
    let names: Vec<String> = (0..many).map(|number| format!("s{number}")).collect();
    let creations = names.iter().map(|name| f.store.create(new_session(session(name))));
    for creation in creations {
        creation.await.expect("created");
    }
    let listing = f.store.list(Filter::default(), Page { limit: u32::MAX, after: None }).await.expect("reads");
    assert_eq!(listing.records.len(), LIST_PAGE_MAX as usize);
    assert!(listing.next.is_some());
    let entries = f.store.entries(EntryFilter { limit: u32::MAX, ..EntryFilter::default() }).await.expect("reads");
    assert_eq!(entries.len(), LIST_PAGE_MAX as usize);
    assert_eq!(f.store.matching("s", u32::MAX).await.expect("reads").len(), LIST_PAGE_MAX as usize);
}

/// `_` is a legal character of an id and a wildcard of SQL's LIKE.
pub async fn a_prefix_finds_sessions_and_is_no_pattern(f: &StoreFixture) {
    for name in ["ab_1", "abx1", "abx2", "b"] {
        f.store.create(new_session(session(name))).await.expect("created");
    }
    let cases: [(&str, &[&str]); 7] = [
        ("abx", &["abx1", "abx2"]),
        ("ab_", &["ab_1"]),
        ("ab_1", &["ab_1"]),
        ("%", &[]),
        ("zz", &[]),
        ("' OR 1=1 --", &[]),
        ("", &["ab_1", "abx1", "abx2", "b"]),
    ];
    for (prefix, expected) in cases {
        let found = f.store.matching(prefix, 10).await.expect("reads");
        let names: Vec<_> = found.iter().map(|record| record.session.id.as_str()).collect();
        assert_eq!(names, expected, "{prefix}");
    }
    assert_eq!(f.store.matching("ab", 2).await.expect("reads").len(), 2);
}

/// Every single thing that changes authority makes a session useless for reuse; so do its state and its age.
pub async fn a_session_is_reused_only_for_exactly_its_authority(f: &StoreFixture) {
    let asked = session("asked");
    let now = start();
    let reusable = |asked: Session, min_remaining_s| {
        let key = AuthorityKey::of(&asked);
        async move { f.store.find_reusable(&key, min_remaining_s, now).await.expect("reads").is_some() }
    };
    f.store.create(new_session(session("s"))).await.expect("created");
    assert!(!reusable(asked.clone(), 0).await, "pending");
    f.store.transition(change("s", SessionEvent::Activate)).await.expect("activated");
    assert!(reusable(asked.clone(), 0).await, "active");
    let other = |change: fn(&mut Session)| {
        let mut session = asked.clone();
        change(&mut session);
        session
    };
    let others = [
        other(|s| s.provider = CloudProvider::S3),
        other(|s| s.role_arn.push('x')),
        other(|s| s.principal_id = Some("other".into())),
        other(|s| s.tenant = Some("other".into())),
        other(|s| s.region = Some("other".into())),
        other(|s| s.delivery = hallpass_core::delivery::Delivery::Env),
        other(|s| _ = s.tags.insert("a".into(), "b".into())),
        other(|s| s.policy = policy(&["s3:PutObject"])),
        other(|s| s.policy = policy(&["s3:GetObject", "s3:PutObject"])),
        other(|s| s.policy.resources = vec!["arn:aws:s3:::b/*".into()]),
        other(|s| s.policy.denied = policy(&["s3:GetObject"]).actions),
        other(|s| s.policy.read_only = true),
    ];
    for (number, other) in others.into_iter().enumerate() {
        assert!(!reusable(other, 0).await, "{number}");
    }
    let same = other(|s| (s.budget, s.command, s.agent_id) = (Some(1.0), vec![], Some("other".into())));
    assert!(reusable(same, 0).await, "neither command nor budget changes what may be done");
    assert!(reusable(asked.clone(), TTL_S.unsigned_abs()).await, "exactly enough life");
    assert!(!reusable(asked.clone(), TTL_S.unsigned_abs() + 1).await, "too little life");
    assert!(!reusable(asked.clone(), u64::MAX).await, "no overflow");
    let over = f.store.find_reusable(&AuthorityKey::of(&asked), 0, start() + SignedDuration::from_secs(TTL_S)).await;
    assert_eq!(over, Ok(None), "the instant of expiry is expired");
    f.store.transition(change("s", SessionEvent::Complete)).await.expect("ends");
    assert!(!reusable(asked, 0).await, "ended");
}

/// The same authority, written otherwise.
pub async fn order_and_repetition_do_not_change_the_authority(f: &StoreFixture) {
    let mut stored = session("s");
    stored.policy = policy(&["s3:GetObject", "s3:PutObject"]);
    stored.policy.resources = vec!["arn:aws:s3:::a/*".into(), "arn:aws:s3:::b/*".into()];
    activate(&*f.store, stored).await;
    let mut asked = session("asked");
    asked.policy = policy(&["s3:PutObject", "s3:GetObject", "s3:PutObject"]);
    asked.policy.resources = vec!["arn:aws:s3:::b/*".into(), "arn:aws:s3:::a/*".into(), "arn:aws:s3:::b/*".into()];
    let found = f.store.find_reusable(&AuthorityKey::of(&asked), 0, start()).await.expect("reads");
    assert_eq!(found.map(|record| record.session.id), Some(id("s")));
}

/// The most life left wins.
pub async fn of_several_reusable_sessions_the_longest_lived_is_chosen(f: &StoreFixture) {
    for (name, life) in [("short", 100), ("long", 300), ("middle", 200)] {
        let expires_at = start() + SignedDuration::from_secs(life);
        activate(&*f.store, Session { expires_at, ..session(name) }).await;
    }
    let found = f.store.find_reusable(&AuthorityKey::of(&session("x")), 150, start()).await.expect("reads");
    assert_eq!(found.map(|record| record.session.id), Some(id("long")));
}

/// Filters of entries, alone and together, forwards and backwards, page by page.
pub async fn entries_are_found_by_session_kind_and_direction(f: &StoreFixture) {
    activate(&*f.store, session("a")).await;
    activate(&*f.store, session("b")).await;
    for number in 0..10_u64 {
        let name = if number % 3 == 0 { "a" } else { "b" };
        f.store.append_later(Some(&id(name)), if number % 2 == 0 { request_denied(1) } else { request_settled(0) });
    }
    f.store.flush().await.expect("flushed");
    let all = all_entries(&*f.store).await;
    let wanted = |session: Option<&str>, kind: Option<&str>| -> Vec<u64> {
        let decoded = all.iter().map(|entry| (entry.seq, entry.decode().expect("an entry")));
        let own = decoded.filter(|(_, e)| session.is_none_or(|s| e.session.as_ref().is_some_and(|i| i.as_str() == s)));
        own.filter(|(_, e)| kind.is_none_or(|kind| e.event.kind() == kind)).map(|(seq, _)| seq).collect()
    };
    for session in [None, Some("a"), Some("b"), Some("nobody")] {
        for kind in [None, Some("request_denied"), Some("log_opened")] {
            for newest_first in [false, true] {
                let kinds = kind.into_iter().map(str::to_owned).collect();
                let filter = EntryFilter { session: session.map(id), kinds, newest_first, limit: 2, from_seq: None };
                let mut expected = wanted(session, kind);
                if newest_first {
                    expected.reverse();
                }
                assert_eq!(paged(&*f.store, filter).await, expected, "{session:?} {kind:?} {newest_first}");
            }
        }
    }
}

async fn paged(store: &dyn Store, mut filter: EntryFilter) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    loop {
        let page = store.entries(filter.clone()).await.expect("reads");
        assert!(page.len() <= 2);
        found.extend(page.iter().map(|entry| entry.seq));
        let Some(last) = page.last() else { return found };
        match (filter.newest_first, last.seq) {
            (true, 0) => return found,
            (true, seq) => filter.from_seq = Some(seq - 1),
            (false, seq) => filter.from_seq = Some(seq + 1),
        }
    }
}

/// However few are to be kept, what lives stays; the removal itself is recorded, and the entries stay.
pub async fn pruning_removes_the_oldest_and_never_a_live_one(f: &StoreFixture) {
    f.store.create(new_session(session("pending"))).await.expect("created");
    activate(&*f.store, session("active")).await;
    for (number, name) in ["e0", "e1", "e2", "e3", "e4"].into_iter().enumerate() {
        activate(&*f.store, full_session(name)).await;
        let at = start() + SignedDuration::from_secs(number as i64);
        f.store.transition(Transition { at, ..change(name, SessionEvent::Complete) }).await.expect("ends");
    }
    let nothing = f.store.prune(Retention::default()).await.expect("prunes");
    assert_eq!((nothing.count, nothing.ended_up_to), (0, None));
    let pruned = f.store.prune(Retention { kept_max: 3, ended_before: None }).await.expect("prunes");
    assert_eq!((pruned.count, pruned.ended_up_to), (2, Some(start() + SignedDuration::from_secs(1))));
    let before = Some(start() + SignedDuration::from_secs(3));
    let pruned = f.store.prune(Retention { kept_max: 100, ended_before: before }).await.expect("prunes");
    assert_eq!(pruned.count, 1, "e2 ended before, e3 did not");
    let pruned = f.store.prune(Retention { kept_max: 0, ended_before: None }).await.expect("prunes");
    assert_eq!(pruned.count, 2);
    let left = f.store.list(Filter::default(), Page::default()).await.expect("reads");
    let left: BTreeSet<_> = left.records.iter().map(|record| record.session.id.as_str()).collect();
    assert_eq!(left, BTreeSet::from(["active", "pending"]));
    assert_eq!(kinds(&*f.store, "e0").await, ["session_created", "session_activated", "session_ended"]);
    let again = f.store.create(new_session(session("e0"))).await;
    assert_eq!(again, Err(StoreError::Exists("e0".into())), "an id has one life in the log");
    let filter = EntryFilter { kinds: vec!["sessions_pruned".into()], ..EntryFilter::default() };
    assert_eq!(f.store.entries(filter).await.expect("reads").len(), 3, "and not for the one that removed nothing");
    let tagged = Filter { tag: Some(("ticket".into(), None)), ..Filter::default() };
    assert!(f.store.list(tagged, Page::default()).await.expect("reads").records.is_empty());
}

/// The note is of this log, over everything, and the same as long as nothing is added.
pub async fn a_checkpoint_covers_everything_before_it(f: &StoreFixture) {
    f.store.append(None, request_denied(1)).await.expect("appended");
    let signed = f.store.checkpoint().await.expect("signed");
    let log = f.store.log_info().await.expect("reads");
    assert_eq!((signed.size, log.signed_size, log.size), (2, 2, 2));
    let key = log.vkey.parse().expect("a verifier key");
    let opened = hallpass_control::keys::open_note(&signed.note, &key).expect("genuine");
    assert_eq!(opened, Checkpoint { origin: log.origin, size: 2, root: signed.root });
    assert_eq!(f.store.checkpoint().await.expect("signed"), signed, "nothing new, nothing signed");
    f.store.append(None, request_denied(1)).await.expect("appended");
    assert_eq!(f.store.checkpoint().await.expect("signed").size, 3);
    let sizes = |from| async move {
        let found = f.store.checkpoints(from, 10).await.expect("reads");
        found.iter().map(|signed| signed.size).collect::<Vec<_>>()
    };
    assert_eq!(sizes(0).await, [1, 2, 3], "the opening of the log was signed too");
    assert_eq!(sizes(3).await, [3]);
    assert_eq!(f.store.checkpoints(0, 1).await.expect("reads").len(), 1);
}

/// Beginning and end of a session are covered before they are answered; what is between, within the interval.
pub async fn creation_and_end_are_signed_at_once(f: &StoreFixture) {
    let uncovered = || async {
        let log = f.store.log_info().await.expect("reads");
        log.size - log.signed_size
    };
    f.store.create(new_session(session("s"))).await.expect("created");
    assert_eq!(uncovered().await, 0);
    f.store.transition(change("s", SessionEvent::Activate)).await.expect("activated");
    assert_eq!(uncovered().await, 1);
    f.store.append(Some(&id("s")), request_allowed()).await.expect("appended");
    assert_eq!(uncovered().await, 2);
    f.clock.advance_s(hallpass_core::limits::CHECKPOINT_INTERVAL_S_MAX);
    f.store.append(Some(&id("s")), request_allowed()).await.expect("appended");
    assert_eq!(uncovered().await, 0, "the interval is over");
    f.store.append(Some(&id("s")), request_allowed()).await.expect("appended");
    f.store.transition(change("s", SessionEvent::Complete)).await.expect("ends");
    assert_eq!(uncovered().await, 0);
}

/// Only ended sessions come in, each once, with an entry of their own.
pub async fn an_import_is_history_and_happens_once(f: &StoreFixture) {
    let ended = Session {
        status: SessionStatus::Revoked,
        ended_at: Some(start()),
        end_reason: Some("long ago".into()),
        ..full_session("old")
    };
    assert_eq!(f.store.import(ended.clone(), "old.json".into()).await, Ok(true));
    assert_eq!(f.store.import(ended.clone(), "copy.json".into()).await, Ok(false));
    let record = found(&*f.store, "old").await;
    assert_eq!((record.session, record.keeper), (ended, None));
    assert_eq!(kinds(&*f.store, "old").await, ["session_imported"]);
    for live in [session("live"), Session { status: SessionStatus::Active, ..session("live") }] {
        assert!(matches!(f.store.import(live, "live.json".into()).await, Err(StoreError::Invalid(_))));
    }
    assert!(f.store.transition(change("old", SessionEvent::Complete)).await.is_err());
}

/// Sixty-four callers at once.
pub async fn many_writers_at_once_get_positions_without_gap(f: &StoreFixture) {
    activate(&*f.store, session("s")).await;
    let threads = (0..8).map(|_| {
        let store = std::sync::Arc::clone(&f.store);
        std::thread::spawn(move || {
            crate::store_fixtures::run(async {
                let mut positions = Vec::new();
                for _ in 0..25 {
                    let position = store.append(Some(&id("s")), request_allowed()).await;
                    positions.push(position.expect("appended").0);
                }
                assert!(positions.is_sorted(), "one caller's entries are in its order");
                positions
            })
        })
    });
    let threads: Vec<_> = threads.collect();
    let positions = threads.into_iter().flat_map(|thread| thread.join().expect("ends"));
    assert_eq!(positions.collect::<BTreeSet<_>>(), (3..203).collect());
    entries_link(&all_entries(&*f.store).await);
    assert_eq!(found(&*f.store, "s").await.requests_allowed, 200);
}

fn entries_link(entries: &[StoredEntry]) {
    let mut prev = GENESIS;
    for (seq, entry) in entries.iter().enumerate() {
        assert_eq!(Entry::links(&entry.bytes), Some((seq as u64, prev)));
        prev = leaf_hash(&entry.bytes);
    }
}
