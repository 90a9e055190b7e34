//! `hallpass s3 retention`.

use std::ffi::OsString;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use hallpass_s3::client::ObjectId;
use hallpass_s3::client::settings::{DefaultRetention, Retention, RetentionMode};
use hallpass_s3::rights::Rights;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::show;
use super::stores::{Failed, Stores};
use crate::command::since::parse_time;
use crate::config::duration::Seconds;
use crate::error::{CommandError, ExitStatus};
use crate::output::count::counted;

/// Keep objects from being deleted or replaced for a time
///
/// On an object, or, with a bucket, for every new object. The bucket must have been made with object lock
/// (`hallpass s3 mb --with-lock`). Nobody can shorten `compliance`, the owner of the account included.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 retention set minio/vault/a.pdf --mode governance --for 30d\n  \
    hallpass s3 retention set minio/vault --mode compliance --days 365\n  \
    hallpass s3 retention info minio/vault/a.pdf")]
pub(crate) struct RetentionArgs {
    #[command(subcommand)]
    command: RetentionCommand,
}

#[derive(Debug, Subcommand)]
enum RetentionCommand {
    Set(SetArgs),
    Info(InfoArgs),
    Clear(ClearArgs),
}

/// Keep an object until then, or every new object of a bucket for so long
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("length").required(true),
    after_help = "Examples:\n  \
    hallpass s3 retention set minio/vault/a.pdf --mode governance --for 30d\n  \
    hallpass s3 retention set minio/vault/a.pdf --mode governance --until 2030-01-01T00:00:00Z\n  \
    hallpass s3 retention set minio/vault --mode compliance --days 365"
)]
struct SetArgs {
    #[command(flatten)]
    place: Place,
    /// How strictly
    #[arg(long, value_enum)]
    mode: Mode,
    /// An object: so long from now, such as `30d`
    #[arg(long, value_name = "DURATION", group = "length")]
    r#for: Option<Seconds>,
    /// An object: until then, such as `2030-01-31` (midnight UTC) or `2030-01-31T12:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = parse_time, group = "length")]
    until: Option<Timestamp>,
    /// A bucket: so many days
    #[arg(long, value_name = "COUNT", group = "length", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// A bucket: so many years
    #[arg(long, value_name = "COUNT", group = "length", value_parser = clap::value_parser!(u32).range(1..=100))]
    years: Option<u32>,
    /// Shorten governance, if you may
    #[arg(long)]
    bypass_governance: bool,
}

/// Say until when an object is kept, or how long new objects of a bucket are
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hallpass s3 retention info minio/vault/a.pdf --json")]
struct InfoArgs {
    #[command(flatten)]
    place: Place,
}

/// End governance of an object, or what new objects of a bucket get
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hallpass s3 retention clear minio/vault/a.pdf")]
struct ClearArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    /// The object or bucket
    #[arg(value_name = "PATH")]
    path: OsString,
    /// One version of the object
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Who has the right to bypass it can end it
    Governance,
    /// Nobody can end it
    Compliance,
}

#[derive(Debug, Default, Serialize)]
struct State<'a> {
    bucket: &'a str,
    key: Option<&'a str>,
    mode: Option<&'static str>,
    until: Option<String>,
    days: Option<u32>,
    years: Option<u32>,
}

impl From<Mode> for RetentionMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Governance => Self::Governance,
            Mode::Compliance => Self::Compliance,
        }
    }
}

