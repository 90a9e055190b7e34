//! `hallpass alias`: named S3 stores.

pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod set;
mod view;

use clap::Subcommand;

use crate::command::Context;
use crate::error::{CommandError, ExitStatus};

/// Name S3 stores, and say what signs for them.
#[derive(Debug, Subcommand)]
pub(crate) enum AliasCommand {
    Set(Box<set::SetArgs>),
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    #[command(visible_alias = "rm")]
    Remove(remove::RemoveArgs),
}

/// Dispatches; a failure gets the envelope of its verb.
pub(crate) fn alias(context: &Context, command: AliasCommand) -> Result<ExitStatus, CommandError> {
    let (family, done) = match command {
        AliasCommand::Set(args) => ("alias_set", set::set(context, *args)),
        AliasCommand::List(args) => ("alias_list", list::list(context, args)),
        AliasCommand::Remove(args) => ("alias_remove", remove::remove(context, args)),
    };
    done.map_err(|error| error.in_family(family))
}
