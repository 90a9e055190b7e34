//! Learning: what a program needed is what its policy allows, and each statement of it is needed.

use std::path::PathBuf;

use hallpass_testkit::clients::{Outcome, python, run};
use hallpass_testkit::servers::Ministack;
use serde_json::{Value, json};

use crate::aws::Lender;
use crate::sdk::Call;

const PROGRAM: &str = include_str!("learn_boto3.py");
/// What the program tries and must never get from a wildcard.
const ESCAPE: &str = "assume a role";
/// Services of the program, each under its own IAM prefix.
const SERVICES_MIN: usize = 12;

fn child(program: &str) -> Vec<std::ffi::OsString> {
    vec![python().into(), "-c".into(), program.into()]
}

fn calls(outcome: &Outcome) -> Vec<Call> {
    let parsed = outcome.stdout.lines().filter_map(|line| serde_json::from_str::<Call>(line).ok());
    parsed.collect()
}

/// The names of the calls that the gate refused. An answer to HEAD has no body that could say so.
fn refused(calls: &[Call]) -> Vec<String> {
    let refused = calls.iter().filter(|call| call.message.contains("hallpass: ") || call.code == "403");
    refused.map(|call| call.name.clone()).collect()
}

/// `hallpass learn <flags> -o learned.json -- <program>`, and the learned policy.
fn learn(lender: &Lender, flags: &[&str], program: &str) -> (Outcome, PathBuf, Value) {
    let path = lender.work().join("learned.json");
    let mut command = lender.hallpass(&["learn", "--json", "-o"]);
    command.arg(&path).args(flags).arg("--").args(child(program));
    let outcome = run(&mut command);
    let policy = std::fs::read_to_string(&path).unwrap_or_default();
    let policy = serde_json::from_str(&policy).unwrap_or_default();
    (outcome, path, policy)
}

fn report(outcome: &Outcome) -> Value {
    let last = outcome.stdout.lines().last().unwrap_or_default();
    let parsed = serde_json::from_str(last);
    assert!(parsed.is_ok(), "{}", outcome.shown());
    parsed.unwrap_or_default()
}

/// The statements of a learned policy.
fn statements(policy: &Value, outcome: &Outcome) -> Vec<Value> {
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    assert!(!statements.is_empty(), "{}", outcome.shown());
    statements
}

fn replay(lender: &Lender, policy: &Value) -> Vec<Call> {
    let outcome = lender.run(&["-q", "--policy", &policy.to_string()], &child(PROGRAM));
    assert!(outcome.status.success(), "{}", outcome.shown());
    calls(&outcome)
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_str()
        .map_or_else(|| value.as_array().into_iter().flatten().filter_map(Value::as_str).collect(), |one| vec![one])
}

#[test]
fn a_learned_policy_lets_the_program_run_again_and_every_statement_of_it_is_needed() {
    let lender = Lender::without_role(Ministack::shared());
    let (outcome, _, policy) = learn(&lender, &[], PROGRAM);
    assert!(outcome.status.success(), "{}", outcome.shown());
    let first = calls(&outcome);
    let names: Vec<&str> = first.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(refused(&first), [ESCAPE], "{}", outcome.shown());
    let report = report(&outcome);
    assert_eq!(report["refused"][0]["what"], "sts:AssumeRole", "{report}");
    assert_eq!(report["refused"][0]["escape"], true, "{report}");

    let statements = statements(&policy, &outcome);
    let actions: Vec<&str> = statements.iter().flat_map(|s| texts(&s["Action"])).collect();
    let mut services: Vec<&str> = actions.iter().filter_map(|action| action.split(':').next()).collect();
    services.sort_unstable();
    services.dedup();
    assert!(services.len() >= SERVICES_MIN, "{services:?}");
    assert!(!actions.iter().any(|action| action.contains('*')), "{actions:?}");
    assert!(report["session_policy"]["chars"].as_u64().expect("a number") > 0);

    assert_eq!(refused(&replay(&lender, &policy)), [ESCAPE]);

    // One request for each call, in their order: what each call needed.
    let entries: Vec<Value> = lender.audit().into_iter().map(|entry| entry["event"].clone()).collect();
    let asked: Vec<&Value> = entries.iter().filter(|e| e["type"] == "request_allowed").take(names.len() - 1).collect();
    assert_eq!(asked.len(), names.len() - 1);
    for n in 0..statements.len() {
        let mut fewer = statements.clone();
        let removed = fewer.remove(n);
        let needs = |event: &Value| {
            let one_of =
                |field: &str, list: &str| texts(&event[field]).iter().any(|t| texts(&removed[list]).contains(t));
            one_of("actions", "Action") && one_of("resources", "Resource")
        };
        let mut expected: Vec<&str> =
            names.iter().zip(&asked).filter(|(_, event)| needs(event)).map(|(name, _)| *name).collect();
        assert!(!expected.is_empty(), "nothing needs {removed}");
        expected.push(ESCAPE);
        let without = json!({ "Version": "2012-10-17", "Statement": fewer });
        assert_eq!(refused(&replay(&lender, &without)), expected, "without {removed}");
    }
}

