//! What is asked for: the command line, on top of a named policy, on top of the configuration.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use hallpass_core::agent;
use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::limits::COMMAND_ARGS_MAX;
use hallpass_core::permit::Bounds;
use hallpass_core::policy::ScopedPolicy;
use hallpass_core::provider::CloudProvider;
use hallpass_core::session::Session;
use hallpass_providers::aws::AwsOptions;
use jiff::{SignedDuration, Timestamp};

use super::args::LendArgs;
use super::{nested, policy, said};
use crate::config::Config;
use crate::config::profiles::ProfileConfig;
use crate::deliver::environment::Variables;
use crate::deliver::revocation;
use crate::error::{CommandError, ErrorKind};

/// One lending, as asked for; nothing has been decided yet.
#[derive(Debug)]
pub(crate) struct Wish {
    /// What the session may do.
    pub(crate) policy: ScopedPolicy,
    /// Role to borrow; empty lends the base identity.
    pub(crate) role: String,
    /// Life, seconds.
    pub(crate) ttl_s: u64,
    /// How it is handed over.
    pub(crate) delivery: Delivery,
    /// Region of the command, as far as the command line or the configuration says.
    pub(crate) region: Option<String>,
    /// Labels.
    pub(crate) tags: BTreeMap<String, String>,
    /// Limits of the configuration.
    pub(crate) bounds: Bounds,
    /// How to sign in.
    pub(crate) aws: AwsOptions,
    /// AWS hosts that are reached at another address.
    pub(crate) upstreams: BTreeMap<String, String>,
    /// Services whose operations may be allowed by a guessed action.
    pub(crate) allow_unmapped: Vec<String>,
    /// The S3-compatible store, where one is lent instead of AWS.
    pub(crate) store: Option<String>,
}

impl Wish {
    /// Puts the layers together.
    ///
    /// # Errors
    /// What cannot be understood, and what this version does not do.
    pub(crate) fn new(
        args: &LendArgs,
        delivery: Option<Delivery>,
        config: &Config,
        original: &Variables,
    ) -> Result<Self, CommandError> {
        let store = store(args, config, original)?;
        let profile = args.profile.as_deref().map(|name| named(config, name)).transpose()?;
        let of_profile = |value: Option<&str>| value.map(str::to_owned);
        let role =
            args.role.clone().or_else(|| of_profile(profile.and_then(|p| p.role.as_ref()).map(|r| r.value.as_str())));
        let ttl = args.ttl.or_else(|| profile.and_then(|p| p.ttl.as_ref()).map(|ttl| ttl.value));
        if store.is_some() && role.as_deref().is_some_and(|role| !role.is_empty()) {
            return Err(CommandError::usage("run.role", "an S3-compatible store has no roles")
                .next("leave out `--role`, or the profile that names one"));
        }
        // The role that the configuration takes for granted is one of AWS.
        let usual = of_profile(config.session.role()).filter(|_| store.is_none() && !nested::is_inside(original));
        let role = said::role(role.or(usual))?;
        let tags = said::tags(config.session.tags(), &args.tags)?;
        let region = said::region(region(args, config, original, store.is_some()))?;
        let aws = aws_options(args, config, original);
        if store.is_none() && !role.is_empty() {
            aws.check_role(&role, &tags)?;
        }
        Ok(Self {
            policy: policy::scoped(args, profile, config.bounds.deny())?,
            role,
            ttl_s: ttl.map_or_else(|| config.session.ttl(), |ttl| ttl.seconds()),
            delivery: delivery.unwrap_or_else(|| config.session.delivery()),
            region,
            tags,
            bounds: config.bounds.to_core(),
            aws,
            upstreams: outside(config.aws.upstreams.as_ref(), original)
                .map(|map| map.value.clone())
                .unwrap_or_default(),
            allow_unmapped: config.run.allow_unmapped(),
            store,
        })
    }

    /// True when it is certain without a call that no cloud will hold the session to its scope: a store has no
    /// sessions of its own, and long-term keys are narrowed by a role only.
    pub(crate) fn is_gate_alone(&self, original: &Variables) -> bool {
        let set = |name: &str| original.get(OsStr::new(name)).is_some_and(|value| !value.is_empty());
        let long_term = self.aws.profile.is_none() && set("AWS_ACCESS_KEY_ID") && !set("AWS_SESSION_TOKEN");
        self.store.is_some() || (self.role.is_empty() && long_term)
    }

    /// The session that would fulfil it.
    pub(crate) fn session(&self, id: SessionId, now: Timestamp, command: &[OsString], original: &Variables) -> Session {
        let ttl = SignedDuration::from_secs(i64::try_from(self.ttl_s).unwrap_or(i64::MAX));
        let shown = command.iter().take(COMMAND_ARGS_MAX).map(|arg| arg.to_string_lossy().into_owned());
        let (policy, role) = (self.policy.clone(), self.role.clone());
        let text = |name: &str| original.get(OsStr::new(name)).and_then(|v| v.to_str()).map(str::to_owned);
        Session {
            provider: if self.store.is_some() { CloudProvider::S3 } else { CloudProvider::Aws },
            tags: self.tags.clone(),
            region: self.region.clone(),
            delivery: self.delivery,
            revocation: revocation(self.delivery, &self.role),
            agent_id: agent::recognise(text),
            ..Session::new(id, now, ttl, None, policy, role, shown.collect())
        }
    }
}

