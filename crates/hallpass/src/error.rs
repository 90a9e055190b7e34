//! What went wrong: precise for programs, helpful for people. Exit codes live here and nowhere else.

mod provider;
mod usual;

use std::fmt;
use std::process::ExitCode;

use hallpass_control::StoreError;
use hallpass_core::audit::EntryError;
use hallpass_core::budget::UsdError;
use hallpass_core::id::SessionIdError;
use hallpass_core::permit::NotPermitted;
use serde::Serialize;

/// Every way that the process can end. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// 0: done. A closed pipe counts as this.
    Success,
    /// 1: failed, for a reason that has no number of its own.
    Failure,
    /// 2: the command line or the configuration cannot be understood.
    Usage,
    /// 3: something could not be reached.
    Network,
    /// 4: no base credential, or the cloud refused it.
    Auth,
    /// 5: there is no such thing.
    NotFound,
    /// 6: the thing is in a state that does not allow this.
    Conflict,
    /// 7: not possible on this system or with this session.
    Unsupported,
    /// 77: policy or bounds say no.
    Denied,
    /// 78: the session's budget or another of its caps was used up, and that ended the child.
    BudgetExceeded,
    /// 124: the session's time ended the child.
    TimedOut,
    /// 125: `run` failed before the child was started.
    BeforeChild,
    /// 126: the child's program cannot be executed.
    NotExecutable,
    /// 127: the child's program cannot be found.
    CommandNotFound,
    /// 130: interrupted.
    Interrupted,
    /// The child's own code, or 128 plus the signal that ended it.
    Child(u8),
}

impl ExitStatus {
    /// Every status of our own with its meaning, for the manual.
    pub(crate) const DOCUMENTED: [(Self, &'static str); 15] = [
        (Self::Success, "done"),
        (Self::Failure, "failed, for a reason that has no number of its own"),
        (Self::Usage, "the command line or the configuration cannot be understood"),
        (Self::Network, "something could not be reached"),
        (Self::Auth, "no base credential, or the cloud refused it"),
        (Self::NotFound, "there is no such thing"),
        (Self::Conflict, "the thing is in a state that does not allow this"),
        (Self::Unsupported, "not possible on this system or with this session"),
        (Self::Denied, "policy or bounds say no"),
        (
            Self::BudgetExceeded,
            "run: the session's budget or another of its caps was used up, and that ended the child",
        ),
        (Self::TimedOut, "run: the session's time ended the child"),
        (Self::BeforeChild, "run: failed before the child was started, for whatever reason"),
        (Self::NotExecutable, "run: the child's program cannot be executed"),
        (Self::CommandNotFound, "run: the child's program cannot be found"),
        (Self::Interrupted, "interrupted"),
    ];

    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Network => 3,
            Self::Auth => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Unsupported => 7,
            Self::Denied => 77,
            Self::BudgetExceeded => 78,
            Self::TimedOut => 124,
            Self::BeforeChild => 125,
            Self::NotExecutable => 126,
            Self::CommandNotFound => 127,
            Self::Interrupted => 130,
            Self::Child(code) => code,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// What sort of failure it is; decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The reader of our output went away: not a failure.
    BrokenPipe,
    /// Anything without a sort of its own.
    General,
    /// The command line or the configuration is wrong.
    Usage,
    /// Something could not be reached.
    Network,
    /// No base credential, or the cloud refused it.
    Auth,
    /// There is no such thing.
    NotFound,
    /// The thing is in a state that does not allow this.
    Conflict,
    /// Not possible here.
    Unsupported,
    /// Policy or bounds say no.
    Denied,
    /// The child's program cannot be executed.
    NotExecutable,
    /// The child's program cannot be found.
    CommandNotFound,
    /// The person said stop.
    Interrupted,
}

impl ErrorKind {
    fn exit_status(self) -> ExitStatus {
        match self {
            Self::BrokenPipe => ExitStatus::Success,
            Self::General => ExitStatus::Failure,
            Self::Usage => ExitStatus::Usage,
            Self::Network => ExitStatus::Network,
            Self::Auth => ExitStatus::Auth,
            Self::NotFound => ExitStatus::NotFound,
            Self::Conflict => ExitStatus::Conflict,
            Self::Unsupported => ExitStatus::Unsupported,
            Self::Denied => ExitStatus::Denied,
            Self::NotExecutable => ExitStatus::NotExecutable,
            Self::CommandNotFound => ExitStatus::CommandNotFound,
            Self::Interrupted => ExitStatus::Interrupted,
        }
    }
}

impl ErrorKind {
    /// The word for the JSON of `hallpass s3` and `hallpass alias`; the same as of a store's failures.
    fn word(self) -> &'static str {
        match self {
            Self::Usage => "usage_error",
            Self::Network => "network_error",
            Self::Auth => "auth_error",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unsupported => "unsupported_feature",
            Self::Denied => "denied",
            Self::Interrupted => "interrupted",
            Self::BrokenPipe | Self::General | Self::NotExecutable | Self::CommandNotFound => "general_error",
        }
    }
}

