//! `hallpass s3 find`.

use std::ffi::OsString;

use clap::Args;
use hallpass_core::budget::parse_bytes;
use hallpass_core::policy::glob::Glob;
use hallpass_s3::filter::Filter;
use hallpass_s3::rights::Rights;
use hallpass_s3::target::Remote;
use hallpass_s3::walk::{Entry, Walk, WalkOptions};

use super::show::{self, Item};
use super::stores::Stores;
use crate::alias::failure;
use crate::command::since::Since;
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;

/// Find objects by name, size and age
///
/// Prints one path a line, ready for `hallpass s3 rm --stdin`. All that is asked must hold. The words of `--print` are
/// {path}, {key}, {base}, {dir}, {size}, {time}, {etag} and {version}.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 find minio/data --name '*.log' --older-than 30d\n  \
    hallpass s3 find minio/data/reports/ --larger 100MB --print '{size} {path}'\n  \
    hallpass s3 find minio/data --regex '^logs/2026-0[1-3]/' --json")]
pub(crate) struct FindArgs {
    /// Where to look: a bucket or a prefix
    #[arg(value_name = "PATH")]
    path: OsString,
    /// The last part of the key; `*` is any text, `?` any character
    #[arg(long, value_name = "PATTERN")]
    name: Option<String>,
    /// A regular expression, found anywhere in the key
    #[arg(long, value_name = "REGEX")]
    regex: Option<String>,
    /// More than so many bytes, such as `10MB`
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    larger: Option<u64>,
    /// Fewer than so many bytes
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    smaller: Option<u64>,
    /// Written since, such as `2d` (ago) or `2026-01-31T12:00:00Z`
    #[arg(long, value_name = "WHEN")]
    newer_than: Option<Since>,
    /// Written before
    #[arg(long, value_name = "WHEN")]
    older_than: Option<Since>,
    /// At most so many parts below PATH
    #[arg(long, value_name = "COUNT")]
    max_depth: Option<usize>,
    /// All versions and delete markers
    #[arg(long)]
    versions: bool,
    /// What to print for each
    #[arg(long, value_name = "FORMAT", default_value = "{path}")]
    print: Format,
}

/// A line with words in it.
#[derive(Debug, Clone)]
struct Format(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Word(&'static str),
}

const WORDS: [&str; 9] = ["", "path", "key", "base", "dir", "size", "time", "etag", "version"];

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let word = after
                .split_once('}')
                .and_then(|(word, after)| Some((WORDS.into_iter().find(|known| *known == word)?, after)));
            let Some((word, after)) = word else {
                return Err(format!("the words are {{{}}}", WORDS[1..].join("}, {")));
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Word(word));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}

/// Finds them.
pub(super) fn find(stores: &Stores<'_>, args: &FindArgs) -> Result<ExitStatus, CommandError> {
    let remote = stores.in_bucket(&args.path)?;
    let now = stores.context.now();
    let filter = Filter {
        name: args.name.as_deref().map(Glob::new),
        regex: args.regex.as_deref().map(Filter::regex).transpose().map_err(failure::of)?,
        larger: args.larger,
        smaller: args.smaller,
        newer: args.newer_than.map(|since| since.resolve(now)),
        older: args.older_than.map(|since| since.resolve(now)),
        depth: args.max_depth,
    };
    let mut actions = vec!["s3:ListBucket"];
    actions.extend(args.versions.then_some("s3:ListBucketVersions"));
    let rights = Rights::on_bucket(&actions, &remote.bucket);
    if let Some(status) = stores.settled(&[(&remote, rights)])? {
        return Ok(status);
    }
    stores.run(async {
        let client = stores.client(&remote)?;
        let place = client.place(&remote.bucket, &remote.key).await?;
        let options = WalkOptions {
            prefix: place.prefix.clone(),
            flat: args.max_depth == Some(1),
            versions: args.versions,
            page: None,
        };
        let mut walk = Walk::new(&client, &remote.bucket, options);
        while let Some(step) = walk.next().await? {
            let found = step
                .entries
                .into_iter()
                .filter(|entry| place.holds(entry) && filter.holds(entry.object(), &place.prefix));
            let items: Vec<Item> = found.map(|entry| item(&remote.bucket, entry)).collect();
            show::all(stores.printer(), "s3_find", &items, |item| args.print.line(&remote, item))?;
        }
        Ok(ExitStatus::Success)
    })
}

fn item(bucket: &str, entry: Entry) -> Item {
    match entry {
        Entry::Object(object) => Item::of_object(bucket, object),
        Entry::Version(version) => Item::of_version(bucket, version),
    }
}

impl Format {
    fn line(&self, remote: &Remote, item: &Item) -> String {
        let key = item.key.as_deref().unwrap_or_default();
        let (dir, base) = key.rsplit_once('/').unwrap_or(("", key));
        let mut line = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Word("" | "path") => line.push_str(&format!("{}/{}/{key}", remote.alias, remote.bucket)),
                Piece::Word("key") => line.push_str(key),
                Piece::Word("base") => line.push_str(base),
                Piece::Word("dir") => line.push_str(dir),
                Piece::Word("size") => line.push_str(&item.size.unwrap_or(0).to_string()),
                Piece::Word("time") => line.push_str(item.last_modified.as_deref().unwrap_or("-")),
                Piece::Word("etag") => line.push_str(item.etag.as_deref().unwrap_or("-")),
                Piece::Word(_) => line.push_str(item.version_id.as_deref().unwrap_or("-")),
            }
        }
        clean::line(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Piece};

    #[test]
    fn an_unknown_word_of_a_format_is_refused_with_those_that_there_are() {
        let format: Format = "{size} {}".parse().expect("good");
        assert_eq!(format.0[1], Piece::Word("size"));
        assert!("{nope}".parse::<Format>().expect_err("unknown").contains("{version}"));
        assert!("{size".parse::<Format>().is_err());
    }
}
