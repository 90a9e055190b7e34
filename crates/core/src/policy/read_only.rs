//! `--read-only`: which actions only read. Decided by name, because no catalogue is needed to be strict: what does
//! not begin with a known reading verb is not a read, and neither is a read that is on the list of exceptions.
//!
//! Off the list by decision, and why:
//!
//! * Whatever returns a credential, a token, a password or a key: reading those is the beginning of writing.
//! * `ssm:GetParameter*`: whether it decrypts a `SecureString` stands in the request, not in the action.
//! * `lambda:GetFunction`, `lambda:GetLayerVersion*`, `ecr:GetDownloadUrlForLayer` and their like: they return a
//!   presigned URL that works without us, outside the audit log and for minutes after a kill.
//!   `lambda:GetFunctionConfiguration` stays a read; its environment variables are configuration, whatever people put
//!   there.
//! * `kms:Decrypt` and everything else that is a read in spirit but a verb of its own is simply no reading verb.

use std::sync::LazyLock;

use super::action::ActionPattern;
use super::matcher::Rows;
use super::parse::parse_action;

/// Verbs that begin the name of a read. The next character must begin a new word, so `Check` does not let
/// `CheckoutLicense` through.
pub(crate) const READING_VERBS: [&str; 14] = [
    "Get",
    "List",
    "Describe",
    "Head",
    "BatchGet",
    "BatchDescribe",
    "Query",
    "Scan",
    "Select",
    "Lookup",
    "Search",
    "View",
    "Check",
    "Simulate",
];

/// Reads whose names have no reading verb.
pub(crate) const OTHER_READS: [&str; 4] =
    ["dynamodb:PartiQLSelect", "es:ESHttpGet", "es:ESHttpHead", "logs:FilterLogEvents"];

/// Actions with a reading name that hand out a secret or change something.
pub(crate) const NOT_READS: [&str; 50] = [
    // credentials and tokens, of any service
    "*:Get*Credentials*",
    "*:Get*Token",
    "*:Get*Tokens",
    "*:Get*TokenFor*",
    "*:Get*Presigned*",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
    "sts:GetScopedCredentials",
    "cognito-idp:GetTokensFromRefreshToken",
    "cognito-idp:DescribeIdentityProvider",
    "cognito-idp:DescribeUserPoolClient",
    "s3:GetDataAccess",
    "lakeformation:GetDataAccess",
    "gamelift:GetComputeAccess",
    "gamelift:GetInstanceAccess",
    "lightsail:GetInstanceAccessDetails",
    "lightsail:GetBucketAccessKeys",
    "quicksight:GetAuthCode",
    "quicksight:Get*EmbedUrl",
    "kinesisvideo:GetIceServerConfig",
    "kinesisvideo:Get*SessionURL",
    "bedrock-agentcore:GetResourceApiKey",
    "bedrock-agentcore:GetWorkloadAccessToken*",
    "appsync:ListApiKeys",
    "ivs:GetStreamKey",
    "ivs:BatchGetStreamKey",
    "location:DescribeKey",
    // secrets in clear
    "secretsmanager:GetSecretValue",
    "secretsmanager:BatchGetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "ssm:GetParameterHistory",
    "ec2:GetPasswordData",
    "ec2:DescribeVpnConnections",
    "ec2:GetVpnConnectionDeviceSampleConfiguration",
    "directconnect:DescribeVirtualInterfaces",
    "directconnect:DescribeRouterConfiguration",
    "storagegateway:DescribeChapCredentials",
    "glue:GetConnection",
    "glue:GetConnections",
    "lightsail:GetRelationalDatabaseMasterUserPassword",
    // addresses that work without a signature
    "lambda:GetFunction",
    "lambda:GetLayerVersion",
    "lambda:GetLayerVersionByArn",
    "ecr:GetDownloadUrlForLayer",
    "gamelift:GetGameSessionLogUrl",
    "workdocs:GetDocumentVersion",
    // names that read and acts that do not
    "license-manager:CheckInLicense",
    "license-manager:CheckoutLicense",
];

