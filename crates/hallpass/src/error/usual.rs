//! What to do about a failure of a sort, when it says nothing of its own.

use super::ErrorKind;

impl ErrorKind {
    /// What to do about a failure that says nothing of its own; a person is never left without a next step.
    pub(super) fn usual_step(self) -> &'static str {
        match self {
            Self::Usage => "correct it; `--help` shows how it is written",
            Self::Network => "check the network and the endpoint, then try again",
            Self::Auth => "sign in, then try again",
            Self::NotFound => "check its name",
            Self::Conflict => "look at `hallpass session list`, then try again",
            Self::Denied => "ask for less, or ask whoever set the bounds",
            Self::Unsupported => "see `--help` for what is possible",
            Self::NotExecutable | Self::CommandNotFound => "check that it runs without hallpass",
            Self::Interrupted => "start it again",
            Self::General | Self::BrokenPipe => "run `hallpass doctor`, or try again with `-v`",
        }
    }
}
