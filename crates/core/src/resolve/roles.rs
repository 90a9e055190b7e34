//! Roles that a request hands to a service: whoever may pass a role acts with it, so `iam:PassRole` is needed too.
//! Source: IAM user guide, "Grant a user permissions to pass a role to an AWS service".

use super::json::Json;
use super::resource::Given;
use crate::policy::{AccessRequest, Resource};

/// Parameters with `role` in their names that hand no IAM role over.
const NOT_PASSED: [&str; 5] =
    ["executionrolesessionnamemode", "participantrole", "rolename", "rolesessionname", "targetrole"];

/// One access per role; an unknown one for a role that is given by name, or inside a profile or a template.
pub(super) fn passed(given: Given<'_>) -> Vec<AccessRequest> {
    let mut found = Vec::new();
    match given {
        Given::Form(parameters) => {
            for (name, value) in parameters.iter() {
                if name.split('.').any(carries_role) {
                    note(value, &mut found);
                }
            }
        }
        Given::Json(body) => walk(body, false, &mut found),
        Given::Rest(rest) => {
            rest.parameters()
                .iter()
                .filter(|(name, _)| carries_role(name))
                .for_each(|(_, role)| note(role, &mut found));
            let mut all = passed(rest.body());
            all.extend(accesses(found));
            return all;
        }
        Given::Nothing => {}
        Given::Unread => found.push(Resource::Opaque),
    }
    accesses(found)
}

fn accesses(roles: Vec<Resource>) -> Vec<AccessRequest> {
    roles.into_iter().map(|resource| AccessRequest { action: "iam:PassRole".to_owned(), resource }).collect()
}

fn walk(json: &Json, carried: bool, found: &mut Vec<Resource>) {
    if let Some(text) = json.text().filter(|_| carried) {
        note(text, found);
    }
    json.items().iter().for_each(|item| walk(item, carried, found));
    json.members().iter().for_each(|(name, value)| walk(value, carried || carries_role(name), found));
}

fn carries_role(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let marks = ["role", "instanceprofile", "launchtemplate", "launchconfiguration"];
    marks.iter().any(|mark| name.contains(mark)) && !NOT_PASSED.contains(&name.as_str())
}

fn note(text: &str, found: &mut Vec<Resource>) {
    let resource = if is_role_arn(text) { Resource::Exact(text.to_owned()) } else { Resource::Opaque };
    if !found.contains(&resource) {
        found.push(resource);
    }
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, role] = parts.as_slice() else { return false };
    let name = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&b);
    super::Partition::by_name(partition).is_some()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && role.strip_prefix("role/").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(name))
}
