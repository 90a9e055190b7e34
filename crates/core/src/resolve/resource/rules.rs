//! Which parameter names the resource of which operation. An operation that is not here touches an unknown
//! resource, and only `Resource: "*"` allows it.

use super::super::catalog::{Found, Member, Place};
use super::super::json::Json;
use super::arn::{self, Naming, Scope};
use super::{Given, opaque};
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};

/// One parameter of some operations of one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Id of the API.
    service: &'static str,
    parameter: &'static str,
    naming: Naming,
    /// Other parameters that may name the resource instead; if one is given, it stays unknown.
    rivals: &'static [&'static str],
    operations: &'static str,
}

const fn rule(service: &'static str, parameter: &'static str, naming: Naming, operations: &'static str) -> Rule {
    Rule { service, parameter, naming, rivals: &[], operations }
}

const RULES: &[Rule] = &[
    rule("sts", "RoleArn", arn::role_arn, "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity"),
    rule(
        "iam",
        "RoleName",
        arn::role_name,
        "AttachRolePolicy DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy GetRole \
         GetRolePolicy ListAttachedRolePolicies ListRolePolicies ListRoleTags PutRolePermissionsBoundary \
         PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
    ),
    rule(
        "iam",
        "UserName",
        arn::user_name,
        "AttachUserPolicy CreateAccessKey CreateLoginProfile DeleteAccessKey DeleteLoginProfile DeleteUser \
         DeleteUserPermissionsBoundary DeleteUserPolicy DetachUserPolicy GetLoginProfile GetUser GetUserPolicy \
         ListAccessKeys ListAttachedUserPolicies ListGroupsForUser ListUserPolicies ListUserTags \
         PutUserPermissionsBoundary PutUserPolicy TagUser UntagUser UpdateAccessKey UpdateLoginProfile",
    ),
    rule(
        "sqs",
        "QueueUrl",
        arn::queue_url,
        "AddPermission ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch \
         DeleteQueue GetQueueAttributes ListDeadLetterSourceQueues ListQueueTags PurgeQueue ReceiveMessage \
         RemovePermission SendMessage SendMessageBatch SetQueueAttributes TagQueue UntagQueue",
    ),
    rule("sqs", "QueueName", arn::queue_name, "CreateQueue"),
    Rule { rivals: &["QueueOwnerAWSAccountId"], ..rule("sqs", "QueueName", arn::queue_name, "GetQueueUrl") },
    rule(
        "sns",
        "TopicArn",
        arn::topic,
        "AddPermission ConfirmSubscription DeleteTopic GetTopicAttributes ListSubscriptionsByTopic PublishBatch \
         RemovePermission SetTopicAttributes Subscribe",
    ),
    Rule { rivals: &["TargetArn", "PhoneNumber"], ..rule("sns", "TopicArn", arn::topic, "Publish") },
    rule("sns", "Name", arn::topic_name, "CreateTopic"),
    rule(
        "secretsmanager",
        "SecretId",
        arn::secret,
        "CancelRotateSecret DeleteResourcePolicy DeleteSecret DescribeSecret GetResourcePolicy GetSecretValue \
         ListSecretVersionIds PutResourcePolicy PutSecretValue RemoveRegionsFromReplication \
         ReplicateSecretToRegions RestoreSecret RotateSecret StopReplicationToReplica TagResource UntagResource \
         UpdateSecret UpdateSecretVersionStage ValidateResourcePolicy",
    ),
    rule("secretsmanager", "Name", arn::secret, "CreateSecret"),
    rule(
        "kms",
        "KeyId",
        arn::key,
        "CancelKeyDeletion CreateGrant Decrypt DescribeKey DisableKey DisableKeyRotation EnableKey \
         EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext \
         GenerateDataKeyWithoutPlaintext GenerateMac GetKeyPolicy GetKeyRotationStatus GetPublicKey ListGrants \
         ListKeyPolicies ListResourceTags PutKeyPolicy ScheduleKeyDeletion Sign TagResource UntagResource \
         UpdateKeyDescription Verify VerifyMac",
    ),
    rule(
        "ssm",
        "Name",
        arn::parameter,
        "DeleteParameter GetParameter GetParameterHistory LabelParameterVersion PutParameter UnlabelParameterVersion",
    ),
    rule("ssm", "Names", arn::parameter, "DeleteParameters GetParameters"),
    Rule {
        rivals: &["StreamARN", "StreamId"],
        ..rule(
            "kinesis",
            "StreamName",
            arn::stream_name,
            "DescribeStream DescribeStreamSummary GetShardIterator ListTagsForStream PutRecord PutRecords",
        )
    },
];

/// The rule of an operation.
pub(super) fn of(operation: &Found) -> Option<&'static Rule> {
    let fits = |rule: &&Rule| {
        rule.service == operation.api.id && rule.operations.split_whitespace().any(|name| name == operation.name())
    };
    RULES.iter().find(fits)
}

impl Rule {
    /// The resources that the request names; one unknown resource where it names none.
    pub(super) fn resources(&self, scope: &Scope<'_>, given: Given<'_>) -> Result<Vec<Resource>, Denial> {
        let unknown = vec![Resource::Opaque];
        for rival in self.rivals {
            if given.text(rival)?.is_some() {
                return Ok(unknown);
            }
        }
        if let Some(list) = given.json(self.parameter)?.map(Json::items).filter(|list| !list.is_empty()) {
            let named = |item: &Json| item.text().map_or(Resource::Opaque, |text| (self.naming)(scope, text));
            return Ok(list.iter().map(named).collect());
        }
        Ok(given.text(self.parameter)?.map_or(unknown, |text| vec![(self.naming)(scope, text)]))
    }
}

