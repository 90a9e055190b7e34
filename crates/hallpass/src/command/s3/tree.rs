//! `hallpass s3 tree`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::rights::Rights;
use hallpass_s3::usage::{Branch, Tree};
use hallpass_s3::walk::{Walk, WalkOptions};
use serde::Serialize;

use super::show;
use super::stores::Stores;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

/// Show what is in a bucket or below a prefix as a tree
///
/// Two spaces a level, folders with a final `/`. It is printed while it is listed, whatever its size.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 tree minio/data\n  \
    hallpass s3 tree minio/data/reports/ --max-depth 2 --folders")]
pub(crate) struct TreeArgs {
    /// The bucket or prefix
    #[arg(value_name = "PATH")]
    path: OsString,
    /// At most so many levels
    #[arg(short = 'L', long, value_name = "COUNT")]
    max_depth: Option<usize>,
    /// Folders only
    #[arg(short = 'd', long)]
    folders: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    bucket: &'a str,
    key: String,
    depth: usize,
}

/// Shows it.
pub(super) fn tree(stores: &Stores<'_>, args: &TreeArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.in_bucket(&args.path)?;
    let rights = Rights::on_bucket(&["s3:ListBucket"], &remote.bucket);
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    let base = if remote.key.is_empty() || remote.key.ends_with('/') {
        remote.key.clone()
    } else {
        format!("{}/", remote.key)
    };
    stores.run(async {
        let client = stores.client(&remote)?;
        let printer = stores.printer();
        let wanted =
            |branch: &Branch| args.max_depth.is_none_or(|most| branch.depth < most) && (branch.folder || !args.folders);
        let mut tree = Tree::new(&base);
        let options = WalkOptions { prefix: base.clone(), ..WalkOptions::default() };
        let mut walk = Walk::new(&client, &remote.bucket, options);
        while let Some(step) = walk.next().await? {
            let branches = step.entries.iter().flat_map(|entry| tree.add(&entry.object().key)).filter(wanted);
            let branches: Vec<Branch> = branches.collect();
            if printer.is_json() {
                let line = |branch: Branch| Line {
                    kind: if branch.folder { "prefix" } else { "object" },
                    bucket: &remote.bucket,
                    key: branch.key,
                    depth: branch.depth,
                };
                let lines: Vec<Line<'_>> = branches.into_iter().map(line).collect();
                show::all(printer, "s3_tree", &lines, |_| String::new())?;
                continue;
            }
            let text = |branch: &Branch| {
                let slash = if branch.folder { "/" } else { "" };
                format!("{}{}\n", "  ".repeat(branch.depth), clean::quoted(&format!("{}{slash}", branch.name)))
            };
            let text: String = branches.iter().map(text).collect();
            printer.write(|out| std::io::Write::write_all(out, text.as_bytes()))?;
        }
        Ok(ExitStatus::Success)
    })
}
