//! The S3 router against a table of request lines, and its condition keys.

use hallpass_core::policy::access::Known;
use hallpass_core::resolve::{Outcome, Upstream};
use proptest::prelude::*;

use super::{Asked, asked, bare, shown};

fn from_line(request: &str) -> Asked<'_> {
    let mut parts = request.split(" | ");
    let line = parts.next().expect("request line");
    let (upstream, line) = line.strip_prefix('~').map_or((Upstream::Aws, line), |rest| (Upstream::Compatible, rest));
    let (method, target) = line.split_once(' ').expect("method and target");
    let mut asked = Asked { upstream, ..asked("s3", method, target.trim_end()) };
    for header in parts {
        let (name, value) = header.split_once(": ").expect("header");
        asked = asked.header(name, value.trim_end());
    }
    asked
}

fn result_of(request: &Asked<'_>) -> String {
    match request.head() {
        Ok(Outcome::Resolved(resolved)) => shown(&resolved),
        Ok(Outcome::NeedsBody) => "needs-body".to_owned(),
        Err(denial) => denial.code.as_str().to_owned(),
    }
}

fn expected_of(text: &str) -> String {
    let mut words = text.split(' ');
    let mut out = words.next().unwrap_or_default().to_owned();
    for access in words {
        let (action, resource) = access.split_once('@').expect("action@resource");
        out.push_str(&format!(" s3:{action}@arn:aws:s3:::{resource}"));
    }
    out
}

