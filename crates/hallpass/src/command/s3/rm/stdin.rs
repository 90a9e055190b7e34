//! `rm --stdin`: paths from another program.

use std::ffi::OsString;
use std::io::{BufRead, Read};
use std::os::unix::ffi::OsStringExt;

use hallpass_core::limits::{S3_BATCH_BYTES_MAX, S3_DELETE_KEYS_MAX, S3_PARTS_IN_FLIGHT_MAX, S3_PATH_LINE_BYTES_MAX};
use hallpass_s3::client::{Client, Doomed};
use hallpass_s3::error::S3Error;
use hallpass_s3::removal::remove_keys;
use hallpass_s3::target::Remote;
use tokio::task::JoinSet;

use super::tally::Tally;
use super::{RmArgs, is_there};
use crate::command::s3::stdin;
use crate::command::s3::stores::{Failed, Stores};
use crate::error::{CommandError, ErrorKind as Sort, ExitStatus};

/// Removes what the lines name, in batches of one bucket after the other, in their order.
pub(super) fn rm(stores: &Stores<'_>, args: &RmArgs) -> Result<ExitStatus, CommandError> {
    if !stores.explains() && !stores.may_borrow() {
        return removed(stores, args, &mut std::io::stdin().lock());
    }
    // What is borrowed depends on every line, and whoever borrows runs again and reads them again.
    let text = whole()?;
    let (mut input, mut remotes) = (text.as_slice(), Vec::new());
    while let Some(path) = path(&mut input, args.null)? {
        remotes.push(stores.object(&OsString::from_vec(path))?);
    }
    stdin::give_back(&text)?;
    let needs: Vec<_> = remotes.iter().map(|remote| (remote, args.rights(remote))).collect();
    if let Some(status) = stores.settled(&needs)? {
        return Ok(status);
    }
    removed(stores, args, &mut text.as_slice())
}