#[test]
fn what_a_child_session_asked_for_is_learned_because_its_parent_must_be_allowed_it() {
    let lender = Lender::without_role(Ministack::shared());
    let program = "import boto3\nc = boto3.client('sts').assume_role(RoleArn='arn:aws:iam::000000000000:role/agent', \
        RoleSessionName='child')['Credentials']\nboto3.client('s3', aws_access_key_id=c['AccessKeyId'], \
        aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])\
        .get_object(Bucket='lent', Key='reports/a.txt')\n";
    let (outcome, path, policy) = learn(&lender, &["--ceiling", "*,sts:AssumeRole"], program);
    assert!(outcome.status.success(), "{}", outcome.shown());
    let actions: Vec<Value> =
        statements(&policy, &outcome).into_iter().map(|statement| statement["Action"].clone()).collect();
    assert_eq!(actions, ["s3:GetObject", "sts:AssumeRole"]);
    let path = path.to_str().expect("text");
    lender.run(&["--policy", path], &child(program)).succeeded();
}

#[test]
fn an_account_that_stands_beside_the_keys_is_the_one_in_learned_arns() {
    let cloud = Ministack::shared();
    let lender = Lender::without_role(cloud);
    let program = "import boto3\nboto3.client('sqs').get_queue_url(QueueName='jobs')\n";
    let learn = |account: Option<&str>| {
        let mut command = lender.hallpass(&["learn", "--"]);
        command.args(child(program)).envs(account.map(|account| ("AWS_ACCOUNT_ID", account)));
        let outcome = run(&mut command);
        let policy: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        (policy["Statement"][0]["Resource"].clone(), outcome.stderr)
    };
    let (any, said) = learn(None);
    assert_eq!(any, "arn:aws:sqs:us-east-1:*:jobs", "{said}");
    assert!(said.contains("granted on patterns") && said.contains("AWS_ACCOUNT_ID"), "{said}");
    let (own, said) = learn(Some(&cloud.account));
    assert_eq!(own, format!("arn:aws:sqs:us-east-1:{}:jobs", cloud.account), "{said}");
    assert!(!said.contains("granted on patterns"), "{said}");
}

#[test]
fn a_learned_policy_works_as_a_session_policy_that_the_cloud_enforces_too() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let program = "import boto3\ns3 = boto3.client('s3')\n\
        s3.put_object(Bucket='lent', Key='learn/role', Body=b'x')\n\
        s3.get_object(Bucket='lent', Key='learn/role')\ns3.list_objects_v2(Bucket='lent', Prefix='learn/')\n\
        boto3.client('sqs').list_queues()\nboto3.client('iam').list_users()\n\
        boto3.client('ec2').describe_instances()\n\
        boto3.client('dynamodb').get_item(TableName='things', Key={'id': {'S': 'one'}})\nprint('done')\n";
    let (outcome, path, policy) = learn(&lender, &["--role", &cloud.role], program);
    assert!(outcome.stdout.contains("done"), "{}", outcome.shown());
    let flags = ["-q", "--policy", path.to_str().expect("text")];
    let again = lender.run(&flags, &child(program));
    assert!(again.stdout.contains("done"), "{policy} {}", again.shown());
    let issued = lender.events("credentials_issued");
    assert_eq!(issued[1]["enforced_by"], "gate-and-cloud", "{issued:?}");
    let sent = issued[1]["session_policy_chars"].as_u64();
    assert_eq!(sent, report(&outcome)["session_policy"]["chars"].as_u64(), "{issued:?}");
}

