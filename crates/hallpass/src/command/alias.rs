//! `hallpass alias`: named S3 stores.

pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
mod owned;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod set;
pub(crate) mod test;
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
    #[command(visible_alias = "mv")]
    Rename(rename::RenameArgs),
    Test(test::TestArgs),
    Export(export::ExportArgs),
    Import(import::ImportArgs),
}

/// Dispatches; a failure gets the envelope of its verb.
pub(crate) fn alias(context: &Context, command: AliasCommand) -> Result<ExitStatus, CommandError> {
    let (family, done) = match command {
        AliasCommand::Set(args) => ("alias_set", set::set(context, *args)),
        AliasCommand::List(args) => ("alias_list", list::list(context, args)),
        AliasCommand::Remove(args) => ("alias_remove", remove::remove(context, args)),
        AliasCommand::Rename(args) => ("alias_rename", rename::rename(context, args)),
        AliasCommand::Test(args) => ("alias_test", test::test(context, args)),
        AliasCommand::Export(args) => ("alias_export", export::export(context, args)),
        AliasCommand::Import(args) => ("alias_import", import::import(context, args)),
    };
    done.map_err(|error| error.in_family(family))
}
