//! `hallpass s3 share`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Args, Subcommand};
use hallpass_core::budget::parse_bytes;

use hallpass_s3::client::{FormOptions, ObjectId, Presigned};
use hallpass_s3::rights::Rights;
use http::Method;
use jiff::Timestamp;
use serde::Serialize;

use super::show;
use super::stores::Stores;
use crate::config::duration::Seconds;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Printer, time};

/// Make links for people without keys
///
/// A link works for whoever has it, and cannot be taken back. It is signed here: the store is not asked, so nothing says
/// that the object is there. A link that is signed with a session token dies with the token.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 share download minio/data/a.pdf --expire 2h\n  \
    hallpass s3 share upload minio/inbox/report.pdf")]
pub(crate) struct ShareArgs {
    #[command(subcommand)]
    command: ShareCommand,
}

#[derive(Debug, Subcommand)]
enum ShareCommand {
    Download(DownloadArgs),
    Upload(UploadArgs),
}

/// A link to read objects
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 share download minio/data/a.pdf --expire 2h\n  \
    hallpass s3 share download minio/data/a.pdf --version-id 3HL4kqtJlcpXroDTDmJ\n  \
    hallpass s3 share download minio/data/a.pdf minio/data/b.pdf --json | jq -r .data.url")]
struct DownloadArgs {
    /// The objects
    #[arg(value_name = "OBJECT", required = true)]
    paths: Vec<OsString>,
    /// One version; the link stays with it when the object is written anew
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
    /// How long it works, 1s to 7d
    #[arg(short = 'E', long, value_name = "DURATION", default_value = "1h")]
    expire: Seconds,
}

/// A link, or a form, to write an object
///
/// The link takes a PUT of any size. `--form` makes fields for a POST instead, which can bound the size and the type, and
/// with `--prefix` takes any name below a prefix.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    curl -T report.pdf \"$(hallpass s3 share upload minio/inbox/report.pdf)\"\n  \
    hallpass s3 share upload minio/inbox/ --form --prefix --size-max 10MB --expire 1d")]
struct UploadArgs {
    /// The object, or with `--prefix` the prefix
    #[arg(value_name = "OBJECT")]
    path: OsString,
    /// How long it works, 1s to 7d
    #[arg(short = 'E', long, value_name = "DURATION", default_value = "1h")]
    expire: Seconds,
    /// Make fields of a form for a POST
    #[arg(long)]
    form: bool,
    /// Any object below this prefix
    #[arg(long, requires = "form")]
    prefix: bool,
    /// At most so many bytes, such as `10MB`
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, requires = "form")]
    size_max: Option<u64>,
    /// Only this content type
    #[arg(long, value_name = "TYPE", requires = "form")]
    content_type: Option<String>,
}

#[derive(Serialize)]
struct Shared<'a> {
    bucket: &'a str,
    key: &'a str,
    version_id: Option<&'a str>,
    method: &'static str,
    url: String,
    expires_at: String,
    fields: Option<BTreeMap<String, String>>,
    uses_session_token: bool,
    token_expires_at: Option<String>,
}

/// Makes them.
pub(super) fn share(stores: &Stores<'_>, args: &ShareArgs) -> Result<ExitStatus, CommandError> {
    match &args.command {
        ShareCommand::Download(args) => download(stores, args),
        ShareCommand::Upload(args) => upload(stores, args),
    }
}

fn download(stores: &Stores<'_>, args: &DownloadArgs) -> Result<ExitStatus, CommandError> {
    let remotes = args.paths.iter().map(|path| stores.object(path)).collect::<Result<Vec<_>, _>>()?;
    if args.version_id.is_some() && remotes.len() > 1 {
        let message = "`--version-id` is a version of one object, and several are named";
        return Err(CommandError::usage("s3.versions_of_many", message).next("make one link at a time"));
    }
    let action = if args.version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let needs: Vec<_> = remotes.iter().map(|r| (r, Rights::on_object(&[action], &r.bucket, &r.key))).collect();
    if let Some(status) = stores.settled(&needs)? {
        return Ok(status);
    }
    stores.run(async {
        for remote in &remotes {
            let version = args.version_id.clone();
            let object = ObjectId { version, ..ObjectId::new(&remote.bucket, &remote.key) };
            let link = stores.client(remote)?.presign(&Method::GET, &object, seconds(args.expire)).await?;
            warn(stores.printer(), &link, stores.context.now());
            let shared = Shared::of(&object, "GET", link);
            show::one(stores.printer(), "s3_share", &shared, || shared.url.clone())?;
        }
        Ok(ExitStatus::Success)
    })
}

fn upload(stores: &Stores<'_>, args: &UploadArgs) -> Result<ExitStatus, CommandError> {
    let remote = if args.prefix { stores.in_bucket(&args.path)? } else { stores.object(&args.path)? };
    let rights = match args.prefix {
        true => Rights::below(&["s3:PutObject"], &remote.bucket, &remote.key),
        false => Rights::on_object(&["s3:PutObject"], &remote.bucket, &remote.key),
    };
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    stores.run(async {
        let object = ObjectId::new(&remote.bucket, &remote.key);
        let client = stores.client(&remote)?;
        if !args.form {
            let link = client.presign(&Method::PUT, &object, seconds(args.expire)).await?;
            warn(stores.printer(), &link, stores.context.now());
            let shared = Shared::of(&object, "PUT", link);
            show::one(stores.printer(), "s3_share", &shared, || shared.url.clone())?;
            return Ok(ExitStatus::Success);
        }
        let options =
            FormOptions { prefix: args.prefix, size_max: args.size_max, content_type: args.content_type.clone() };
        let form = client.presign_form(&object, seconds(args.expire), &options).await?;
        warn(stores.printer(), &form.link, stores.context.now());
        let fields = form.fields.clone().into_iter().collect();
        let shared = Shared { fields: Some(fields), ..Shared::of(&object, "POST", form.link) };
        show::one(stores.printer(), "s3_share", &shared, || curl(&shared.url, &form.fields))?;
        Ok(ExitStatus::Success)
    })
}

/// The form as a command that posts it.
fn curl(url: &str, fields: &[(String, String)]) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let fields: String =
        fields.iter().map(|(n, v)| format!(" --form-string {}", quoted(&format!("{n}={v}")))).collect();
    format!("curl{fields} -F file=@FILE {}", quoted(url))
}

impl<'a> Shared<'a> {
    fn of(object: &'a ObjectId, method: &'static str, link: Presigned) -> Self {
        Self {
            bucket: &object.bucket,
            key: &object.key,
            version_id: object.version.as_deref(),
            method,
            url: link.url,
            expires_at: link.expires_at.to_string(),
            fields: None,
            uses_session_token: link.token.is_some(),
            token_expires_at: link.token.flatten().map(|at| at.to_string()),
        }
    }
}

fn seconds(Seconds(seconds): Seconds) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// A link that ends before it says so surprises whoever got it.
fn warn(printer: Printer, link: &Presigned, now: Timestamp) {
    match link.token {
        Some(Some(end)) if end < link.expires_at => printer.warn(format_args!(
            "the link dies with the session token, {}, and not at {}",
            time::relative(end, now),
            link.expires_at
        )),
        Some(None) => printer.warn("the link dies with the session token that signs it, if that ends earlier"),
        _ => {}
    }
}
