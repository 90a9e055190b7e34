//! One rule, from flags and as a line.

use std::ffi::OsString;

use clap::{ArgGroup, Args};
use hallpass_core::budget::parse_bytes;
use hallpass_s3::error::S3Error;
use serde_json::{Map, Value, json};

use crate::alias::failure;
use crate::command::s3::pipe::pair;
use crate::error::CommandError;
use crate::output::clean;

/// Add a rule
///
/// It holds for objects that fit all of `--prefix`, `--tag` and the sizes. The other rules stay as they are.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(true),
    after_help = "Examples:\n  \
    hallpass s3 lifecycle rule add minio/data --id tmp --prefix tmp/ --expire-days 7\n  \
    hallpass s3 lifecycle rule add aws/data --id old --transition-days 30 --storage-class GLACIER\n  \
    hallpass s3 lifecycle rule add aws/data --id uploads --abort-incomplete-days 3"
)]
pub(super) struct AddArgs {
    /// The bucket
    #[arg(value_name = "BUCKET")]
    pub(super) path: OsString,
    /// Its name, unlike all others of the bucket
    #[arg(long, value_name = "ID")]
    id: String,
    /// Objects whose key begins so
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Objects with this tag; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    tag: Vec<(String, String)>,
    /// Objects of more than so many bytes
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    larger: Option<u64>,
    /// Objects of fewer than so many bytes
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    smaller: Option<u64>,
    /// Delete so many days after they were written
    #[arg(long, value_name = "DAYS", group = "what", value_parser = clap::value_parser!(u32).range(1..))]
    expire_days: Option<u32>,
    /// Remove delete markers that hide nothing any more
    #[arg(long, group = "what", conflicts_with = "expire_days")]
    expire_delete_markers: bool,
    /// Delete old versions so many days after they were replaced
    #[arg(long, value_name = "DAYS", group = "what", value_parser = clap::value_parser!(u32).range(1..))]
    noncurrent_expire_days: Option<u32>,
    /// Move so many days after they were written
    #[arg(long, value_name = "DAYS", group = "what", requires = "storage_class")]
    transition_days: Option<u32>,
    /// Move to this storage class
    #[arg(long, value_name = "CLASS", requires = "transition_days")]
    storage_class: Option<String>,
    /// End uploads that were begun so many days ago
    #[arg(long, value_name = "DAYS", group = "what", value_parser = clap::value_parser!(u32).range(1..))]
    abort_incomplete_days: Option<u32>,
    /// Write the rule down, and do not follow it yet
    #[arg(long)]
    disabled: bool,
}

impl AddArgs {
    /// The rule, as the AWS command line writes it.
    pub(super) fn rule(&self) -> Result<Value, CommandError> {
        if self.id.is_empty() || self.id.chars().count() > 255 {
            return Err(failure::of(S3Error::usage("the id of a rule has 1 to 255 characters")));
        }
        let status = if self.disabled { "Disabled" } else { "Enabled" };
        let mut rule = Map::from_iter([
            ("ID".to_owned(), json!(self.id)),
            ("Status".to_owned(), json!(status)),
            ("Filter".to_owned(), self.filter()),
        ]);
        if let Some(days) = self.expire_days {
            rule.insert("Expiration".to_owned(), json!({"Days": days}));
        }
        if self.expire_delete_markers {
            rule.insert("Expiration".to_owned(), json!({"ExpiredObjectDeleteMarker": true}));
        }
        if let Some(days) = self.noncurrent_expire_days {
            rule.insert("NoncurrentVersionExpiration".to_owned(), json!({"NoncurrentDays": days}));
        }
        if let (Some(days), Some(class)) = (self.transition_days, &self.storage_class) {
            rule.insert("Transitions".to_owned(), json!([{"Days": days, "StorageClass": class}]));
        }
        if let Some(days) = self.abort_incomplete_days {
            rule.insert("AbortIncompleteMultipartUpload".to_owned(), json!({"DaysAfterInitiation": days}));
        }
        Ok(Value::Object(rule))
    }

    /// One condition stands alone, several stand in an `And`; none is an empty prefix.
    fn filter(&self) -> Value {
        let tags: Vec<Value> = self.tag.iter().map(|(name, value)| json!({"Key": name, "Value": value})).collect();
        let mut all = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                all.insert(name.to_owned(), value);
            }
        };
        put("Prefix", self.prefix.as_ref().map(|prefix| json!(prefix)));
        put("ObjectSizeGreaterThan", self.larger.map(|size| json!(size)));
        put("ObjectSizeLessThan", self.smaller.map(|size| json!(size)));
        match (all.len() + tags.len(), tags.as_slice()) {
            (0, _) => json!({"Prefix": ""}),
            (1, [tag]) => json!({"Tag": tag}),
            (1, _) => Value::Object(all),
            _ => {
                if !tags.is_empty() {
                    all.insert("Tags".to_owned(), Value::Array(tags));
                }
                json!({"And": all})
            }
        }
    }
}

/// A rule on one line: its name, whether it is followed, and the rest as JSON.
pub(super) fn line(rule: &Value) -> String {
    let text = |name: &str| rule[name].as_str().unwrap_or("-").to_owned();
    let (id, status) = (text("ID"), text("Status"));
    let mut rest = rule.clone();
    if let Value::Object(rest) = &mut rest {
        rest.retain(|name, _| name != "ID" && name != "Status");
    }
    clean::line(&format!("{id:<24} {status:<8} {rest}"))
}
