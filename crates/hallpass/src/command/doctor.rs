//! `hallpass doctor`.

mod aws;
mod kernel;
mod settings;
mod state;

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Check everything that a session needs, and say what to do about it
///
/// Changes nothing, and makes no network call unless `--online`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass doctor\n  \
    hallpass doctor --online\n  \
    hallpass doctor --json | jq '.checks[] | select(.status != \"ok\")'")]
pub(crate) struct DoctorArgs {
    /// Also try to reach the cloud
    #[arg(long)]
    online: bool,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// As it should be.
    Ok,
    /// Works, but look at it.
    Warn,
    /// Sessions cannot start, or are not safe.
    Fail,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    detail: String,
    next_step: Option<String>,
}

impl Check {
    fn new(name: &'static str, status: Status, detail: impl Into<String>) -> Self {
        Self { name, status, detail: detail.into(), next_step: None }
    }

    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, detail)
    }

    fn warn(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Warn, detail)
    }

    fn fail(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Fail, detail)
    }

    fn next(mut self, step: impl Into<String>) -> Self {
        self.next_step = Some(step.into());
        self
    }
}

#[derive(Serialize)]
struct Examined {
    schema_version: u32,
    healthy: bool,
    checks: Vec<Check>,
}

/// Runs every check; fails when one fails.
pub(crate) fn doctor(context: &Context, args: DoctorArgs) -> Result<ExitStatus, CommandError> {
    let mut checks = vec![settings::config(context), settings::nesting()];
    checks.extend(state::checks(context));
    checks.push(aws::base_credential());
    checks.push(aws::ambient());
    if args.online {
        checks.push(aws::online(context));
    }
    checks.extend(kernel::checks());
    let failed = checks.iter().filter(|check| check.status == Status::Fail).count();
    report(context, checks, failed == 0)?;
    if failed > 0 {
        let message = format!("{failed} checks failed");
        return Err(CommandError::new(ErrorKind::General, "doctor.unhealthy", message).next("follow the steps above"));
    }
    Ok(ExitStatus::Success)
}

fn report(context: &Context, checks: Vec<Check>, healthy: bool) -> Result<(), CommandError> {
    let printer = context.printer;
    if printer.is_json() {
        return printer.json(&Examined { schema_version: SCHEMA_VERSION, healthy, checks });
    }
    for check in checks {
        let paint = match check.status {
            Status::Ok => Paint::Good,
            Status::Warn => Paint::Warn,
            Status::Fail => Paint::Bad,
        };
        let status = printer.paint(paint, format_args!("{:<4}", check.status.to_string()));
        printer.data(format_args!("{status}  {:<16}  {}", check.name, clean::line(&check.detail)))?;
        if let Some(step) = check.next_step {
            printer.data(format_args!("      next: {}", clean::line(&step)))?;
        }
    }
    Ok(())
}
