//! Operations of S3 that are understood only with their body.

use hallpass_core::limits::{BUFFERED_BODY_BYTES_MAX, S3_DELETE_KEYS_MAX};
use hallpass_core::policy::access::Known;
use hallpass_core::resolve::{Outcome, Upstream};
use proptest::prelude::*;

use super::{Asked, asked, outcome, shown};

fn delete(objects: &str) -> String {
    let inside =
        format!("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{objects}<Quiet>true</Quiet></Delete>");
    outcome(asked("s3", "POST", "/buck?delete").with_body(inside))
}

#[test]
fn the_head_of_a_body_operation_asks_for_the_body() {
    for (method, target) in [("POST", "/buck?delete"), ("PUT", "/buck"), ("POST", "/buck/key?restore")] {
        assert_eq!(asked("s3", method, target).head(), Ok(Outcome::NeedsBody), "{target}");
    }
}

#[test]
fn every_key_of_a_multi_delete_is_a_resource() {
    assert_eq!(
        delete("<Object><Key>mine/a</Key></Object><Object><Key>theirs/b</Key><VersionId>v1</VersionId></Object>"),
        "DeleteObjects s3:DeleteObject@arn:aws:s3:::buck/mine/a s3:DeleteObjectVersion@arn:aws:s3:::buck/theirs/b"
    );
    assert_eq!(
        delete("<Object><ETag>e</ETag><Key>a&amp;b&#x2F;..</Key></Object>"),
        "DeleteObjects s3:DeleteObject@arn:aws:s3:::buck/a&b/.. s3:GetObject@arn:aws:s3:::buck/a&b/.."
    );
    assert_eq!(
        delete("<Object><Key> a%2Fb </Key></Object>"),
        "DeleteObjects s3:DeleteObject@arn:aws:s3:::buck/ a%2Fb "
    );
}

#[test]
fn a_governance_bypass_counts_for_every_key() {
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";
    let request = asked("s3", "POST", "/buck?delete").header("x-amz-bypass-governance-retention", "TRUE");
    let accesses = request.with_body(body).expect("resolves").accesses;
    let bypassed = accesses.iter().filter(|access| access.action == "s3:BypassGovernanceRetention");
    assert_eq!(
        bypassed.map(|access| access.resource.shown()).collect::<Vec<_>>(),
        ["arn:aws:s3:::buck/a", "arn:aws:s3:::buck/b"]
    );
}

#[test]
fn a_multi_delete_that_could_be_read_in_two_ways_is_refused() {
    for bad in [
        "",
        "<Object></Object>",
        "<Object><Key></Key></Object>",
        "<Object><Key>a</Key><Key>b</Key></Object>",
        "<Object><Key>a<x/>b</Key></Object>",
        "<Object><key>a</key></Object>",
        "<Object><Key>a</Key><VersionId></VersionId></Object>",
        "<Object><Key>a</Key><Other/></Object>",
        "<Object><Key>a</Key>stray</Object>",
        "<Object><Key>a</Key><!-- --></Object>",
        "<Object><Key><![CDATA[a]]></Key></Object>",
        "<Object><Key>&unknown;</Key></Object>",
        "<Object><Object><Key>a</Key></Object></Object>",
        "<Key>a</Key>",
        "stray",
        "<Object><Key>a</Key></Object></Delete><Delete>",
    ] {
        assert_eq!(delete(bad), "malformed", "{bad}");
    }
    let request = asked("s3", "POST", "/buck?delete");
    for bad in ["", "{}", "<Remove><Object><Key>a</Key></Object></Remove>", "<Delete><Object><Key>a</Key></Object>"] {
        assert_eq!(outcome(request.with_body(bad)), "malformed", "{bad}");
    }
    let packed = asked("s3", "POST", "/buck?delete").header("content-encoding", "gzip");
    assert_eq!(outcome(packed.with_body("<Delete><Object><Key>a</Key></Object></Delete>")), "malformed");
    let elsewhere = Asked { upstream: Upstream::Compatible, ..asked("s3", "POST", "/buck?delete") };
    assert_eq!(outcome(elsewhere.with_body("<Delete><Object><Key>a/../b</Key></Object></Delete>")), "malformed");
}

#[test]
fn a_multi_delete_of_a_thousand_keys_is_the_largest() {
    let body = |n: usize| (0..n).map(|i| format!("<Object><Key>k{i}</Key></Object>")).collect::<String>();
    let full = delete(&body(S3_DELETE_KEYS_MAX));
    assert_eq!(full.matches("s3:DeleteObject@").count(), 1_000);
    assert_eq!(delete(&body(S3_DELETE_KEYS_MAX + 1)), "too-large");
}

