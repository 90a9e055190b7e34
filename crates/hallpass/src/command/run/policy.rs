//! The session's policy, from the flags and the named policy that they stand on.

use std::io::Read;
use std::path::Path;

use hallpass_core::limits::POLICY_DOCUMENT_BYTES_MAX;
use hallpass_core::policy::{self, ActionPattern, PolicyDocument, ScopedPolicy};
use serde_json::json;

use super::args::LendArgs;
use super::wish;
use crate::config::Config;
use crate::config::profiles::ProfileConfig;
use crate::error::CommandError;

/// The named policy is one ceiling and the flags are another: what both allow is allowed. Denials add up.
///
/// # Errors
/// What is not policy syntax, with the character.
pub(crate) fn scoped(
    args: &LendArgs,
    profile: Option<&ProfileConfig>,
    always_denied: &[String],
) -> Result<ScopedPolicy, CommandError> {
    let mut scoped = ScopedPolicy {
        actions: actions("--allow", &args.allow)?,
        resources: resources("--resource", &args.resource)?,
        denied: actions("--deny", &args.deny)?,
        read_only: args.read_only,
        ..ScopedPolicy::default()
    };
    scoped.denied.extend(actions("bounds.deny", always_denied)?);
    if let Some(text) = &args.policy {
        scoped.documents.push(given(text)?);
    }
    if let Some(profile) = profile {
        stand_on(&mut scoped, profile)?;
    }
    if scoped.resources.is_empty() && !scoped.actions.is_empty() {
        scoped.resources.push("*".to_owned());
    }
    Ok(scoped)
}

/// The policy of a `run` with these flags and this configuration.
///
/// # Errors
/// As [`scoped`], and a profile that the configuration does not have.
pub(crate) fn of_flags(args: &LendArgs, config: &Config) -> Result<ScopedPolicy, CommandError> {
    let profile = args.profile.as_deref().map(|name| wish::named(config, name)).transpose()?;
    scoped(args, profile, config.bounds.deny())
}

/// Adds a profile of the configuration. When the flags name actions or resources as well, the profile's own become a
/// document, because a policy has one short form only.
fn stand_on(scoped: &mut ScopedPolicy, profile: &ProfileConfig) -> Result<(), CommandError> {
    let allowed = actions("profile: allow", profile.allow())?;
    let limited = resources("profile: resources", profile.resources())?;
    scoped.denied.extend(actions("profile: deny", profile.deny())?);
    scoped.read_only |= profile.read_only();
    if let Some(path) = &profile.policy {
        scoped.documents.push(document(&path.value)?);
    }
    if scoped.actions.is_empty() && scoped.resources.is_empty() {
        scoped.actions = allowed;
        scoped.resources = limited;
    } else if !allowed.is_empty() || !limited.is_empty() {
        scoped.documents.push(ceiling(&allowed, &limited)?);
    }
    Ok(())
}

fn ceiling(allowed: &[ActionPattern], limited: &[String]) -> Result<PolicyDocument, CommandError> {
    let or_any = |texts: Vec<String>| if texts.is_empty() { vec!["*".to_owned()] } else { texts };
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Profile",
            "Effect": "Allow",
            "Action": or_any(allowed.iter().map(ToString::to_string).collect()),
            "Resource": or_any(limited.to_vec()),
        }],
    });
    parse(&document.to_string(), "the profile")
}

fn actions(place: &str, texts: &[String]) -> Result<Vec<ActionPattern>, CommandError> {
    let mut all = Vec::new();
    for text in texts {
        let parsed = policy::parse_actions(text).map_err(|error| wrong(place, "policy.action", &error.to_string()))?;
        all.extend(parsed.into_iter().filter(|action| !all.contains(action)).collect::<Vec<_>>());
    }
    Ok(all)
}

fn resources(place: &str, texts: &[String]) -> Result<Vec<String>, CommandError> {
    let parse = |text: &String| {
        policy::parse_resource(text).map_err(|error| wrong(place, "policy.resource", &error.to_string()))
    };
    texts.iter().map(parse).collect()
}

/// JSON when it looks like JSON, else a file.
///
/// # Errors
/// As [`document`].
pub(super) fn given(text: &str) -> Result<PolicyDocument, CommandError> {
    if text.trim_start().starts_with('{') { parse(text, "`--policy`") } else { document(Path::new(text)) }
}

/// The policy document in a file.
///
/// # Errors
/// When it cannot be read, is too large, or is not a policy.
pub(crate) fn document(path: &Path) -> Result<PolicyDocument, CommandError> {
    let shown = format!("`{}`", path.display());
    let unreadable = |error: std::io::Error| {
        CommandError::usage("policy.unreadable", format!("the policy file {shown} cannot be read"))
            .because(&error)
            .next("name a file that can be read, or give the JSON itself")
    };
    let mut text = String::new();
    // One byte more than is taken, so that the document itself says that it is too large.
    let limit = u64::try_from(POLICY_DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path).map_err(unreadable)?.take(limit).read_to_string(&mut text).map_err(unreadable)?;
    parse(&text, &shown)
}