/// Region of a store that has no name for its own.
const STORE_REGION: &str = "us-east-1";

/// The endpoint of the S3-compatible store, with `--provider s3`: flag, configuration, the caller's variables.
fn store(args: &LendArgs, config: &Config, original: &Variables) -> Result<Option<String>, CommandError> {
    match args.provider {
        None | Some(CloudProvider::Aws) if args.endpoint.is_some() => {
            Err(CommandError::usage("run.endpoint", "`--endpoint` names an S3-compatible store")
                .next("add `--provider s3`; for AWS itself set AWS_ENDPOINT_URL"))
        }
        None | Some(CloudProvider::Aws) => Ok(None),
        Some(CloudProvider::S3) => {
            let text = |name: &str| {
                let value = original.get(OsStr::new(name)).and_then(|v| v.to_str());
                value.filter(|v| !v.is_empty()).map(str::to_owned)
            };
            let configured = outside(config.s3.endpoint_url.as_ref(), original).map(|url| url.value.clone());
            let endpoint = args.endpoint.clone().or(configured);
            let endpoint = endpoint.or_else(|| text("AWS_ENDPOINT_URL_S3")).or_else(|| text("AWS_ENDPOINT_URL"));
            let missing = || {
                CommandError::usage("run.endpoint", "`--provider s3` needs to know where the store is")
                    .next("add `--endpoint URL`, or set `endpoint_url` under `[s3]` in the configuration")
            };
            endpoint.ok_or_else(missing).map(Some)
        }
        Some(other @ (CloudProvider::Gcp | CloudProvider::Azure | CloudProvider::Kubernetes)) => {
            let message = format!("this version lends from `aws` and `s3` only, not from `{other}`");
            Err(CommandError::new(ErrorKind::Unsupported, "run.provider", message)
                .next("leave out `--provider` for AWS, or name an S3-compatible store with `--provider s3`"))
        }
    }
}

/// Flag, configuration, the caller's variables; `None` leaves it to the profile.
fn region(args: &LendArgs, config: &Config, original: &Variables, of_store: bool) -> Option<String> {
    let configured = config.s3.region.as_ref().filter(|_| of_store).map(|region| region.value.clone());
    let region = args.region.clone().or(configured).or_else(|| config.session.region().map(str::to_owned));
    if of_store {
        return region.or_else(|| Some(STORE_REGION.to_owned()));
    }
    let text = |name: &str| original.get(OsStr::new(name)).and_then(|v| v.to_str()).filter(|v| !v.is_empty());
    region.or_else(|| text("AWS_REGION").or_else(|| text("AWS_DEFAULT_REGION")).map(str::to_owned))
}

/// The profile of that name.
pub(super) fn named<'a>(config: &'a Config, name: &str) -> Result<&'a ProfileConfig, CommandError> {
    let found = config.profiles.get(name).map(|profile| &profile.value);
    found.ok_or_else(|| {
        let known: Vec<&str> = config.profiles.keys().map(String::as_str).collect();
        let next = match known.as_slice() {
            [] => "define it under `[profiles.NAME]` in the configuration; a profile of ~/.aws is `--aws-profile`"
                .to_owned(),
            known => format!("the configuration has {}; a profile of ~/.aws is `--aws-profile`", known.join(", ")),
        };
        CommandError::usage("run.profile", format!("there is no profile `{name}`")).next(next)
    })
}

/// A value of the configuration that says how the cloud is reached, outside of a session only.
fn outside<'a, T>(value: Option<&'a T>, original: &Variables) -> Option<&'a T> {
    value.filter(|_| !nested::is_inside(original))
}

fn aws_options(args: &LendArgs, config: &Config, original: &Variables) -> AwsOptions {
    let text = |value: &Option<crate::config::Located<String>>| value.as_ref().map(|v| v.value.clone());
    let led = |value: &Option<crate::config::Located<String>>| text(value).filter(|_| !nested::is_inside(original));
    let of_store = args.provider == Some(CloudProvider::S3);
    let profile = if of_store { &config.s3.profile } else { &config.aws.profile };
    // What is not text is no variable of the SDK's.
    let pairs = original.iter().filter_map(|(k, v)| Some((k.to_str()?.to_owned(), v.to_str()?.to_owned())));
    AwsOptions {
        environment: pairs.collect(),
        profile: args.aws_profile.clone().or_else(|| led(profile)),
        region: args.region.clone().or_else(|| config.session.region().map(str::to_owned)),
        endpoint_url: led(&config.aws.endpoint_url),
        sts_endpoint_url: led(&config.aws.sts_endpoint_url),
        external_id: args.external_id.clone().or_else(|| text(&config.aws.external_id)),
        source_identity: args.source_identity.clone().or_else(|| text(&config.aws.source_identity)),
    }
}
