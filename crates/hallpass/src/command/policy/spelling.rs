//! Actions that are most likely misspelt. They are legal: AWS has actions that no API of the catalogue asks for. But
//! an Allow with a slip lends nothing, and a Deny with one holds nothing back, so somebody should say so.

use std::collections::{BTreeMap, BTreeSet};

use hallpass_core::limits::{ACTION_DOUBTS_TOLD_MAX, ACTION_SLIPS_MAX};
use hallpass_core::policy::{ActionPattern, PolicyDocument, ScopedPolicy, minting};
use hallpass_dataplane::CATALOG;
use serde_json::Value;

use super::reach;
use crate::output::{Printer, clean};

/// Actions of S3 that no operation is named after (service authorization reference, "Amazon S3"), and first those that
/// are asked for most, so that they are found without reading a table.
const OF_S3: &str = "\
    GetObject PutObject DeleteObject \
    BypassGovernanceRetention DeleteObjectVersion DeleteObjectVersionTagging GetAccelerateConfiguration \
    GetAnalyticsConfiguration GetBucketObjectLockConfiguration GetBucketPublicAccessBlock \
    GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration \
    GetLifecycleConfiguration GetMetricsConfiguration GetObjectVersion GetObjectVersionAcl \
    GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent \
    GetReplicationConfiguration GetStorageLensDashboard InitiateReplication ListAllMyBuckets ListBucket \
    ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts ObjectOwnerOverrideToBucketOwner \
    PauseReplication PutAccelerateConfiguration PutAccessPointPublicAccessBlock PutAnalyticsConfiguration \
    PutBucketObjectLockConfiguration PutBucketPublicAccessBlock PutEncryptionConfiguration \
    PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration \
    PutObjectVersionAcl PutObjectVersionTagging PutReplicationConfiguration ReplicateDelete ReplicateObject \
    ReplicateTags";
/// Prefixes of services that have no API under this name, and look like one that has.
const WITHOUT_API: [&str; 8] = ["iotjobsdata", "mechanicalturk", "tag", "q", "wam", "ts", "iq", "sms"];
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";

/// Tells what looks misspelt in what a session is given.
pub(crate) fn warn(printer: Printer, policy: &ScopedPolicy) {
    let doubts = of_policy(policy);
    for doubt in doubts.iter().take(ACTION_DOUBTS_TOLD_MAX) {
        printer.warn(clean::line(doubt));
    }
    if let Some(more) = doubts.len().checked_sub(ACTION_DOUBTS_TOLD_MAX).filter(|more| *more > 0) {
        printer.warn(format_args!("{more} more actions look misspelt: see `hallpass policy check`"));
    }
    if let Some(in_vain) = reach::of_flags(policy) {
        printer.warn(clean::line(&in_vain));
    }
}

/// One action that looks misspelt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// Which statement, from 0.
    pub(crate) statement: usize,
    /// Where in the document, `Statement[0].Action[1]`.
    pub(crate) path: String,
    /// One sentence.
    pub(crate) message: String,
}

/// What looks misspelt in what a session is given: its short form, its denials, its documents.
fn of_policy(policy: &ScopedPolicy) -> Vec<String> {
    let mut tables = Tables::default();
    let mut doubts: Vec<String> = Vec::new();
    let mut rest = Some(policy);
    while let Some(policy) = rest {
        doubts.extend(policy.actions.iter().chain(&policy.denied).filter_map(|action| tables.doubt(action)));
        for document in &policy.documents {
            doubts.extend(in_document(document, &mut tables).into_iter().map(|doubt| doubt.message));
        }
        rest = policy.shadow.as_deref();
    }
    let mut seen = BTreeSet::new();
    doubts.retain(|message| seen.insert(message.clone()));
    doubts
}

/// Why this action looks misspelt, if it does.
pub(crate) fn of_action(action: &ActionPattern) -> Option<String> {
    Tables::default().doubt(action)
}

/// What looks misspelt in a document.
pub(crate) fn of_document(document: &PolicyDocument) -> Vec<Doubt> {
    in_document(document, &mut Tables::default())
}

