//! `hallpass s3 which`.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use hallpass_s3::alias::Registry;
use hallpass_s3::rights::Rights;
use hallpass_s3::target::{Remote, Surroundings, Target, Use};
use serde::Serialize;

use super::args::S3Flags;
use crate::alias::{failure, registry};
use crate::command::Context;
use crate::error::{CommandError, ExitStatus};
use crate::output::{clean, envelope};

/// Say what a path means: something here, or something in a store
///
/// Nothing is asked but this machine. `./x` is always local, `alias:bucket/key` and `s3://bucket/key` are always
/// remote, and `x/y` is what exists; when it may be both, it is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 which minio/data/report.pdf\n  \
    hallpass s3 which tree/ --json\n  \
    hallpass s3 which s3://data/logs/ --explain")]
pub(crate) struct WhichArgs {
    /// The path
    #[arg(value_name = "PATH")]
    path: OsString,
}

#[derive(Serialize)]
struct Meaning {
    kind: &'static str,
    path: Option<String>,
    alias: Option<String>,
    bucket: Option<String>,
    key: Option<String>,
    endpoint: Option<String>,
    actions: Vec<&'static str>,
    resources: Vec<String>,
}

/// Says it.
pub(super) fn which(context: &Context, flags: &S3Flags, args: WhichArgs) -> Result<ExitStatus, CommandError> {
    let registry = registry(context)?;
    let target = Target::parse(&args.path, Use::Source, &Here(&registry)).map_err(failure::of)?;
    let meaning = meaning(&registry, target)?;
    let printer = context.printer;
    if printer.is_json() {
        envelope::success(printer, "s3_which", &meaning)?;
        return Ok(ExitStatus::Success);
    }
    let mut line = meaning.kind.to_owned();
    for part in [&meaning.path, &meaning.alias, &meaning.bucket, &meaning.key, &meaning.endpoint].into_iter().flatten()
    {
        line.push('\t');
        line.push_str(&clean::line(part));
    }
    printer.data(line)?;
    if flags.explain && !meaning.actions.is_empty() {
        printer.say(format_args!(
            "reading it needs {} on {}",
            meaning.actions.join(", "),
            meaning.resources.join(", ")
        ));
    }
    Ok(ExitStatus::Success)
}

/// The file system of the working folder, and the aliases.
pub(super) struct Here<'a>(pub(super) &'a Registry);

impl Surroundings for Here<'_> {
    fn exists(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }

    fn is_alias(&self, name: &str) -> bool {
        self.0.entry(name).is_some()
    }
}

fn meaning(registry: &Registry, target: Target) -> Result<Meaning, CommandError> {
    let local = |kind, path| Meaning {
        kind,
        path,
        alias: None,
        bucket: None,
        key: None,
        endpoint: None,
        actions: Vec::new(),
        resources: Vec::new(),
    };
    let Remote { alias, bucket, key } = match target {
        Target::Stdio => return Ok(local("stdio", None)),
        Target::Local(path) => return Ok(local("local", Some(path.display().to_string()))),
        Target::Remote(remote) => remote,
    };
    let endpoint = registry.find(&alias).map_err(failure::of)?.endpoint.clone();
    let rights = match (bucket.as_str(), key.as_str()) {
        ("", _) => Rights::list_buckets(),
        (bucket, "") => Rights::on_bucket(&["s3:ListBucket"], bucket),
        (bucket, prefix) if prefix.ends_with('/') => {
            Rights::below(&["s3:GetObject"], bucket, prefix).and(Rights::on_bucket(&["s3:ListBucket"], bucket))
        }
        (bucket, key) => Rights::on_object(&["s3:GetObject"], bucket, key),
    };
    Ok(Meaning {
        kind: "remote",
        path: None,
        alias: Some(alias),
        bucket: Some(bucket),
        key: Some(key),
        endpoint: Some(endpoint),
        actions: rights.actions,
        resources: rights.resources,
    })
}