#[test]
fn what_the_cloud_denied_is_listed_and_granted_only_when_asked() {
    let cloud = Ministack::shared();
    let lender = Lender::new(cloud.url(), cloud.lender.clone(), None);
    let program = "import boto3\ns3 = boto3.client('s3')\ns3.list_objects_v2(Bucket='lent', Prefix='reports/')\n\
        try:\n  s3.get_object(Bucket='lent', Key='reports/a.txt')\nexcept Exception as e:\n  print(e)\n";
    let role = ["--role", cloud.narrow_role.as_str()];
    let (outcome, _, policy) = learn(&lender, &role, program);
    let statements = statements(&policy, &outcome);
    assert_eq!(statements.len(), 1, "{policy}");
    assert_eq!(statements[0]["Action"], "s3:ListBucket");
    assert_eq!(statements[0]["Condition"], json!({ "StringEquals": { "s3:prefix": "reports/" } }));
    let said = report(&outcome);
    assert_eq!(said["failed"][0]["action"], "s3:GetObject", "{said}");
    assert_eq!(said["failed"][0]["code"], "AccessDenied", "{said}");

    let id = said["sessions"][0].as_str().expect("an id").to_owned();
    let again = run(&mut lender.hallpass(&["learn", "--from", &id, "--include-failed"])).succeeded();
    assert!(again.contains("s3:GetObject") && again.contains("arn:aws:s3:::lent/reports/a.txt"), "{again}");
}