fn whole() -> Result<Vec<u8>, CommandError> {
    let mut text = Vec::new();
    std::io::stdin().lock().take(S3_BATCH_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    if text.len() > S3_BATCH_BYTES_MAX {
        let message = format!("the names of what an alias borrows for may have {S3_BATCH_BYTES_MAX} bytes together");
        return Err(CommandError::new(Sort::Usage, "s3.batch_too_large", message).next("pass fewer of them at a time"));
    }
    Ok(text)
}

fn removed(stores: &Stores<'_>, args: &RmArgs, input: &mut impl BufRead) -> Result<ExitStatus, CommandError> {
    let mut tally = Tally::new(stores.printer(), args);
    let mut waiting: Vec<Remote> = Vec::new();
    loop {
        let remote = path(input, args.null)?.map(|path| stores.object(&OsString::from_vec(path))).transpose()?;
        let fits = |remote: &Remote| {
            waiting.len() < S3_DELETE_KEYS_MAX
                && waiting.first().is_none_or(|first| (&first.alias, &first.bucket) == (&remote.alias, &remote.bucket))
        };
        if !remote.as_ref().is_some_and(fits) && !waiting.is_empty() {
            stores.run(args.batch(stores, std::mem::take(&mut waiting), &mut tally))?;
        }
        match remote {
            Some(remote) => waiting.push(remote),
            None => return tally.end(stores),
        }
    }
}

impl RmArgs {
    async fn batch(&self, stores: &Stores<'_>, remotes: Vec<Remote>, tally: &mut Tally) -> Result<(), Failed> {
        let Some(Remote { alias, bucket, .. }) = remotes.first().cloned() else { return Ok(()) };
        let client = stores.client(&Remote { alias: alias.clone(), bucket: bucket.clone(), key: String::new() })?;
        let keys: Vec<Doomed> = remotes.into_iter().map(|remote| Doomed { key: remote.key, version: None }).collect();
        let keys = if self.force { keys } else { self.present(&client, &alias, &bucket, keys, tally).await? };
        let mut tell = |doomed, failed| tally.tell(&alias, &bucket, doomed, failed);
        remove_keys(&client, &bucket, keys, self.options(), &mut tell).await
    }

    /// The keys that are there, in their order; the others are told. Many are looked up at once.
    async fn present(
        &self,
        client: &Client,
        alias: &str,
        bucket: &str,
        keys: Vec<Doomed>,
        tally: &mut Tally,
    ) -> Result<Vec<Doomed>, Failed> {
        let mut waiting = keys.into_iter().enumerate();
        let mut asking: JoinSet<Result<(usize, Doomed, bool), S3Error>> = JoinSet::new();
        let mut known = Vec::new();
        loop {
            while asking.len() < S3_PARTS_IN_FLIGHT_MAX
                && let Some((index, doomed)) = waiting.next()
            {
                let (client, bucket) = (client.clone(), bucket.to_owned());
                asking.spawn(async move {
                    let there = is_there(&client, &bucket, &doomed).await?;
                    Ok((index, doomed, there))
                });
            }
            match asking.join_next().await {
                None => break,
                Some(Ok(found)) => known.push(found?),
                Some(Err(_)) => return Err(S3Error::Interrupted.into()),
            }
        }
        known.sort_by_key(|(index, ..)| *index);
        let mut present = Vec::with_capacity(known.len());
        for (_, doomed, there) in known {
            if there {
                present.push(doomed);
            } else {
                tally.missing(alias, bucket, &doomed.key, None);
            }
        }
        Ok(present)
    }
}

/// The next path. With `null`, all up to a NUL; otherwise a line, which is a JSON string where it begins with `"`, as no
/// path does.
fn path(input: &mut impl BufRead, null: bool) -> Result<Option<Vec<u8>>, CommandError> {
    match line(input, if null { 0 } else { b'\n' })? {
        Some(line) if !null && line.first() == Some(&b'"') => match serde_json::from_slice::<String>(&line) {
            Ok(path) => Ok(Some(path.into_bytes())),
            Err(_) => {
                let message = "a line of stdin begins with `\"` and is no JSON string";
                Err(CommandError::new(Sort::Usage, "s3.bad_line", message)
                    .next("write names as `find` prints them, or end each with a NUL and pass `--null`"))
            }
        },
        line => Ok(line),
    }
}

/// The next line that is not empty, without its end.
fn line(input: &mut impl BufRead, end: u8) -> Result<Option<Vec<u8>>, CommandError> {
    loop {
        let mut line = Vec::new();
        let limit = S3_PATH_LINE_BYTES_MAX as u64 + 1;
        if std::io::Read::take(&mut *input, limit).read_until(end, &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() > S3_PATH_LINE_BYTES_MAX {
            let message = format!("a line of stdin has more than {S3_PATH_LINE_BYTES_MAX} bytes");
            return Err(CommandError::new(Sort::Usage, "s3.line_too_long", message).next("give one path a line"));
        }
        if line.last() == Some(&end) {
            line.pop();
        }
        if end == b'\n' && line.last() == Some(&b'\r') {
            line.pop();
        }
        if !line.is_empty() {
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_PATH_LINE_BYTES_MAX;

    use super::path;

    #[test]
    fn a_line_of_stdin_has_a_limit() {
        let long = vec![b'x'; S3_PATH_LINE_BYTES_MAX + 1];
        assert!([false, true].into_iter().all(|null| path(&mut &long[..], null).is_err()));
        let longest = format!("{}\n", "x".repeat(S3_PATH_LINE_BYTES_MAX - 1));
        assert!(path(&mut longest.as_bytes(), false).expect("reads").is_some());
    }

    fn all(text: &str, null: bool) -> Vec<String> {
        let mut input = text.as_bytes();
        let next = || path(&mut input, null).expect("reads").map(|path| String::from_utf8(path).expect("text"));
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn a_path_is_a_line_or_a_json_string_or_ends_with_a_nul() {
        assert_eq!(all("\n\r\na/b c\r\nx\\n\n\"a/b\\n\\u001b\"\r\nx", false), ["a/b c", "x\\n", "a/b\n\u{1b}", "x"]);
        assert_eq!(all("a/b\nc\r\0\"x\"\0\0last\n", true), ["a/b\nc\r", "\"x\"", "last\n"]);
        for line in ["\"a/b", "\"a\" b", "\"\\x\""] {
            assert!(path(&mut line.as_bytes(), false).is_err(), "{line}");
        }
    }
}