/// The statements of a document as they are written, in their order.
pub(super) fn statements_of(document: &PolicyDocument) -> Vec<Value> {
    match serde_json::to_value(document).map(|mut value| value["Statement"].take()) {
        Ok(Value::Array(all)) => all,
        Ok(one) => vec![one],
        Err(_) => Vec::new(),
    }
}

fn in_document(document: &PolicyDocument, tables: &mut Tables) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for (statement, members) in statements_of(document).iter().enumerate() {
        for member in ["Action", "NotAction"] {
            let whole = format!("Statement[{statement}].{member}");
            let mut add = |text: &Value, path: String| {
                let action = text.as_str().and_then(|text| ActionPattern::parse(text).ok());
                let message = action.as_ref().and_then(|action| tables.doubt(action));
                doubts.extend(message.map(|message| Doubt { statement, path, message }));
            };
            match &members[member] {
                Value::Array(all) => {
                    all.iter().enumerate().for_each(|(n, text)| add(text, format!("{whole}[{n}]")));
                }
                text => add(text, whole),
            }
        }
    }
    doubts
}

/// The actions of the services that were asked for; reading one takes a while.
#[derive(Default)]
struct Tables(BTreeMap<String, BTreeSet<&'static str>>);

impl Tables {
    /// Why this action looks misspelt, if it does.
    fn doubt(&mut self, action: &ActionPattern) -> Option<String> {
        let service = action.service.to_ascii_lowercase();
        if service.contains(['*', '?']) || WITHOUT_API.contains(&service.as_str()) {
            return None;
        }
        let matches = |name: &str| action.matches(&service, name);
        if service == "s3" && OF_S3.split_ascii_whitespace().any(matches) {
            return None;
        }
        let known = self.0.entry(service.clone()).or_insert_with(|| actions_of(&service));
        if known.is_empty() {
            let meant = service_near(&service)?;
            return Some(format!("`{action}`: hallpass knows no service `{service}`; did you mean `{meant}`?"));
        }
        // An Allow of such a wildcard lends nothing, which is said elsewhere; a Deny of it means what it says.
        if known.iter().any(|name| matches(name)) || minting_names(&service).any(matches) {
            return None;
        }
        if !action.is_literal() {
            return Some(format!("`{action}` matches no action that hallpass knows"));
        }
        let meant = action_near(&action.action, known)?;
        Some(format!("`{action}` is no action that hallpass knows; did you mean `{service}:{meant}`?"))
    }
}

/// The actions of a service that hand out credentials or power, which may be no operation's own.
pub(super) fn minting_names(service: &str) -> impl Iterator<Item = &'static str> {
    let all = minting::rows().flat_map(|(pattern, names, _)| names.iter().copied().chain([pattern]));
    all.filter(|text| !text.contains(['*', '?']))
        .filter_map(|text| text.split_once(':'))
        .filter(move |(of, _)| *of == service)
        .map(|(_, name)| name)
}

/// The actions of a service, as far as its operations are known.
pub(super) fn actions_of(service: &str) -> BTreeSet<&'static str> {
    let apis = (CATALOG.signing_as)(service).into_iter().chain((CATALOG.named)(service));
    let mut actions = BTreeSet::new();
    for api in apis.filter(|api| api.prefix == service) {
        let rules = api.operations.iter().filter_map(|operation| operation.accesses.as_ref().ok()).flatten();
        actions.extend(rules.map(|rule| rule.action).chain(api.tag_action));
    }
    if service == "s3" {
        actions.extend(OF_S3.split_ascii_whitespace());
    }
    actions
}

