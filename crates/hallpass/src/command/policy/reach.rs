//! What an Allow names and never allows: actions that work on no single resource, beside ARNs (requests for them are
//! decided on `*`: service authorization reference, actions without resource types), and wildcards that would only mean
//! what hands out credentials.

use std::collections::BTreeMap;

use hallpass_core::policy::{ActionPattern, Finding, Place, PolicyDocument, ScopedPolicy, Weight, minting};
use hallpass_core::resolve::catalog::Slot;
use hallpass_dataplane::CATALOG;
use serde_json::{Value, json};

use super::spelling;

/// Services whose actions are also decided on ARNs that the tables do not have: `s3:ListAllMyBuckets` on
/// `arn:aws:s3:::*`, `logs:DescribeLogGroups` on `…:log-group::log-stream:`.
const BEYOND_THE_TABLES: [&str; 2] = ["s3", "logs"];

/// The Allow statements, and parts of them, that no request can meet.
pub(super) fn of_document(document: &PolicyDocument) -> Vec<Finding> {
    let (names, mut tables) = (document.in_words(), Tables::default());
    let mut findings = Vec::new();
    for (n, members) in spelling::statements_of(document).iter().enumerate() {
        if members["Effect"] != "Allow" {
            continue;
        }
        let (resources, actions) = (texts(&members["Resource"]), texts(&members["Action"]));
        let narrowed = !resources.is_empty() && !resources.contains(&"*");
        for (at, text) in actions.iter().enumerate() {
            let Some(message) = only_by_name(text).or_else(|| {
                let in_vain = narrowed && tables.takes_no_resource(text);
                in_vain.then(|| {
                    format!("`{text}` works on no single resource: allow it on `*`, in a statement of its own")
                })
            }) else {
                continue;
            };
            let member = if actions.len() == 1 { String::new() } else { format!("[{at}]") };
            findings.push(Finding {
                code: "never-matches",
                weight: Weight::Useless,
                statement: names.get(n).map(|words| words.name.clone()).unwrap_or_default(),
                place: Place::Path(format!("Statement[{n}].Action{member}")),
                message,
            });
        }
    }
    findings
}

/// Actions of `--allow` that never meet the resources of `--resource`: the first and why, and how many more.
pub(crate) fn of_flags(policy: &ScopedPolicy) -> Option<String> {
    let flags = json!({ "Statement": {
        "Effect": "Allow",
        "Action": policy.actions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "Resource": policy.resources,
    }});
    let document = PolicyDocument::parse(&flags.to_string()).ok()?;
    let never = |finding: &Finding| finding.code == "never-matches";
    let mut found: Vec<String> = document.lint().into_iter().filter(never).map(|finding| finding.message).collect();
    if !policy.resources.iter().any(|text| text == "*") {
        found.extend(of_document(&document).into_iter().map(|finding| finding.message));
    }
    let (first, more) = found.split_first()?;
    Some(match more.len() {
        0 => first.clone(),
        1 => format!("{first} (and one more action never meets the resources)"),
        more => format!("{first} (and {more} more actions never meet the resources)"),
    })
}

/// Why a wildcard allows nothing, when all that it would mean must be named.
fn only_by_name(text: &str) -> Option<String> {
    let action = ActionPattern::parse(text).ok().filter(|action| !action.is_literal())?;
    let service = action.service.to_ascii_lowercase();
    let meant = |name: &&str| action.matches(&service, name);
    let example = spelling::minting_names(&service).find(meant)?;
    let mints =
        spelling::actions_of(&service).into_iter().filter(meant).all(|name| minting::is_minting(&service, name));
    mints.then(|| {
        format!(
            "`{text}` allows nothing: `{service}:{example}` and its like hand out credentials or power, and only their \
             names allow them"
        )
    })
}

fn texts(value: &Value) -> Vec<&str> {
    let one = value.as_str().into_iter();
    one.chain(value.as_array().into_iter().flatten().filter_map(Value::as_str)).collect()
}

/// For each action of the services that were asked for, whether every operation that needs it needs it on `*`.
#[derive(Default)]
struct Tables(BTreeMap<String, BTreeMap<String, bool>>);

impl Tables {
    fn takes_no_resource(&mut self, text: &str) -> bool {
        let Some(action) = ActionPattern::parse(text).ok().filter(ActionPattern::is_literal) else { return false };
        let service = action.service.to_ascii_lowercase();
        if BEYOND_THE_TABLES.contains(&service.as_str()) {
            return false;
        }
        let table = self.0.entry(service.clone()).or_insert_with(|| table(&service));
        table.get(&action.action.to_ascii_lowercase()).copied().unwrap_or(false)
    }
}

