//! Where a policy document comes from: a file, standard input, or the argument itself.

use std::io::{self, Read};

use hallpass_core::limits::POLICY_DOCUMENT_BYTES_MAX;
use hallpass_core::policy::{DocumentError, PolicyDocument};

use crate::command::run::args::LendArgs;
use crate::error::{CommandError, ErrorKind};

/// The text of a document, and what to call it.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file's path as given, `<stdin>` or `<argument>`.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Source {
    /// Reads `-` from standard input, what begins with `{` as JSON, and anything else as a file's path.
    ///
    /// # Errors
    /// `policy.unreadable` when there is nothing to read or it is no text.
    pub(crate) fn read(given: &str) -> Result<Self, CommandError> {
        if given.trim_start().starts_with('{') {
            return Ok(Self { name: "<argument>".to_owned(), text: given.to_owned() });
        }
        let (name, text) = match given {
            "-" => ("<stdin>", limited(io::stdin().lock())),
            path => (path, std::fs::File::open(path).and_then(limited)),
        };
        let text = text.map_err(|error| {
            let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Usage };
            let unreadable =
                CommandError::new(kind, "policy.unreadable", format!("the policy `{name}` cannot be read"));
            match error.kind() {
                io::ErrorKind::InvalidData => unreadable.because(&error).next("save it as UTF-8"),
                io::ErrorKind::IsADirectory => unreadable.because(&error).next("name a file"),
                _ => unreadable.because(&error),
            }
        })?;
        Ok(Self { name: name.to_owned(), text })
    }

    /// The document.
    ///
    /// # Errors
    /// `policy.document`, with file, line and column.
    pub(crate) fn document(&self) -> Result<PolicyDocument, CommandError> {
        PolicyDocument::parse(&self.text).map_err(|error| {
            let message = format!("{}: {}", self.place(&error), error.message);
            CommandError::usage("policy.document", message).next("see `hallpass policy check --help`")
        })
    }

    /// `file:line:column`.
    pub(crate) fn place(&self, error: &DocumentError) -> String {
        let (line, column) = error.position(&self.text);
        format!("{}:{line}:{column}", self.name)
    }
}

/// Puts what standard input says in the place of `--policy -`.
///
/// # Errors
/// As [`Source::read`] and [`Source::document`].
pub(crate) fn with_stdin(mut args: LendArgs) -> Result<LendArgs, CommandError> {
    if args.policy.as_deref() == Some("-") {
        let source = Source::read("-")?;
        source.document()?;
        args.policy = Some(source.text);
    }
    Ok(args)
}

/// True when the flags say nothing about what is allowed.
pub(crate) fn names_no_policy(args: &LendArgs) -> bool {
    let lists = [&args.allow, &args.deny, &args.resource];
    lists.iter().all(|list| list.is_empty()) && args.policy.is_none() && args.profile.is_none() && !args.read_only
}

/// One byte more than is taken, so that the document itself says that it is too large.
fn limited(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let limit = u64::try_from(POLICY_DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit).read_to_string(&mut text)?;
    Ok(text)
}
