//! Sessions on S3-compatible stores: SeaweedFS, and moto as a second one, with the `aws` command line and boto3.

use hallpass_testkit::clients::{bare, identity, python, run};
use hallpass_testkit::servers::ministack::User;
use hallpass_testkit::servers::{Seaweedfs, seaweedfs};

use crate::aws::{Lender, noise};

/// What boto3 does as the child: all of it is allowed but the last three.
const CHILD: &str = r#"
import boto3, os
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
s3.put_object(Bucket="lent", Key="work/a b+ü", Body=b"x" * 1000)
assert s3.get_object(Bucket="lent", Key="work/a b+ü")["Body"].read() == b"x" * 1000
s3.upload_file("large", "lent", "work/large")
s3.copy_object(Bucket="lent", Key="work/copy", CopySource={"Bucket": "lent", "Key": "work/a b+ü"})
print(sorted(o["Key"] for o in s3.list_objects_v2(Bucket="lent", Prefix="work/")["Contents"]))
for name, call in [
    ("other", lambda: s3.put_object(Bucket="lent", Key="other/a", Body=b"")),
    ("delete", lambda: s3.delete_object(Bucket="lent", Key="work/copy")),
    ("sts", lambda: boto3.client("sts").get_caller_identity()),
]:
    try:
        call()
        print(name, "passed")
    except ClientError as error:
        print(name, error.response["Error"]["Code"])
print("STOREKEY" in str(dict(os.environ)))
"#;

fn store() -> (Seaweedfs, Lender) {
    let store = Seaweedfs::start().expect("SeaweedFS starts");
    let mut make = bare(python());
    make.envs(identity(&store.url(), seaweedfs::KEY, seaweedfs::SECRET, None));
    make.args(["-c", "import boto3; boto3.client('s3').create_bucket(Bucket='lent')"]);
    run(&mut make).succeeded();
    let owner = User { key: seaweedfs::KEY.to_owned(), secret: seaweedfs::SECRET.to_owned() };
    // Nothing listens at the caller's AWS endpoint: whatever went there would fail.
    let lender = Lender::new("http://127.0.0.1:1".to_owned(), owner, None);
    noise(&lender.work().join("large"), 9 << 20);
    (store, lender)
}

#[test]
fn a_store_without_sessions_gets_scope_record_caps_and_an_end() {
    let (store, lender) = store();
    let url = store.url();
    let on = ["--provider", "s3", "--endpoint", url.as_str()];
    let policy = r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":["s3:GetObject*","s3:PutObject*","s3:AbortMultipartUpload"],"Resource":"arn:aws:s3:::lent/work/*"},
      {"Effect":"Allow","Action":["s3:ListBucket","sts:GetCallerIdentity"],"Resource":"*"}]}"#;
    let flags = [&on[..], &["--policy", policy]].concat();
    let printed = lender.run(&flags, &[python().as_os_str(), "-c".as_ref(), CHILD.as_ref()]).succeeded();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "['work/a b+ü', 'work/copy', 'work/large']", "{printed}");
    assert_eq!(lines[1..4], ["other AccessDenied", "delete AccessDenied", "sts AccessDenied"], "{printed}");
    assert_eq!(lines[4], "False", "the store's key is in the child's environment");
    let created = &lender.events("session_created")[0];
    assert_eq!((created["provider"].as_str(), created["role_arn"].as_str()), (Some("s3"), Some("")));
    let settled = lender.events("request_settled");
    assert!(settled.iter().all(|event| event.get("cost_nano_usd").is_none()), "nobody knows the store's prices");

    let printed =
        lender.run(&[&on[..], &["--read-only"]].concat(), &["aws", "s3", "ls", "s3://lent/work/"]).succeeded();
    assert!(printed.contains("large"), "{printed}");

    let capped = [&on[..], &["--read-only", "--max-bytes", "4MiB"]].concat();
    let over = lender.run(&capped, &["aws", "s3", "cp", "s3://lent/work/large", "copy"]).failed();
    assert!(over.contains("byte cap"), "{over}");
    assert!(!lender.work().join("copy").exists(), "a cut download looks whole");
}

#[test]
fn what_a_store_does_not_have_is_refused_with_the_way_out() {
    let owner = User { key: "K".to_owned(), secret: "S".to_owned() };
    let lender = Lender::new("http://127.0.0.1:1".to_owned(), owner, None);
    let on = ["--provider", "s3", "--endpoint", "http://127.0.0.1:2", "--read-only"];
    for (flags, text) in [
        (vec!["--role", "arn:aws:iam::111122223333:role/r"], "no roles"),
        (vec!["--budget", "1"], "prices of an S3-compatible store are not known"),
        (vec!["--delivery", "env"], "delivery"),
        (vec!["--endpoint", "ftp://x"], ""),
    ] {
        let flags: Vec<&str> = if flags[0] == "--endpoint" {
            [&["--provider", "s3", "--read-only"][..], &flags].concat()
        } else {
            [&on[..], &flags].concat()
        };
        let said = lender.run(&flags, &["true"]).failed();
        assert!(said.contains(text), "{flags:?}: {said}");
    }
    let said = lender.run(&["--endpoint", "http://127.0.0.1:2", "--read-only"], &["true"]).failed();
    assert!(said.contains("--provider"), "{said}");
}
