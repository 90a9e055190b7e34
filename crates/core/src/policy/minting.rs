//! Actions that mint credentials or hand the session's power to someone else. A wildcard never means them: they are
//! refused unless an Allow names them letter by letter, because what they return outlives the session and works
//! without the gate (field study 4.5; the same hole as MinIO CVE-2025-62506 and Teleport's AssumeRole).

mod class;

use std::sync::LazyLock;

use super::action::ActionPattern;
use super::matcher::Rows;
use super::parse::parse_action;
pub(crate) use class::MINTING;

/// Who is told of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// Hands out credentials or power itself: the gate refuses it under wildcards, and so does every session policy.
    Credential,
    /// Acts with another identity's power: as above, except that a session policy without room for it leaves it to the
    /// gate, and says so.
    RunAs,
}

/// A pattern of the class and, where it has a wildcard, the actions that it is known to mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minting {
    pub(crate) tier: Tier,
    pub(crate) pattern: &'static str,
    /// What is wrong with it, after the action's name.
    pub(crate) why: &'static str,
    known: &'static [&'static str],
}

/// True when the IAM action `service:name` belongs to the class.
pub fn is_minting(service: &str, name: &str) -> bool {
    reason(service, name).is_some()
}

/// Why the IAM action `service:name` belongs to the class, if it does: words that follow its name.
pub fn reason(service: &str, name: &str) -> Option<&'static str> {
    static ROWS: LazyLock<Rows> = LazyLock::new(|| Rows::of(MINTING.iter().map(|minting| minting.pattern)));
    ROWS.find(service, name).and_then(|at| MINTING.get(at)).map(|minting| minting.why)
}

/// The class for the documentation: pattern, the actions that it is known to mean, and the reason.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static [&'static str], &'static str)> {
    MINTING.iter().map(|minting| (minting.pattern, minting.known, minting.why))
}

impl Minting {
    pub(crate) fn as_pattern(&self) -> Option<ActionPattern> {
        parse_action(self.pattern).ok()
    }

    /// Some action that `wild` would have included if its wildcard did.
    pub(crate) fn example(&self, wild: &ActionPattern) -> Option<String> {
        let known = self.known.iter().filter_map(|text| parse_action(text).ok());
        let example = known.chain(self.as_pattern()).find(|action| wild.covers(action));
        example.or_else(|| self.as_pattern().filter(|class| wild.overlaps(class))).map(|action| action.to_string())
    }

