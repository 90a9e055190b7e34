//! Resources that a request names in ways that the templates do not know: by another parameter, within a structure, or
//! as a further resource that AWS looks at too.
//! Source: Service Authorization Reference, "Resource types" and "Dependent actions"; API references of each service.

use super::super::catalog::{Found, Member, Place};
use super::super::wire::Parameters;
use super::Given;
use super::arn::{self, Scope, is_account, plain};
use super::{opaque, text_or_no_name};
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};

/// Whether [`adjust`] looks at the body of an operation.
pub(super) fn reads_body(operation: &Found) -> bool {
    let (id, name) = (operation.api.id, operation.name());
    matches!((id, name), ("logs", "DescribeLogGroups") | ("sqs", "StartMessageMoveTask"))
        || ["rds-data", "redshift-data"].contains(&id)
}

/// Corrects what the templates made of a request.
pub(super) fn adjust(
    scope: &Scope<'_>,
    operation: &Found,
    given: Given<'_>,
    all: &mut Vec<AccessRequest>,
) -> Result<(), Denial> {
    let name = operation.name();
    match (operation.api.id, given) {
        ("cloudformation", _) => change_set(scope, given, all)?,
        ("ec2", Given::Form(form)) => ec2(scope, name, form, all),
        ("iam", _) if name == "AddRoleToInstanceProfile" => {
            let role = given.text("RoleName")?.map_or(Resource::Opaque, |role| arn::role_name(scope, role));
            push(all, "iam:PassRole", role);
        }
        ("logs", _) => log_groups(scope, name, given, all)?,
        ("organizations", _) if ["AttachPolicy", "DetachPolicy"].contains(&name) => {
            let target = given.text("TargetId")?.map_or(Resource::Opaque, |id| of_organization(scope, id));
            push(all, &format!("organizations:{name}"), target);
        }
        (id @ ("rds-data" | "redshift-data"), _) => {
            let body = if let Given::Rest(rest) = given { rest.body() } else { given };
            if let Some(secret) = body.text(if id == "rds-data" { "secretArn" } else { "SecretArn" })? {
                push(all, "secretsmanager:GetSecretValue", arn::secret(scope, secret));
            }
        }
        ("sqs", _) if name == "StartMessageMoveTask" => moved_messages(scope, given, all)?,
        ("ssm", _) => documents(scope, name, given, all)?,
        _ => {}
    }
    Ok(())
}

fn push(all: &mut Vec<AccessRequest>, action: &str, resource: Resource) {
    let access = AccessRequest { action: action.to_owned(), resource };
    if !all.contains(&access) {
        all.push(access);
    }
}

/// The ARN of a change set counts for more than a stack that is named beside it, and does not tell its stack's ARN.
fn change_set(scope: &Scope<'_>, given: Given<'_>, all: &mut [AccessRequest]) -> Result<(), Denial> {
    if given.text("ChangeSetName")?.is_some_and(|name| name.contains(':')) {
        let any = scope.pattern("cloudformation", scope.request.region, "stack/*");
        all.iter_mut().for_each(|access| access.resource = any.clone());
    }
    Ok(())
}

/// Who gets a policy: an account, a unit or the root of the organization, whose id the request does not tell.
fn of_organization(scope: &Scope<'_>, id: &str) -> Resource {
    let kind = match id.split_once('-') {
        Some(("ou", _)) => "ou",
        Some(("r", _)) => "root",
        None if is_account(id) => "account",
        _ => return Resource::Opaque,
    };
    if plain(id, b"-") { scope.pattern("organizations", "", &format!("{kind}/o-*/{id}")) } else { Resource::Opaque }
}