#[test]
fn a_body_past_the_limit_is_not_read() {
    let body = vec![b' '; BUFFERED_BODY_BYTES_MAX + 1];
    assert_eq!(outcome(asked("s3", "POST", "/buck?delete").with_body(&body)), "too-large");
    assert_eq!(outcome(asked("sts", "POST", "/").with_body(&body)), "too-large");
}

#[test]
fn versions_of_a_multi_delete_are_one_condition_value_or_unknown() {
    let version = |body: &str| {
        let resolved =
            asked("s3", "POST", "/buck?delete").with_body(format!("<Delete>{body}</Delete>")).expect("resolves");
        match resolved.context.get("s3:VersionId") {
            Known::Present(values) => values.join(","),
            Known::Absent => "absent".to_owned(),
            Known::Unknown => "unknown".to_owned(),
        }
    };
    let object = |v: &str| format!("<Object><Key>a</Key>{v}</Object>");
    let (bare, one, two) = (object(""), object("<VersionId>1</VersionId>"), object("<VersionId>2</VersionId>"));
    assert_eq!(version(&bare), "absent");
    assert_eq!(version(&format!("{one}{one}")), "1");
    assert_eq!(version(&format!("{one}{two}")), "unknown");
    assert_eq!(version(&format!("{one}{bare}")), "unknown");
}

#[test]
fn a_restore_writes_nowhere_else() {
    let request = asked("s3", "POST", "/buck/key?restore&versionId=v");
    let plain =
        "<RestoreRequest><Days>1</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>";
    for body in ["", plain] {
        assert_eq!(
            shown(&request.with_body(body).expect(body)),
            "RestoreObject s3:RestoreObject@arn:aws:s3:::buck/key"
        );
    }
    let out = "<RestoreRequest><Type>SELECT</Type><OutputLocation><S3><BucketName>x</BucketName></S3></OutputLocation></RestoreRequest>";
    assert_eq!(outcome(request.with_body(out)), "unresolved");
}

#[test]
fn a_bucket_that_is_born_with_more_needs_more() {
    let created = |request: Asked<'_>, body: &str| outcome(request.with_body(body)).replace("arn:aws:s3:::buck", "*");
    let plain = || asked("s3", "PUT", "/buck");
    assert_eq!(created(plain(), ""), "CreateBucket s3:CreateBucket@*");
    let location = "<CreateBucketConfiguration xmlns=\"u\"><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(created(plain(), location), "CreateBucket s3:CreateBucket@*");
    let tags =
        "<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>";
    assert_eq!(created(plain(), tags), "CreateBucket s3:CreateBucket@* s3:TagResource@*");
    let directory = "<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>";
    assert_eq!(created(plain(), directory), "unmapped");
    let locked = plain().header("x-amz-bucket-object-lock-enabled", "true");
    assert_eq!(
        created(locked, ""),
        "CreateBucket s3:CreateBucket@* s3:PutBucketObjectLockConfiguration@* s3:PutBucketVersioning@*"
    );
    let owned = plain().header("x-amz-object-ownership", "ObjectWriter").header("x-amz-acl", "public-read");
    assert_eq!(created(owned, ""), "CreateBucket s3:CreateBucket@* s3:PutBucketAcl@* s3:PutBucketOwnershipControls@*");
}

proptest! {
    #[test]
    fn no_body_makes_resolution_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for (service, target) in [("s3", "/buck?delete"), ("s3", "/buck/k?restore"), ("sqs", "/"), ("ec2", "/")] {
            let request = asked(service, "POST", target).header("content-type", "application/x-www-form-urlencoded");
            let _outcome = request.with_body(&body);
        }
    }

    #[test]
    fn every_key_survives_the_way_through_xml(keys in prop::collection::vec("[\\PC\\t]{1,20}", 1..5)) {
        let escape = |key: &String| key.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let object = |key: &String| format!("<Object><Key>{}</Key></Object>", escape(key));
        let body = format!("<Delete>{}</Delete>", keys.iter().map(object).collect::<String>());
        if let Ok(resolved) = asked("s3", "POST", "/buck?delete").with_body(body) {
            let got: Vec<&str> = resolved.accesses.iter().map(|access| access.resource.shown()).collect();
            let wanted: Vec<String> = keys.iter().map(|key| format!("arn:aws:s3:::buck/{key}")).collect();
            prop_assert_eq!(got, wanted);
        }
    }
}