#[test]
fn every_request_line_of_the_table_resolves_as_written() {
    let table = include_str!("../../../testdata/resolve/s3.txt");
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (request, expected) = line.split_once(" => ").expect("a request and a result");
        let (got, expected) = (result_of(&from_line(request)), expected_of(expected));
        if got != expected {
            wrong.push(format!("{request}\n    got      {got}\n    expected {expected}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 150, "{count}");
}

#[test]
fn a_key_is_bounded_and_a_name_outside_the_partition_of_its_region_has_that_partition() {
    use hallpass_core::limits::S3_KEY_BYTES_MAX;
    let longest = format!("/buck/{}", "k".repeat(S3_KEY_BYTES_MAX));
    assert!(asked("s3", "GET", &longest).head().is_ok());
    let longer = format!("{longest}k");
    let denial = asked("s3", "GET", &longer).head().expect_err("too long");
    assert_eq!(denial.code.as_str(), "too-large");
    for (region, arn) in [("cn-north-1", "arn:aws-cn:s3:::buck"), ("us-gov-west-1", "arn:aws-us-gov:s3:::buck")] {
        let request = Asked { region, ..asked("s3", "GET", "/buck") };
        assert_eq!(shown(&request.resolved()), format!("ListObjects s3:ListBucket@{arn}"));
    }
    for region in ["us-isox-east-1", "", "EU-WEST-1", "eu west"] {
        assert!(Asked { region, ..asked("s3", "GET", "/buck") }.head().is_err(), "{region}");
    }
}

#[test]
fn a_credential_is_not_used_in_another_partition() {
    use hallpass_core::resolve::{Partition, Request, head};
    let asked = Asked { region: "cn-north-1", ..asked("s3", "GET", "/buck") };
    let mut request: Request<'_> = asked.request();
    request.caller.partition = Some(Partition::Aws);
    assert_eq!(head(&request).expect_err("refused").code.as_str(), "malformed");
    request.caller.partition = Some(Partition::AwsCn);
    assert!(head(&request).is_ok());
}

#[test]
fn either_header_of_a_retention_needs_its_permission() {
    for header in ["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"] {
        let put = asked("s3", "PUT", "/buck/k").header(header, "GOVERNANCE");
        assert!(bare(&put).contains("s3:PutObjectRetention@"), "{header}: {}", bare(&put));
    }
    assert!(!bare(&asked("s3", "PUT", "/buck/k")).contains("Retention"));
}

#[test]
fn an_address_is_no_name_of_a_bucket_and_four_words_are() {
    assert_eq!(bare(&asked("s3", "GET", "/192.168.0.1/k")), "malformed");
    assert!(bare(&asked("s3", "GET", "/a1.b2.c3.d4/k")).ends_with("@arn:aws:s3:::a1.b2.c3.d4/k"));
    assert!(bare(&asked("s3", "GET", "/192.168.10/k")).ends_with("@arn:aws:s3:::192.168.10/k"));
}

#[test]
fn replication_hands_over_a_role() {
    let resolved = asked("s3", "PUT", "/buck?replication").resolved();
    assert_eq!(
        shown(&resolved),
        "PutBucketReplication s3:PutReplicationConfiguration@arn:aws:s3:::buck iam:PassRole@?"
    );
}

fn present(known: Known<'_>) -> Option<Vec<&str>> {
    match known {
        Known::Present(values) => Some(values.iter().map(String::as_str).collect()),
        Known::Absent | Known::Unknown => None,
    }
}

#[test]
fn condition_keys_are_present_or_certainly_absent() {
    let list = asked("s3", "GET", "/buck?list-type=2&prefix=a%2Fb&max-keys=10").header("user-agent", "x/1").resolved();
    let context = &list.context;
    for (key, value) in [
        ("s3:prefix", "a/b"),
        ("s3:max-keys", "10"),
        ("s3:authType", "REST-HEADER"),
        ("s3:signatureversion", "AWS4-HMAC-SHA256"),
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:SecureTransport", "true"),
        ("aws:UserAgent", "x/1"),
        ("aws:CurrentTime", "2026-11-22T07:45:06Z"),
        ("aws:EpochTime", "1795333506"),
        ("aws:ViaAWSService", "false"),
    ] {
        assert_eq!(present(context.get(key)), Some(vec![value]), "{key}");
    }
    for key in [
        "s3:delimiter",
        "s3:VersionId",
        "s3:x-amz-acl",
        "s3:RequestObjectTagKeys",
        "s3:RequestObjectTag/team",
        "aws:Referer",
        "aws:CalledVia",
    ] {
        assert_eq!(context.get(key), Known::Absent, "{key}");
    }
    for key in
        ["aws:SourceIp", "aws:PrincipalTag/team", "s3:ExistingObjectTag/a", "s3:ResourceAccount", "aws:SourceVpc"]
    {
        assert_eq!(context.get(key), Known::Unknown, "{key}");
    }
}

#[test]
fn a_write_carries_its_headers_as_condition_keys() {
    let put = asked("s3", "PUT", "/buck/key")
        .header("x-amz-acl", "private")
        .header("x-amz-server-side-encryption", "aws:kms")
        .header("x-amz-server-side-encryption-aws-kms-key-id", "k")
        .header("x-amz-storage-class", "GLACIER")
        .header("x-amz-tagging", "team=a+b&env=x%3Dy")
        .resolved();
    for (key, values) in [
        ("s3:x-amz-acl", vec!["private"]),
        ("s3:x-amz-server-side-encryption", vec!["aws:kms"]),
        ("s3:x-amz-server-side-encryption-aws-kms-key-id", vec!["k"]),
        ("s3:x-amz-storage-class", vec!["GLACIER"]),
        ("s3:RequestObjectTag/team", vec!["a b"]),
        ("s3:RequestObjectTag/env", vec!["x=y"]),
        ("s3:RequestObjectTagKeys", vec!["team", "env"]),
    ] {
        assert_eq!(present(put.context.get(key)), Some(values), "{key}");
    }
    assert_eq!(put.context.get("s3:prefix"), Known::Absent);
    assert_eq!(
        put.context.get("s3:RequestObjectTag/class"),
        Known::Absent,
        "a Deny for one tag is not for every write"
    );
    for twice in ["a=1&a=2", "a=1&A=2"] {
        assert!(asked("s3", "PUT", "/buck/key").header("x-amz-tagging", twice).head().is_err(), "{twice}");
    }
}

#[test]
fn what_a_later_part_of_an_upload_does_not_say_stays_unknown() {
    let part = asked("s3", "PUT", "/buck/key?partNumber=1&uploadId=u").resolved();
    assert_eq!(part.context.get("s3:x-amz-server-side-encryption"), Known::Unknown);
    let hold = asked("s3", "PUT", "/buck/key?legal-hold").resolved();
    assert_eq!(hold.context.get("s3:object-lock-legal-hold"), Known::Unknown);
    let tags = asked("s3", "PUT", "/buck/key?tagging").resolved();
    assert_eq!(tags.context.get("s3:RequestObjectTagKeys"), Known::Unknown);
    assert_eq!(tags.context.get("s3:RequestObjectTag/team"), Known::Unknown);
    let copy = asked("s3", "PUT", "/buck/key").header("x-amz-copy-source", "src/a").resolved();
    assert_eq!(copy.context.get("s3:RequestObjectTag/team"), Known::Unknown);
}

#[test]
fn the_version_that_is_read_is_the_version_of_the_context() {
    let get = asked("s3", "GET", "/buck/key?versionId=v1").resolved();
    assert_eq!(present(get.context.get("s3:VersionId")), Some(vec!["v1"]));
    let copy = asked("s3", "PUT", "/buck/key").header("x-amz-copy-source", "src/a?versionId=v2").resolved();
    assert_eq!(present(copy.context.get("s3:VersionId")), Some(vec!["v2"]));
    assert_eq!(copy.context.get("s3:x-amz-copy-source"), Known::Unknown);
}

/// Path pieces that parsers disagree about.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("/".to_owned()),
        Just("%2F".to_owned()),
        Just("%252F".to_owned()),
        Just("..".to_owned()),
        Just("%2e".to_owned()),
        Just("%".to_owned()),
        Just("%00".to_owned()),
        Just("buck".to_owned()),
        Just("?acl".to_owned()),
        Just("&versionId=1".to_owned()),
        Just("%C3%A4".to_owned()),
        Just("%C3".to_owned()),
        "[ -~]{0,3}",
        "\\PC{0,2}",
    ]
}

proptest! {
    #[test]
    fn no_request_head_makes_the_router_panic(
        method in "(GET|HEAD|PUT|POST|DELETE|[A-Z]{1,5})",
        pieces in prop::collection::vec(piece(), 0..12),
        source in prop::collection::vec(piece(), 0..6),
        with_source in any::<bool>(),
    ) {
        let target = format!("/{}", pieces.concat());
        let source = source.concat();
        let mut request = asked("s3", &method, &target);
        if with_source {
            request = request.header("x-amz-copy-source", &source);
        }
        let _outcome = request.head();
    }

    /// What the policy sees is what a decoder of our own, written another way, makes of the path.
    #[test]
    fn the_policy_sees_the_key_that_the_store_sees(pieces in prop::collection::vec(piece(), 1..8)) {
        let path = format!("/buck/{}", pieces.concat().replace(['?', '&'], ""));
        if let Ok(Outcome::Resolved(resolved)) = asked("s3", "GET", &path).head() {
            let mut key = Vec::new();
            let raw = &path.as_bytes()["/buck/".len()..];
            let mut at = 0;
            while at < raw.len() {
                if raw[at] == b'%' {
                    let pair = std::str::from_utf8(&raw[at + 1..at + 3]).expect("digits");
                    key.push(u8::from_str_radix(pair, 16).expect("hex"));
                    at += 3;
                } else {
                    key.push(raw[at]);
                    at += 1;
                }
            }
            let key = String::from_utf8(key).expect("text");
            let arn = if key.is_empty() { "arn:aws:s3:::buck".to_owned() } else { format!("arn:aws:s3:::buck/{key}") };
            prop_assert_eq!(resolved.accesses[0].resource.shown(), arn);
        }
    }
}
