//! Condition keys of single services that repeat a parameter of the request. A parameter that is not given leaves its
//! key unknown, because the service may have a default for it.
//! Source: Service Authorization Reference, "Condition keys" of each service.

mod dynamodb;

use super::Request;
use super::catalog::Found;
use super::json::Json;
use super::resource::Given;
use crate::denial::Denial;
use crate::limits::REQUEST_TAGS_MAX;
use crate::policy::Context;

/// Id of the API, its operations, the key, the parameter at the top.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("autoscaling", "CreateAutoScalingGroup UpdateAutoScalingGroup", "autoscaling:MaxSize", "MaxSize"),
    ("autoscaling", "CreateAutoScalingGroup UpdateAutoScalingGroup", "autoscaling:MinSize", "MinSize"),
    ("autoscaling", "CreateLaunchConfiguration", "autoscaling:InstanceType", "InstanceType"),
    ("cloudformation", MAKES_STACKS, "cloudformation:RoleArn", "RoleARN"),
    ("cloudformation", MAKES_STACKS, "cloudformation:TemplateUrl", "TemplateURL"),
    ("cloudwatch", "PutMetricData", "cloudwatch:namespace", "Namespace"),
    ("ec2", "RunInstances", "ec2:AvailabilityZone", "Placement.AvailabilityZone"),
    ("ec2", "RunInstances", "ec2:InstanceType", "InstanceType"),
    ("ec2", "RunInstances", "ec2:KeyPairName", "KeyName"),
    ("ec2", "RunInstances", "ec2:MetadataHttpEndpoint", "MetadataOptions.HttpEndpoint"),
    ("ec2", "RunInstances", "ec2:MetadataHttpPutResponseHopLimit", "MetadataOptions.HttpPutResponseHopLimit"),
    ("ec2", "RunInstances", "ec2:MetadataHttpTokens", "MetadataOptions.HttpTokens"),
    ("ec2", "RunInstances", "ec2:Tenancy", "Placement.Tenancy"),
    ("ec2", "CreateVolume", "ec2:AvailabilityZone", "AvailabilityZone"),
    ("ec2", "CreateVolume", "ec2:Encrypted", "Encrypted"),
    ("ec2", "CreateVolume", "ec2:VolumeIops", "Iops"),
    ("ec2", "CreateVolume", "ec2:VolumeSize", "Size"),
    ("ec2", "CreateVolume", "ec2:VolumeThroughput", "Throughput"),
    ("ec2", "CreateVolume", "ec2:VolumeType", "VolumeType"),
    ("iam", "CreateServiceLinkedRole", "iam:AWSServiceName", "AWSServiceName"),
    ("iam", ATTACHES, "iam:PolicyARN", "PolicyArn"),
    ("kms", "CreateGrant", "kms:GranteePrincipal", "GranteePrincipal"),
    ("kms", "CreateGrant", "kms:RetiringPrincipal", "RetiringPrincipal"),
    ("kms", "CreateKey", "kms:KeyUsage", "KeyUsage"),
    ("kms", "CreateKey", "kms:KeySpec", "KeySpec"),
    ("kms", "Encrypt Decrypt", "kms:EncryptionAlgorithm", "EncryptionAlgorithm"),
    ("kms", "Sign Verify", "kms:SigningAlgorithm", "SigningAlgorithm"),
    ("kms", "Sign Verify", "kms:MessageType", "MessageType"),
    ("lambda", "AddPermission", "lambda:FunctionUrlAuthType", "FunctionUrlAuthType"),
    ("lambda", "AddPermission", "lambda:Principal", "Principal"),
    ("lambda", "CreateFunctionUrlConfig UpdateFunctionUrlConfig", "lambda:FunctionUrlAuthType", "AuthType"),
    ("rds", "CreateDBInstance", "rds:DatabaseClass", "DBInstanceClass"),
    ("rds", "CreateDBInstance CreateDBCluster", "rds:DatabaseEngine", "Engine"),
    ("rds", "CreateDBInstance", "rds:StorageSize", "AllocatedStorage"),
    ("secretsmanager", "CreateSecret", "secretsmanager:Name", "Name"),
    ("secretsmanager", "CreateSecret UpdateSecret", "secretsmanager:KmsKeyId", "KmsKeyId"),
    ("secretsmanager", "GetSecretValue", "secretsmanager:VersionId", "VersionId"),
    ("secretsmanager", "GetSecretValue UpdateSecretVersionStage", "secretsmanager:VersionStage", "VersionStage"),
    ("secretsmanager", "RotateSecret", "secretsmanager:RotationLambdaARN", "RotationLambdaARN"),
    ("sns", "Subscribe", "sns:Endpoint", "Endpoint"),
    ("sns", "Subscribe", "sns:Protocol", "Protocol"),
    ("sts", "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity", "sts:RoleSessionName", "RoleSessionName"),
    ("sts", "AssumeRole", "sts:ExternalId", "ExternalId"),
    ("sts", "AssumeRole", "sts:SourceIdentity", "SourceIdentity"),
];
const MAKES_STACKS: &str = "CreateChangeSet CreateStack CreateStackSet UpdateStack UpdateStackSet";
const ATTACHES: &str = "AttachGroupPolicy AttachRolePolicy AttachUserPolicy DetachGroupPolicy DetachRolePolicy \
                        DetachUserPolicy";

