//! `hallpass s3`: the S3 client.

mod admin;
mod args;
pub(crate) mod borrow;
pub(crate) mod boundary;
mod cat;
mod head;
mod ls;
mod show;
mod stat;
mod stdout;
mod stores;
mod which;

use clap::Subcommand;

pub(crate) use args::S3Args;
use stores::Stores;
pub(crate) use stores::options as client_options;

use crate::command::Context;
use crate::error::{CommandError, ExitStatus};

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum S3Command {
    Ls(ls::LsArgs),
    Cat(cat::CatArgs),
    Head(head::HeadArgs),
    Stat(stat::StatArgs),
    Admin(admin::AdminArgs),
    Which(which::WhichArgs),
}

impl S3Command {
    /// What its JSON is called.
    fn family(&self) -> &'static str {
        match self {
            Self::Ls(_) => "s3_ls",
            Self::Cat(_) => "s3_cat",
            Self::Head(_) => "s3_head",
            Self::Stat(_) => "s3_stat",
            Self::Admin(args) => args.family(),
            Self::Which(_) => "s3_which",
        }
    }
}

/// Dispatches; a failure gets the envelope of its verb.
pub(crate) fn s3(context: &Context, args: S3Args) -> Result<ExitStatus, CommandError> {
    let family = args.command.family();
    let done = Stores::new(context, &args.flags).and_then(|stores| one(&stores, &args.flags, args.command));
    done.map_err(|error| error.in_family(family))
}

fn one(stores: &Stores<'_>, flags: &args::S3Flags, command: S3Command) -> Result<ExitStatus, CommandError> {
    match command {
        S3Command::Ls(args) => ls::ls(stores, &args),
        S3Command::Cat(args) => cat::cat(stores, &args),
        S3Command::Head(args) => head::head(stores, &args),
        S3Command::Stat(args) => stat::stat(stores, &args),
        S3Command::Admin(args) => admin::admin(stores, args),
        S3Command::Which(args) => which::which(stores.context, flags, args),
    }
}
