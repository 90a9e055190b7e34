//! Actions that mint credentials or hand the session's power to someone else. A wildcard never means them: they are
//! refused unless an Allow names them letter by letter, because what they return outlives the session and works
//! without the gate (field study 4.5; the same hole as MinIO CVE-2025-62506 and Teleport's AssumeRole).

use super::action::{ActionPattern, row_matches};
use super::parse::parse_action;

/// A pattern of the class and, where it has a wildcard, the actions that it is known to mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minting {
    pub(crate) pattern: &'static str,
    known: &'static [&'static str],
}

const fn one(pattern: &'static str) -> Minting {
    Minting { pattern, known: &[] }
}

/// The class. IAM user guide, "Temporary security credentials"; service authorization reference.
pub(crate) const MINTING: [Minting; 42] = [
    // STS: temporary credentials
    Minting {
        pattern: "sts:AssumeRo*",
        known: &["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoot"],
    },
    Minting {
        pattern: "sts:Get*Token",
        known: &[
            "sts:GetFederationToken",
            "sts:GetSessionToken",
            "sts:GetServiceBearerToken",
            "sts:GetWebIdentityToken",
            "sts:GetDelegatedAccessToken",
        ],
    },
    one("sts:GetScopedCredentials"),
    // IAM: long-term credentials and ways to sign in
    one("iam:CreateAccessKey"),
    one("iam:UpdateAccessKey"),
    one("iam:CreateLoginProfile"),
    one("iam:UpdateLoginProfile"),
    one("iam:ChangePassword"),
    one("iam:CreateServiceSpecificCredential"),
    one("iam:ResetServiceSpecificCredential"),
    one("iam:UploadSSHPublicKey"),
    one("iam:UploadSigningCertificate"),
    // IAM: who may assume, and what an identity may do
    one("iam:UpdateAssumeRolePolicy"),
    one("iam:PassRole"),
    Minting {
        pattern: "iam:Attach*Policy",
        known: &["iam:AttachUserPolicy", "iam:AttachGroupPolicy", "iam:AttachRolePolicy"],
    },
    Minting { pattern: "iam:Put*Policy", known: &["iam:PutUserPolicy", "iam:PutGroupPolicy", "iam:PutRolePolicy"] },
    Minting {
        pattern: "iam:*PermissionsBoundary",
        known: &[
            "iam:PutUserPermissionsBoundary",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteUserPermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        ],
    },
    one("iam:CreatePolicyVersion"),
    one("iam:SetDefaultPolicyVersion"),
    one("iam:AddUserToGroup"),
    Minting { pattern: "iam:Create*Provider", known: &["iam:CreateSAMLProvider", "iam:CreateOpenIDConnectProvider"] },
    one("iam:UpdateSAMLProvider"),
    one("iam:UpdateOpenIDConnectProviderThumbprint"),
    one("iam:AddClientIDToOpenIDConnectProvider"),
    // tokens and credentials of other services
    one("sso:GetRoleCredentials"),
    Minting { pattern: "sso-oauth:CreateToken*", known: &["sso-oauth:CreateToken", "sso-oauth:CreateTokenWithIAM"] },
    Minting {
        pattern: "cognito-identity:Get*For*",
        known: &["cognito-identity:GetCredentialsForIdentity", "cognito-identity:GetOpenIdTokenForDeveloperIdentity"],
    },
    one("cognito-identity:GetOpenIdToken"),
    one("ecr:GetAuthorizationToken"),
    one("ecr-public:GetAuthorizationToken"),
    one("codeartifact:GetAuthorizationToken"),
    Minting {
        pattern: "redshift:GetClusterCredentials*",
        known: &["redshift:GetClusterCredentials", "redshift:GetClusterCredentialsWithIAM"],
    },
    one("redshift-serverless:GetCredentials"),
    one("rds-db:connect"),
    one("s3:GetDataAccess"),
    one("s3express:CreateSession"),
    one("eks-auth:AssumeRoleForPodIdentity"),
    one("rolesanywhere:CreateSession"),
    // shells and logins that run as another identity
    one("ssm:StartSession"),
    Minting {
        pattern: "ec2-instance-connect:*",
        known: &[
            "ec2-instance-connect:SendSSHPublicKey",
            "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
            "ec2-instance-connect:OpenTunnel",
        ],
    },
    one("lightsail:GetInstanceAccessDetails"),
    one("ec2:GetPasswordData"),
];

/// True when the IAM action `service:name` belongs to the class.
pub fn is_minting(service: &str, name: &str) -> bool {
    MINTING.iter().any(|minting| row_matches(minting.pattern, service, name))
}

impl Minting {
    pub(crate) fn as_pattern(&self) -> Option<ActionPattern> {
        parse_action(self.pattern).ok()
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
    use super::{MINTING, is_minting};
    use crate::policy::action::ActionPattern;

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
