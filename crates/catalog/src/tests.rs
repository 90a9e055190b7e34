//! Whether every operation is found again: the requests that botocore's serialisers make of every model, botocore's
//! own protocol cases, and its endpoint cases. Counts are printed (`cargo test -p hallpass-catalog -- --nocapture`).

mod endpoint_cases;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hallpass_core::denial::Denial;
use hallpass_core::resolve::catalog::{Api, Catalog, Variant};
use hallpass_core::resolve::endpoint::{is_aws_region, is_pseudo_region};
use hallpass_core::resolve::{self, Caller, Outcome, Partition, Request, Resolved, Upstream};

use crate::table::{Entry, Index};
use crate::{CATALOG, named};

const REQUESTS: &str = include_str!("../testdata/requests.txt");
const PROTOCOL_REQUESTS: &str = include_str!("../testdata/protocol-requests.txt");
const ENDPOINTS: &str = include_str!("../testdata/endpoints.txt");

static CASES: LazyLock<Index> = LazyLock::new(|| Index::read(include_str!("../testdata/protocols.txt")));

const CASES_CATALOG: Catalog = Catalog {
    signing_as: |name| CASES.signing_as(name).map(Entry::api).collect::<Vec<&'static Api>>(),
    named: |name| CASES.named(name).map(Entry::api),
    located: |_, _| None,
};

/// One request of a corpus, and what it must be found to be.
struct Case {
    service: &'static str,
    signing: &'static str,
    protocol: &'static str,
    operation: &'static str,
    method: &'static str,
    target: &'static str,
    headers: Vec<(&'static str, &'static [u8])>,
    body: Vec<u8>,
}

fn cases(corpus: &'static str) -> Vec<Case> {
    let (mut all, mut head) = (Vec::new(), ["", "", ""]);
    for line in corpus.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        match words.as_slice() {
            ["@", service, signing, protocol] => head = [service, signing, protocol],
            [operation, call, headers, body] => {
                let (method, target) = call.split_once(' ').expect("method and target");
                let headers = headers.split('\x1f').filter_map(|header| header.split_once(": "));
                let headers = headers.map(|(name, value)| (name, value.as_bytes())).collect();
                let body = body.strip_prefix("0x").map_or_else(|| body.as_bytes().to_vec(), unhex);
                let [service, signing, protocol] = head;
                all.push(Case { service, signing, protocol, operation, method, target, headers, body });
            }
            _ => unreachable!("a line of the corpus has another form: {line}"),
        }
    }
    all
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    text.as_bytes().chunks(2).map(|two| pair(two).expect("hexadecimal")).collect()
}

