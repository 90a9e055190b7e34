//! What the command line can say.

use std::ffi::OsString;

use clap::Args;
use hallpass_core::budget::{Usd, parse_bytes};
use hallpass_core::delivery::Delivery;
use hallpass_core::provider::CloudProvider;
use hallpass_core::session::Session;

use crate::config::Located;
use crate::config::duration::{Seconds, Ttl};
use crate::config::run::RunConfig;
use crate::config::session::OnExpiry;
use crate::deliver::via::Via;
use crate::error::{CommandError, ErrorKind};

/// Run a command in a session of its own
///
/// The command's environment holds a placeholder instead of a credential. Its requests pass a gate, which lets
/// through what the session may do, records it, and signs it with the real credential. When the command ends, when
/// its time is over, or when somebody says `hallpass session kill`, access ends in that instant.
#[derive(Debug, Default, Args)]
#[command(after_help = "Exit status:\n  \
    the command's own; 128+N when signal N ended it; 124 when its time was over;\n  \
    78 when its budget or another cap was used up;\n  \
    125 when the session could not be started; 126 and 127 when the command could not be;\n  \
    77 when policy or bounds say no; 7 for what this version does not do\n\n\
Examples:\n  \
    hallpass run --read-only -- aws s3 ls\n  \
    hallpass run --role arn:aws:iam::111122223333:role/agent --allow s3:GetObject --resource 's3://data/*' -- ./job\n  \
    hallpass run --budget 2.50 --max-bytes 10GiB --max-requests 5000 -- ./job\n  \
    hallpass run --provider s3 --endpoint http://127.0.0.1:9000 --read-only -- aws s3 ls\n  \
    hallpass run --profile deploy --ttl 1h -- claude\n  \
    hallpass run --shadow --policy learned.json -- ./job")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) lend: LendArgs,
    /// How the session is handed over
    #[arg(long, value_name = "KIND")]
    pub(crate) delivery: Option<Delivery>,
    /// By which way the command's requests reach the gate [default: both]
    #[arg(long, value_name = "WAY")]
    pub(crate) via: Option<Via>,
    /// Hosts besides AWS that the command reaches through the proxy, untouched: `public` for all of the internet,
    /// `github.com`, `*.example.com`, `none` [default: public; none with `--via proxy`]
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) passthrough: Vec<String>,
    /// What happens to the command when the time is over
    #[arg(long, value_name = "WHAT")]
    pub(crate) on_expiry: Option<OnExpiry>,
    /// Time between TERM and KILL when the command is ended
    #[arg(long, value_name = "DURATION")]
    pub(crate) grace: Option<Seconds>,
    /// Refuse to start while another identity is within the command's reach
    #[arg(long)]
    pub(crate) strict: bool,
    /// Money that the session may spend, USD: an estimate by list prices, counted request by request
    #[arg(long, value_name = "USD", help_heading = "Caps", allow_negative_numbers = true)]
    pub(crate) budget: Option<Usd>,
    /// Requests that the session may send
    #[arg(long, value_name = "N", help_heading = "Caps", value_parser = count)]
    pub(crate) max_requests: Option<u64>,
    /// Bytes of bodies that the session may send and receive, such as `10GiB`
    #[arg(long, value_name = "BYTES", help_heading = "Caps", value_parser = parse_bytes)]
    pub(crate) max_bytes: Option<u64>,
    /// Distinct resources that the session may touch
    #[arg(long, value_name = "N", help_heading = "Caps", value_parser = count)]
    pub(crate) max_resources: Option<u64>,
    /// Try the policy out: record what it would refuse, and let it pass. This protects nothing
    #[arg(long)]
    pub(crate) shadow: bool,
    /// With `--shadow`, what is enforced all the same: actions, or a policy as a file or JSON [default: every action
    /// but those that hand out credentials]
    #[arg(long, value_name = "CEILING", requires = "shadow")]
    pub(crate) ceiling: Option<String>,
    /// Show what would be lent, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

