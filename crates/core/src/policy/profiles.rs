//! Named scopes that come with the product. A configuration file may add its own and replace these.

use super::ScopedPolicy;
use super::parse::{parse_actions, parse_resource};
use super::syntax::SyntaxError;

/// A named scope: the same texts that `--allow`, `--deny` and `--resource` take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// As given to `--profile`.
    pub name: &'static str,
    /// One line for `profile list`.
    pub about: &'static str,
    /// `--allow`; empty for none.
    pub allow: &'static str,
    /// `--deny`; empty for none.
    pub deny: &'static str,
    /// `--read-only`.
    pub read_only: bool,
}

/// Every built-in scope. None names a resource: that is for whoever asks.
pub const PROFILES: [Profile; 14] = [
    Profile { name: "read-only", about: "read everything but secrets", allow: "", deny: "", read_only: true },
    simple(
        "s3-read",
        "list buckets and keys, read objects",
        "s3:GetObject,s3:GetObjectVersion,s3:GetObjectAttributes,s3:GetObjectTagging,s3:ListBucket,s3:ListBucketVersions,s3:GetBucketLocation,s3:ListAllMyBuckets",
    ),
    simple(
        "s3-write",
        "read, create and overwrite objects, without deleting any",
        "s3:GetObject,s3:ListBucket,s3:GetBucketLocation,s3:PutObject,s3:PutObjectTagging,s3:AbortMultipartUpload,s3:ListMultipartUploadParts,s3:ListBucketMultipartUploads",
    ),
    simple(
        "s3-sync",
        "what `aws s3 sync --delete` needs",
        "s3:GetObject,s3:PutObject,s3:DeleteObject,s3:ListBucket,s3:GetBucketLocation,s3:AbortMultipartUpload,s3:ListMultipartUploadParts",
    ),
    simple(
        "dynamodb-read",
        "read items and describe tables",
        "dynamodb:GetItem,dynamodb:BatchGetItem,dynamodb:Query,dynamodb:Scan,dynamodb:DescribeTable,dynamodb:ListTables,dynamodb:PartiQLSelect",
    ),
    simple(
        "dynamodb-write",
        "read and write items, without changing tables",
        "dynamodb:GetItem,dynamodb:BatchGetItem,dynamodb:Query,dynamodb:DescribeTable,dynamodb:PutItem,dynamodb:UpdateItem,dynamodb:DeleteItem,dynamodb:BatchWriteItem,dynamodb:ConditionCheckItem",
    ),
    simple(
        "lambda-deploy",
        "publish code of functions that exist; a new function also needs `iam:PassRole`, by name",
        "lambda:GetFunction,lambda:GetFunctionConfiguration,lambda:UpdateFunctionCode,lambda:UpdateFunctionConfiguration,lambda:PublishVersion,lambda:GetAlias,lambda:CreateAlias,lambda:UpdateAlias",
    ),
    simple("lambda-invoke", "call functions", "lambda:InvokeFunction"),
    simple(
        "logs-read",
        "search and read CloudWatch logs",
        "logs:DescribeLogGroups,logs:DescribeLogStreams,logs:GetLogEvents,logs:FilterLogEvents,logs:StartQuery,logs:StopQuery,logs:GetQueryResults",
    ),
    simple(
        "metrics-read",
        "read CloudWatch metrics and alarms",
        "cloudwatch:GetMetricData,cloudwatch:GetMetricStatistics,cloudwatch:ListMetrics,cloudwatch:DescribeAlarms",
    ),
    simple("ec2-read", "describe machines, networks and images", "ec2:Describe*"),
    simple(
        "ecr-pull",
        "pull images",
        "ecr:GetAuthorizationToken,ecr:BatchCheckLayerAvailability,ecr:GetDownloadUrlForLayer,ecr:BatchGetImage",
    ),
    simple(
        "ecr-push",
        "pull and push images",
        "ecr:GetAuthorizationToken,ecr:BatchCheckLayerAvailability,ecr:GetDownloadUrlForLayer,ecr:BatchGetImage,ecr:InitiateLayerUpload,ecr:UploadLayerPart,ecr:CompleteLayerUpload,ecr:PutImage",
    ),
    simple(
        "sqs-consume",
        "receive and delete messages",
        "sqs:ReceiveMessage,sqs:DeleteMessage,sqs:ChangeMessageVisibility,sqs:GetQueueUrl,sqs:GetQueueAttributes",
    ),
];

const fn simple(name: &'static str, about: &'static str, allow: &'static str) -> Profile {
    Profile { name, about, allow, deny: "", read_only: false }
}

/// The built-in scope of that name.
pub fn profile(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

impl Profile {
    /// The policy on the given resources, `--resource` texts; none means `*`.
    ///
    /// # Errors
    /// A [`SyntaxError`] in a resource.
    pub fn policy(&self, resources: &[String]) -> Result<ScopedPolicy, SyntaxError> {
        let actions = |text: &str| if text.is_empty() { Ok(Vec::new()) } else { parse_actions(text) };
        let resources = resources.iter().map(|text| parse_resource(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(ScopedPolicy {
            actions: actions(self.allow)?,
            resources: if resources.is_empty() { vec!["*".to_owned()] } else { resources },
            denied: actions(self.deny)?,
            read_only: self.read_only,
            ..ScopedPolicy::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{PROFILES, profile};

    #[test]
    fn every_profile_allows_what_it_says_and_is_found_by_its_name() {
        for entry in PROFILES {
            let policy = profile(entry.name).expect("found").policy(&[]).expect(entry.name);
            assert!(!policy.allows_nothing(), "{}", entry.name);
            assert_eq!(policy.validate(), Ok(()), "{}", entry.name);
            assert!(policy.compile("aws").is_ok(), "{}", entry.name);
        }
        assert!(profile("nonsense").is_none());
        assert!(profile("s3-read").expect("found").policy(&["bucket".into()]).is_err());
    }
}
