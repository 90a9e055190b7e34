//! MiniStack enforces what the tests of the gate build on. A server that let everything pass would prove nothing.

use hallpass_testkit::clients::{aws, run};
use hallpass_testkit::servers::Ministack;
use hallpass_testkit::servers::ministack::{BUCKET, User};

#[test]
fn it_refuses_a_wrong_secret() {
    let cloud = Ministack::shared();
    let forger = User { key: cloud.owner.key.clone(), secret: "x".repeat(40) };
    let said = run(cloud.client_as(&forger, aws()).args(["s3api", "list-buckets"])).failed();
    assert!(said.contains("SignatureDoesNotMatch"), "{said}");
}

#[test]
fn its_users_can_do_what_they_may_and_no_more() {
    let cloud = Ministack::shared();
    let listed = run(cloud.client_as(&cloud.owner, aws()).args(["s3", "ls", &format!("s3://{BUCKET}/reports/")]));
    assert!(listed.succeeded().contains("a.txt"));
    let said = run(cloud.client_as(&cloud.lender, aws()).args(["s3api", "list-buckets"])).failed();
    assert!(said.contains("AccessDenied"), "{said}");
}

#[test]
fn it_enforces_a_session_policy_below_a_role_that_may_do_everything() {
    let cloud = Ministack::shared();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;
    let mut assume = cloud.client_as(&cloud.lender, aws());
    assume.args(["sts", "assume-role", "--role-session-name", "test", "--role-arn", &cloud.role, "--policy", policy]);
    let answer: serde_json::Value = serde_json::from_str(&run(&mut assume).succeeded()).expect("JSON");
    let field = |name: &str| answer["Credentials"][name].as_str().expect("a credential").to_owned();
    let session = User { key: field("AccessKeyId"), secret: field("SecretAccessKey") };
    let token = field("SessionToken");
    let as_session =
        |arguments: &[&str]| run(cloud.client_as(&session, aws()).env("AWS_SESSION_TOKEN", &token).args(arguments));
    as_session(&["s3", "ls", &format!("s3://{BUCKET}")]).succeeded();
    let said = as_session(&["s3api", "get-object", "--bucket", BUCKET, "--key", "reports/a.txt", "/dev/null"]).failed();
    assert!(said.contains("AccessDenied"), "{said}");
}

#[test]
fn it_listens_on_loopback_only_and_ends_when_dropped() {
    let cloud = Ministack::start().expect("starts");
    let (address, pid) = (cloud.server().address(), cloud.server().pid());
    assert!(address.ip().is_loopback());
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).expect("socket table");
    let port = format!(":{:04X} ", address.port());
    let listening: Vec<&str> = table.lines().filter(|l| l.contains(&port) && l.contains(" 0A ")).collect();
    assert!(!listening.is_empty());
    assert!(listening.iter().all(|line| line.contains("0100007F:")), "{listening:?}");
    drop(cloud);
    assert!(std::net::TcpStream::connect(address).is_err(), "it still answers");
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it still runs");
}
