//! `hallpass s3 diff`.

use std::ffi::OsString;

use clap::Args;
use hallpass_s3::plan::{Differ, Difference, Differing, Found};
use hallpass_s3::rights::Rights;
use hallpass_s3::target::{Target, Use};
use serde::Serialize;

use super::mirror::{CompareBy, as_folder};
use super::stores::{Failed, Stores};
use super::transfer::args::SelectArgs;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, clean, envelope};

/// Show how two folders or prefixes differ; the exit status is 1 when they do
///
/// Either side may be local. `<` is only on the first side, `>` only on the second, `!` differs, with the reason. What
/// is the same is what `mirror` would not copy.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 diff ./site/ minio/www/\n  \
    hallpass s3 diff minio/data/ aws:backup/data/ --compare checksum --json")]
pub(crate) struct DiffArgs {
    /// One side
    #[arg(value_name = "FIRST")]
    first: OsString,
    /// The other
    #[arg(value_name = "SECOND")]
    second: OsString,
    /// When two things are the same
    #[arg(long, value_name = "HOW", default_value = "auto")]
    compare: CompareBy,
    #[command(flatten)]
    select: SelectArgs,
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    kind: &'static str,
    name: &'a str,
    difference: &'static str,
    first_size: Option<u64>,
    second_size: Option<u64>,
    first_modified: Option<String>,
    second_modified: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    kind: &'static str,
    identical: u64,
    only_first: u64,
    only_second: u64,
    different: u64,
}

/// Compares.
pub(super) fn diff(stores: &Stores<'_>, args: &DiffArgs) -> Result<ExitStatus, CommandError> {
    let first = as_folder(stores.target(&args.first, Use::Source)?);
    let second = as_folder(stores.target(&args.second, Use::Source)?);
    let needs = [&first, &second].into_iter().filter_map(|target| match target {
        Target::Remote(remote) => Some((remote, Rights::on_bucket(&["s3:ListBucket"], &remote.bucket))),
        Target::Local(_) | Target::Stdio => None,
    });
    if let Some(status) = stores.settled(&needs.collect::<Vec<_>>())? {
        return Ok(status);
    }
    let (first, second) = (stores.root(&first)?, stores.root(&second)?);
    let select = args.select.select(stores.context);
    let summary = stores.run(async {
        let mut differ = Differ::new(first, second, &select, args.compare.compare());
        let mut summary = Summary { kind: "summary", ..Summary::default() };
        while let Some(differing) = differ.next().await? {
            summary.add(&differing);
            tell(stores, &differing)?;
        }
        Ok::<_, Failed>(summary)
    })?;
    let printer = stores.printer();
    if printer.is_json() {
        envelope::success(printer, "s3_diff", &summary)?;
    } else {
        printer.say(format_args!(
            "{} only on the first side, {} only on the second, {} different, {} identical",
            summary.only_first, summary.only_second, summary.different, summary.identical
        ));
    }
    let same = summary.only_first + summary.only_second + summary.different == 0;
    Ok(if same { ExitStatus::Success } else { ExitStatus::Failure })
}

impl Summary {
    fn add(&mut self, differing: &Differing) {
        match differing {
            Differing::Same(_) => self.identical += 1,
            Differing::OnlyFirst(_) => self.only_first += 1,
            Differing::OnlySecond(_) => self.only_second += 1,
            Differing::Different(..) => self.different += 1,
        }
    }
}

fn tell(stores: &Stores<'_>, differing: &Differing) -> Result<(), CommandError> {
    let (name, first, second, word, (mark, paint)) = match differing {
        Differing::Same(_) => return Ok(()),
        Differing::OnlyFirst(found) => (&found.name, Some(found), None, "only_first", ("<", Paint::Bad)),
        Differing::OnlySecond(found) => (&found.name, None, Some(found), "only_second", (">", Paint::Good)),
        Differing::Different(first, second, why) => {
            (&first.name, Some(first), Some(second), why.as_str(), ("!", Paint::Warn))
        }
    };
    let printer = stores.printer();
    if printer.is_json() {
        let modified = |found: Option<&Found>| found.and_then(|found| found.modified).map(|at| at.to_string());
        let item = Item {
            kind: "item",
            name,
            difference: word,
            first_size: first.map(|found| found.size),
            second_size: second.map(|found| found.size),
            first_modified: modified(first),
            second_modified: modified(second),
        };
        return envelope::success(printer, "s3_diff", &item);
    }
    let name = clean::quoted(name);
    let text = match differing {
        Differing::Different(first, second, Difference::Size) => {
            format!("{mark} {name} (size: {} and {} bytes)", first.size, second.size)
        }
        Differing::Different(_, _, why) => format!("{mark} {name} ({})", why.as_str()),
        _ => format!("{mark} {name}"),
    };
    printer.data(printer.paint(paint, text))
}