/// Log groups named by identifiers: of one's own account the template knows that they may be any of them.
fn log_groups(scope: &Scope<'_>, name: &str, given: Given<'_>, all: &mut [AccessRequest]) -> Result<(), Denial> {
    let own = format!("arn:{}:logs:{}:", scope.partition.as_str(), scope.request.region);
    let own = format!("{own}{}:log-group:", scope.request.caller.account.unwrap_or("-"));
    let list = Member { place: Place::Body, name: "logGroupIdentifiers", list: true, whole: false, default: None };
    let one = Member { name: "logGroupIdentifier", list: false, ..list };
    let mut named = given.texts(&one)?;
    named.extend(given.texts(&list)?);
    let beside = given.text("logGroupName")?.is_some() || given.json("logGroupNames")?.is_some();
    let foreign = named.iter().any(|id| id.contains(':') && !id.starts_with(&own));
    let linked = name == "DescribeLogGroups"
        && (given.json("includeLinkedAccounts")?.is_some() || given.json("accountIdentifiers")?.is_some());
    if foreign || linked || beside && !named.is_empty() {
        all.iter_mut().for_each(|access| access.resource = Resource::Opaque);
    } else if named.is_empty()
        && let (Some(group), Some(stream)) = (given.text("logGroupName")?, given.text("logStreamName")?)
        && let [AccessRequest { resource: resource @ Resource::Opaque, .. }] = all
        && plain(group, GROUP)
        && plain(stream, STREAM)
    {
        *resource = scope.local("logs", &format!("log-group:{group}:log-stream:{stream}"));
    }
    Ok(())
}

/// What names of log groups have beside letters and digits, and what those of streams mostly have, Lambda's
/// `2026/01/31/[$LATEST]…` among them (CloudWatch Logs API reference, `CreateLogGroup`, `CreateLogStream`).
const GROUP: &[u8] = b"_-/.#";
const STREAM: &[u8] = b"_-/.#[]$=+,@";

/// Messages are received and deleted in one queue and sent to another.
fn moved_messages(scope: &Scope<'_>, given: Given<'_>, all: &mut Vec<AccessRequest>) -> Result<(), Denial> {
    let queue = |text: &str| {
        let own = format!("arn:{}:sqs:{}:", scope.partition.as_str(), scope.request.region);
        let rest = text.strip_prefix(&own).and_then(|rest| rest.split_once(':'));
        let legal = rest.is_some_and(|(account, name)| is_account(account) && plain(name, b"_-."));
        if legal { Resource::Exact(text.to_owned()) } else { Resource::Opaque }
    };
    let source = given.text("SourceArn")?.map_or(Resource::Opaque, queue);
    for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
        push(all, action, source.clone());
    }
    // Without one they go back to where they came from.
    push(all, "sqs:SendMessage", given.text("DestinationArn")?.map_or(Resource::Opaque, queue));
    Ok(())
}

/// AWS's own documents belong to no account, and targets may be any instance whatever is named beside them.
fn documents(scope: &Scope<'_>, name: &str, given: Given<'_>, all: &mut Vec<AccessRequest>) -> Result<(), Denial> {
    let own = format!(":ssm:{}:{}:", scope.request.region, scope.request.caller.account.unwrap_or("*"));
    for access in all.iter_mut() {
        let (Resource::Exact(arn) | Resource::Pattern(arn)) = &access.resource else { continue };
        let document = arn.split_once(&own).and_then(|(_, rest)| rest.strip_prefix("document/"));
        if document.is_some_and(is_of_aws) {
            access.resource = Resource::Exact(arn.replacen(&own, &format!(":ssm:{}::", scope.request.region), 1));
        }
    }
    if name == "StartAutomationExecution" {
        automation(scope, given, all)?;
    }
    let targets = ["Targets", "TargetMaps", "TargetLocations"];
    let mut open = false;
    for member in targets {
        open |= given.json(member)?.is_some();
    }
    if open && ["CreateAssociation", "SendCommand", "UpdateAssociation"].contains(&name) {
        push(all, &format!("ssm:{name}"), scope.pattern("ec2", scope.request.region, "instance/*"));
        push(all, &format!("ssm:{name}"), scope.pattern("ssm", scope.request.region, "managed-instance/*"));
    }
    Ok(())
}

/// Names of documents that only AWS may give.
fn is_of_aws(document: &str) -> bool {
    document.starts_with("AWS") || document.starts_with("Amazon")
}

