//! The messages. One line of JSON each; a question, then one answer or more.

use hallpass_core::denial::Denial;
use hallpass_core::id::SessionId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What another terminal asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Ask {
    /// Take the session back and end its processes. Answered with [`Answer::Refusing`], then [`Answer::Killed`].
    Kill {},
    /// Take one child session back; its parent and the processes go on. Answered as [`Ask::Kill`] is.
    KillChild {
        /// Which one.
        session: SessionId,
    },
    /// Say how it is. Answered with [`Answer::Status`].
    Status {},
    /// Make a real presigned URL. Answered with [`Answer::Presigned`], or [`Answer::Denied`].
    Presign {
        /// `GET` or `PUT`.
        method: String,
        /// The bucket.
        bucket: String,
        /// The key, not percent-encoded.
        key: String,
        /// The bucket's region; `None`: the session's.
        region: Option<String>,
        /// How long it is to work, seconds.
        life_s: u64,
    },
}

/// What the keeper answers. Times are microseconds from the moment the question was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Access has ended; the processes are being ended.
    Refusing {
        /// When the gate began to refuse.
        gate_refusing_us: u64,
        /// Live streams that were cut.
        streams_cut: u64,
        /// The processes get at most this long, seconds; wait for the next answer as long, and a little longer.
        grace_s: u64,
    },
    /// What the kill achieved.
    Killed(Killed),
    /// How the session is.
    Status {
        /// Process id of the keeper.
        pid: u32,
        /// True when nothing has ended the session's access.
        lending: bool,
    },
    /// A presigned URL was made.
    Presigned {
        /// Whoever has it, has the access.
        url: String,
        /// Until when it works.
        expires_at: Timestamp,
        /// The position of its entry in the audit log.
        entry: u64,
    },
    /// The session may not do that.
    Denied {
        /// Why.
        denial: Denial,
    },
    /// The question cannot be answered.
    Error {
        /// One sentence.
        message: String,
    },
}

/// What a kill achieved, step by step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Killed {
    /// When the gate began to refuse.
    pub(crate) gate_refusing_us: u64,
    /// When live streams had been cut.
    pub(crate) streams_cut_us: u64,
    /// How many.
    pub(crate) streams_cut: u64,
    /// When every process of the session had been signalled.
    pub(crate) processes_signalled_us: u64,
    /// When none was left; `None` when some are.
    pub(crate) processes_gone_us: Option<u64>,
    /// Processes that outlived KILL, because they hang in the kernel.
    pub(crate) processes_stuck: usize,
    /// When the record of it was committed; `None` when it could not be written.
    pub(crate) recorded_us: Option<u64>,
    /// The session's state in the store afterwards.
    pub(crate) status: Option<String>,
    /// Why it could not be recorded, if so.
    pub(crate) not_recorded: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{Answer, Ask, Killed};

    #[test]
    fn messages_round_trip_and_unknown_questions_are_refused() {
        let kill = serde_json::to_string(&Ask::Kill {}).expect("json");
        assert_eq!(kill, r#"{"ask":"kill"}"#);
        let answer = Answer::Killed(Killed { streams_cut: 3, ..Killed::default() });
        let text = serde_json::to_string(&answer).expect("json");
        assert_eq!(serde_json::from_str::<Answer>(&text).expect("reads"), answer);
        let id = hallpass_core::id::SessionId::new("one").expect("legal");
        let child = serde_json::to_string(&Ask::KillChild { session: id }).expect("json");
        assert_eq!(child, r#"{"ask":"kill_child","session":"one"}"#);
        for bad in [r#"{"ask":"kill_child"}"#, r#"{"ask":"extend"}"#, r#"{"ask":"kill","pid":1}"#, "{}", "kill"] {
            assert!(serde_json::from_str::<Ask>(bad).is_err(), "{bad}");
        }
    }
}
