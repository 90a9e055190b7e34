//! Universal keys: words for what people want, the same on every cloud, expanded to each cloud's own actions.
//!
//! `--allow storage:read` means the AWS actions below. A key is replaced when the list is parsed, so the session,
//! its audit entries and its session policy show real actions only. `storage:*` means every key of its group.
//! No service of AWS has one of these prefixes.

use super::action::ActionPattern;
use super::parse::parse_action;

/// One key and the AWS actions that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UniversalKey {
    /// As written: `storage:read`.
    pub name: &'static str,
    /// What it lets one do.
    pub about: &'static str,
    /// IAM actions, comma-separated.
    pub aws: &'static str,
}

/// Every key.
pub const UNIVERSAL_KEYS: [UniversalKey; 15] = [
    UniversalKey {
        name: "storage:read",
        about: "read objects and their metadata",
        aws: "s3:GetObject,s3:GetObjectVersion,s3:GetObjectAttributes,s3:GetObjectTagging,s3:ListBucket,s3:GetBucketLocation",
    },
    UniversalKey {
        name: "storage:write",
        about: "create and overwrite objects, also in parts",
        aws: "s3:PutObject,s3:PutObjectTagging,s3:AbortMultipartUpload,s3:ListMultipartUploadParts,s3:ListBucketMultipartUploads",
    },
    UniversalKey {
        name: "storage:delete",
        about: "delete objects and their versions",
        aws: "s3:DeleteObject,s3:DeleteObjectVersion,s3:DeleteObjectTagging",
    },
    UniversalKey {
        name: "storage:list",
        about: "list buckets, keys and versions",
        aws: "s3:ListAllMyBuckets,s3:ListBucket,s3:ListBucketVersions,s3:GetBucketLocation",
    },
    UniversalKey {
        name: "compute:read",
        about: "describe machines and what belongs to them",
        aws: "ec2:Describe*,autoscaling:Describe*,elasticloadbalancing:Describe*",
    },
    UniversalKey {
        name: "compute:operate",
        about: "start, stop and reboot machines that exist",
        aws: "ec2:DescribeInstances,ec2:DescribeInstanceStatus,ec2:StartInstances,ec2:StopInstances,ec2:RebootInstances",
    },
    UniversalKey {
        name: "database:read",
        about: "read items and describe databases",
        aws: "dynamodb:GetItem,dynamodb:BatchGetItem,dynamodb:Query,dynamodb:Scan,dynamodb:DescribeTable,dynamodb:ListTables,rds:Describe*,rds:ListTagsForResource",
    },
    UniversalKey {
        name: "database:write",
        about: "create, change and delete items",
        aws: "dynamodb:PutItem,dynamodb:UpdateItem,dynamodb:DeleteItem,dynamodb:BatchWriteItem,dynamodb:ConditionCheckItem",
    },
    UniversalKey {
        name: "function:read",
        about: "list functions and read their configuration, not their code",
        aws: "lambda:ListFunctions,lambda:GetFunctionConfiguration,lambda:ListVersionsByFunction,lambda:ListAliases,lambda:ListTags,lambda:GetPolicy",
    },
    UniversalKey { name: "function:invoke", about: "call functions", aws: "lambda:InvokeFunction" },
    UniversalKey {
        name: "function:deploy",
        about: "publish new code and configuration of functions that exist",
        aws: "lambda:GetFunction,lambda:GetFunctionConfiguration,lambda:UpdateFunctionCode,lambda:UpdateFunctionConfiguration,lambda:PublishVersion,lambda:UpdateAlias,lambda:CreateAlias",
    },
    UniversalKey {
        name: "queue:send",
        about: "send messages and publish to topics",
        aws: "sqs:SendMessage,sqs:GetQueueUrl,sqs:GetQueueAttributes,sns:Publish",
    },
    UniversalKey {
        name: "queue:receive",
        about: "receive and settle messages",
        aws: "sqs:ReceiveMessage,sqs:DeleteMessage,sqs:ChangeMessageVisibility,sqs:GetQueueUrl,sqs:GetQueueAttributes",
    },
    UniversalKey {
        name: "secret:read",
        about: "read secrets and parameters in clear",
        aws: "secretsmanager:GetSecretValue,secretsmanager:DescribeSecret,ssm:GetParameter,ssm:GetParameters,ssm:GetParametersByPath",
    },
    UniversalKey {
        name: "log:read",
        about: "read logs and metrics",
        aws: "logs:Describe*,logs:FilterLogEvents,logs:GetLogEvents,logs:StartQuery,logs:GetQueryResults,logs:StopQuery,cloudwatch:Describe*,cloudwatch:GetMetricData,cloudwatch:GetMetricStatistics,cloudwatch:ListMetrics",
    },
];

/// What `pattern` stands for: `None` when its service is not one of ours, so it is an ordinary action; an empty
/// list when the group is ours and no key of it matches.
pub(crate) fn expand(pattern: &ActionPattern) -> Option<Vec<ActionPattern>> {
    if names_of(&pattern.service).is_empty() {
        return None;
    }
    let matching = UNIVERSAL_KEYS.iter().filter(|key| {
        let (group, verb) = key.name.split_once(':').unwrap_or((key.name, ""));
        pattern.service.eq_ignore_ascii_case(group) && pattern.matches(group, verb)
    });
    Some(matching.flat_map(|key| key.aws.split(',')).filter_map(|action| parse_action(action).ok()).collect())
}

/// The keys of one group; empty for any other service.
pub(crate) fn names_of(service: &str) -> Vec<&'static str> {
    let ours = |name: &&str| name.split_once(':').is_some_and(|(group, _)| group.eq_ignore_ascii_case(service));
    UNIVERSAL_KEYS.iter().map(|key| key.name).filter(ours).collect()
}

#[cfg(test)]
mod tests {
    use super::{UNIVERSAL_KEYS, expand};
    use crate::policy::action::ActionPattern;
    use crate::policy::parse::parse_actions;

    #[test]
    fn every_key_expands_to_every_action_of_its_row() {
        for key in UNIVERSAL_KEYS {
            let expanded = expand(&ActionPattern::parse(key.name).expect(key.name)).expect(key.name);
            assert_eq!(expanded.len(), key.aws.split(',').count(), "{}", key.name);
            assert!(expand(&expanded[0]).is_none(), "{} expands again", key.name);
            assert!(!key.about.is_empty());
        }
    }

    #[test]
    fn a_key_in_a_list_is_replaced_so_that_a_deny_of_it_denies_something() {
        let actions = parse_actions("storage:delete,sts:GetCallerIdentity").expect("parses");
        assert!(actions.iter().any(|action| action.matches("s3", "DeleteObject")));
        assert!(!actions.iter().any(|action| action.service == "storage"));
        let all = parse_actions("STORAGE:*").expect("parses");
        assert!(
            ["GetObject", "PutObject", "DeleteObject", "ListBucket"]
                .iter()
                .all(|name| all.iter().any(|action| action.matches("s3", name)))
        );
    }
}