/// Operations that hand their role to one service only, and what it is called (`iam:PassedToService`). What makes
/// roles work for other services as well (EKS, RDS, CodeDeploy …) is not here.
const PASSES: &[(&str, &str, &str)] = &[
    ("cloudformation", MAKES_STACKS, "cloudformation.amazonaws.com"),
    ("codebuild", "CreateProject UpdateProject", "codebuild.amazonaws.com"),
    ("codepipeline", "CreatePipeline UpdatePipeline", "codepipeline.amazonaws.com"),
    ("ec2", "AssociateIamInstanceProfile ReplaceIamInstanceProfileAssociation RunInstances", "ec2.amazonaws.com"),
    ("ecs", "RegisterTaskDefinition RunTask StartTask", "ecs-tasks.amazonaws.com"),
    ("firehose", "CreateDeliveryStream UpdateDestination", "firehose.amazonaws.com"),
    ("glue", "CreateCrawler CreateJob CreateSession UpdateCrawler UpdateJob", "glue.amazonaws.com"),
    ("lambda", "CreateFunction UpdateFunctionConfiguration", "lambda.amazonaws.com"),
    (
        "sagemaker",
        "CreateModel CreateNotebookInstance CreateProcessingJob CreateTrainingJob",
        "sagemaker.amazonaws.com",
    ),
    ("scheduler", "CreateSchedule UpdateSchedule", "scheduler.amazonaws.com"),
    ("stepfunctions", "CreateStateMachine UpdateStateMachine", "states.amazonaws.com"),
];

/// Operations of KMS that take one encryption context.
const ENCRYPTS: [&str; 6] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
];

/// Whether keys of an operation are in its body.
pub(super) fn reads_body(operation: &Found) -> bool {
    let (id, name) = (operation.api.id, operation.name());
    is_in(KEYS.iter().map(|(api, names, ..)| (*api, *names)), id, name)
        || id == "kms" && ENCRYPTS.contains(&name)
        || id == "lambda" && name.ends_with("EventSourceMapping")
        || dynamodb::knows(operation)
}

fn is_in<'a>(mut rows: impl Iterator<Item = (&'a str, &'a str)>, id: &str, name: &str) -> bool {
    rows.any(|(api, names)| api == id && names.split_whitespace().any(|one| one == name))
}

/// Sets the keys that the request carries.
///
/// # Errors
/// For a parameter that stands there twice, in another case.
pub(super) fn keys(
    request: &Request<'_>,
    operation: &Found,
    given: &Given<'_>,
    context: &mut Context,
) -> Result<(), Denial> {
    let (id, name) = (operation.api.id, operation.name());
    let own = KEYS.iter().filter(|(api, names, ..)| is_in([(*api, *names)].into_iter(), id, name));
    for (_, _, key, parameter) in own {
        if let Some(text) = of_body(*given, parameter)? {
            context.set(key, text);
        }
    }
    if let Some((.., service)) = PASSES.iter().find(|(api, names, _)| is_in([(*api, *names)].into_iter(), id, name)) {
        context.set("iam:PassedToService", *service);
    }
    match id {
        "dynamodb" => dynamodb::keys(name, *given, context)?,
        "ec2" => ec2(operation, *given, context),
        "iam" => boundary(name, *given, context)?,
        "kms" => kms(request, name, *given, context)?,
        "lambda" => function(request, name, *given, context)?,
        _ => {}
    }
    Ok(())
}

