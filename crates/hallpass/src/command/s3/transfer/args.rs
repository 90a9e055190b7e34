//! Flags of `cp`, `mv` and `mirror`, and what they mean.

use clap::{Args, ValueEnum};
use hallpass_core::budget::parse_bytes;
use hallpass_core::limits::{S3_ITEMS_IN_FLIGHT_MAX, S3_METADATA_BYTES_MAX};
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use hallpass_s3::client::{Flow, Properties, RateLimit};
use hallpass_s3::error::S3Error;
use hallpass_s3::execute::Orders;
use hallpass_s3::plan::{Pattern, Select, Symlinks};
use hallpass_s3::transfer::TransferOptions;

use crate::command::Context;
use crate::command::since::Since;
use crate::error::CommandError;

/// How to transfer.
#[derive(Debug, Clone, Args)]
pub(crate) struct TransferArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Show what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Go on with the others when one thing fails; the exit status still tells
    #[arg(long)]
    pub(crate) continue_on_error: bool,
    /// Keep what is half done when it fails or is stopped; the same command then goes on from there
    #[arg(long, help_heading = "Speed and safety")]
    resume: bool,
    /// Things at once [default: what turns out to be fastest]
    #[arg(long, value_name = "N", help_heading = "Speed and safety", value_parser = parse_items)]
    concurrency: Option<usize>,
    /// Bytes of a part, such as `16MiB` [default: 8 MiB, more for objects above 78 GiB]
    #[arg(long, value_name = "BYTES", help_heading = "Speed and safety", value_parser = parse_bytes)]
    part_size: Option<u64>,
    /// Most bytes a second, such as `10MiB`, up and down together
    #[arg(long, value_name = "BYTES", help_heading = "Speed and safety", value_parser = parse_bytes)]
    limit_rate: Option<u64>,
    /// Checksum that goes with uploads [default: CRC-64/NVME on AWS, CRC-32 elsewhere]
    #[arg(long, value_name = "NAME", help_heading = "Speed and safety")]
    checksum: Option<ChecksumName>,
    /// Show no progress, not even on a terminal
    #[arg(long, help_heading = "Speed and safety")]
    pub(crate) no_progress: bool,
}

/// What of the source.
#[derive(Debug, Clone, Args)]
pub(crate) struct SelectArgs {
    /// Only names like this: `*.log` anywhere, `logs/**` from the root on; may be repeated
    #[arg(long, value_name = "PATTERN", value_parser = parse_pattern, help_heading = "What is meant")]
    include: Vec<Pattern>,
    /// No names like this; stronger than `--include`; may be repeated
    #[arg(long, value_name = "PATTERN", value_parser = parse_pattern, help_heading = "What is meant")]
    exclude: Vec<Pattern>,
    /// Only what was written after: `15m`, `2d` (ago), a day (midnight UTC) or a time
    #[arg(long, value_name = "WHEN", help_heading = "What is meant")]
    newer_than: Option<Since>,
    /// Only what was written before: `15m`, `2d` (ago), a day (midnight UTC) or a time
    #[arg(long, value_name = "WHEN", help_heading = "What is meant")]
    older_than: Option<Since>,
    /// What to do with symbolic links in local folders
    #[arg(long, value_name = "HOW", default_value = "skip", help_heading = "What is meant")]
    symlinks: Links,
}