    /// What must be denied when `named` are allowed letter by letter: the whole pattern, or the known rest of it.
    pub(crate) fn denied_beside(&self, named: &[ActionPattern]) -> Vec<ActionPattern> {
        let Some(pattern) = self.as_pattern() else { return Vec::new() };
        let is_named = |action: &ActionPattern| named.iter().any(|name| name.folded() == action.folded());
        if !named.iter().any(|name| pattern.covers(name)) {
            return vec![pattern];
        }
        let known = self.known.iter().filter_map(|text| parse_action(text).ok());
        known.filter(|action| !is_named(action)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{MINTING, is_minting, rows};
    use crate::policy::action::ActionPattern;
    use crate::policy::matcher::Rows;
    use crate::policy::{AccessRequest, Context, Resource, ScopedPolicy, parse_actions};

    #[test]
    fn the_class_holds_what_mints_and_spares_what_only_looks_similar() {
        for action in [
            "sts:AssumeRole",
            "sts:AssumeRoleWithSAML",
            "sts:AssumeRoot",
            "STS:getsessiontoken",
            "sts:GetFederationToken",
            "sts:GetScopedCredentials",
            "iam:CreateAccessKey",
            "iam:CreateLoginProfile",
            "iam:UpdateAssumeRolePolicy",
            "iam:CreateServiceSpecificCredential",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "iam:AttachUserPolicy",
            "ec2-instance-connect:SendSSHPublicKey",
            "ssm:StartSession",
            "ecr:GetAuthorizationToken",
            "redshift:GetClusterCredentialsWithIAM",
            "cognito-identity:GetCredentialsForIdentity",
        ] {
            let (service, name) = action.split_once(':').expect("action");
            assert!(is_minting(service, name), "{action}");
        }
        for action in [
            "sts:GetCallerIdentity",
            "sts:DecodeAuthorizationMessage",
            "iam:ListAccessKeys",
            "iam:GetRole",
            "iam:CreateUser",
            "iam:GetPolicyVersion",
            "ssm:GetParameter",
            "s3:GetObject",
            "iam:DeleteAccessKey",
            "sts:TagSession",
            "lambda:InvokeFunction",
            "lambda:GetFunctionConfiguration",
            "ec2:RunInstances",
            "ssm:SendAutomationSignal",
            "cloudformation:DescribeStacks",
            "ecs:ListTasks",
            "glue:GetJob",
            "codebuild:BatchGetBuilds",
            "eks:DescribeCluster",
        ] {
            let (service, name) = action.split_once(':').expect("action");
            assert!(!is_minting(service, name), "{action}");
        }
    }

    #[test]
    fn a_named_action_is_taken_out_of_the_deny_and_its_neighbours_stay_in() {
        let assume = MINTING.iter().find(|m| m.pattern.starts_with("sts:Assume")).expect("row");
        let named = ActionPattern::parse("STS:assumerole").expect("parses");
        let denied = assume.denied_beside(&[named]);
        assert!(!denied.iter().any(|p| p.matches("sts", "AssumeRole")));
        assert!(denied.iter().any(|p| p.matches("sts", "AssumeRoleWithSAML")));
        assert_eq!(assume.denied_beside(&[]), [assume.as_pattern().expect("pattern")]);
    }

    /// Threat 28: everything by which a service acts for the child with another identity, and 29: every call that mints.
    #[test]
    fn under_its_services_wildcard_no_action_of_the_class_is_allowed_and_by_name_each_is() {
        let policy = |action: &str| ScopedPolicy {
            actions: parse_actions(action).expect(action),
            resources: vec!["*".into()],
            ..ScopedPolicy::default()
        };
        let asked = |policy: &ScopedPolicy, action: &str| {
            let access = AccessRequest { action: action.into(), resource: Resource::Exact("arn:aws:x:::y".into()) };
            policy.evaluate(&access, &Context::default())
        };
        let mut count = 0;
        for minting in MINTING {
            let single = [minting.pattern];
            let actions = if minting.known.is_empty() { single.as_slice() } else { minting.known };
            for action in actions {
                let (service, _) = action.split_once(':').expect(action);
                for wildcard in ["*".to_owned(), format!("{service}:*"), format!("{action}*")] {
                    let denial = asked(&policy(&wildcard), action).expect_err(action);
                    assert_eq!(denial.statement.as_deref(), Some("credential-minting"), "{action} under {wildcard}");
                    assert!(denial.reason.contains(minting.why), "{}", denial.reason);
                }
                assert_eq!(asked(&policy(action), action), Ok(()), "{action} by its name");
                count += 1;
            }
        }
        assert!(count >= 140, "{count} actions");
    }

    #[test]
    fn every_row_has_a_reason_and_stands_once_and_is_of_one_service() {
        let rows = Rows::of(MINTING.iter().map(|minting| minting.pattern));
        assert!(
            rows.services()
                .all(|name| !name.is_empty() && !name.contains(|c: char| c == '*' || c == '?' || c.is_uppercase()))
        );
        for (n, minting) in MINTING.iter().enumerate() {
            assert!(minting.why.len() > 10 && minting.why.starts_with(char::is_lowercase), "{}", minting.pattern);
            assert!(MINTING.iter().skip(n + 1).all(|other| other.pattern != minting.pattern), "{}", minting.pattern);
            assert_eq!(minting.known.is_empty(), !minting.pattern.contains('*'), "{}", minting.pattern);
        }
    }

    #[test]
    fn the_documentation_lists_every_row_with_its_reason() {
        let page = include_str!("../../../../docs/security/minting.md");
        assert_eq!(rows().count(), MINTING.len());
        for (pattern, known, why) in rows() {
            let listed = known.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ");
            let line = format!("| `{pattern}` | {listed} | {why} |");
            assert!(page.lines().any(|text| text == line), "docs/security/minting.md lacks\n{line}");
        }
    }

    #[test]
    fn every_row_is_a_pattern_that_covers_its_known_actions() {
        for minting in MINTING {
            let pattern = minting.as_pattern().expect(minting.pattern);
            for known in minting.known {
                assert!(pattern.covers(&ActionPattern::parse(known).expect(known)), "{known}");
            }
        }
    }
}
