//! What became of every key, told as it happens, and summed up.

use hallpass_s3::client::Doomed;
use hallpass_s3::error::{ErrorKind, S3Error};
use serde::Serialize;

use super::RmArgs;
use crate::alias::failure;
use crate::command::s3::stores::{Failed, Stores};
use crate::error::{CommandError, ExitStatus};
use crate::output::count::counted;
use crate::output::{Printer, clean, envelope};

const FAMILY: &str = "s3_rm";

#[derive(Serialize)]
struct Told<'a> {
    bucket: &'a str,
    key: &'a str,
    version_id: Option<&'a str>,
    dry_run: bool,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    removed: u64,
    failed: u64,
    missing: u64,
    dry_run: bool,
}

/// Counts, tells, and keeps the first failure.
#[derive(Debug)]
pub(super) struct Tally {
    printer: Printer,
    recursive: bool,
    summary: Summary,
    first: Option<S3Error>,
}

impl Tally {
    pub(super) fn new(printer: Printer, args: &RmArgs) -> Self {
        let summary = Summary { dry_run: args.dry_run, ..Summary::default() };
        Self { printer, recursive: args.recursive, summary, first: None }
    }

    /// What became of one key. A dead token ends everything.
    pub(super) fn tell(
        &mut self,
        alias: &str,
        bucket: &str,
        doomed: Doomed,
        failed: Option<S3Error>,
    ) -> Result<(), Failed> {
        let Doomed { key, version } = &doomed;
        let dry_run = self.summary.dry_run;
        let told = Told { bucket, key, version_id: version.as_deref(), dry_run };
        let Some(error) = failed else {
            self.summary.removed += 1;
            let shown = || {
                let version = version.as_ref().map_or(String::new(), |version| format!(" (version {version})"));
                clean::line(&format!("{}{version}", clean::quoted(&format!("{alias}/{bucket}/{key}"))))
            };
            match (self.printer.is_json(), dry_run) {
                (true, _) => envelope::success(self.printer, FAMILY, &told)?,
                // What would be removed is what was asked for.
                (false, true) => self.printer.data(shown())?,
                (false, false) => self.printer.say(format_args!("removed {}", shown())),
            }
            return Ok(());
        };
        if matches!(error, S3Error::TokenExpired(_)) {
            return Err(error.into());
        }
        self.summary.failed += 1;
        self.failed(&told, error)
    }

    /// A key, or a version of it, that is not there.
    pub(super) fn missing(&mut self, alias: &str, bucket: &str, key: &str, version_id: Option<&str>) {
        self.summary.missing += 1;
        let told = Told { bucket, key, version_id, dry_run: self.summary.dry_run };
        let version = version_id.map_or(String::new(), |id| format!("version `{}` of ", clean::line(id)));
        let message = format!("there is no {version}`{}`", clean::line(&format!("{alias}/{bucket}/{key}")));
        let next = match self.recursive {
            true => "pass `--force` if that is as it should be",
            false => "pass `--force` if that is as it should be, or `-r` for what is below it",
        };
        let error = S3Error::refused(ErrorKind::NotFound, "NoSuchKey", message, next);
        // Nobody is left to hear of it when this fails, and the exit status tells.
        drop(self.failed(&told, error));
    }

    fn failed(&mut self, told: &Told<'_>, error: S3Error) -> Result<(), Failed> {
        let failure = failure::of(error.clone()).in_family(FAMILY);
        if self.printer.is_json() {
            self.printer.data(failure.to_json_with(told))?;
        } else {
            self.printer.error(&failure);
        }
        self.first.get_or_insert(error);
        Ok(())
    }

    /// The sum, and how the command ends: as its first failure would.
    pub(super) fn end(self, stores: &Stores<'_>) -> Result<ExitStatus, CommandError> {
        let Summary { removed, failed, missing, .. } = self.summary;
        if self.printer.is_json() {
            envelope::success(self.printer, "s3_rm_summary", &self.summary)?;
        }
        match self.first {
            None => Ok(ExitStatus::Success),
            // Each was told already.
            Some(error) if removed + failed + missing == 1 => Ok(stores.failed(error).exit_status()),
            Some(error) => {
                let left = counted(failed + missing, "object was", "objects were");
                let message = format!("{left} not removed, of {}", removed + failed + missing);
                let next = error.suggestion().unwrap_or("see the failures above").to_owned();
                Err(stores.failed(S3Error::refused(error.kind(), "not_all_removed", message, next)))
            }
        }
    }
}
