//! Which entries: the flags that `list` and `follow` share.

use clap::Args;
use clap::builder::PossibleValuesParser;
use hallpass_control::Store;
use hallpass_control::store::EntryFilter;
use hallpass_core::audit::Event;

use crate::command::Context;
use crate::command::session::find::find;
use crate::error::CommandError;

/// Which entries.
#[derive(Debug, Clone, Args)]
pub(crate) struct FilterArgs {
    /// Only entries of this session: its id, or at least four characters of its beginning
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// Only these kinds
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = PossibleValuesParser::new(Event::KINDS), hide_possible_values = true)]
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
