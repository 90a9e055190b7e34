//! `--shadow`: a policy is tried out. What it would refuse is recorded, and passes as far as the ceiling allows.

use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::policy::{ActionPattern, ScopedPolicy, parse_actions};

use super::policy;
use super::wish::Wish;
use crate::command::Context;
use crate::command::learn::{evidence, report};
use crate::error::CommandError;
use crate::output::clean;

/// Puts the policy of the wish aside to be tried out, and the ceiling in its place. Denials stay in force: they are
/// what nobody wants to see done even once.
///
/// # Errors
/// When there is nothing to try out, when nobody would look (only the gate does), or when the ceiling cannot be read.
pub(super) fn tries_out(wish: &mut Wish, ceiling: Option<&str>) -> Result<(), CommandError> {
    if wish.delivery != Delivery::Proxy {
        let message = format!("`--shadow` needs delivery `proxy`, not `{}`", wish.delivery.as_str());
        return Err(CommandError::usage("run.shadow_delivery", message).next("leave out `--delivery`"));
    }
    if wish.policy.allows_nothing() {
        return Err(CommandError::usage("run.shadow_nothing", "`--shadow` has no policy to try out")
            .next("name one, such as `--policy learned.json` or `--allow s3:GetObject`"));
    }
    let mut enforced = match ceiling {
        Some(text) => ceiling_of(text)?,
        None => everything(),
    };
    enforced.denied.extend(wish.policy.denied.iter().cloned());
    enforced.shadow = Some(Box::new(std::mem::take(&mut wish.policy)));
    wish.policy = enforced;
    Ok(())
}

/// The ceiling in a text: a policy document, as JSON or as a file, or else a list of actions.
///
/// # Errors
/// When it is neither.
pub(crate) fn ceiling_of(text: &str) -> Result<ScopedPolicy, CommandError> {
    if is_document(text) {
        return Ok(ScopedPolicy { documents: vec![policy::given(text)?], ..ScopedPolicy::default() });
    }
    let actions = parse_actions(text).map_err(|error| {
        CommandError::usage("policy.action", format!("`--ceiling` cannot be understood:\n{error}"))
            .next("write actions like `s3:*,sqs:*`, or name the file of a policy document")
    })?;
    Ok(ScopedPolicy { actions, resources: vec!["*".to_owned()], ..ScopedPolicy::default() })
}

/// Every action, as a wildcard: what hands out credentials is not among them.
pub(crate) fn everything() -> ScopedPolicy {
    ScopedPolicy { actions: vec![ActionPattern::all()], resources: vec!["*".to_owned()], ..ScopedPolicy::default() }
}

fn is_document(text: &str) -> bool {
    text.trim_start().starts_with('{') || std::path::Path::new(text).is_file() || text.ends_with(".json")
}

/// Says what would have been refused. The command has ended: a log that cannot be read changes nothing about that.
pub(super) fn report(context: &Context, session: SessionId) {
    let short = session.short().to_owned();
    let learned = evidence::of_sessions(context, &[session])
        .and_then(|learner| Ok(learner.learn(hallpass_core::learn::Options::default())?));
    match learned {
        Ok(learned) => {
            for line in report::would_deny(&learned, &short) {
                context.printer.say(clean::line(&line));
            }
        }
        Err(error) => context.printer.warn(format_args!("what would have been refused cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::policy::{AccessRequest, Context, Resource, ScopedPolicy, parse_actions};

    use super::{ceiling_of, everything};

    fn allows(policy: &ScopedPolicy, action: &str) -> bool {
        let access = AccessRequest { action: action.to_owned(), resource: Resource::Opaque };
        policy.evaluate(&access, &Context::default()).is_ok()
    }

    #[test]
    fn the_widest_ceiling_hands_out_no_credentials() {
        let ceiling = everything();
        assert!(allows(&ceiling, "ec2:RunInstances"));
        for escape in ["sts:AssumeRole", "iam:CreateAccessKey", "iam:PassRole"] {
            assert!(!allows(&ceiling, escape), "{escape}");
        }
    }

    #[test]
    fn a_ceiling_is_actions_or_a_document() {
        assert_eq!(ceiling_of("s3:*,sqs:*").expect("actions").actions, parse_actions("s3:*,sqs:*").expect("actions"));
        let json = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        assert!(allows(&ceiling_of(json).expect("a document"), "s3:GetObject"));
        assert!(ceiling_of("nowhere.json").is_err() && ceiling_of("s3GetObject").is_err());
    }
}