/// Does it.
pub(super) fn retention(stores: &Stores<'_>, args: &RetentionArgs) -> Result<ExitStatus, CommandError> {
    let (place, word) = match &args.command {
        RetentionCommand::Set(args) => (&args.place, "Put"),
        RetentionCommand::Info(args) => (&args.place, "Get"),
        RetentionCommand::Clear(args) => (&args.place, "Put"),
    };
    let remote = stores.in_bucket(&place.path)?;
    let (bucket, key) = (remote.bucket.as_str(), remote.key.as_str());
    let bypass = match &args.command {
        RetentionCommand::Set(args) => args.bypass_governance,
        RetentionCommand::Info(_) => false,
        RetentionCommand::Clear(_) => true,
    };
    let rights = match (key, word) {
        ("", "Get") => Rights::on_bucket(&["s3:GetBucketObjectLockConfiguration"], bucket),
        ("", _) => Rights::on_bucket(&["s3:PutBucketObjectLockConfiguration"], bucket),
        (key, "Get") => Rights::on_object(&["s3:GetObjectRetention"], bucket, key),
        (key, _) if bypass => {
            Rights::on_object(&["s3:PutObjectRetention", "s3:BypassGovernanceRetention"], bucket, key)
        }
        (key, _) => Rights::on_object(&["s3:PutObjectRetention"], bucket, key),
    };
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    let object = ObjectId { version: place.version_id.clone(), ..ObjectId::new(bucket, key) };
    stores.run(async {
        let client = stores.client(&remote)?;
        let printer = stores.printer();
        let base = State { bucket, key: Some(key).filter(|key| !key.is_empty()), ..State::default() };
        match &args.command {
            RetentionCommand::Info(_) if key.is_empty() => {
                let default = client.object_lock(bucket).await?.default;
                let state = base.with_default(default);
                show::one(printer, "s3_retention", &state, || state.text())?;
            }
            RetentionCommand::Info(_) => {
                let state = base.with(client.retention(&object).await?);
                show::one(printer, "s3_retention", &state, || state.text())?;
            }
            RetentionCommand::Clear(_) => {
                match key {
                    "" => client.set_default_retention(bucket, None).await?,
                    _ => client.set_retention(&object, None, true).await?,
                }
                show::done(printer, "s3_retention", &base, || "retention cleared".to_owned())?;
            }
            RetentionCommand::Set(args) if key.is_empty() => {
                let default = args.of_bucket()?;
                client.set_default_retention(bucket, Some(default)).await?;
                let state = base.with_default(Some(default));
                show::done(printer, "s3_retention", &state, || state.text())?;
            }
            RetentionCommand::Set(args) => {
                let retention = args.of_object(stores.context.now())?;
                client.set_retention(&object, Some(retention), args.bypass_governance).await?;
                let state = base.with(Some(retention));
                show::done(printer, "s3_retention", &state, || state.text())?;
            }
        }
        Ok(ExitStatus::Success)
    })
}

impl SetArgs {
    fn of_bucket(&self) -> Result<DefaultRetention, Failed> {
        let mode = self.mode.into();
        match (self.days, self.years) {
            (Some(days), _) => Ok(DefaultRetention::Days(mode, days)),
            (_, Some(years)) => Ok(DefaultRetention::Years(mode, years)),
            _ => Err(wrong("a bucket keeps new objects for a time", "use `--days` or `--years`")),
        }
    }

    fn of_object(&self, now: Timestamp) -> Result<Retention, Failed> {
        let until = match (self.r#for, self.until) {
            (Some(Seconds(seconds)), _) => {
                let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                now.checked_add(span).map_err(|_| wrong("`--for` is too long", "use at most some hundred years"))?
            }
            (_, Some(until)) => until,
            _ => return Err(wrong("an object is kept until a time", "use `--for` or `--until`")),
        };
        if until <= now {
            return Err(wrong("the time of `--until` has passed", "name one that is to come"));
        }
        // Stores keep whole seconds.
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        Ok(Retention { mode: self.mode.into(), until })
    }
}

fn wrong(message: &str, next: &str) -> Failed {
    CommandError::usage("s3.retention", message).next(next).into()
}

impl State<'_> {
    fn with(self, retention: Option<Retention>) -> Self {
        let mode = retention.map(|retention| retention.mode.as_str());
        Self { mode, until: retention.map(|retention| retention.until.to_string()), ..self }
    }

    fn with_default(self, default: Option<DefaultRetention>) -> Self {
        match default {
            None => self,
            Some(DefaultRetention::Days(mode, days)) => Self { mode: Some(mode.as_str()), days: Some(days), ..self },
            Some(DefaultRetention::Years(mode, years)) => {
                Self { mode: Some(mode.as_str()), years: Some(years), ..self }
            }
        }
    }

    fn text(&self) -> String {
        let Some(mode) = self.mode else { return "none".to_owned() };
        match (&self.until, self.days, self.years) {
            (Some(until), ..) => format!("{mode} until {until}"),
            (_, Some(days), _) => format!("{mode} for {}", counted(days, "day", "days")),
            (.., years) => format!("{mode} for {}", counted(years.unwrap_or(0), "year", "years")),
        }
    }
}