impl RunArgs {
    /// Puts the caps into the session: the command line's, or else the configuration's.
    ///
    /// # Errors
    /// For a budget on a store whose prices nobody knows.
    pub(crate) fn cap(&self, session: &mut Session, config: &RunConfig, unpriced: bool) -> Result<(), CommandError> {
        fn or<T: Copy>(flag: Option<T>, configured: Option<&Located<T>>) -> Option<T> {
            flag.or_else(|| configured.map(|value| value.value))
        }
        let budget = or(self.budget, config.budget.as_ref());
        if unpriced && budget.is_some() {
            let message = "the prices of an S3-compatible store are not known, so a budget cannot be kept";
            return Err(CommandError::new(ErrorKind::Unsupported, "budget.unpriced", message)
                .next("limit the session with `--max-requests`, `--max-bytes` or `--max-resources`"));
        }
        session.budget = budget.map(Usd::to_f64);
        session.max_requests = or(self.max_requests, config.max_requests.as_ref());
        session.max_bytes = or(self.max_bytes, config.max_bytes.as_ref());
        session.max_resources = or(self.max_resources, config.max_resources.as_ref());
        Ok(())
    }
}

/// What is to be lent, and against which identity: shared by `run` and `credential-process`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LendArgs {
    /// Actions to allow, such as `s3:GetObject,lambda:Update*` or `storage:read`
    #[arg(long, value_name = "ACTIONS")]
    pub(crate) allow: Vec<String>,
    /// Actions to deny; a denial wins over every permission
    #[arg(long, value_name = "ACTIONS")]
    pub(crate) deny: Vec<String>,
    /// Limit the allowed actions to this ARN pattern, or `s3://bucket/prefix/*`
    #[arg(long, value_name = "ARN")]
    pub(crate) resource: Vec<String>,
    /// An IAM policy document: a file, or the JSON itself
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) policy: Option<String>,
    /// Allow only what reads
    #[arg(long)]
    pub(crate) read_only: bool,
    /// A named policy of the configuration
    #[arg(short, long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The role to borrow; without one the gate lends your own identity
    #[arg(long, alias = "role-arn", value_name = "ARN")]
    pub(crate) role: Option<String>,
    /// The cloud: `aws`, or `s3` for an S3-compatible store
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<CloudProvider>,
    /// Where the S3-compatible store is, with `--provider s3`
    #[arg(long, value_name = "URL", requires = "provider")]
    pub(crate) endpoint: Option<String>,
    /// How long, such as `15m`, `1h30m` or `900`
    #[arg(long, short = 'd', visible_alias = "duration", value_name = "DURATION")]
    pub(crate) ttl: Option<Ttl>,
    /// The region of the command
    #[arg(short, long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// A label for the audit log, also sent as a session tag: `key=value`
    #[arg(long = "tag", value_name = "K=V", value_parser = tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// The external id that the role asks for
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// The person that CloudTrail shows for the session
    #[arg(long, value_name = "NAME")]
    pub(crate) source_identity: Option<String>,
    /// The profile of ~/.aws to sign in with
    #[arg(long, value_name = "NAME")]
    pub(crate) aws_profile: Option<String>,
}

/// A whole number; whether it is within bounds is said where they are known.
fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a count is a whole number, such as `5000`".to_owned())
}

/// `key=value`; `key:value` as well, when there is no `=`.
fn tag(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').or_else(|| text.split_once(':'));
    match pair {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a tag is written like `key=value`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{count, tag};

    #[test]
    fn a_count_is_a_whole_number() {
        assert_eq!(count("5000"), Ok(5000));
        for bad in ["", "-1", "1e3", "1.5", "5 000", "18446744073709551616"] {
            assert!(count(bad).is_err_and(|why| why.contains("`5000`")), "{bad}");
        }
    }

    #[test]
    fn a_tag_is_split_once_at_the_equals_sign_or_else_at_the_colon() {
        let ok = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(tag("a=b=c"), ok("a", "b=c"));
        assert_eq!(tag("a:b"), ok("a", "b"));
        assert_eq!(tag("a:b=c"), ok("a:b", "c"));
        assert_eq!(tag("a="), ok("a", ""));
        assert!(tag("a").is_err() && tag("=b").is_err());
    }
}