/// What makes something in IAM, and the action that tags given with it need on the same resource. Other services have
/// one tagging action for all kinds, which the catalogue names.
const TAGGED_BY_IAM: [(&str, &str); 8] = [
    ("CreateInstanceProfile", "iam:TagInstanceProfile"),
    ("CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"),
    ("CreatePolicy", "iam:TagPolicy"),
    ("CreateRole", "iam:TagRole"),
    ("CreateSAMLProvider", "iam:TagSAMLProvider"),
    ("CreateUser", "iam:TagUser"),
    ("CreateVirtualMFADevice", "iam:TagMFADevice"),
    ("UploadServerCertificate", "iam:TagServerCertificate"),
];

/// What makes something in IAM at a path that the request tells, its kind, and the parameter with its name.
const MADE_BY_IAM: [(&str, &str, &str); 7] = [
    ("CreateGroup", "group", "GroupName"),
    ("CreateInstanceProfile", "instance-profile", "InstanceProfileName"),
    ("CreatePolicy", "policy", "PolicyName"),
    ("CreateRole", "role", "RoleName"),
    ("CreateUser", "user", "UserName"),
    ("CreateVirtualMFADevice", "mfa", "VirtualMFADeviceName"),
    ("UploadServerCertificate", "server-certificate", "ServerCertificateName"),
];

/// Operations of Lambda that take a version or an alias in the query. For any other it says nothing, wherever it stands.
const QUALIFIED: [&str; 24] = [
    "AddPermission",
    "CreateFunctionUrlConfig",
    "DeleteFunction",
    "DeleteFunctionEventInvokeConfig",
    "DeleteFunctionUrlConfig",
    "DeleteProvisionedConcurrencyConfig",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetFunctionEventInvokeConfig",
    "GetFunctionScalingConfig",
    "GetFunctionUrlConfig",
    "GetPolicy",
    "GetProvisionedConcurrencyConfig",
    "GetRuntimeManagementConfig",
    "Invoke",
    "InvokeWithResponseStream",
    "ListDurableExecutionsByFunction",
    "PutFunctionEventInvokeConfig",
    "PutFunctionScalingConfig",
    "PutProvisionedConcurrencyConfig",
    "PutRuntimeManagementConfig",
    "RemovePermission",
    "UpdateFunctionEventInvokeConfig",
    "UpdateFunctionUrlConfig",
];
const QUALIFIER: Member = Member { place: Place::Query, name: "Qualifier", list: false, whole: false, default: None };

/// Operations that need more than, or other than, their actions on one resource.
pub(super) fn special(
    scope: &Scope<'_>,
    operation: &Found,
    given: Given<'_>,
    all: &mut Vec<AccessRequest>,
) -> Result<(), Denial> {
    match (operation.api.id, operation.name()) {
        ("iam", name) => {
            let made = MADE_BY_IAM.iter().find(|(operation, ..)| *operation == name);
            if let Some((_, kind, parameter)) = made
                && let Some(named) = given.text(parameter)?
            {
                let resource = arn::new_entity(scope, kind, given.text("Path")?, named);
                all.iter_mut().for_each(|access| access.resource = resource.clone());
            }
            tagged_by_iam(name, given, all);
        }
        ("sts", _) => {
            let target = all.first().map_or(Resource::Opaque, |access| access.resource.clone());
            let mut more = |action: &str, when: bool| {
                if when {
                    all.push(AccessRequest { action: action.to_owned(), resource: target.clone() });
                }
            };
            more("sts:TagSession", given.has_name(|name| name == "tags" || name == "transitivetagkeys"));
            more("sts:SetSourceIdentity", given.has_name(|name| name == "sourceidentity"));
        }
        ("s3control", _) if given.header("x-amz-account-id")? != scope.request.caller.account => {
            // Another account's, or nobody's: the ARNs were made for the caller's.
            all.iter_mut().for_each(|access| access.resource = Resource::Opaque);
        }
        ("kms", "ReEncrypt") => {
            for (access, parameter) in all.iter_mut().zip(["SourceKeyId", "DestinationKeyId"]) {
                access.resource = given.text(parameter)?.map_or(Resource::Opaque, |text| arn::key(scope, text));
            }
        }
        ("lambda", name) if QUALIFIED.contains(&name) => {
            if let Some(function) = given.text("FunctionName")?.and_then(|text| arn::function_version(scope, text)) {
                all.iter_mut().for_each(|access| access.resource = function.clone());
            }
            if let Some(qualifier) = given.texts(&QUALIFIER)?.first() {
                let is_named = |resource: &Resource| resource.shown().ends_with(&format!(":{qualifier}"));
                all.iter_mut()
                    .filter(|access| !is_named(&access.resource))
                    .for_each(|access| access.resource = arn::qualified(&access.resource, qualifier));
            }
        }
        ("ssm", "GetParameter" | "GetParameters") => {
            // Some parameters are windows onto Secrets Manager, which checks the caller itself.
            let own = |access: &AccessRequest| {
                matches!(&access.resource, Resource::Exact(arn) | Resource::Pattern(arn)
                    if !arn.contains("parameter/aws/reference/"))
            };
            if !all.iter().all(own) {
                all.push(opaque("secretsmanager:GetSecretValue"));
            }
        }
        _ => {}
    }
    Ok(())
}

fn tagged_by_iam(name: &str, given: Given<'_>, all: &mut Vec<AccessRequest>) {
    let action = TAGGED_BY_IAM.iter().find(|(operation, _)| *operation == name).map(|(_, action)| *action);
    if let Some(action) = action.filter(|_| given.gives(|name| name == "tags")) {
        let resource = all.first().map_or(Resource::Opaque, |access| access.resource.clone());
        all.push(AccessRequest { action: action.to_owned(), resource });
    }
}
