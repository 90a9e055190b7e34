//! Names of aliases, buckets and keys.

use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use hallpass_core::limits::{S3_COMPLETION_MS_MAX, S3_COMPLETION_NAMES_MAX};
use hallpass_s3::alias::{Alias, BUILT_IN, CredentialsSource, Registry};
use hallpass_s3::client::{Client, ListOptions};
use hallpass_s3::error::S3Error;

use crate::alias::{credentials, registry};
use crate::cli::GlobalArgs;
use crate::command::Context;
use crate::command::s3::client_options;
use crate::output::Printer;

/// Names of aliases. Nobody is asked.
pub(super) fn aliases(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some((_, registry)) = known() else { return Vec::new() };
    candidates(registry.names().map(str::to_owned), &current.to_string_lossy())
}

/// `alias/`, `alias/bucket/`, `alias/bucket/folder/`, `alias/bucket/key`, and the same as `alias:bucket/…` and `s3://…`.
pub(super) fn places(current: &OsStr) -> Vec<CompletionCandidate> {
    let (Some(current), Some((context, registry))) = (current.to_str(), known()) else { return Vec::new() };
    let Some((begin, name, rest)) = parted(current) else {
        return candidates(registry.names().map(|name| format!("{name}/")), current);
    };
    let Some(alias) = registry.find(name).ok().filter(|alias| may_be_asked(alias)) else { return Vec::new() };
    let found = within_time(async {
        let ready = credentials::ready(&context, alias)?;
        let client = Client::new(&ready.alias, ready.credentials, client_options(context.clock())?)?;
        match rest.split_once('/') {
            None => buckets(&client).await,
            Some((bucket, prefix)) => keys(&client, bucket, prefix).await,
        }
    });
    candidates(found.unwrap_or_default().into_iter().map(|found| format!("{begin}{found}")), current)
}

/// What stays as it is written, the alias, and the rest, as [`Target`](hallpass_s3::target::Target) reads them.
fn parted(current: &str) -> Option<(&str, &str, &str)> {
    if let Some(rest) = current.strip_prefix("s3://") {
        return Some(("s3://", BUILT_IN, rest));
    }
    let end = current.find([':', '/'])?;
    Some((&current[..=end], &current[..end], &current[end + 1..]))
}

/// Every alias, and what is needed to use one; a warning about the file would be drawn into the command line.
fn known() -> Option<(Context, Registry)> {
    let global = GlobalArgs { quiet: true, ..GlobalArgs::default() };
    let context = Context::new(global.clone(), Printer::new(&global));
    let registry = registry(&context).ok()?;
    Some((context, registry))
}

/// A key that is pressed borrows nothing, and starts no program that may ask for a password.
fn may_be_asked(alias: &Alias) -> bool {
    match alias.credentials {
        CredentialsSource::Static(_) | CredentialsSource::Anonymous => true,
        CredentialsSource::Chain | CredentialsSource::Role(_) | CredentialsSource::Session(_) => {
            credentials::is_inside()
        }
        CredentialsSource::Profile(_) | CredentialsSource::Process(_) => false,
    }
}

fn within_time(work: impl Future<Output = Result<Vec<String>, S3Error>>) -> Option<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let limit = Duration::from_millis(S3_COMPLETION_MS_MAX);
    let done = runtime.block_on(async { tokio::time::timeout(limit, work).await });
    // A name that is still being looked up must not hold the shell.
    runtime.shutdown_background();
    done.ok()?.ok()
}

async fn buckets(client: &Client) -> Result<Vec<String>, S3Error> {
    Ok(client.list_buckets().await?.into_iter().map(|bucket| format!("{}/", bucket.name)).collect())
}

/// What is directly below the last `/` of the prefix.
async fn keys(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<String>, S3Error> {
    let page = u32::try_from(S3_COMPLETION_NAMES_MAX).ok();
    let options =
        ListOptions { prefix: prefix.to_owned(), delimiter: Some("/".to_owned()), page, ..ListOptions::default() };
    let found = client.list(bucket, options).next().await?.unwrap_or_default();
    let names = found.prefixes.into_iter().chain(found.objects.into_iter().map(|object| object.key));
    Ok(names.map(|name| format!("{bucket}/{name}")).collect())
}

fn candidates(all: impl Iterator<Item = String>, current: &str) -> Vec<CompletionCandidate> {
    let fitting = all.filter(|name| name.starts_with(current) && is_plain(name));
    fitting.take(S3_COMPLETION_NAMES_MAX).map(CompletionCandidate::new).collect()
}

/// Shells put in what they are given as it stands: a name that a store made up must be one word, and no command.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || "/._-+=@,%:".contains(c))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hallpass_core::limits::{S3_COMPLETION_MS_MAX, S3_COMPLETION_NAMES_MAX};

    use super::{candidates, parted, within_time};

    #[test]
    fn names_that_come_too_late_are_not_waited_for() {
        let late = async {
            tokio::time::sleep(Duration::from_millis(60_000 + S3_COMPLETION_MS_MAX)).await;
            Ok(vec!["late".to_owned()])
        };
        assert_eq!(within_time(late), None);
        assert_eq!(within_time(async { Ok(vec!["now".to_owned()]) }), Some(vec!["now".to_owned()]));
    }

    #[test]
    fn the_alias_ends_where_a_path_has_it_end() {
        for (current, parts) in [
            ("minio/data/re", Some(("minio/", "minio", "data/re"))),
            ("minio:da", Some(("minio:", "minio", "da"))),
            ("minio:data/a:b", Some(("minio:", "minio", "data/a:b"))),
            ("minio/data/a:b", Some(("minio/", "minio", "data/a:b"))),
            ("s3://data/re", Some(("s3://", "aws", "data/re"))),
            ("min", None),
            ("", None),
        ] {
            assert_eq!(parted(current), parts, "{current}");
        }
    }

    #[test]
    fn a_name_that_a_shell_would_take_for_more_than_a_word_is_not_offered() {
        let all = ["a/$(reboot)", "a/b c", "a/;x", "a/`x`", "a/\u{1b}[31m", "a/ü.txt", "b/x"].map(str::to_owned);
        let offered = candidates(all.into_iter(), "a/");
        let offered: Vec<_> = offered.iter().map(|c| c.get_value().to_string_lossy().into_owned()).collect();
        assert_eq!(offered, ["a/ü.txt"]);
    }

    #[test]
    fn so_many_names_are_offered_and_no_more() {
        let all = (0..=S3_COMPLETION_NAMES_MAX).map(|n| format!("m/b/{n}"));
        assert_eq!(candidates(all, "m/b/").len(), S3_COMPLETION_NAMES_MAX);
    }
}