/// What is started is one version of a document.
fn automation(scope: &Scope<'_>, given: Given<'_>, all: &mut [AccessRequest]) -> Result<(), Denial> {
    let version = given.json("DocumentVersion")?.map_or("$DEFAULT", text_or_no_name);
    let Some(name) = given.text("DocumentName")?.filter(|name| plain(name, b"_-.") && plain(version, b"$")) else {
        return Ok(());
    };
    let account = scope.request.caller.account.filter(|_| !is_of_aws(name));
    let prefix = format!("arn:{}:ssm:{}:", scope.partition.as_str(), scope.request.region);
    let named = format!("{prefix}{}:automation-definition/{name}:{version}", account.unwrap_or_default());
    let is_definition = |access: &&mut AccessRequest| access.resource.shown().contains(":automation-definition/");
    if account.is_some() || is_of_aws(name) {
        all.iter_mut().filter(is_definition).for_each(|access| access.resource = Resource::Exact(named.clone()));
    }
    Ok(())
}

fn ec2(scope: &Scope<'_>, name: &str, form: &Parameters, all: &mut Vec<AccessRequest>) {
    let action = format!("ec2:{name}");
    // An address by its number is one of the caller's elastic ones.
    if form.get("PublicIp").is_some() {
        all.push(opaque(action.clone()));
    }
    if name == "RunInstances" {
        let named = |begins: &str| form.iter().any(|(name, _)| name.starts_with(begins));
        let unasked = |access: &AccessRequest| {
            let Resource::Pattern(arn) = &access.resource else { return false };
            let kind = ASKED_FOR.iter().find(|(kind, _)| arn.ends_with(kind));
            kind.is_some_and(|(_, parameter)| !named("LaunchTemplate") && !named(parameter))
        };
        all.retain(|access| !unasked(access));
        for resource in launched(scope, form) {
            push(all, &action, resource);
        }
    }
    let any = scope.pattern("ec2", scope.request.region, "security-group/*");
    if let (Some(id), None) = (form.get("GroupId").filter(|id| plain(id, b"-")), form.get("GroupName"))
        && GROUP_ID.contains(&name)
    {
        let group = scope.local("ec2", &format!("security-group/{id}"));
        all.iter_mut().filter(|access| access.resource == any).for_each(|access| access.resource = group.clone());
    }
}

/// What AWS looks at only where an instance is started with it: how its pattern ends, and the parameters for it.
const ASKED_FOR: [(&str, &str); 6] = [
    (":capacity-reservation/*", "CapacityReservationSpecification"),
    (":group/*", "CapacityReservationSpecification"),
    (":launch-template/*", "LaunchTemplate"),
    (":license-configuration:*", "LicenseSpecification"),
    (":secondary-subnet/*", "Secondary"),
    (":snapshot/*", "BlockDeviceMapping"),
];

/// Operations whose only security group is in `GroupId`.
const GROUP_ID: [&str; 8] = [
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "DeleteSecurityGroup",
    "ModifySecurityGroupRules",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress",
    "UpdateSecurityGroupRuleDescriptionsIngress",
];

/// What instances are started with, beside what the templates know: their volumes, and what is named in structures.
fn launched(scope: &Scope<'_>, form: &Parameters) -> Vec<Resource> {
    let mut found = vec![scope.pattern("ec2", scope.request.region, "volume/*")];
    for (name, text) in form.iter() {
        let last = name.rsplit('.').next().unwrap_or_default();
        let in_interface = name.starts_with("NetworkInterface.");
        let kind = match name.split('.').next().unwrap_or_default() {
            "KeyName" => "key-pair",
            "NetworkInterface" if last == "SubnetId" => "subnet",
            "NetworkInterface" if name.contains(".SecurityGroupId") => "security-group",
            "NetworkInterface" if last == "NetworkInterfaceId" => "network-interface",
            "Placement" if last == "GroupName" => "placement-group",
            _ => continue,
        };
        let legal = plain(text, if in_interface { b"-" } else { b"-_.@+=" });
        found.push(if legal { scope.local("ec2", &format!("{kind}/{text}")) } else { Resource::Opaque });
    }
    found
}
