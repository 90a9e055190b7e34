//! Condition keys about who signs: what the real credential's own identity says, and nothing that is only likely.
//! Source: IAM user guide, "AWS global condition context keys", "Properties of the principal".

use super::Caller;
use crate::policy::Context;

/// Sets the keys that follow from the caller. Everything else about it stays unknown: a role has tags of its own.
pub(super) fn keys(caller: &Caller<'_>, context: &mut Context) {
    context.set("aws:PrincipalIsAWSService", "false");
    context.set_absent("aws:PrincipalServiceName");
    if let Some(account) = caller.account {
        context.set("aws:PrincipalAccount", account);
    }
    for (key, value) in caller.tags {
        context.set(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    if let Some(name) = caller.source_identity {
        context.set("aws:SourceIdentity", name);
    }
    let Some(kind) = caller.arn.and_then(|arn| Some((arn, arn.splitn(6, ':').nth(5)?))) else { return };
    match kind {
        (arn, rest) if rest.starts_with("user/") => {
            context.set("aws:PrincipalArn", arn);
            context.set("aws:PrincipalType", "User");
            context.set("aws:username", rest.rsplit('/').next().unwrap_or_default());
        }
        (arn, "root") => {
            context.set("aws:PrincipalArn", arn);
            context.set("aws:PrincipalType", "Account");
            context.set_absent("aws:username");
        }
        (arn, rest) if rest.starts_with("assumed-role/") => {
            context.set("aws:PrincipalType", "AssumedRole");
            context.set_absent("aws:username");
            // The role's path is not in the session's ARN, so only the role that was asked for tells it.
            let name = rest.split('/').nth(1).unwrap_or_default();
            let same =
                |role: &&str| role.rsplit('/').next() == Some(name) && role.split(':').nth(4) == arn.split(':').nth(4);
            if let Some(role) = caller.role.filter(same) {
                context.set("aws:PrincipalArn", role);
            }
        }
        (_, rest) if rest.starts_with("federated-user/") => {
            context.set("aws:PrincipalType", "FederatedUser");
            context.set_absent("aws:username");
        }
        _ => {}
    }
}