impl Case {
    fn resolve(&self, catalog: Catalog) -> Result<Resolved, Denial> {
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let request = Request {
            method: self.method,
            path,
            query,
            headers: &self.headers,
            service: self.signing,
            region: "us-east-1",
            catalog,
            caller: Caller { partition: None, account: Some("123456789012"), ..Caller::default() },
            upstream: Upstream::Aws,
            at: None,
            allow_unmapped: &[],
            secure_transport: true,
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        match resolve::head(&request)? {
            Outcome::Resolved(resolved) => Ok(resolved),
            Outcome::NeedsBody => resolve::with_body(&request, &self.body),
        }
    }
}

#[test]
fn every_operation_is_found_from_a_minimal_request_of_its_own_model() {
    let (mut counts, mut lost) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for case in cases(REQUESTS) {
        let known = named(case.service).and_then(|api| api.operation(case.operation)).expect("in the table");
        let outcome = case.resolve(CATALOG);
        let verdict = match &outcome {
            Ok(found) if found.operation == case.operation && found.endpoint == case.service => "found",
            Ok(found) if found.operation == case.operation => "found in a sister API of the same signing name",
            Err(denial) if known.accesses.is_err() && denial.message().contains(case.operation) => "known and refused",
            _ => "lost",
        };
        if verdict == "lost" {
            lost.push(format!("{} {} {}", case.service, case.protocol, case.operation));
        }
        *counts.entry(verdict).or_default() += 1;
    }
    tell(&format!("minimal requests: {counts:?}"));
    assert_eq!(lost, LOST, "operations that are not found again");
}

/// Operations that are not found again. Those of bedrock and lex share method and path with another operation of their
/// signing name, and are refused as such. S3's router does not know annotations, metadata tables, directory buckets and
/// Object Lambda, and refuses them; two pairs of deprecated twins are found as the operation that replaced them, and
/// The minimal statements of PartiQL are none, and refused;
/// `ListDirectoryBuckets` has the path of `ListBuckets` on a host of its own.
const LOST: [&str; 26] = [
    "bedrock-agent rest-json PrepareAgent",
    "bedrock-agent-runtime rest-json InvokeInlineAgent",
    "dynamodb json BatchExecuteStatement",
    "dynamodb json ExecuteStatement",
    "dynamodb json ExecuteTransaction",
    "lex-models rest-json GetImport",
    "lex-models rest-json StartImport",
    "lexv2-models rest-json DescribeImport",
    "lexv2-models rest-json ListImports",
    "s3 rest-xml CreateBucketMetadataConfiguration",
    "s3 rest-xml CreateBucketMetadataTableConfiguration",
    "s3 rest-xml CreateSession",
    "s3 rest-xml DeleteObjectAnnotation",
    "s3 rest-xml GetBucketLifecycle",
    "s3 rest-xml GetBucketNotification",
    "s3 rest-xml GetObjectAnnotation",
    "s3 rest-xml ListDirectoryBuckets",
    "s3 rest-xml ListObjectAnnotations",
    "s3 rest-xml PutBucketLifecycle",
    "s3 rest-xml PutBucketNotification",
    "s3 rest-xml PutObjectAnnotation",
    "s3 rest-xml RenameObject",
    "s3 rest-xml UpdateBucketMetadataAnnotationTableConfiguration",
    "s3 rest-xml UpdateBucketMetadataInventoryTableConfiguration",
    "s3 rest-xml UpdateBucketMetadataJournalTableConfiguration",
    "s3 rest-xml WriteGetObjectResponse",
];

#[test]
fn what_older_sdks_send_is_the_same_operation_on_the_same_resource() {
    for (service, signing, method, target, operation, resource) in [
        ("sesv2", "ses", "GET", "/v2/email/identities?PageSize=5", "ListEmailIdentities", "*"),
        ("sesv2", "ses", "GET", "/v2/email/configuration-sets", "ListConfigurationSets", "*"),
        (
            "sesv2",
            "ses",
            "PUT",
            "/v1/email/identities/example.com/dkim/signing",
            "PutEmailIdentityDkimSigningAttributes",
            "arn:aws:ses:us-east-1:123456789012:identity/example.com",
        ),
        (
            "sesv2",
            "ses",
            "GET",
            "/v2/email/contact-lists/all/contacts",
            "ListContacts",
            "arn:aws:ses:us-east-1:123456789012:contact-list/all",
        ),
    ] {
        let body = if method == "PUT" { b"{}".to_vec() } else { Vec::new() };
        let case = Case { service, signing, protocol: "rest-json", operation, method, target, headers: vec![], body };
        let found = case.resolve(CATALOG).expect("known");
        assert_eq!((found.operation.as_str(), found.endpoint.as_str()), (operation, service));
        let resources: Vec<&str> = found.accesses.iter().map(|access| access.resource.shown()).collect();
        assert_eq!(resources, [resource], "{target}");
    }
}

#[test]
fn botocores_protocol_cases_are_recognised() {
    let (mut found, mut lost) = (0, Vec::new());
    for case in cases(PROTOCOL_REQUESTS) {
        match case.resolve(CASES_CATALOG) {
            Ok(resolved) if resolved.operation == case.operation => found += 1,
            _ => lost.push(format!("{} {}", case.service, case.operation)),
        }
    }
    tell(&format!("protocol cases: {found} recognised, {} not", lost.len()));
    lost.dedup();
    assert_eq!(lost, UNUSUAL);
}

/// Cases that are refused on purpose: an endpoint with a path of its own, and forms that are compressed.
const UNUSUAL: [&str; 7] = [
    "ec2-03 HostWithPathOperation",
    "ec2-06 PutWithContentEncoding",
    "json-03 HostWithPathOperation",
    "json_1_0-03 HostWithPathOperation",
    "query-03 HostWithPathOperation",
    "query-07 PutWithContentEncoding",
    "rest-json-09 HostWithPathOperation",
];

#[test]
fn botocores_endpoint_cases_hold() {
    let (mut same, mut none, mut pseudo, mut other) = (0, 0, 0, Vec::new());
    for line in ENDPOINTS.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let [service, region, variant, expected] = words.as_slice() else { unreachable!("{line}") };
        let variant = Variant { fips: variant.contains('f'), dual_stack: variant.contains('d') };
        let endpoint = named(service).and_then(|api| api.host(Partition::of_region(region).ok()?, region, variant));
        let endpoint = endpoint.filter(|found| !(is_pseudo_region(region) && found.region == *region));
        let shown = endpoint
            .map(|found| if found.region == *region { found.host } else { format!("{}@{}", found.host, found.region) });
        match shown {
            // `local`, `sandbox`, `fips`: the gate takes no region of that form.
            _ if !is_aws_region(region) && !is_pseudo_region(region) => pseudo += 1,
            Some(shown) if shown == *expected => same += 1,
            None if *expected == "-" => none += 1,
            shown => other.push(format!("{line}: {shown:?}")),
        }
    }
    tell(&format!(
        "endpoint cases: {same} hosts, {none} that do not exist, {pseudo} without a region, {} others",
        other.len()
    ));
    assert_eq!(other, Vec::<String>::new());
    assert!(same > 10_700 && none > 0 && pseudo < 20, "{same} {none} {pseudo}");
}

/// The counts of a corpus are for people.
fn tell(line: &str) {
    println!("{line}");
}

#[test]
fn the_services_with_unsigned_calls_are_those_of_the_models() {
    use hallpass_core::resolve::unsigned::SERVICES;
    // Signing in to the console is done with tokens of its own, and refused by name.
    let mut found: Vec<&str> = crate::all()
        .filter(|api| api.operations.iter().any(|operation| operation.unsigned) && api.id != "signin")
        .map(|api| api.signing)
        .collect();
    found.sort_unstable();
    found.dedup();
    let mut known = SERVICES.to_vec();
    known.sort_unstable();
    assert_eq!(found, known);
}
