//! What a request tags: what it makes, where the request names that, and what EC2 knows by its id.
//! Source: Service Authorization Reference, "Resource types" and "Dependent actions"; EC2 user guide, "Grant permission
//! to tag Amazon EC2 resources during creation".

use std::collections::BTreeMap;

use super::super::catalog::{Found, Member, Place};
use super::super::wire::Parameters;
use super::Given;
use super::arn::{Scope, plain};
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};

/// Id of an API, its operations that make something, and what stands in the ARN of what is made. Where an operation is
/// not here, what it makes is unknown, because its own permission may be on something else.
const MADE: [(&str, &str, &str); 16] = [
    ("cloudwatch", "PutMetricAlarm", ":alarm:"),
    ("dynamodb", "CreateTable", ":table/"),
    ("ecr", "CreateRepository", ":repository/"),
    ("ecs", "CreateCluster", ":cluster/"),
    ("ecs", "CreateService", ":service/"),
    ("events", "PutRule", ":rule/"),
    ("firehose", "CreateDeliveryStream", ":deliverystream/"),
    ("kinesis", "CreateStream", ":stream/"),
    ("lambda", "CreateFunction", ":function:"),
    ("logs", "CreateLogGroup", ":log-group:"),
    ("rds", "CreateDBInstance", ":db:"),
    ("secretsmanager", "CreateSecret", ":secret:"),
    ("sns", "CreateTopic", ":sns:"),
    ("sqs", "CreateQueue", ":sqs:"),
    ("ssm", "PutParameter", ":parameter/"),
    ("stepfunctions", "CreateStateMachine", ":stateMachine:"),
];

/// What is tagged on creation by an operation that needs `all`; one unknown resource where the request does not tell.
pub(super) fn on_creation(
    scope: &Scope<'_>,
    operation: &Found,
    given: Given<'_>,
    all: &[AccessRequest],
) -> Vec<Resource> {
    let mut found: Vec<Resource> = Vec::new();
    if let (Given::Form(form), "ec2") = (given, operation.api.id) {
        found = of_specifications(scope, form).unwrap_or_default();
    } else if let Some((.., kind)) =
        MADE.iter().find(|(api, name, _)| *api == operation.api.id && *name == operation.name())
    {
        let made = all.iter().map(|access| &access.resource).filter(|resource| resource.shown().contains(kind));
        for resource in made {
            if !found.contains(resource) {
                found.push(resource.clone());
            }
        }
    }
    if found.is_empty() { vec![Resource::Opaque] } else { found }
}

/// Kinds of EC2 whose ARNs have no account.
const WITHOUT_ACCOUNT: [&str; 3] = ["fpga-image", "image", "snapshot"];

fn of_ec2(scope: &Scope<'_>, kind: &str, id: &str) -> Resource {
    let account = match WITHOUT_ACCOUNT.contains(&kind) {
        true => "",
        false => scope.request.caller.account.unwrap_or("*"),
    };
    let arn = format!("arn:{}:ec2:{}:{account}:{kind}/{id}", scope.partition.as_str(), scope.region);
    if account == "*" || id == "*" { Resource::Pattern(arn) } else { Resource::Exact(arn) }
}

/// The kinds that a call of EC2 tags; a launch template may tag more, and what is not spelled out so may be anything.
fn of_specifications(scope: &Scope<'_>, form: &Parameters) -> Option<Vec<Resource>> {
    let mut kinds: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (name, text) in form.iter() {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let folded = first.to_ascii_lowercase();
        if folded.starts_with("launchtemplate") || folded.starts_with("tag") && first != "TagSpecification" {
            return None;
        }
        if first == "TagSpecification" {
            let (number, part) = rest.split_once('.')?;
            let kind = kinds.entry(number).or_default();
            if part == "ResourceType" {
                *kind = Some(text);
            }
        }
    }
    let legal = |kind: &&str| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    kinds.into_values().map(|kind| kind.filter(legal).map(|kind| of_ec2(scope, kind, "*"))).collect()
}

/// What stands before the `-` of an id of EC2, and its kind. Kinds whose ARNs have names are not here.
const IDS: [(&str, &str); 23] = [
    ("acl", "network-acl"),
    ("ami", "image"),
    ("cgw", "customer-gateway"),
    ("dopt", "dhcp-options"),
    ("eipalloc", "elastic-ip"),
    ("eni", "network-interface"),
    ("fl", "vpc-flow-log"),
    ("i", "instance"),
    ("igw", "internet-gateway"),
    ("lt", "launch-template"),
    ("nat", "natgateway"),
    ("pcx", "vpc-peering-connection"),
    ("rtb", "route-table"),
    ("sg", "security-group"),
    ("sgr", "security-group-rule"),
    ("sir", "spot-instances-request"),
    ("snap", "snapshot"),
    ("subnet", "subnet"),
    ("vgw", "vpn-gateway"),
    ("vol", "volume"),
    ("vpc", "vpc"),
    ("vpce", "vpc-endpoint"),
    ("vpn", "vpn-connection"),
];

/// What `CreateTags` and `DeleteTags` of EC2 name.
pub(super) fn by_id(scope: &Scope<'_>, given: Given<'_>) -> Result<Vec<Resource>, Denial> {
    let member = Member { place: Place::Body, name: "ResourceId", list: true, whole: false, default: None };
    let named = |id: &str| {
        let kind = id.split_once('-').filter(|(_, rest)| plain(rest, b""));
        let kind = kind.and_then(|(before, _)| IDS.iter().find(|(known, _)| *known == before));
        kind.map_or(Resource::Opaque, |(_, kind)| of_ec2(scope, kind, id))
    };
    let found: Vec<Resource> = given.texts(&member)?.into_iter().map(named).collect();
    Ok(if found.is_empty() { vec![Resource::Opaque] } else { found })
}