/// What is kept with the objects.
#[derive(Debug, Clone, Args)]
pub(crate) struct PropertyArgs {
    /// Headers and user metadata: `Cache-Control=max-age=60;team=web`
    #[arg(long, visible_alias = "metadata", value_name = "K=V;…", value_parser = parse_attributes, help_heading = "Properties of what is written")]
    attr: Option<Properties>,
    /// Content type [default: by the name]
    #[arg(long, value_name = "TYPE", help_heading = "Properties of what is written")]
    content_type: Option<String>,
    /// Storage class; whatever the store takes
    #[arg(long, value_name = "CLASS", help_heading = "Properties of what is written")]
    storage_class: Option<String>,
    /// Tags: `team=web&stage=test`
    #[arg(long, value_name = "K=V&…", help_heading = "Properties of what is written")]
    pub(crate) tags: Option<String>,
    /// Canned ACL, such as `public-read`
    #[arg(long, value_name = "ACL", help_heading = "Properties of what is written")]
    pub(crate) acl: Option<String>,
    /// Encryption by the store: `AES256`, `aws:kms`, `aws:kms:dsse`
    #[arg(long, value_name = "KIND", help_heading = "Properties of what is written")]
    sse: Option<String>,
    /// KMS key
    #[arg(long, value_name = "KEY", requires = "sse", help_heading = "Properties of what is written")]
    sse_kms_key_id: Option<String>,
    /// Keep time and mode of files in user metadata, and restore them from there
    #[arg(short, long, help_heading = "Properties of what is written")]
    preserve: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Links {
    /// Leave them out, and say how many
    Skip,
    /// Take them for what they lead to
    Follow,
    /// Stop before anything is written
    Refuse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ChecksumName {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

impl SelectArgs {
    /// What is meant, seen from now.
    pub(crate) fn select(&self, context: &Context) -> Select {
        let at = |since: Option<Since>| since.map(|since| since.resolve(context.now()));
        Select {
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            newer_than: at(self.newer_than),
            older_than: at(self.older_than),
            symlinks: match self.symlinks {
                Links::Skip => Symlinks::Skip,
                Links::Follow => Symlinks::Follow,
                Links::Refuse => Symlinks::Refuse,
            },
        }
    }
}

impl TransferArgs {
    /// How the plan is carried out.
    ///
    /// # Errors
    /// When there is nowhere to remember interrupted uploads.
    pub(crate) fn orders(&self, context: &Context) -> Result<Orders, CommandError> {
        let state = match context.state_dir() {
            Ok(folder) => Some(folder.join("transfers")),
            Err(error) if self.resume => return Err(error),
            Err(_) => None,
        };
        let limit = self.limit_rate.map(|rate| std::sync::Arc::new(RateLimit::new(rate)));
        let transfer = TransferOptions {
            flow: Flow { limit, progress: None },
            part_size: self.part_size,
            concurrency: self.concurrency,
            resume: self.resume,
            state,
            ..TransferOptions::default()
        };
        Ok(Orders {
            transfer,
            items: self.concurrency,
            checksum: self.checksum.map(ChecksumName::algorithm),
            tolerant: self.continue_on_error,
            dry_run: self.dry_run,
            ..Orders::default()
        })
    }

    /// Interrupted uploads are gone on with.
    pub(crate) fn resumes(&self) -> bool {
        self.resume
    }
}

impl PropertyArgs {
    /// What is asked for.
    pub(crate) fn properties(&self) -> Properties {
        let attr = self.attr.clone().unwrap_or_default();
        Properties {
            content_type: self.content_type.clone().or(attr.content_type),
            storage_class: self.storage_class.clone().or(attr.storage_class),
            tagging: self.tags.clone(),
            acl: self.acl.clone(),
            encryption: self.sse.clone(),
            encryption_key: self.sse_kms_key_id.clone(),
            ..attr
        }
    }

    /// Time and mode of files are kept.
    pub(crate) fn preserves(&self) -> bool {
        self.preserve
    }
}

impl ChecksumName {
    fn algorithm(self) -> ChecksumAlgorithm {
        match self {
            Self::Crc32 => ChecksumAlgorithm::Crc32,
            Self::Crc32c => ChecksumAlgorithm::Crc32c,
            Self::Crc64nvme => ChecksumAlgorithm::Crc64Nvme,
            Self::Sha1 => ChecksumAlgorithm::Sha1,
            Self::Sha256 => ChecksumAlgorithm::Sha256,
        }
    }
}

fn parse_items(text: &str) -> Result<usize, String> {
    let items = text.parse().ok().filter(|items| (1..=S3_ITEMS_IN_FLIGHT_MAX).contains(items));
    items.ok_or_else(|| format!("`{text}` is not a whole number from 1 to {S3_ITEMS_IN_FLIGHT_MAX}"))
}

fn parse_pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|error| said(&error))
}

fn said(error: &S3Error) -> String {
    match error.suggestion() {
        Some(next) => format!("{error}: {next}"),
        None => error.to_string(),
    }
}

/// `name=value;name=value`: the headers that stores keep, and user metadata for all other names.
fn parse_attributes(text: &str) -> Result<Properties, String> {
    if text.len() > 2 * S3_METADATA_BYTES_MAX {
        return Err(format!("it has {} bytes, and stores take {S3_METADATA_BYTES_MAX}", text.len()));
    }
    let mut properties = Properties::default();
    for pair in text.split(';').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| format!("`{pair}` has no `=`: write it like `team=web;stage=test`"))?;
        let (name, value) = (name.trim(), value.trim().to_owned());
        let field = match name.to_ascii_lowercase().as_str() {
            "content-type" => &mut properties.content_type,
            "cache-control" => &mut properties.cache_control,
            "content-disposition" => &mut properties.content_disposition,
            "content-encoding" => &mut properties.content_encoding,
            "content-language" => &mut properties.content_language,
            "expires" => &mut properties.expires,
            "x-amz-storage-class" => &mut properties.storage_class,
            other => {
                let name = other.strip_prefix("x-amz-meta-").unwrap_or(other).to_owned();
                if properties.metadata.iter().any(|(known, _)| *known == name) {
                    return Err(format!("`{name}` is given twice"));
                }
                properties.metadata.push((name, value));
                continue;
            }
        };
        if field.replace(value).is_some() {
            return Err(format!("`{name}` is given twice"));
        }
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{S3_ITEMS_IN_FLIGHT_MAX, S3_METADATA_BYTES_MAX};

    use super::{parse_attributes, parse_items};

    #[test]
    fn attributes_are_headers_or_user_metadata() {
        let read = parse_attributes("Cache-Control=max-age=60;team=web; X-Amz-Meta-Stage = test;").expect("attributes");
        assert_eq!(read.cache_control.as_deref(), Some("max-age=60"));
        let metadata = [("team", "web"), ("stage", "test")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(read.metadata, metadata);
        let long = format!("a={}", "x".repeat(2 * S3_METADATA_BYTES_MAX));
        for bad in ["team", "a=1;a=2", "Content-Type=a;content-type=b", long.as_str()] {
            assert!(parse_attributes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn things_at_once_have_a_limit() {
        assert_eq!(parse_items(&S3_ITEMS_IN_FLIGHT_MAX.to_string()), Ok(S3_ITEMS_IN_FLIGHT_MAX));
        for bad in ["0", "-1", "x", &(S3_ITEMS_IN_FLIGHT_MAX + 1).to_string()] {
            assert!(parse_items(bad).is_err(), "{bad}");
        }
    }
}
