//! A request that changes something is carried out once: its signature is remembered for as long as it would be
//! accepted, and the same bytes again are refused.
//!
//! Forgotten is the signature of what was certainly not carried out (nothing was sent, or the upstream answered with an
//! error), so that an SDK may send it again: some sign a retry within one second exactly as they signed the first. What
//! may have been carried out stays.
//!
//! Two equal calls of one second have one signature where a client signs no invocation id. They cannot be told from a
//! replay, so they pass for [`REPLAY_SAME_SECOND_MS_MAX`], and no longer.
//!
//! Presigned URLs are made to be used more than once (Amazon S3 user guide, "Sharing objects with presigned URLs").

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::{REPLAY_SAME_SECOND_MS_MAX, REPLAYS_REMEMBERED_MAX, SIGNATURE_SKEW_S_MAX};
use hallpass_core::policy::read_only::is_read;
use hallpass_core::resolve::Resolved;
use hallpass_core::sigv4::Signature;
use http::Response;
use jiff::Timestamp;

use super::Shared;
use super::verify::Authenticated;

/// What distinguishes two equal calls of one second, in SDKs that send it.
const INVOCATION: &str = "amz-sdk-invocation-id";

/// The signatures of one session's changing requests.
#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// By the second of signing.
    seconds: BTreeMap<i64, HashMap<u64, Mark>>,
    held: usize,
    /// Signatures up to this second have been given up: nobody knows any more whether they came before.
    given_up: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    first_ms: i64,
    /// Another request with the same signature has passed too.
    shared: bool,
}

/// A changing request on its way. Dropped, it is forgotten unless it may have been carried out.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    replays: &'a Replays,
    second: i64,
    signature: u64,
    first: bool,
    recorded: &'a AtomicBool,
    refused: bool,
}

/// The one time that a request may pass; `None` for what only reads and for what carries no signature in its head.
/// `recorded` says whether it has got an entry, after which it may be sent.
///
/// # Errors
/// [`DenialCode::Replayed`].
pub(super) fn claim<'a>(
    gate: &'a Shared,
    who: &Authenticated<'_>,
    resolved: &Resolved,
    now: Timestamp,
    recorded: &'a AtomicBool,
) -> Result<Option<Claim<'a>>, Denial> {
    if who.anonymous || who.verified.hoisted.is_some() || reads(resolved) {
        return Ok(None);
    }
    let (second, signature) = (who.verified.at.unix_s(), beginning(who.verified.signature));
    let distinct = who.verified.signed_headers.contains(INVOCATION);
    let first = gate.replays.remember(second, signature, distinct, now)?;
    Ok(Some(Claim { replays: &gate.replays, second, signature, first, recorded, refused: false }))
}

/// Ends a claim by what became of its request.
pub(super) fn settled<T>(claim: Option<Claim<'_>>, answer: Result<Response<T>, Denial>) -> Result<Response<T>, Denial> {
    if let Some(mut claim) = claim {
        claim.refused = match &answer {
            Ok(response) => response.status().is_client_error() || response.status().is_server_error(),
            Err(denial) => [DenialCode::UpstreamUnreachable, DenialCode::CredentialUnavailable].contains(&denial.code),
        };
    }
    answer
}

impl Replays {
    /// Whether it is the first of its signature. `distinct`: two calls of the client never have the same.
    fn remember(&self, second: i64, signature: u64, distinct: bool, now: Timestamp) -> Result<bool, Denial> {
        let mut remembered = self.lock();
        remembered.expire(now.as_second());
        if remembered.given_up.is_some_and(|until| second <= until) {
            return Err(replayed("more was changed since it was signed than hallpass remembers"));
        }
        let now_ms = now.as_millisecond();
        if let Some(mark) = remembered.seconds.get_mut(&second).and_then(|marks| marks.get_mut(&signature)) {
            let since_ms = now_ms.saturating_sub(mark.first_ms).saturating_abs();
            if distinct || since_ms > REPLAY_SAME_SECOND_MS_MAX {
                return Err(replayed("this very request has been sent already"));
            }
            mark.shared = true;
            return Ok(false);
        }
        let mark = Mark { first_ms: now_ms, shared: false };
        remembered.seconds.entry(second).or_default().insert(signature, mark);
        remembered.held += 1;
        if remembered.held > REPLAYS_REMEMBERED_MAX {
            remembered.give_up_the_oldest();
        }
        Ok(true)
    }

