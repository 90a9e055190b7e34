//! `hallpass s3 find`.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

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
use crate::output::{Printer, clean};

/// Find objects by name, size and age
///
/// Prints one path a line, ready for `hallpass s3 rm --stdin`; a name with control characters is written as a JSON
/// string, which `rm --stdin` reads. All that is asked must hold. The words of `--print` are {path}, {key}, {base}, {dir},
/// {size}, {time}, {etag} and {version}.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hallpass s3 find minio/data --name '*.log' --older-than 30d\n  \
    hallpass s3 find minio/data/reports/ --larger 100MB --print '{size} {path}'\n  \
    hallpass s3 find minio/data --regex '^logs/2026-0[1-3]/' --json\n  \
    hallpass s3 find minio/data --name '*.csv' -0 | xargs -0 -n 1 hallpass s3 stat")]
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
    /// Written since: `2d` (ago), `2026-01-31` (midnight UTC) or `2026-01-31T12:00:00Z`
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
    /// End each with a NUL instead of a line break, for `xargs -0` and `rm --stdin --null`; names as they are
    #[arg(short = '0', long = "print0", visible_alias = "null")]
    null: bool,
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
    args.may_print(stores.printer())?;
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
            if args.null {
                let texts: Vec<String> =
                    items.iter().map(|item| args.print.text(&remote, item, str::to_owned)).collect();
                stores.printer().write(|out| texts.iter().try_for_each(|text| write!(out, "{text}\0")))?;
                continue;
            }
            let line = |item: &Item| clean::line(&args.print.text(&remote, item, clean::quoted));
            show::all(stores.printer(), "s3_find", &items, line)?;
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

impl FindArgs {
    /// Names as they are may steer a terminal, and JSON has a way of its own to end a line.
    fn may_print(&self, printer: Printer) -> Result<(), CommandError> {
        if self.null && printer.is_json() {
            let message = "`--print0` and `--json` are two ways to keep names whole";
            return Err(CommandError::usage("usage", message).next("use one of them"));
        }
        if self.null && io::stdout().is_terminal() {
            let message = "`--print0` writes names as they are, which a terminal could obey";
            return Err(CommandError::usage("s3.terminal", message).next("send it to a program or a file"));
        }
        Ok(())
    }
}

impl Format {
    /// The words of one thing; `name` says how what somebody else named is written.
    fn text(&self, remote: &Remote, item: &Item, name: impl Fn(&str) -> String) -> String {
        let key = item.key.as_deref().unwrap_or_default();
        let (dir, base) = key.rsplit_once('/').unwrap_or(("", key));
        let mut line = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Word("" | "path") => line.push_str(&name(&format!("{}/{}/{key}", remote.alias, remote.bucket))),
                Piece::Word("key") => line.push_str(&name(key)),
                Piece::Word("base") => line.push_str(&name(base)),
                Piece::Word("dir") => line.push_str(&name(dir)),
                Piece::Word("size") => line.push_str(&item.size.unwrap_or(0).to_string()),
                Piece::Word("time") => line.push_str(item.last_modified.as_deref().unwrap_or("-")),
                Piece::Word("etag") => line.push_str(item.etag.as_deref().unwrap_or("-")),
                Piece::Word(_) => line.push_str(item.version_id.as_deref().unwrap_or("-")),
            }
        }
        line
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
