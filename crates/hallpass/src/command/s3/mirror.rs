//! `hallpass s3 mirror`.

use std::ffi::OsString;
use std::io;

use clap::{Args, ValueEnum};
use hallpass_s3::error::{ErrorKind as Sort, S3Error};
use hallpass_s3::execute::Orders;
use hallpass_s3::plan::{self, Mirror, MirrorRequest, Plan};
use hallpass_s3::rights::Rights;
use hallpass_s3::target::{Remote, Target, Use};

use super::stores::Stores;
use super::transfer::Run;
use super::transfer::args::{PropertyArgs, TransferArgs};
use super::transfer::needs::{Besides, copying};
use super::transfer::report::Verb;
use crate::error::{CommandError, ExitStatus};
use crate::output::prompt;

/// Make a folder or prefix the same as another: copy what differs, and with `--remove` remove the rest
///
/// One side may be local. Size decides, then time; where times leave it open, the MD5, if the store keeps one. What was
/// edited is copied again, what is the same is not. One listing a side, and no question for each object.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 mirror ./site/ minio/www/\n  \
    hallpass s3 mirror minio/data/ ./data/ --remove --dry-run\n  \
    hallpass s3 mirror minio/data/ aws:backup/data/ --exclude 'tmp/' --remove --max-delete 100")]
pub(crate) struct MirrorArgs {
    /// What the target shall become
    #[arg(value_name = "SOURCE")]
    source: OsString,
    /// What is changed
    #[arg(value_name = "TARGET")]
    target: OsString,
    /// Remove from the target what the source does not have
    #[arg(long)]
    remove: bool,
    /// Remove nothing if it would be more than this
    #[arg(long, value_name = "N", requires = "remove")]
    max_delete: Option<usize>,
    /// Do not ask before removing, and remove even if the source is empty
    #[arg(long, requires = "remove")]
    force: bool,
    /// When two things are the same
    #[arg(long, value_name = "HOW", default_value = "auto")]
    compare: CompareBy,
    #[command(flatten)]
    transfer: TransferArgs,
    #[command(flatten)]
    properties: PropertyArgs,
}

/// When two things are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CompareBy {
    /// Size, then time, then MD5 where times leave it open
    Auto,
    /// Size alone
    Size,
    /// Size and MD5, wherever the store keeps one
    Checksum,
}

impl CompareBy {
    pub(super) fn compare(self) -> plan::Compare {
        match self {
            Self::Auto => plan::Compare::Auto,
            Self::Size => plan::Compare::Size,
            Self::Checksum => plan::Compare::Checksum,
        }
    }
}

/// Mirrors.
pub(super) fn mirror(stores: &Stores<'_>, args: &MirrorArgs) -> Result<ExitStatus, CommandError> {
    let source = stores.target(&args.source, Use::Source)?;
    let target = stores.target(&args.target, Use::Destination)?;
    let (source, target) = (as_folder(source), as_folder(target));
    let besides = Besides {
        recursive: true,
        resumes: args.transfer.resumes(),
        tags: args.properties.tags.is_some(),
        acl: args.properties.acl.is_some(),
        ..Besides::default()
    };
    let mut needs = copying(std::slice::from_ref(&source), &target, besides);
    if let Target::Remote(remote) = &target {
        needs.push((remote, Rights::on_bucket(&["s3:ListBucket"], &remote.bucket)));
        if args.remove {
            needs.push((remote, Rights::below(&["s3:DeleteObject"], &remote.bucket, &remote.key)));
        }
    }
    if let Some(status) = stores.settled(&needs)? {
        return Ok(status);
    }
    let orders = Orders {
        properties: args.properties.properties(),
        preserve: args.properties.preserves(),
        times: true,
        ..args.transfer.orders(stores.context)?
    };
    let request = MirrorRequest {
        from: stores.root(&source)?,
        to: stores.root(&target)?,
        select: args.transfer.select.select(stores.context),
        compare: args.compare.compare(),
        remove: args.remove,
        force: args.force,
        max_delete: args.max_delete,
        tolerant: args.transfer.continue_on_error,
    };
    let asks = !args.force && prompt::is_possible();
    let mut confirm = |count| if asks { agreed(count) } else { Ok(()) };
    let run = Run { stores, verb: Verb::Mirror, args: &args.transfer, orders, to_stdout: false, confirm: &mut confirm };
    run.all(async { Ok(Plan::mirror(Mirror::new(request)?)) })
}

/// A prefix stands for a folder, with or without its `/`.
pub(super) fn as_folder(target: Target) -> Target {
    match target {
        Target::Remote(Remote { alias, bucket, mut key }) => {
            if !key.is_empty() && !key.ends_with('/') {
                key.push('/');
            }
            Target::Remote(Remote { alias, bucket, key })
        }
        other => other,
    }
}

/// Asks the person at the terminal.
fn agreed(count: usize) -> Result<(), S3Error> {
    let question = format!("remove {count} from the target that the source does not have? [y/N]");
    let refused = |message: &str| {
        let next = "pass `--force` to remove without a question";
        Err(S3Error::refused(Sort::Interrupted, "not_agreed", message, next))
    };
    match prompt::line_or_signal(&question) {
        Ok(answer) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => Ok(()),
        Ok(_) => refused("nothing was removed, as you said"),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => refused("nothing was removed: you said stop"),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        Err(error) => refused(&format!("nothing was removed, because nobody could be asked: {error}")),
    }
}
