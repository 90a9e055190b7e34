//! `hallpass why`.

use clap::Args;
use hallpass_core::denial::{Denial, Missing};
use hallpass_core::policy::universal::UNIVERSAL_KEYS;
use hallpass_core::policy::{
    AccessRequest, ActionPattern, Context as Circumstances, Grant, Resource, ScopedPolicy, parse_resource,
};
use serde::Serialize;

use super::policy::source::{names_no_policy, with_stdin};
use super::run::args::LendArgs;
use super::run::policy::of_flags;
use super::session::find::{find, not_found};
use crate::command::Context;
use crate::command::policy::spelling;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Paint, SCHEMA_VERSION, clean};

/// Say whether a policy allows an action on a resource, by which statement, or what is missing
///
/// The gate's own evaluation, without a request. Of a request it knows what `--context` and `--absent` say, the time,
/// and the region of `--region`; any other condition key is unknown, which allows nothing and may deny. An ARN with
/// `*` or `?` asks about all that it matches.
#[derive(Debug, Args)]
#[command(after_help = "Exit status:\n  \
    0 allowed; 1 denied\n\n\
Examples:\n  \
    hallpass why s3:GetObject s3://data/a --policy policy.json\n  \
    hallpass why s3:PutObject s3://data/a --session 3f2a91c0\n  \
    hallpass why ec2:RunInstances '*' --allow 'ec2:*' --context aws:RequestedRegion=eu-west-1 --json")]
pub(crate) struct WhyArgs {
    /// The IAM action, such as `s3:GetObject`
    #[arg(value_name = "ACTION")]
    asked_action: String,
    /// The ARN, `s3://bucket/key`, or `*` for what takes no resource, as it also is without one
    #[arg(value_name = "ARN")]
    asked_resource: Option<String>,
    /// A condition key of the request, such as `aws:SourceIp=203.0.113.7`; repeat it for several values
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = pair)]
    known: Vec<(String, String)>,
    /// A condition key that the request does not carry
    #[arg(long, value_name = "KEY")]
    absent: Vec<String>,
    /// Ask about the policy of this session
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["allow", "deny", "resource", "policy", "read_only", "profile"])]
    session: Option<String>,
    #[command(flatten)]
    lend: LendArgs,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    allowed: bool,
    action: &'a str,
    resource: &'a str,
    /// One for each ceiling; empty when it is denied.
    granted_by: &'a [Grant],
    /// Null when it is allowed.
    denial: Option<&'a Denial>,
    /// What a policy that the session tries out would say; it refuses nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_deny: Option<&'a Denial>,
}

/// Evaluates once and prints the reason.
pub(crate) fn why(context: &Context, args: WhyArgs) -> Result<ExitStatus, CommandError> {
    let asked = one_action(&args.asked_action)?;
    let resource = args.asked_resource.as_deref().map_or(Ok(Resource::Exact("*".to_owned())), resource)?;
    let no_resource_named = args.asked_resource.is_none();
    let access = AccessRequest { action: args.asked_action.clone(), resource };
    let circumstances = circumstances(context, &args)?;
    let policy = policy(context, args)?;
    let mut decided = policy.grants(&access, &circumstances);
    if let Err(denial) = &mut decided
        && denial.missing == Some(Missing::Resource)
        && no_resource_named
    {
        denial.how_to_ask = Some("name the ARN that is asked about: without one this is about `*` itself".to_owned());
    }
    let tried = policy.shadow.as_deref().filter(|_| decided.is_ok());
    let would_deny = tried.and_then(|tried| tried.grants(&access, &circumstances).err());
    let printer = context.printer;
    if let Some(doubt) = spelling::of_action(&asked) {
        printer.warn(clean::line(&doubt));
    }
    spelling::warn(printer, &policy);
    let status = if decided.is_ok() { ExitStatus::Success } else { ExitStatus::Failure };
    if printer.is_json() {
        printer.json(&Answer {
            schema_version: SCHEMA_VERSION,
            allowed: decided.is_ok(),
            action: &access.action,
            resource: access.resource.shown(),
            granted_by: decided.as_deref().unwrap_or_default(),
            denial: decided.as_ref().err(),
            would_deny: would_deny.as_ref(),
        })?;
        return Ok(status);
    }
    match decided {
        Ok(granted) => {
            let (action, resource) = (clean::line(&access.action), clean::line(access.resource.shown()));
            printer.data(format_args!("{} `{action}` on `{resource}`", printer.paint(Paint::Good, "allowed:")))?;
            for Grant { ceiling, statement } in &granted {
                let by = statement.as_ref().map_or_else(|| ceiling.clone(), |name| format!("{name} ({ceiling})"));
                printer.data(format_args!("  by {}", clean::line(&by)))?;
            }
            if let Some(denial) = &would_deny {
                let reason = clean::line(&denial.reason);
                printer.data(format_args!("  but the policy that is tried out would refuse it: {reason}"))?;
            }
        }
        Err(denial) => refused(context, &denial)?,
    }
    Ok(status)
}

fn refused(context: &Context, denial: &Denial) -> Result<(), CommandError> {
    let printer = context.printer;
    let code = denial.code.as_str();
    printer.data(format_args!(
        "{} {}",
        printer.paint(Paint::Bad, format_args!("denied ({code}):")),
        clean::line(&denial.reason)
    ))?;
    let line = |label: &str, text: Option<String>| match text {
        Some(text) => printer.data(format_args!("  {label} {}", clean::line(&text))),
        None => Ok(()),
    };
    line("by", denial.statement.clone().or_else(|| denial.ceiling.clone()))?;
    line("missing", denial.missing.as_ref().map(missing))?;
    line("next", denial.how_to_ask.clone())
}

