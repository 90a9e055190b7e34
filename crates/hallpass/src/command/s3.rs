//! `hallpass s3`: the S3 client.

mod admin;
mod args;
pub(crate) mod borrow;
pub(crate) mod boundary;
mod cat;
mod cors;
mod cp;
mod diff;
mod document;
mod du;
mod find;
mod head;
mod legal_hold;
mod lifecycle;
mod ls;
mod mb;
mod mirror;
mod mv;
mod pipe;
mod policy;
mod rb;
mod retention;
mod rm;
mod run;
mod share;
mod show;
mod stat;
mod stdin;
mod stdout;
mod stores;
mod tag;
mod transfer;
mod tree;
mod version;
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
    Mb(mb::MbArgs),
    Rb(rb::RbArgs),
    Cat(cat::CatArgs),
    Head(head::HeadArgs),
    Stat(stat::StatArgs),
    #[command(visible_aliases = ["get", "put"])]
    Cp(Box<cp::CpArgs>),
    Mv(Box<mv::MvArgs>),
    #[command(visible_alias = "sync")]
    Mirror(Box<mirror::MirrorArgs>),
    Diff(Box<diff::DiffArgs>),
    Find(find::FindArgs),
    Tree(tree::TreeArgs),
    Du(du::DuArgs),
    Rm(rm::RmArgs),
    Pipe(pipe::PipeArgs),
    Share(share::ShareArgs),
    Tag(tag::TagArgs),
    Version(version::VersionArgs),
    Retention(retention::RetentionArgs),
    LegalHold(legal_hold::LegalHoldArgs),
    Cors(cors::CorsArgs),
    #[command(visible_alias = "ilm")]
    Lifecycle(lifecycle::LifecycleArgs),
    #[command(visible_alias = "anonymous")]
    Policy(policy::PolicyArgs),
    Run(run::RunArgs),
    Admin(admin::AdminArgs),
    Which(which::WhichArgs),
}

impl S3Command {
    /// What its JSON is called.
    fn family(&self) -> &'static str {
        match self {
            Self::Ls(_) => "s3_ls",
            Self::Mb(_) => "s3_mb",
            Self::Rb(_) => "s3_rb",
            Self::Cat(_) => "s3_cat",
            Self::Head(_) => "s3_head",
            Self::Stat(_) => "s3_stat",
            Self::Cp(_) => "s3_cp",
            Self::Mv(_) => "s3_mv",
            Self::Mirror(_) => "s3_mirror",
            Self::Diff(_) => "s3_diff",
            Self::Find(_) => "s3_find",
            Self::Tree(_) => "s3_tree",
            Self::Du(_) => "s3_du",
            Self::Rm(_) => "s3_rm",
            Self::Pipe(_) => "s3_pipe",
            Self::Share(_) => "s3_share",
            Self::Tag(_) => "s3_tag",
            Self::Version(_) => "s3_version",
            Self::Retention(_) => "s3_retention",
            Self::LegalHold(_) => "s3_legal_hold",
            Self::Cors(_) => "s3_cors",
            Self::Lifecycle(_) => "s3_lifecycle",
            Self::Policy(_) => "s3_policy",
            Self::Run(_) => "s3_run",
            Self::Admin(args) => args.family(),
            Self::Which(_) => "s3_which",
        }
    }
}

/// Dispatches; a failure gets the envelope of its verb.
pub(crate) fn s3(context: &Context, args: S3Args) -> Result<ExitStatus, CommandError> {
    let family = args.command.family();
    let done = Stores::new(context, &args.flags).and_then(|stores| {
        let stores = if matches!(args.command, S3Command::Run(_)) { stores.in_batch() } else { stores };
        one(&stores, &args.flags, args.command)
    });
    done.map_err(|error| error.in_family(family))
}

fn one(stores: &Stores<'_>, flags: &args::S3Flags, command: S3Command) -> Result<ExitStatus, CommandError> {
    match command {
        S3Command::Ls(args) => ls::ls(stores, &args),
        S3Command::Mb(args) => mb::mb(stores, &args),
        S3Command::Rb(args) => rb::rb(stores, &args),
        S3Command::Cat(args) => cat::cat(stores, &args),
        S3Command::Head(args) => head::head(stores, &args),
        S3Command::Stat(args) => stat::stat(stores, &args),
        S3Command::Cp(args) => cp::cp(stores, &args),
        S3Command::Mv(args) => mv::mv(stores, &args),
        S3Command::Mirror(args) => mirror::mirror(stores, &args),
        S3Command::Diff(args) => diff::diff(stores, &args),
        S3Command::Find(args) => find::find(stores, &args),
        S3Command::Tree(args) => tree::tree(stores, &args),
        S3Command::Du(args) => du::du(stores, &args),
        S3Command::Rm(args) => rm::rm(stores, &args),
        S3Command::Pipe(args) => pipe::pipe(stores, &args),
        S3Command::Share(args) => share::share(stores, &args),
        S3Command::Tag(args) => tag::tag(stores, &args),
        S3Command::Version(args) => version::version(stores, &args),
        S3Command::Retention(args) => retention::retention(stores, &args),
        S3Command::LegalHold(args) => legal_hold::legal_hold(stores, &args),
        S3Command::Cors(args) => cors::cors(stores, &args),
        S3Command::Lifecycle(args) => lifecycle::lifecycle(stores, &args),
        S3Command::Policy(args) => policy::policy(stores, &args),
        S3Command::Run(args) => run::run(stores, &args),
        S3Command::Admin(args) => admin::admin(stores, args),
        S3Command::Which(args) => which::which(stores.context, flags, args),
    }
}
