//! `hallpass presign`: a real presigned URL, made by the session's gate.

use clap::{Args, ValueEnum};
use hallpass_core::limits::PRESIGN_LIFE_S_MAX;
use serde_json::json;

use crate::command::Context;
use crate::command::session::find::{find, not_found};
use crate::config::duration::Seconds;
use crate::control_socket::client;
use crate::control_socket::protocol::{Answer, Ask};
use crate::environment;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{SCHEMA_VERSION, clean};

/// Make a real presigned URL for one S3 object
///
/// The URL works for whoever has it, without the session and without its gate: it cannot be taken back before it
/// expires, not even by `hallpass session kill`. So the session's policy must allow the access, the URL lives no longer
/// than the session and an hour at most, and the audit log gets an entry of its own before it is signed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass presign s3://data/report.pdf --session 3f2a91c0\n  \
    hallpass presign s3://inbox/upload.bin --method PUT --expires 5m\n  \
    hallpass run --allow s3:GetObject --resource 's3://data/*' -- sh -c 'hallpass presign s3://data/report.pdf'")]
pub(crate) struct PresignArgs {
    /// The object, `s3://BUCKET/KEY`
    #[arg(value_name = "URL")]
    object: String,
    /// What the URL is good for
    #[arg(long, value_name = "METHOD", default_value = "GET", ignore_case = true)]
    method: Method,
    /// How long it works, such as `15m`; never longer than the session
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    expires: Seconds,
    /// The session that signs [default: the one that this command runs in]
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// The bucket's region [default: the session's]
    #[arg(short, long, value_name = "REGION")]
    region: Option<String>,
}

/// What a presigned URL may be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Method {
    /// Reads the object
    Get,
    /// Writes the object
    Put,
}

/// Asks the session's keeper, and prints the URL.
pub(crate) fn presign(context: &Context, args: PresignArgs) -> Result<ExitStatus, CommandError> {
    let (bucket, key) = object(&args.object)?;
    let Seconds(life_s) = args.expires;
    if !(1..=PRESIGN_LIFE_S_MAX).contains(&life_s) {
        let message = format!("a presigned URL may live 1 to {PRESIGN_LIFE_S_MAX} seconds, not {life_s}");
        return Err(CommandError::usage("presign.expires", message).next("write it like `--expires 15m`"));
    }
    let inside = || environment::os(environment::HALLPASS_SESSION_ID).and_then(|id| id.into_string().ok());
    let named = args.session.or_else(inside).filter(|id| !id.is_empty()).ok_or_else(|| {
        CommandError::usage("presign.session", "there is no session here that could sign")
            .next("name one with `--session`; see `hallpass session list`")
    })?;
    if !context.has_store()? {
        return Err(not_found(&named));
    }
    let store = context.store_for_kill()?;
    let record = find(context, &*store, &named)?;
    let keeper = record.keeper.as_ref().filter(|keeper| keeper.is_alive() && !record.session.status.is_final());
    let Some(keeper) = keeper else {
        let message = format!("session {} has ended, so nothing is signed for it", record.session.short_id());
        return Err(CommandError::new(ErrorKind::Denied, "presign.ended", message).next("start a new one"));
    };
    let method = if args.method == Method::Get { "GET" } else { "PUT" };
    let ask = Ask::Presign { method: method.to_owned(), bucket, key, region: args.region, life_s };
    let failed = |why: String| CommandError::new(ErrorKind::General, "presign.failed", why);
    match client::ask(keeper, &ask).map_err(|error| failed(format!("the session does not answer: {error}")))? {
        Answer::Presigned { url, expires_at, entry } => {
            if context.printer.is_json() {
                let at = expires_at.to_string();
                let body = json!({"schema_version": SCHEMA_VERSION, "url": url, "expires_at": at, "entry": entry,
                    "revocation": "on-expiry"});
                context.printer.json(&body)?;
            } else {
                context.printer.data(clean::line(&url))?;
                context.printer.say(format_args!(
                    "hallpass: this URL works until {expires_at:.0} for whoever has it, and cannot be taken back before"
                ));
            }
            Ok(ExitStatus::Success)
        }
        Answer::Denied { denial } => {
            let refused = CommandError::new(ErrorKind::Denied, "presign.denied", denial.reason.clone());
            let refused = refused.cause(format!("the session refused: {}", denial.code.as_str()));
            Err(match denial.how_to_ask {
                Some(how) => refused.next(how),
                None => refused,
            })
        }
        Answer::Error { message } => Err(failed(message)),
        _ => Err(failed("the session gave an answer to another question".to_owned())),
    }
}

/// Bucket and key.
fn object(text: &str) -> Result<(String, String), CommandError> {
    let split = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    match split.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) {
        Some((bucket, key)) => Ok((bucket.to_owned(), key.to_owned())),
        None => Err(CommandError::usage("presign.object", format!("`{text}` is not one S3 object"))
            .next("write it like `s3://BUCKET/KEY`")),
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn an_object_has_a_bucket_and_a_key() {
        let split = |text| object(text).ok();
        assert_eq!(split("s3://data/a/b c"), Some(("data".to_owned(), "a/b c".to_owned())));
        for bad in ["data/key", "s3://data", "s3://data/", "s3:///key", "https://data/key", ""] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