/// The nearest by slips. The first letter is seldom wrong, and `Get` is no slip for `Put`.
fn action_near(written: &str, known: &BTreeSet<&'static str>) -> Option<&'static str> {
    let written = written.to_ascii_lowercase();
    let near = known.iter().filter_map(|name| {
        let name_folded = name.to_ascii_lowercase();
        let slips = strsim::damerau_levenshtein(&written, &name_folded);
        let begins_alike = written.as_bytes().first() == name_folded.as_bytes().first();
        (begins_alike && slips <= ACTION_SLIPS_MAX).then_some((slips, *name))
    });
    near.min().map(|(_, name)| name)
}

/// A service whose prefix is one slip away.
fn service_near(written: &str) -> Option<String> {
    let word = written.as_bytes();
    let mut tried: Vec<Vec<u8>> = Vec::new();
    for at in 0..=word.len() {
        let (before, after) = word.split_at(at);
        let mut push = |parts: &[&[u8]]| tried.push(parts.concat());
        if let [gone, rest @ ..] = after {
            push(&[before, rest]);
            if let [next, rest @ ..] = rest {
                push(&[before, &[*next, *gone], rest]);
            }
            LETTERS.iter().for_each(|letter| push(&[before, &[*letter], rest]));
        }
        LETTERS.iter().for_each(|letter| push(&[before, &[*letter], after]));
    }
    let names = tried.into_iter().filter_map(|name| String::from_utf8(name).ok());
    names.into_iter().find(|name| !actions_of(name).is_empty())
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::ACTION_SLIPS_MAX;
    use hallpass_core::policy::universal::UNIVERSAL_KEYS;
    use hallpass_core::policy::{ActionPattern, PolicyDocument, minting, parse_actions};

    use super::{Tables, WITHOUT_API, of_action, of_document};

    fn doubt(text: &str) -> Option<String> {
        of_action(&ActionPattern::parse(text).expect("an action"))
    }

    #[test]
    fn a_slip_is_named_with_what_was_meant() {
        for (written, meant) in [
            ("s3:GetObjekt", "s3:GetObject"),
            ("s3:DeletObject", "s3:DeleteObject"),
            ("S3:listbuckt", "s3:ListBucket"),
            ("ec2:RunInstnaces", "ec2:RunInstances"),
            ("lamda:Invoke*", "`lambda`"),
            ("s4:GetObject", "`s3`"),
            ("s3:Lst*", "matches no action"),
            ("iam:Pas5*", "matches no action"),
        ] {
            let said = doubt(written).unwrap_or_default();
            assert!(said.contains(meant), "{written}: {said}");
        }
    }

    #[test]
    fn a_word_with_more_slips_is_another_word() {
        let written = |slips: usize| format!("s3:GetObjectAcl{}", "x".repeat(slips));
        assert!(doubt(&written(ACTION_SLIPS_MAX)).is_some());
        assert_eq!(doubt(&written(ACTION_SLIPS_MAX + 1)), None);
    }

    #[test]
    fn what_is_right_or_merely_unknown_is_left_alone() {
        let right =
            ["iam:Pass*", "s3:*", "*", "s3:ListBucket", "s3:getobject", "ec2:Describe*", "sts:GetScopedCredentials"];
        let unknown = ["aws-portal:ViewBilling", "athena:GetPreparedStatementHistory", "s3:SomethingNew", "*:Get*"];
        for text in right.into_iter().chain(unknown) {
            assert_eq!(doubt(text), None, "{text}");
        }
        for service in WITHOUT_API {
            assert_eq!(doubt(&format!("{service}:Anything")), None, "{service}");
        }
    }

    #[test]
    fn none_of_our_own_lists_is_in_doubt() {
        let mut tables = Tables::default();
        for key in &UNIVERSAL_KEYS {
            for action in parse_actions(key.name).expect("a universal key") {
                assert_eq!(tables.doubt(&action), None, "{}", key.name);
            }
        }
        for (service, names, _) in minting::rows() {
            for name in names {
                let said = tables.doubt(&ActionPattern { service: service.to_owned(), action: (*name).to_owned() });
                assert!(said.as_deref().is_none_or(|said| said.contains("matches no")), "{said:?}");
            }
        }
    }

    #[test]
    fn a_document_tells_where() {
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["s3:GetObject","s3:PutObjct"],"Resource":"*"},
            {"Effect":"Deny","NotAction":"iam:GetUzer","Resource":"*"}]}"#;
        let doubts = of_document(&PolicyDocument::parse(text).expect("a document"));
        let paths: Vec<&str> = doubts.iter().map(|doubt| doubt.path.as_str()).collect();
        assert_eq!(paths, ["Statement[0].Action[1]", "Statement[1].NotAction"]);
    }
}