#[test]
fn runs_are_merged_and_keys_are_generalised_only_when_asked_and_never_silently() {
    let lender = Lender::without_role(Ministack::shared());
    let get = |key: &str| format!("import boto3\nboto3.client('s3').get_object(Bucket='lent', Key='{key}')\n");
    let put = "import boto3\ns3 = boto3.client('s3')\nfor n in range(3):\n  \
        s3.put_object(Bucket='lent', Key=f'merge/{n}', Body=b'x')\n";
    let (outcome, path, _) = learn(&lender, &[], &get("reports/a.txt"));
    assert!(outcome.status.success(), "{}", outcome.shown());
    let file = path.to_str().expect("text").to_owned();
    let (outcome, _, both) = learn(&lender, &["--merge", &file, "--generalise", "keys"], put);
    let said = report(&outcome);
    let statements = statements(&both, &outcome);
    assert_eq!(statements.len(), 2, "{both}");
    assert_eq!(statements[0]["Resource"], "arn:aws:s3:::lent/reports/a.txt");
    assert_eq!(statements[1]["Resource"], "arn:aws:s3:::lent/merge/*");
    assert_eq!(said["widenings"][0]["from"].as_array().map(Vec::len), Some(3), "{said}");
    assert!(outcome.stderr.contains("made wider than what was asked for"), "{}", outcome.stderr);

    let deny = lender.work().join("deny.json");
    std::fs::write(&deny, r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#)
        .expect("written");
    let (outcome, ..) = learn(&lender, &["--merge", deny.to_str().expect("text")], put);
    assert!(outcome.stderr.contains("learn.merge"), "{}", outcome.shown());
}

#[test]
fn a_shadow_session_says_what_it_would_refuse_and_refuses_only_what_the_ceiling_refuses() {
    let lender = Lender::without_role(Ministack::shared());
    let program = "import boto3, json\nfrom botocore.exceptions import ClientError\ns3 = boto3.client('s3')\n\
        for call in (lambda: s3.get_object(Bucket='lent', Key='reports/a.txt'), lambda: s3.get_object(Bucket='other', \
        Key='reports/a.txt'), lambda: s3.delete_object(Bucket='other', Key='none'), lambda: \
        boto3.client('sqs').list_queues()):\n  \
        try:\n    call()\n    print('passed')\n  except ClientError as e:\n    print(e.response['Error']['Code'])\n";
    let flags = [
        "--shadow",
        "--ceiling",
        "s3:*",
        "--deny",
        "s3:DeleteObject",
        "--allow",
        "s3:GetObject",
        "--resource",
        "s3://lent/*",
    ];
    let outcome = lender.run(&flags, &child(program));
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), ["passed", "passed", "AccessDenied", "AccessDenied"]);
    assert!(outcome.stderr.contains("shadow: the policy is tried out and protects nothing"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("would have refused 1 of 2 requests"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("s3:GetObject on arn:aws:s3:::other/reports/a.txt"), "{}", outcome.stderr);

    let allowed = lender.events("request_allowed");
    assert!(allowed[0].get("would_deny").is_none(), "{allowed:?}");
    assert_eq!(allowed[1]["would_deny"]["code"], "not-allowed", "{allowed:?}");
    assert!(lender.events("session_created")[0]["shadow_sha256"].is_string());
    let listed = run(&mut lender.hallpass(&["session", "list", "--json"])).succeeded();
    let id =
        serde_json::from_str::<Value>(&listed).expect("json")["sessions"][0]["id"].as_str().expect("id").to_owned();
    let shown = run(&mut lender.hallpass(&["session", "show", &id])).succeeded();
    assert!(shown.contains("shadow") && shown.contains("not enforced"), "{shown}");
    let why = |key: &str| run(&mut lender.hallpass(&["why", "s3:GetObject", key, "--session", &id]));
    let (theirs, ours) = (why("s3://other/reports/a.txt"), why("s3://lent/reports/a.txt"));
    assert!(theirs.status.success() && theirs.stdout.contains("would refuse it"), "{}", theirs.shown());
    assert!(ours.status.success() && !ours.stdout.contains("would refuse"), "{}", ours.shown());
    // What passed is what a policy for the next time must allow.
    let learned = run(&mut lender.hallpass(&["learn", "--from", &id])).succeeded();
    assert!(learned.contains("arn:aws:s3:::other/reports/a.txt"), "{learned}");
}

#[test]
fn a_shadow_that_nobody_would_cast_is_refused() {
    let lender = Lender::without_role(Ministack::shared());
    for (flags, code) in [
        (&["--shadow"][..], "run.shadow_nothing"),
        (&["--shadow", "--allow", "s3:*", "--delivery", "env"], "run.shadow_delivery"),
        (&["--shadow", "--allow", "s3:*", "--ceiling", "nonsense"], "policy.action"),
        (&["--ceiling", "s3:*", "--allow", "s3:*"], "usage"),
    ] {
        let outcome = run(&mut lender.hallpass(&[&["run", "--json"], flags, &["--", "true"]].concat()));
        assert_eq!(outcome.status.code(), Some(125), "{}", outcome.shown());
        assert!(outcome.stderr.contains(&format!("\"{code}\"")), "{}", outcome.shown());
    }
}

#[test]
fn a_session_that_still_runs_is_not_learned_from() {
    let lender = Lender::without_role(Ministack::shared());
    let script = format!("{} learn --from $HALLPASS_SESSION_ID", env!("CARGO_BIN_EXE_hallpass"));
    let state = format!("HALLPASS_STATE_DIR={} {script}", lender.state().display());
    let outcome = lender.run(&["-q", "--allow", "s3:GetObject"], &["sh", "-c", &state]);
    assert_eq!(outcome.status.code(), Some(6), "{}", outcome.shown());
    assert!(outcome.stderr.contains("still active"), "{}", outcome.shown());
}

#[test]
fn what_cannot_be_merged_or_written_is_said_before_the_command_runs() {
    let lender = Lender::without_role(Ministack::shared());
    let work = lender.work();
    std::fs::write(work.join("bad.json"), "{").expect("written");
    let ran = work.join("ran");
    let at = |name: &str| work.join(name).display().to_string();
    for flags in [
        vec!["--merge".to_owned(), at("absent.json")],
        vec!["--merge".to_owned(), at("bad.json")],
        vec!["-o".to_owned(), at("absent/learned.json")],
        vec!["-o".to_owned(), at("")],
        vec!["-o".to_owned(), at("bad.json/learned.json")],
    ] {
        let mut command = lender.hallpass(&["learn", "--allow", "s3:GetObject"]);
        let outcome = run(command.args(&flags).arg("--").arg("touch").arg(&ran));
        assert_eq!(outcome.status.code(), Some(125), "{flags:?}: {}", outcome.shown());
        assert!(!ran.exists(), "{flags:?}: the run is over, and what it taught is lost");
    }
}