/// The failure of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandError {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    causes: Vec<String>,
    next_step: Option<String>,
    exit: ExitStatus,
    store: Option<StoreWords>,
}

/// What failures of `hallpass s3` and `hallpass alias` say besides: their JSON has an envelope (`docs/reference/s3-output.md`).
#[derive(Debug, Clone, PartialEq, Eq)]
struct StoreWords {
    family: &'static str,
    code: Option<String>,
    retryable: bool,
}

impl CommandError {
    /// A failure with its stable code (`session.not_found`) and one sentence: lower case, no full stop.
    pub(crate) fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            causes: Vec::new(),
            next_step: None,
            exit: kind.exit_status(),
            store: None,
        }
    }

    /// A failure of sort [`ErrorKind::Usage`].
    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, code, message)
    }

    /// Adds `source` and everything behind it to the chain of causes.
    pub(crate) fn because(mut self, source: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(source);
        while let Some(error) = next {
            self = self.cause(error.to_string());
            next = error.source();
        }
        self
    }

    /// Adds one cause. A text that the line before already holds is not said twice.
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        let cause = cause.into();
        let before = self.causes.last().unwrap_or(&self.message);
        if !before.contains(&cause) {
            self.causes.push(cause);
        }
        self
    }

    /// What to do now.
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next_step = Some(step.into());
        self
    }

    /// The failure came before `run` started its child: exit status 125, whatever the sort. The codes 126 and 127
    /// stay, because they say the same thing more precisely; so does 130.
    pub(crate) fn before_child(mut self) -> Self {
        self.exit = match self.kind {
            ErrorKind::NotExecutable | ErrorKind::CommandNotFound | ErrorKind::Interrupted => self.exit,
            _ => ExitStatus::BeforeChild,
        };
        self
    }

    /// Nothing like a child was to be started: the exit status of the sort again.
    pub(crate) fn without_child(mut self) -> Self {
        self.exit = self.kind.exit_status();
        self
    }

    /// A signal ended it: the exit status says which, as shells have it.
    pub(crate) fn by_signal(mut self, signal: i32) -> Self {
        if self.kind == ErrorKind::Interrupted {
            self.exit = u8::try_from(128 + signal).map_or(ExitStatus::Interrupted, ExitStatus::Child);
        }
        self
    }

    /// What to do now. The stores' failures (`hallpass s3`) say nothing where they know nothing.
    fn step(&self) -> Option<&str> {
        let usual = self.store.is_none().then(|| self.kind.usual_step());
        self.next_step.as_deref().or(usual)
    }

    /// The sentence.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The sort.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// How the process ends.
    pub(crate) fn exit_status(&self) -> ExitStatus {
        self.exit
    }

    /// The store's own code, and whether the same may succeed a little later.
    pub(crate) fn said_by_store(mut self, code: impl Into<String>, retryable: bool) -> Self {
        let family = self.store.map_or("", |words| words.family);
        self.store = Some(StoreWords { family, code: Some(code.into()), retryable });
        self
    }

    /// Puts the failure into the envelope of `hallpass s3` and `hallpass alias`.
    pub(crate) fn in_family(mut self, family: &'static str) -> Self {
        let words = self.store.unwrap_or(StoreWords { family, code: None, retryable: false });
        self.store = Some(StoreWords { family, ..words });
        self
    }

    /// One JSON object, for `--json`.
    pub(crate) fn to_json(&self) -> String {
        if let Some(words) = &self.store {
            return crate::output::envelope::failure(words.family, &self.in_words(words));
        }
        #[derive(Serialize)]
        struct Body<'a> {
            code: &'a str,
            message: &'a str,
            causes: &'a [String],
            next_step: Option<&'a str>,
            exit_code: u8,
        }
        #[derive(Serialize)]
        struct Envelope<'a> {
            error: Body<'a>,
        }
        let body = Body {
            code: self.code,
            message: &self.message,
            causes: &self.causes,
            next_step: self.step(),
            exit_code: self.exit.code(),
        };
        serde_json::to_string(&Envelope { error: body })
            .unwrap_or_else(|_| r#"{"error":{"code":"internal"}}"#.to_owned())
    }
}

impl CommandError {
    /// The same with what it is about: one failure among several outcomes of a command.
    pub(crate) fn to_json_with<T: Serialize>(&self, data: &T) -> String {
        match &self.store {
            Some(words) => crate::output::envelope::failure_with(words.family, data, &self.in_words(words)),
            None => self.to_json(),
        }
    }

    fn in_words<'a>(&'a self, words: &'a StoreWords) -> crate::output::envelope::Failure<'a> {
        crate::output::envelope::Failure {
            kind: self.kind.word(),
            code: self.shown_code(),
            message: &self.message,
            causes: &self.causes,
            suggestion: self.next_step.as_deref(),
            retryable: words.retryable,
            exit_code: self.exit.code(),
        }
    }

    fn shown_code(&self) -> &str {
        self.store.as_ref().and_then(|words| words.code.as_deref()).unwrap_or(self.code)
    }
}

