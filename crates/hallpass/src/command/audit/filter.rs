//! Which entries: the flags that `list` and `follow` share.

use clap::Args;
use hallpass_control::Store;
use hallpass_control::store::EntryFilter;

use crate::command::Context;
use crate::command::session::find::find;
use crate::error::CommandError;

/// Every kind of entry, as in the `type` of an event.
pub(crate) const KINDS: [&str; 17] = [
    "log_opened",
    "session_created",
    "credentials_issued",
    "session_activated",
    "request_allowed",
    "request_denied",
    "request_settled",
    "url_presigned",
    "tunnel_opened",
    "tunnel_closed",
    "requests_unknown",
    "session_killed",
    "credentials_revoked",
    "session_ended",
    "session_imported",
    "sessions_pruned",
    "log_interrupted",
];

/// Which entries.
#[derive(Debug, Clone, Args)]
pub(crate) struct FilterArgs {
    /// Only entries of this session: its id, or at least four characters of its beginning
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Only these kinds
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = KINDS, hide_possible_values = true)]
    kind: Vec<String>,
}

impl FilterArgs {
    /// The filter, with the session looked up.
    ///
    /// # Errors
    /// When there is no such session, or several.
    pub(super) fn resolve(&self, context: &Context, store: &dyn Store) -> Result<EntryFilter, CommandError> {
        let session = match &self.session {
            Some(text) => Some(find(context, store, text)?.session.id),
            None => None,
        };
        Ok(EntryFilter { session, kinds: self.kind.clone(), ..EntryFilter::default() })
    }
}
