//! boto3: every protocol that the gate speaks, allowed and refused, in the shape that botocore understands.

use hallpass_testkit::clients::python;
use hallpass_testkit::servers::Ministack;

use crate::aws::Lender;
use crate::sdk::{Script, calls};

/// Scope of the scripts: half of the calls that they make.
pub(crate) const SCOPE: [&str; 2] = [
    "--policy",
    r#"{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:AbortMultipartUpload"],"Resource":"arn:aws:s3:::lent/work/*"},
      {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::lent"},
      {"Effect":"Allow","Action":["dynamodb:GetItem","sqs:ListQueues","sts:GetCallerIdentity","iam:ListUsers","ec2:DescribeInstances"],"Resource":"*"}]}"#,
];

#[test]
fn boto3_sees_allowed_calls_work_and_refused_ones_in_their_protocols_shape() {
    let lender = Lender::with_role(Ministack::shared());
    let calls = calls(&lender, &SCOPE, &Script::Boto3(include_str!("sdk_boto3.py")));
    for name in [
        "put and get",
        "upload a stream",
        "odd keys",
        "get an item",
        "list queues",
        "who am I",
        "list users",
        "describe instances",
    ] {
        calls[name].worked();
    }
    // Some stores read `a//b` as `a/b`: what two readers may take for two keys is refused.
    calls["put a key with an empty part"].refused("InvalidRequest");
    calls["delete an object"].refused("AccessDenied");
    calls["get outside the prefix"].refused("AccessDenied");
    calls["put an item"].refused("AccessDeniedException");
    // SQS spoke the query protocol before: its SDKs read the code of that time from a header.
    calls["create a queue"].refused("AccessDenied");
    calls["assume a role"].refused("AccessDenied");
    calls["create a user"].refused("AccessDenied");
    calls["run instances"].refused("UnauthorizedOperation");
    assert_eq!(lender.events("request_denied").len(), 8, "one request, one refusal");
}

/// Ignores TERM, so that it lives on in the grace after its session ended, and asks once more.
const OUTLIVE: &str = r#"
import boto3, signal, sys, time
from botocore.exceptions import ClientError
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s3 = boto3.client("s3")
end = time.monotonic() + 20
while time.monotonic() < end:
    try:
        s3.list_objects_v2(Bucket="lent")
    except ClientError as error:
        print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["RetryAttempts"])
        sys.exit(0)
    time.sleep(0.05)
"#;

#[test]
fn an_expired_session_is_expired_for_boto3_and_the_run_ends_with_124() {
    let lender = Lender::with_role(Ministack::shared());
    let flags = ["--ttl", "8s", "--allow", "s3:ListBucket"];
    let outcome = lender.run(&flags, &[python().as_os_str(), "-c".as_ref(), OUTLIVE.as_ref()]);
    assert_eq!(outcome.stdout.trim(), "ExpiredToken 0", "{}", outcome.shown());
    assert_eq!(outcome.status.code(), Some(124), "{}", outcome.shown());
    let ended = lender.events("session_ended");
    assert_eq!(ended[0]["status"], "expired", "{ended:?}");
}
