//! `hallpass s3 cp`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::execute::Orders;
use hallpass_s3::plan::{Copies, Plan, Request};
use hallpass_s3::target::{Target, Use};

use super::stores::Stores;
use super::transfer::Run;
use super::transfer::args::{PropertyArgs, TransferArgs};
use super::transfer::needs::{Besides, copying};
use super::transfer::report::Verb;
use crate::error::{CommandError, ExitStatus};

/// Copy files and objects: up, down, inside a store, from one store to another
///
/// A target that ends with `/`, a bucket and an existing folder keep the names of what is copied into them. A folder
/// that ends with `/` is what is in it. `-` is stdin or stdout. Everything is planned before anything is written, what
/// arrives is compared with what was sent, and a download is there whole or not at all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 cp report.pdf minio/data/\n  \
    hallpass s3 cp -r ./site/ s3://www.example.org --exclude '*.map' --attr 'Cache-Control=max-age=60'\n  \
    hallpass s3 cp -r minio/data/2026/ ./2026/ --newer-than 7d\n  \
    hallpass s3 cp minio/data/a.csv aws:lake/raw/a.csv\n  \
    hallpass s3 cp minio/data/a.csv minio/data/a.csv --version-id 3HL4kqtJlcpXroDTDmJ\n  \
    pg_dump app | hallpass s3 cp - minio/backup/app.sql")]
pub(crate) struct CpArgs {
    #[command(flatten)]
    copy: CopyArgs,
    /// This version of the source; copied onto its own key, it is the current one again
    #[arg(long, value_name = "ID", conflicts_with = "recursive", help_heading = "What is meant")]
    version_id: Option<String>,
}

// What `cp` and `mv` have in common; a doc comment would become their help.
#[derive(Debug, Args)]
pub(super) struct CopyArgs {
    /// From here, and last: to here
    #[arg(value_names = ["SOURCE", "TARGET"], required = true, num_args = 2..)]
    paths: Vec<OsString>,
    /// Folders and prefixes, with all that is in them
    #[arg(short, long)]
    recursive: bool,
    /// Leave what the target has already as it is
    #[arg(long)]
    no_clobber: bool,
    #[command(flatten)]
    transfer: TransferArgs,
    #[command(flatten)]
    properties: PropertyArgs,
}

/// Copies.
pub(super) fn cp(stores: &Stores<'_>, args: &CpArgs) -> Result<ExitStatus, CommandError> {
    copy(stores, &args.copy, args.version_id.as_deref(), Verb::Cp)
}

/// Copies or moves. `version`: of the one source.
pub(super) fn copy(
    stores: &Stores<'_>,
    asked: &CopyArgs,
    version: Option<&str>,
    verb: Verb,
) -> Result<ExitStatus, CommandError> {
    let Some((target, sources)) = asked.paths.split_last() else { return Ok(ExitStatus::Usage) };
    let sources = sources.iter().map(|path| stores.target(path, Use::Source)).collect::<Result<Vec<_>, _>>()?;
    let target = stores.target(target, Use::Destination)?;
    let moves = verb == Verb::Mv;
    if moves && (sources.contains(&Target::Stdio) || target == Target::Stdio) {
        return Err(CommandError::usage("s3.move_stream", "a stream cannot be moved").next("use `hallpass s3 cp`"));
    }
    let properties = asked.properties.properties();
    let besides = Besides {
        recursive: asked.recursive,
        removes: moves,
        looks: moves || asked.no_clobber,
        resumes: asked.transfer.resumes(),
        tags: asked.properties.tags.is_some(),
        acl: asked.properties.acl.is_some(),
        below: false,
        version: version.is_some(),
    };
    if let Some(status) = stores.settled(&copying(&sources, &target, besides))? {
        return Ok(status);
    }
    let mut orders = Orders {
        no_clobber: asked.no_clobber,
        preserve: asked.properties.preserves(),
        remove_source: moves,
        ..asked.transfer.orders(stores.context)?
    };
    orders.transfer.durable |= moves;
    let request = Request {
        sources: sources.iter().map(|source| stores.spot(source)).collect::<Result<Vec<_>, _>>()?,
        target: stores.spot(&target)?,
        version: version.map(str::to_owned),
        recursive: asked.recursive,
        select: asked.transfer.select.select(stores.context),
        tolerant: asked.transfer.continue_on_error,
        in_place: !moves && properties != Default::default(),
        ask: asked.transfer.dry_run,
    };
    orders.properties = properties;
    let to_stdout = target == Target::Stdio;
    let run = Run { stores, verb, args: &asked.transfer, orders, to_stdout, confirm: &mut |_| Ok(()) };
    run.all(async { Ok(Plan::copies(Copies::new(request).await?)) })
}