fn missing(missing: &Missing) -> String {
    match missing {
        Missing::Ceiling => "a policy that allows something".to_owned(),
        Missing::Action => "an Allow for the action".to_owned(),
        Missing::Resource => "an Allow for the action on this resource".to_owned(),
        Missing::Condition { key } => format!("a request whose `{key}` is what the condition wants"),
        Missing::ContextKey { key } => format!("the value of `{key}`: say `--context {key}=VALUE` to try one"),
        Missing::Name => "the action's name without a wildcard".to_owned(),
    }
}

fn policy(context: &Context, args: WhyArgs) -> Result<ScopedPolicy, CommandError> {
    if let Some(id) = &args.session {
        let store = context.store_to_read()?.ok_or_else(|| not_found(id))?;
        return Ok(find(context, &*store, id)?.session.policy);
    }
    if names_no_policy(&args.lend) {
        return Err(CommandError::usage("why.no_policy", "there is no policy to ask")
            .next("name one, with `--policy FILE`, `--session ID` or `--allow ACTIONS`"));
    }
    of_flags(&with_stdin(args.lend)?, context.config()?)
}

/// One action, as requests are decided by; several could have several answers.
fn one_action(text: &str) -> Result<ActionPattern, CommandError> {
    let wrong = |next: String| {
        CommandError::usage("why.action", format!("`{text}` is not one IAM action, `service:Action`")).next(next)
    };
    if let Some(key) = UNIVERSAL_KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(text)) {
        return Err(wrong(format!("ask about one that it stands for: {}", key.aws)));
    }
    let action = ActionPattern::parse(text).ok().filter(ActionPattern::is_literal);
    action.ok_or_else(|| wrong("ask about each one, such as `s3:GetObject`".to_owned()))
}

/// A resource as policies write it: wildcards stand for all that they match, `${*}`, `${?}` and `${$}` for themselves.
fn resource(text: &str) -> Result<Resource, CommandError> {
    let arn = parse_resource(text).map_err(|error| {
        CommandError::usage("policy.resource", format!("the resource cannot be understood:\n{error}")).next(
            "write an ARN such as `arn:aws:s3:::bucket/key`, or `s3://bucket/key`, or `*`; what stands for itself is \
             `${*}`, `${?}` or `${$}`",
        )
    })?;
    let bare = ["${*}", "${?}"].iter().fold(arn.clone(), |text, escape| text.replace(escape, ""));
    let wild = arn != "*" && bare.contains(['*', '?']);
    // Beside a wildcard an escaped one becomes any character: the question is about more, and its answer still true.
    let (star, question) = if wild { ("?", "?") } else { ("*", "?") };
    let plain = arn.replace("${*}", star).replace("${?}", question).replace("${$}", "$");
    Ok(if wild { Resource::Pattern(plain) } else { Resource::Exact(plain) })
}

/// What the gate would know of a request at this moment, and what the flags say over it.
fn circumstances(context: &Context, args: &WhyArgs) -> Result<Circumstances, CommandError> {
    let now = context.now();
    let mut known = Circumstances::default();
    known.set("aws:CurrentTime", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    known.set("aws:EpochTime", now.as_second().to_string());
    known.set("aws:ViaAWSService", "false");
    if let Some(region) = &args.lend.region {
        known.set("aws:RequestedRegion", region.as_str());
    }
    for (key, _) in &args.known {
        if args.absent.iter().any(|absent| absent.eq_ignore_ascii_case(key)) {
            let message = format!("`{key}` cannot be both present and absent");
            return Err(CommandError::usage("why.context", message).next("leave out `--context` or `--absent` for it"));
        }
        let same = args.known.iter().filter(|(other, _)| other.eq_ignore_ascii_case(key));
        known.set_all(key, same.map(|(_, value)| value.clone()).collect());
    }
    for key in &args.absent {
        known.set_absent(key);
    }
    Ok(known)
}

/// `aws:SourceIp=203.0.113.7`; the value may be empty and may contain `=`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value))
            if key.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty()) =>
        {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("write a condition key and its value like `aws:SourceIp=203.0.113.7`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::policy::Resource;

    use super::{one_action, resource};

    #[test]
    fn what_is_escaped_stands_for_itself_and_a_wildcard_for_what_it_matches() {
        let exact = |text: &str| Resource::Exact(text.to_owned());
        let pattern = |text: &str| Resource::Pattern(text.to_owned());
        for (text, expected) in [
            ("*", exact("*")),
            ("s3://b/a${*}", exact("arn:aws:s3:::b/a*")),
            ("s3://b/a${?}${$}{x}", exact("arn:aws:s3:::b/a?${x}")),
            ("s3://b/a*", pattern("arn:aws:s3:::b/a*")),
            ("s3://b/${*}/*", pattern("arn:aws:s3:::b/?/*")),
        ] {
            assert_eq!(resource(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn a_question_is_about_one_action() {
        assert!(one_action("s3:GetObject").is_ok());
        for text in ["s3:*", "s3:Get?bject", "*", "GetObject", "storage:read", "s3:", ""] {
            assert!(one_action(text).is_err(), "{text}");
        }
    }
}
