//! Where failures of the S3 client become failures of a command, and where a dead alias is removed.
//!
//! An alias is pruned only if it stands in the user's file, holds its own session token, and the store itself has said
//! that the token is dead. What can be renewed, and what a variable holds, is never pruned.

use hallpass_s3::alias::{CredentialsSource, Entry, Origin, StaticCredentials};
use hallpass_s3::error::S3Error;

use crate::alias::{failure, file};
use crate::command::Context;
use crate::error::CommandError;
use crate::output::clean;

/// One alias in use.
#[derive(Debug)]
pub(crate) struct Boundary<'a> {
    context: &'a Context,
    entry: &'a Entry,
    no_prune: bool,
}

impl<'a> Boundary<'a> {
    /// `no_prune`: the command line said to keep the alias.
    pub(crate) fn new(context: &'a Context, entry: &'a Entry, no_prune: bool) -> Self {
        Self { context, entry, no_prune }
    }

    /// The failure of the command; exit status 4 for a dead token, whether the alias is removed or not.
    pub(crate) fn failed(&self, error: S3Error) -> CommandError {
        if matches!(error, S3Error::TokenExpired(_))
            && let Some(dead) = self.prunable()
        {
            self.prune(dead);
        }
        failure::of(error)
    }

    /// The keys that may be removed.
    fn prunable(&self) -> Option<&StaticCredentials> {
        let Ok(alias) = &self.entry.alias else { return None };
        let keys = match &alias.credentials {
            CredentialsSource::Static(keys) if keys.session_token.is_some() => keys,
            _ => return None,
        };
        // A configuration that cannot be read may say that aliases are kept.
        let wanted = !self.no_prune && self.context.config().is_ok_and(|config| config.s3.prunes_expired());
        (self.entry.origin == Origin::File && wanted).then_some(keys)
    }

    /// A file that cannot be changed is no reason to hide the failure itself.
    fn prune(&self, dead: &StaticCredentials) {
        let (name, printer) = (&self.entry.name, self.context.printer);
        let file = match file(self.context) {
            Ok(file) => file,
            Err(error) => return printer.warn(clean::lines(&error.to_string())),
        };
        let path = file.path().display();
        match file.edit(|change| change.remove_refused(name, dead)) {
            Ok(true) => {
                tracing::warn!(alias = %name, "the session token has expired; the alias was removed");
                printer.warn(format_args!(
                    "the session token of alias `{name}` has expired: the alias was removed from {path} \
                     (`--no-prune` keeps such aliases)"
                ));
            }
            Ok(false) => printer.warn(format_args!("alias `{name}` has been changed meanwhile, so it stays")),
            Err(error) => printer.warn(format_args!("alias `{name}` could not be removed: {error}")),
        }
    }
}

#[cfg(test)]
mod tests;
