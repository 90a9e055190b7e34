//! Requests that name the account whose resource they mean. The templates would make ARNs of the caller's own.
//! Source: the models of botocore; Service Authorization Reference, "Resource types" of each service.

use super::super::catalog::{ActionRule, Found, Member, Place, Slot};
use super::Given;
use super::arn::is_account;
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};

/// Whose resources a request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// The caller's.
    Caller,
    /// All of them another account's.
    Other(&'a str),
    /// Some of them may be another account's.
    Mixed,
}

/// One parameter of one API.
struct Row {
    /// Id of the API.
    api: &'static str,
    place: Place,
    name: &'static str,
    /// Everything that the request names is in that account.
    all: bool,
}

const fn row(api: &'static str, place: Place, name: &'static str) -> Row {
    Row { api, place, name, all: false }
}

const ROWS: [Row; 26] = [
    row("account", Place::Body, "AccountId"),
    row("apigatewayv2", Place::Query, "resourceOwnerAccountId"),
    row("application-insights", Place::Body, "AccountId"),
    row("appmesh", Place::Query, "meshOwner"),
    row("backup", Place::Query, "BackupVaultAccountId"),
    row("backup", Place::Query, "backupVaultAccountId"),
    row("bedrock-agentcore", Place::Query, "accountId"),
    row("budgets", Place::Body, "AccountId"),
    row("cloudtrail", Place::Body, "EventDataStoreOwnerAccountId"),
    Row { all: true, ..row("codeartifact", Place::Query, "domain-owner") },
    row("codeartifact", Place::Body, "domainOwner"),
    Row { all: true, ..row("ecr", Place::Body, "registryId") },
    row("ecr-public", Place::Body, "registryId"),
    row("glacier", Place::Path, "accountId"),
    row("internetmonitor", Place::Query, "LinkedAccountId"),
    row("mgn", Place::Body, "accountID"),
    row("omics", Place::Body, "workflowOwnerId"),
    row("omics", Place::Query, "workflowOwnerId"),
    row("quicksight", Place::Path, "AwsAccountId"),
    row("quicksight", Place::Path, "accountId"),
    row("quicksight", Place::Path, "awsAccountId"),
    row("redshift", Place::Body, "OwnerAccount"),
    row("redshift", Place::Body, "ResourceOwner"),
    row("redshift-serverless", Place::Body, "ownerAccount"),
    row("signer", Place::Body, "profileOwner"),
    row("signer", Place::Query, "profileOwner"),
];

fn rows(operation: &Found) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| row.api == operation.api.id)
}

/// Whether the owner may be named in the body of an operation.
pub(super) fn reads_body(operation: &Found) -> bool {
    let known = &operation.operation;
    let names = |rule: &ActionRule| rule.slots.iter().any(|slot| matches!(slot, Slot::Arn { .. }));
    !known.opaque_body
        && !matches!(known.method, "DELETE" | "GET" | "HEAD")
        && known.accesses.as_ref().is_ok_and(|rules| rules.iter().any(names))
        && rows(operation).any(|row| row.place == Place::Body)
}

/// Whose resources the request means.
pub(super) fn of<'a>(operation: &Found, given: Given<'a>, caller: Option<&str>) -> Result<Owner<'a>, Denial> {
    let mut owner = Owner::Caller;
    for row in rows(operation) {
        let member = Member { place: row.place, name: row.name, list: false, whole: false, default: None };
        for text in given.texts(&member)? {
            // How Glacier writes the caller's own.
            let own = Some(text) == caller || operation.api.id == "glacier" && text == "-";
            owner = match (own, owner) {
                (true, Owner::Caller) => owner,
                (false, Owner::Caller) if row.all && is_account(text) => Owner::Other(text),
                _ => Owner::Mixed,
            };
        }
    }
    Ok(owner)
}

/// Leaves open what was taken for the caller's own and may be another account's.
pub(super) fn leave_open(caller: Option<&str>, all: &mut [AccessRequest]) {
    let own = |arn: &str| match caller {
        Some(account) => arn.split(':').nth(4) == Some(account),
        None => true,
    };
    for access in all {
        if let Resource::Exact(arn) | Resource::Pattern(arn) = &access.resource
            && own(arn)
        {
            access.resource = Resource::Opaque;
        }
    }
}