    fn forget(&self, second: i64, signature: u64) {
        let mut remembered = self.lock();
        let Some(marks) = remembered.seconds.get_mut(&second) else { return };
        if marks.get(&signature).is_some_and(|mark| !mark.shared) {
            marks.remove(&signature);
            remembered.held -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// Lets go of what is refused for its age.
    fn expire(&mut self, now_s: i64) {
        while let Some(oldest) = self.seconds.first_entry() {
            if *oldest.key() >= now_s.saturating_sub(SIGNATURE_SKEW_S_MAX) {
                return;
            }
            self.held -= oldest.remove().len();
        }
    }

    fn give_up_the_oldest(&mut self) {
        if let Some((second, marks)) = self.seconds.pop_first() {
            self.held -= marks.len();
            self.given_up = self.given_up.max(Some(second));
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let sent = self.recorded.load(Ordering::Relaxed) && !self.refused;
        if self.first && !sent {
            self.replays.forget(self.second, self.signature);
        }
    }
}

fn reads(resolved: &Resolved) -> bool {
    let read = |action: &str| action.split_once(':').is_some_and(|(service, name)| is_read(service, name));
    resolved.accesses.iter().all(|access| read(&access.action))
}

/// As good as all of it: nobody without the key can make two signatures that begin alike.
fn beginning(signature: Signature) -> u64 {
    let digits = signature.as_str().get(..16).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

fn replayed(why: &str) -> Denial {
    let how = "sign it again, with a new date, if it is meant to be carried out again".to_owned();
    Denial { how_to_ask: Some(how), ..Denial::new(DenialCode::Replayed, why) }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{REPLAY_SAME_SECOND_MS_MAX, REPLAYS_REMEMBERED_MAX, SIGNATURE_SKEW_S_MAX};
    use jiff::{SignedDuration, Timestamp};

    use super::Replays;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn past_the_limit_the_oldest_second_is_given_up_and_refused_and_memory_stays() {
        let replays = Replays::default();
        let half = REPLAYS_REMEMBERED_MAX as u64 / 2;
        for second in [1_000, 1_001] {
            for signature in 0..half {
                assert!(replays.remember(second, signature, true, at(1_001)).is_ok());
            }
        }
        assert_eq!(replays.lock().held, REPLAYS_REMEMBERED_MAX);
        assert!(replays.remember(1_002, 1, true, at(1_002)).is_ok(), "a new one passes");
        assert_eq!(replays.lock().held, half as usize + 1);
        assert!(replays.remember(1_000, 1, true, at(1_002)).is_err(), "it came before, and is not known any more");
        assert!(replays.remember(1_000, u64::MAX, true, at(1_002)).is_err(), "nobody knows");
        assert!(replays.remember(1_001, 1, true, at(1_002)).is_err(), "it is remembered");
        assert!(replays.remember(1_001, u64::MAX, true, at(1_002)).is_ok(), "it is new");
    }

    #[test]
    fn a_signature_is_remembered_for_as_long_as_it_would_be_accepted() {
        let replays = Replays::default();
        assert!(replays.remember(1_000, 1, true, at(1_000)).is_ok());
        assert!(replays.remember(1_000, 1, true, at(1_000 + SIGNATURE_SKEW_S_MAX)).is_err());
        assert!(replays.remember(2_000, 2, true, at(1_001 + SIGNATURE_SKEW_S_MAX)).is_ok());
        assert_eq!(replays.lock().held, 1, "the first is past its time");
    }

    #[test]
    fn equal_calls_of_one_second_pass_and_later_ones_do_not() {
        let replays = Replays::default();
        let after = |ms: i64| at(1_000) + SignedDuration::from_millis(ms);
        assert_eq!(replays.remember(1_000, 1, false, after(0)).ok(), Some(true));
        assert_eq!(replays.remember(1_000, 1, false, after(REPLAY_SAME_SECOND_MS_MAX)).ok(), Some(false));
        assert!(replays.remember(1_000, 1, false, after(REPLAY_SAME_SECOND_MS_MAX + 1)).is_err());
        assert!(replays.remember(1_000, 1, false, after(-REPLAY_SAME_SECOND_MS_MAX - 1)).is_err(), "clock set back");
        replays.forget(1_000, 1);
        assert!(replays.remember(1_000, 1, true, after(0)).is_err(), "the second of them may have been carried out");
    }
}