/// A member of the body or of a form: nothing that stands in a header or in the URL is taken for it.
fn of_body<'a>(given: Given<'a>, name: &str) -> Result<Option<&'a str>, Denial> {
    match given {
        Given::Rest(rest) => rest.body().text(name),
        other => other.text(name),
    }
}

/// The region, and for which call tags are given. Tags that are given alone are given for none.
fn ec2(operation: &Found, given: Given<'_>, context: &mut Context) {
    if let crate::policy::access::Known::Present([region]) = context.get("aws:RequestedRegion") {
        let region = region.clone();
        context.set("ec2:Region", region);
    }
    let tags = given.has_name(|name| name == "tagspecification" || name.starts_with("launchtemplate"));
    match operation.name() {
        "CreateTags" => context.set_absent("ec2:CreateAction"),
        name if tags && operation.tag_action() == Some("CreateTags") => context.set("ec2:CreateAction", name),
        _ => {}
    }
}

/// The boundary that a request sets; of what there is already, the request does not tell it.
fn boundary(name: &str, given: Given<'_>, context: &mut Context) -> Result<(), Denial> {
    const KEY: &str = "iam:PermissionsBoundary";
    if !["CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary"].contains(&name) {
        return Ok(());
    }
    match given.text("PermissionsBoundary")? {
        Some(arn) => context.set(KEY, arn),
        None => context.set_absent(KEY),
    }
    Ok(())
}

fn kms(request: &Request<'_>, name: &str, given: Given<'_>, context: &mut Context) -> Result<(), Denial> {
    if let Some(account) = request.caller.account {
        context.set("kms:CallerAccount", account);
    }
    if let Given::Json(body) = given
        && ENCRYPTS.contains(&name)
    {
        // An ARN says the alias behind its last colon.
        let key = given.text("KeyId")?.and_then(|key| key.rsplit(':').next());
        match key.filter(|key| key.starts_with("alias/")) {
            Some(alias) => context.set("kms:RequestAlias", alias),
            None => context.set_absent("kms:RequestAlias"),
        }
        encryption_context(body, context);
    }
    Ok(())
}

/// The function of an event source; one that is changed without a word about it is not in the request.
fn function(request: &Request<'_>, name: &str, given: Given<'_>, context: &mut Context) -> Result<(), Denial> {
    if !name.ends_with("EventSourceMapping") {
        return Ok(());
    }
    let Some(text) = of_body(given, "FunctionName")? else { return Ok(()) };
    let plain = |text: &str, more: &[u8]| text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b));
    let own = format!("arn:{}:lambda:{}:", super::partition(request)?.as_str(), request.region);
    if text.strip_prefix(&own).is_some_and(|rest| rest.contains(":function:") && plain(rest, b"-_:$")) {
        context.set("lambda:FunctionArn", text);
    } else if let Some(account) = request.caller.account.filter(|_| !text.contains("function:") && plain(text, b"-_$:"))
        && text.matches(':').count() <= 1
        && text.bytes().next().is_some_and(|b| b != b':')
    {
        context.set("lambda:FunctionArn", format!("{own}{account}:function:{text}"));
    }
    Ok(())
}

/// `kms:EncryptionContext:KEY`, and all of its keys. A twin in another case leaves them unknown.
fn encryption_context(body: &Json, context: &mut Context) {
    const MEMBER: &str = "EncryptionContext";
    if body.members().iter().any(|(name, _)| name != MEMBER && name.eq_ignore_ascii_case(MEMBER)) {
        return;
    }
    let Some(pairs) = body.get(MEMBER) else { return context.set_absent("kms:EncryptionContextKeys") };
    let pairs: Option<Vec<(&String, &str)>> =
        pairs.members().iter().map(|(key, value)| Some((key, value.text()?))).collect();
    let Some(pairs) = pairs.filter(|pairs| (1..=REQUEST_TAGS_MAX).contains(&pairs.len())) else { return };
    let folded: std::collections::BTreeSet<String> = pairs.iter().map(|(key, _)| key.to_ascii_lowercase()).collect();
    if folded.len() != pairs.len() {
        return;
    }
    for (key, value) in &pairs {
        context.set(&format!("kms:EncryptionContext:{key}"), *value);
    }
    context.set_all("kms:EncryptionContextKeys", pairs.into_iter().map(|(key, _)| key.clone()).collect());
}