/// True when the IAM action `service:name` only reads and hands out no secret.
pub fn is_read(service: &str, name: &str) -> bool {
    static OTHERS: LazyLock<Rows> = LazyLock::new(|| Rows::of(OTHER_READS));
    static NOT: LazyLock<Rows> = LazyLock::new(|| Rows::of(NOT_READS));
    let listed = |rows: &Rows| rows.find(service, name).is_some();
    let verb = READING_VERBS.iter().any(|verb| {
        let next = name.strip_prefix(verb).map(|rest| rest.chars().next());
        next.is_some_and(|next| next.is_none_or(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
    });
    (verb || listed(&OTHERS)) && !listed(&NOT)
}

/// The reads among the actions that `pattern` means, as patterns of literal service, and whether that is all of them
/// and nothing else. `None` when its service has a wildcard, because IAM takes none there.
pub(crate) fn reads_of(pattern: &ActionPattern) -> Option<(Vec<ActionPattern>, bool)> {
    if pattern.service_has_wildcard() {
        return None;
    }
    if pattern.is_literal() {
        return Some((is_read(&pattern.service, &pattern.action).then(|| pattern.clone()).into_iter().collect(), true));
    }
    let of_service = |action: &str| ActionPattern { service: pattern.service.clone(), action: action.to_owned() };
    let verbs = READING_VERBS.iter().map(|verb| of_service(&format!("{verb}*")));
    let others = OTHER_READS.iter().filter_map(|text| parse_action(text).ok());
    let (mut reads, mut exact) = (Vec::new(), true);
    for read in verbs.chain(others) {
        if read.covers(pattern) {
            return Some((vec![pattern.clone()], exact));
        }
        if pattern.covers(&read) {
            reads.push(read);
        } else if pattern.overlaps(&read) {
            reads.push(read);
            exact = false;
        }
    }
    Some((reads, exact))
}

/// The exceptions that matter where `allowed` is allowed, each with a literal service.
pub(crate) fn exceptions_within(allowed: &[ActionPattern]) -> Vec<ActionPattern> {
    let exceptions = NOT_READS.iter().filter_map(|text| parse_action(text).ok());
    let within = |exception: ActionPattern| {
        let for_service = move |pattern: &ActionPattern| {
            let service = if exception.service == "*" { &pattern.service } else { &exception.service };
            let narrowed = ActionPattern { service: service.to_ascii_lowercase(), action: exception.action.clone() };
            pattern.overlaps(&narrowed).then_some(narrowed)
        };
        allowed.iter().filter_map(for_service).collect::<Vec<_>>()
    };
    exceptions.flat_map(within).collect()
}

#[cfg(test)]
mod tests {
    use super::{NOT_READS, OTHER_READS, Rows, exceptions_within, is_read, reads_of};
    use crate::policy::action::ActionPattern;

    fn read(action: &str) -> bool {
        let (service, name) = action.split_once(':').expect("action");
        is_read(service, name)
    }

    #[test]
    fn the_services_of_the_tables_are_spelled_out_or_any() {
        let rows = Rows::of(OTHER_READS.into_iter().chain(NOT_READS));
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(rows.services().all(|name| name == "*" || (!name.is_empty() && name.chars().all(legal))));
    }

    #[test]
    fn what_reads_is_a_read() {
        for action in [
            "s3:GetObject",
            "s3:ListBucket",
            "ec2:DescribeInstances",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:BatchGetItem",
            "dynamodb:PartiQLSelect",
            "cloudtrail:LookupEvents",
            "iam:SimulatePrincipalPolicy",
            "sts:GetCallerIdentity",
            "secretsmanager:DescribeSecret",
            "secretsmanager:ListSecrets",
            "sqs:GetQueueUrl",
            "lambda:GetFunctionConfiguration",
            "lambda:ListFunctions",
            "iam:GetAccountPasswordPolicy",
        ] {
            assert!(read(action), "{action}");
        }
    }

    #[test]
    fn what_writes_mints_or_reveals_is_not_a_read() {
        for action in [
            "s3:PutObject",
            "s3:DeleteObject",
            "sqs:ReceiveMessage",
            "kms:Decrypt",
            "sts:AssumeRole",
            "sts:GetFederationToken",
            "sts:GetSessionToken",
            "sts:GetScopedCredentials",
            "sts:GetServiceBearerToken",
            "secretsmanager:GetSecretValue",
            "secretsmanager:BatchGetSecretValue",
            "ssm:GetParameter",
            "ssm:GetParametersByPath",
            "ecr:GetAuthorizationToken",
            "iam:GenerateCredentialReport",
            "redshift:GetClusterCredentials",
            "redshift:GetClusterCredentialsWithIAM",
            "cognito-identity:GetCredentialsForIdentity",
            "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
            "sso:GetRoleCredentials",
            "lambda:GetFunction",
            "lambda:GetLayerVersion",
            "ec2:GetPasswordData",
            "codeartifact:GetAuthorizationToken",
            "license-manager:CheckoutLicense",
            "license-manager:CheckInLicense",
            "s3:Getaway",
            "s3:getObject",
            "execute-api:Invoke",
            "apigateway:GET",
            "x:",
            "x:Frobnicate",
        ] {
            assert!(!read(action), "{action}");
        }
    }

    #[test]
    fn every_row_of_the_tables_is_a_pattern() {
        for text in NOT_READS.iter().chain(&OTHER_READS) {
            assert!(ActionPattern::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_reads_of_a_wildcard_are_named_and_their_exceptions_too() {
        let pattern = |text: &str| ActionPattern::parse(text).expect("parses");
        let (reads, exact) = reads_of(&pattern("ssm:*")).expect("literal service");
        assert!(
            exact && reads.contains(&pattern("ssm:Get*")) && !reads.iter().any(|r| r.matches("ssm", "PutParameter"))
        );
        assert!(exceptions_within(&reads).contains(&pattern("ssm:GetParameter")));
        assert_eq!(reads_of(&pattern("s3:Get*")), Some((vec![pattern("s3:Get*")], true)));
        assert_eq!(reads_of(&pattern("s3:PutObject")), Some((vec![], true)));
        assert_eq!(reads_of(&pattern("s3:*Object")).map(|(_, exact)| exact), Some(false));
        assert_eq!(reads_of(&pattern("*")), None);
    }
}