impl fmt::Display for CommandError {
    /// `error: …`, `cause: …` for each cause, `next: …`; one line each unless the text itself has several.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {} [{}]", self.message, self.shown_code())?;
        for cause in &self.causes {
            write!(f, "\ncause: {cause}")?;
        }
        if let Some(step) = self.step() {
            write!(f, "\nnext: {step}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CommandError {}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => ErrorKind::BrokenPipe,
            std::io::ErrorKind::Interrupted => ErrorKind::Interrupted,
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::General,
        };
        Self::new(kind, "io", error.to_string())
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let (kind, code, next) = match &error {
            StoreError::NotFound(_) => (ErrorKind::NotFound, "session.not_found", Some("see `hallpass session list`")),
            StoreError::Exists(_) => (ErrorKind::Conflict, "session.exists", None),
            StoreError::Conflict { .. } => {
                (ErrorKind::Conflict, "session.conflict", Some("see `hallpass session show`"))
            }
            StoreError::NotActive { .. } => (ErrorKind::Conflict, "session.not_active", None),
            StoreError::Invalid(_) => (ErrorKind::Usage, "store.invalid", None),
            StoreError::EntryTooLarge(_) => {
                (ErrorKind::Usage, "audit.entry_too_large", Some("shorten the command or its tags"))
            }
            StoreError::Busy(_) => (ErrorKind::Conflict, "store.busy", Some("try again in a moment")),
            StoreError::DiskFull(_) => (ErrorKind::General, "store.disk_full", Some("free some space, then try again")),
            StoreError::ReadOnly(_) => {
                (ErrorKind::General, "store.read_only", Some("pass `--state-dir DIR` with a folder that you may write"))
            }
            StoreError::Io(_) => (ErrorKind::General, "store.io", Some("run `hallpass doctor`")),
            StoreError::Corrupt(_) => {
                (ErrorKind::General, "store.corrupt", Some("keep the files, and run `hallpass audit verify`"))
            }
            StoreError::Insecure(_) => (ErrorKind::General, "store.insecure", Some("run `hallpass doctor`")),
            StoreError::Newer { .. } => (ErrorKind::Unsupported, "store.newer", Some("use a newer hallpass")),
            StoreError::Dropped(_) => (ErrorKind::General, "audit.dropped", None),
            StoreError::Closed => (ErrorKind::General, "store.closed", None),
            StoreError::Key(_) => (ErrorKind::General, "store.key", Some("run `hallpass doctor`")),
            StoreError::Database(_) => (ErrorKind::General, "store.database", Some("run `hallpass doctor`")),
        };
        let failure = Self::new(kind, code, error.to_string());
        match next {
            Some(step) => failure.next(step),
            None => failure,
        }
    }
}

impl From<NotPermitted> for CommandError {
    fn from(error: NotPermitted) -> Self {
        let (kind, code, next) = match &error {
            NotPermitted::Ttl { .. } => (ErrorKind::Denied, "bounds.ttl", "ask for less, with `--ttl`"),
            NotPermitted::Budget(_) => (ErrorKind::Usage, "budget.invalid", "write it like `--budget 2.50`"),
            NotPermitted::Cap { .. } => (ErrorKind::Usage, "budget.cap", "give a whole number within these bounds"),
            NotPermitted::NotCapped(_) => {
                (ErrorKind::Unsupported, "budget.delivery", "use `--delivery proxy`, or leave out budget and caps")
            }
            NotPermitted::Role(_) => (ErrorKind::Denied, "bounds.role", "see `hallpass config show --origin`"),
            NotPermitted::Delivery(_) => (ErrorKind::Denied, "bounds.delivery", "see `hallpass config show --origin`"),
            NotPermitted::NothingAllowed => {
                (ErrorKind::Usage, "policy.empty", "pass `--allow ACTION`, `--profile NAME` or `--policy FILE`")
            }
            NotPermitted::NotPending(_) => (ErrorKind::Conflict, "session.conflict", "start a new session"),
        };
        Self::new(kind, code, error.to_string()).next(next)
    }
}

impl From<UsdError> for CommandError {
    fn from(error: UsdError) -> Self {
        Self::usage("budget.invalid", error.to_string()).next("write it like `--budget 2.50`")
    }
}

impl From<SessionIdError> for CommandError {
    fn from(error: SessionIdError) -> Self {
        Self::usage("session.id_invalid", error.to_string()).next("see `hallpass session list`")
    }
}

impl From<hallpass_core::policy::DocumentError> for CommandError {
    fn from(error: hallpass_core::policy::DocumentError) -> Self {
        Self::new(ErrorKind::General, "learn.too_large", "what was learned is more than one policy may hold")
            .because(&error)
            .next("make it smaller with `--generalise keys` or `ids`")
    }
}

impl From<EntryError> for CommandError {
    fn from(error: EntryError) -> Self {
        Self::new(ErrorKind::General, "audit.entry_unreadable", "an audit entry cannot be read")
            .because(&error)
            .next("run `hallpass audit verify`")
    }
}