fn table(service: &str) -> BTreeMap<String, bool> {
    let apis = (CATALOG.signing_as)(service).into_iter().chain((CATALOG.named)(service));
    let mut table: BTreeMap<String, bool> = BTreeMap::new();
    for api in apis.filter(|api| api.prefix == service) {
        for rule in api.operations.iter().filter_map(|operation| operation.accesses.as_ref().ok()).flatten() {
            let all = !rule.slots.is_empty() && rule.slots.iter().all(|slot| matches!(slot, Slot::All));
            *table.entry(rule.action.to_ascii_lowercase()).or_insert(true) &= all;
        }
        if let Some(action) = api.tag_action {
            table.insert(action.to_ascii_lowercase(), false);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use hallpass_core::policy::{PolicyDocument, ScopedPolicy, parse_actions, parse_resource};

    use super::{of_document, of_flags};

    fn found(statement: &str) -> Vec<String> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        let document = PolicyDocument::parse(&text).expect(statement);
        of_document(&document).into_iter().map(|finding| finding.message).collect()
    }

    fn allow(actions: &str, resource: &str) -> Vec<String> {
        found(&format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"{resource}"}}"#))
    }

    #[test]
    fn what_works_on_no_single_resource_is_never_allowed_on_one() {
        let arn = "arn:aws:ec2:us-east-1:111122223333:instance/i-1";
        for action in ["ec2:DescribeInstances", "EC2:describeinstances", "iam:ListUsers", "kms:CreateKey"] {
            assert_eq!(allow(&format!("{action:?}"), arn).len(), 1, "{action}");
        }
        assert!(allow(r#""s3:ListAllMyBuckets""#, "arn:aws:s3:::*").is_empty());
        assert!(allow(r#""logs:DescribeLogGroups""#, "arn:aws:logs:*:111122223333:log-group::log-stream:").is_empty());
        assert!(allow(r#""ec2:DescribeInstances""#, "*").is_empty());
        for action in ["ec2:StartInstances", "ec2:*", "ec2:SomethingNew", "s3:GetObject", "s3:ListBucket"] {
            assert!(allow(&format!("{action:?}"), arn).is_empty(), "{action}");
        }
        assert!(found(&format!(r#"{{"Effect":"Deny","Action":"iam:ListUsers","Resource":"{arn}"}}"#)).is_empty());
        assert!(found(&format!(r#"{{"Effect":"Allow","Action":"iam:ListUsers","NotResource":"{arn}"}}"#)).is_empty());
    }

    #[test]
    fn flags_that_never_meet_are_told_in_one_sentence() {
        let said = |actions: &str, resources: &[&str]| {
            of_flags(&ScopedPolicy {
                actions: parse_actions(actions).expect(actions),
                resources: resources.iter().map(|text| parse_resource(text).expect(text)).collect(),
                ..ScopedPolicy::default()
            })
        };
        let list = said("s3:GetObject,s3:ListBucket", &["s3://b/*"]).unwrap_or_default();
        assert!(list.contains("`s3:ListBucket` works on the bucket") && !list.contains("more"), "{list}");
        assert!(said("storage:read", &["s3://b/*"]).is_some_and(|said| said.contains("one more action")));
        assert!(said("ec2:DescribeInstances", &["arn:aws:ec2:us-east-1:1:instance/*"]).is_some());
        for resources in [["*"].as_slice(), &["s3://b/*", "s3://b"]] {
            assert_eq!(said("s3:GetObject,s3:ListBucket", resources), None);
        }
        assert_eq!(said("s3:*", &["s3://b/*"]), None);
        assert_eq!(said("iam:*,iam:Pass*", &["*"]), None, "that is another note");
    }

    #[test]
    fn a_wildcard_that_would_only_mean_what_mints_allows_nothing() {
        for (action, count) in
            [("iam:Pass*", 1), ("sts:AssumeRole*", 1), ("iam:*", 0), ("iam:PassRole", 0), ("sts:*", 0)]
        {
            assert_eq!(allow(&format!("{action:?}"), "*").len(), count, "{action}");
        }
        assert!(found(r#"{"Effect":"Deny","Action":"iam:Pass*","Resource":"*"}"#).is_empty());
    }
}