fn parse(text: &str, place: &str) -> Result<PolicyDocument, CommandError> {
    PolicyDocument::parse(text).map_err(|error| {
        let (line, column) = error.position(text);
        CommandError::usage("policy.document", format!("{place} is not a policy document"))
            .cause(format!("line {line}, column {column}: {}", error.message))
            .next("`hallpass policy check` names the line and the column of every mistake")
    })
}

fn wrong(place: &str, code: &'static str, picture: &str) -> CommandError {
    CommandError::usage(code, format!("`{place}` cannot be understood:\n{picture}"))
        .next("write actions like `s3:GetObject,lambda:Update*`, and resources like `arn:aws:s3:::bucket/*`")
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::POLICY_DOCUMENT_BYTES_MAX;
    use hallpass_core::policy::{AccessRequest, Context, Resource, ScopedPolicy};

    use super::{LendArgs, given, scoped, stand_on};
    use crate::config::profiles::ProfileConfig;
    use crate::config::{Located, Origin};

    fn args(allow: &[&str], resource: &[&str]) -> LendArgs {
        let own = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
        LendArgs { allow: own(allow), resource: own(resource), ..LendArgs::default() }
    }

    fn list(texts: &[&str]) -> Option<Located<Vec<String>>> {
        Some(Located { value: texts.iter().map(|t| (*t).to_owned()).collect(), origin: Origin::Default })
    }

    fn allows(policy: &ScopedPolicy, action: &str, resource: &str) -> bool {
        let access = AccessRequest { action: action.to_owned(), resource: Resource::Exact(resource.to_owned()) };
        policy.evaluate(&access, &Context::default()).is_ok()
    }

    const IN: &str = "arn:aws:s3:::data/a";
    const OUT: &str = "arn:aws:s3:::other/a";

    #[test]
    fn flags_narrow_the_profile_and_never_widen_it() {
        let profile = ProfileConfig {
            allow: list(&["s3:Get*"]),
            resources: list(&["arn:aws:s3:::data/*"]),
            ..ProfileConfig::default()
        };
        let alone = scoped(&args(&[], &[]), Some(&profile), &[]).expect("policy");
        assert!(allows(&alone, "s3:GetObject", IN) && !allows(&alone, "s3:GetObject", OUT));
        let both = scoped(&args(&["s3:GetObject,s3:PutObject"], &[]), Some(&profile), &[]).expect("policy");
        assert!(allows(&both, "s3:GetObject", IN));
        assert!(!allows(&both, "s3:PutObject", IN) && !allows(&both, "s3:GetObject", OUT));
        let resource = scoped(&args(&[], &["arn:aws:s3:::other/*"]), Some(&profile), &[]).expect("policy");
        assert!(!allows(&resource, "s3:GetObject", OUT) && !allows(&resource, "s3:GetObject", IN));
    }

    #[test]
    fn what_the_configuration_denies_stays_denied() {
        let policy = scoped(&args(&["s3:*"], &[]), None, &["s3:DeleteObject".to_owned()]).expect("policy");
        assert!(allows(&policy, "s3:GetObject", IN) && !allows(&policy, "s3:DeleteObject", IN));
    }

    #[test]
    fn a_mistake_points_at_its_character() {
        let error = scoped(&args(&["s3GetObject"], &[]), None, &[]).expect_err("wrong").to_string();
        assert!(error.contains("--allow") && error.contains('^'), "{error}");
        let mut profile = ScopedPolicy::default();
        let bad = ProfileConfig { deny: list(&["iam:"]), ..ProfileConfig::default() };
        assert!(stand_on(&mut profile, &bad).is_err(), "a denial that is not understood was skipped");
    }

    #[test]
    fn a_document_that_is_wrong_is_refused_with_its_line_and_column() {
        let text = "{\n \"Statement\": [{\"Effect\":\"Allow\",\n  \"Action\":\"s3:Get Object\",\"Resource\":\"*\"}]}";
        let error = given(text).expect_err("wrong").to_string();
        assert!(error.contains("line 3, column 12") && error.contains("did you mean `s3:GetObject`?"), "{error}");
    }

    #[test]
    fn a_policy_past_the_limit_or_not_there_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("file");
        let large = format!("{{\"Version\":\"2012-10-17\"{}}}", " ".repeat(POLICY_DOCUMENT_BYTES_MAX));
        std::fs::write(file.path(), large).expect("written");
        assert!(given(file.path().to_str().expect("text")).is_err());
        assert!(given("/nowhere/policy.json").is_err());
    }
}
