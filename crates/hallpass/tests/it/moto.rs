//! A second server that checks our signatures with code of its own: moto, for the basics of S3.

use hallpass_testkit::clients::{bare, identity, python, run};
use hallpass_testkit::servers::Moto;
use hallpass_testkit::servers::ministack::User;

use crate::aws::Lender;

/// Makes a user with keys, a bucket and a table, then turns moto's signature checks on.
const FURNISH: &str = r#"
import boto3, json, urllib.request, os
iam, s3 = boto3.client("iam"), boto3.client("s3")
iam.create_user(UserName="owner")
everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="owner", PolicyName="own", PolicyDocument=json.dumps(everything))
key = iam.create_access_key(UserName="owner")["AccessKey"]
s3.create_bucket(Bucket="second")
key_of = {"AttributeName": "id"}
boto3.client("dynamodb").create_table(
    TableName="things", BillingMode="PAY_PER_REQUEST", KeySchema=[{**key_of, "KeyType": "HASH"}],
    AttributeDefinitions=[{**key_of, "AttributeType": "S"}])
boto3.client("dynamodb").put_item(TableName="things", Item={"id": {"S": "one"}})
request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
urllib.request.urlopen(request).read()
print(key["AccessKeyId"], key["SecretAccessKey"])
"#;

pub(crate) fn furnished(cloud: &Moto) -> User {
    let mut script = bare(python());
    script.envs(identity(&cloud.url(), "AKIAEXAMPLEEXAMPLE00", "secret", None)).args(["-c", FURNISH]);
    let printed = run(&mut script).succeeded();
    let (key, secret) = printed.trim().split_once(' ').expect("two words");
    User { key: key.to_owned(), secret: secret.to_owned() }
}

#[test]
fn moto_accepts_what_the_gate_signs_and_refuses_what_a_wrong_secret_signs() {
    let cloud = Moto::start().expect("moto starts");
    let owner = furnished(&cloud);
    let flags = ["--allow", "s3:GetObject,s3:PutObject,s3:ListBucket", "--resource", "arn:aws:s3:::second*"];

    let lender = Lender::new(cloud.url(), owner.clone(), None);
    std::fs::write(lender.work().join("note"), "a note\n").expect("a file");
    let script = "aws s3 cp --quiet note 's3://second/a b/ü+note' && aws s3 ls s3://second/ && aws s3 cp 's3://second/a b/ü+note' -";
    let printed = lender.run(&flags, &["sh", "-c", script]).succeeded();
    assert!(printed.contains("PRE a b/") && printed.ends_with("a note\n"), "{printed}");
    let said = lender.run(&flags, &["aws", "s3", "rm", "s3://second/note"]).failed();
    assert!(said.contains("AccessDenied") && said.contains("operation: hallpass: "), "{said}");

    let forger = Lender::new(cloud.url(), User { secret: "x".repeat(40), ..owner }, None);
    let said = forger.run(&flags, &["aws", "s3", "ls", "s3://second/"]).failed();
    assert!(said.contains("SignatureDoesNotMatch"), "moto must check, or it proves nothing: {said}");
}
