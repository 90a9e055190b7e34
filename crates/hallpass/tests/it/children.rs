//! Child sessions, with unmodified boto3 and `aws` in front of MiniStack: a call that mints credentials is refused
//! under wildcards, and where it is named, it gives another placeholder that can do no more than its parent.

use std::process::{Child, Stdio};

use hallpass_testkit::clients::{Outcome, python, run};
use hallpass_testkit::servers::Ministack;
use serde_json::Value;

use crate::aws::Lender;
use crate::run::world::{until, wait};

const SCRIPT: &str = include_str!("children.py");
/// What the sessions of these tests may do: one role by its name, and reading.
const SCOPE: [&str; 2] = ["--allow", "sts:AssumeRole,s3:GetObject,s3:ListBucket,sts:GetCallerIdentity"];

/// What the script said, in its order.
#[derive(Debug)]
struct Said(Vec<Value>);

impl Said {
    fn by(lender: &Lender) -> Self {
        let text = std::fs::read_to_string(lender.work().join("said")).unwrap_or_default();
        Self(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    fn all(&self, name: &str) -> Vec<&Value> {
        self.0.iter().filter(|line| line["name"] == name).collect()
    }

    fn one(&self, name: &str) -> &Value {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "`{name}` in {self:?}");
        all[0]
    }

    fn worked(&self, name: &str) {
        assert_eq!(self.one(name)["code"], "", "{self:?}");
    }

    fn refused(&self, name: &str, why: &str) {
        let line = self.one(name);
        assert_eq!(line["code"], "AccessDenied", "{self:?}");
        let message = line["message"].as_str().expect("text");
        assert!(message.contains("hallpass: ") && message.contains(why), "{message}");
    }
}

fn script<'a>(role: &'a str, wanted: &[&'a str]) -> Vec<String> {
    let python = python().to_str().expect("text").to_owned();
    let words = [&python, "-c", SCRIPT, role];
    words.iter().chain(wanted).map(|word| (*word).to_owned()).collect()
}

fn ran(lender: &Lender, flags: &[&str], wanted: &[&str]) -> (Outcome, Said) {
    let outcome = lender.run(flags, &script(&Ministack::shared().role, wanted));
    let said = Said::by(lender);
    (outcome, said)
}

/// Starts the script and waits until it waits.
fn waiting(lender: &Lender) -> (Child, Said) {
    let mut command = lender.lending(&SCOPE, &script(&Ministack::shared().role, &["wait"]));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    until("the script waits", || (!Said::by(lender).all("waiting").is_empty()).then_some(()));
    (child, Said::by(lender))
}

fn go(lender: &Lender) {
    std::fs::write(lender.work().join("go"), "").expect("the work folder takes a file");
}

fn json(lender: &Lender, arguments: &[&str]) -> Value {
    serde_json::from_str(&run(&mut lender.hallpass(arguments)).succeeded()).expect("json")
}

#[test]
fn a_role_that_is_assumed_by_name_works_with_a_placeholder_and_can_do_no_more_than_its_parent() {
    for lender in [Lender::with_role(Ministack::shared()), Lender::without_role(Ministack::shared())] {
        let (outcome, said) = ran(&lender, &SCOPE, &["narrow"]);
        assert!(outcome.status.success(), "{}\n{said:?}", outcome.shown());
        said.worked("first");
        assert_eq!(said.one("child-get")["body"], "alpha\n");
        said.worked("child-who");
        said.refused("child-put", "s3:PutObject");
        said.worked("narrow-list");
        said.refused("narrow-get", "s3:GetObject");
        for given in said.all("given") {
            assert!(given["AccessKeyId"].as_str().expect("text").starts_with("ASIAHALLPASS"), "{given}");
            assert!(given["SessionToken"].as_str().expect("text").starts_with("hallpass-placeholder."), "{given}");
            assert!(given["user"]["Arn"].as_str().expect("text").contains(":assumed-role/agent/"), "{given}");
        }
        let puts: Vec<Value> = lender.events("request_denied");
        assert_eq!(puts.iter().filter(|e| e["operation"] == "PutObject").count(), 1);
    }
}

#[test]
fn under_a_wildcard_no_role_is_assumed() {
    for wildcard in ["sts:*", "*", "sts:Assume*,s3:GetObject"] {
        let lender = Lender::with_role(Ministack::shared());
        let (_, said) = ran(&lender, &["--allow", wildcard], &[]);
        said.refused("first", "no wildcard of `--allow` includes it");
        assert_eq!(lender.count("request_allowed", "AssumeRole"), 0);
        assert_eq!(lender.events("session_created").len(), 1, "a child session was opened");
    }
}

#[test]
fn the_aws_command_line_assumes_a_role_and_works_with_what_it_gets() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let words = format!(
        "set -e; words=$(aws sts assume-role --role-arn {} --role-session-name cli --query \
         'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text); set -- $words; \
         export AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3; \
         aws sts get-caller-identity --query Arn --output text; aws s3 cp s3://lent/reports/a.txt -; \
         aws s3 rm s3://lent/reports/a.txt && exit 9; true",
        cloud.role
    );
    let outcome = lender.run(&SCOPE, &["sh", "-c", &words]);
    assert!(outcome.status.success(), "{}", outcome.shown());
    assert!(
        outcome.stdout.contains(":assumed-role/agent/cli") && outcome.stdout.contains("alpha"),
        "{}",
        outcome.shown()
    );
    assert!(outcome.stderr.contains("s3:DeleteObject"), "{}", outcome.shown());
}

#[test]
fn a_kill_of_the_parent_refuses_the_child_sessions_next_request_and_the_log_names_both() {
    let lender = Lender::with_role(Ministack::shared());
    let (running, said) = waiting(&lender);
    let child = said.one("given")["session"].as_str().expect("text").to_owned();
    let shown = json(&lender, &["session", "show", &child, "--json"]);
    let parent = shown["session"]["parent"].as_str().expect("a parent").to_owned();
    assert_eq!(shown["session"]["status"], "active");
    let killing = lender.hallpass(&["session", "kill", &parent, "--json"]).stdout(Stdio::piped()).spawn();
    let killing = killing.expect("starts");
    until("the parent is revoked", || {
        (json(&lender, &["session", "show", &parent, "--json"])["session"]["status"] == "revoked").then_some(())
    });
    go(&lender);
    wait(running);
    assert_eq!(wait(killing).code, Some(0));
    let late = Said::by(&lender);
    late.refused("late-child-get", "taken back");
    late.refused("late-own-get", "taken back");
    let shown = json(&lender, &["session", "show", &child, "--json"]);
    assert_eq!(shown["session"]["status"], "revoked");
    let reason = shown["session"]["end_reason"].as_str().expect("text");
    assert!(reason.contains("its parent session ended: killed by"), "{reason}");
    let audit = lender.audit();
    let of = |session: &str, kind: &str| {
        audit.iter().filter(|entry| entry["session"] == session && entry["event"]["type"] == kind).count()
    };
    for (kind, parents, childs) in [
        ("session_created", 1, 1),
        ("credentials_issued", 1, 1),
        ("session_activated", 1, 1),
        ("session_ended", 1, 1),
        ("session_killed", 1, 0),
    ] {
        assert_eq!((of(&parent, kind), of(&child, kind)), (parents, childs), "{kind}");
    }
    let created = audit.iter().find(|entry| entry["session"] == *child && entry["event"]["type"] == "session_created");
    assert_eq!(created.expect("created")["event"]["parent"], *parent);
    let allowed = |session: &str, operation: &str| {
        let of = |entry: &&Value| entry["session"] == session && entry["event"]["operation"] == operation;
        audit.iter().filter(of).filter(|entry| entry["event"]["type"] == "request_allowed").count()
    };
    assert_eq!((allowed(&parent, "AssumeRole"), allowed(&child, "GetObject")), (1, 1));
}

#[test]
fn whoever_looks_at_a_session_sees_its_child_sessions() {
    let lender = Lender::with_role(Ministack::shared());
    let (outcome, said) = ran(&lender, &SCOPE, &["narrow"]);
    said.worked("child-get");
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("requests were refused") && last.contains("session report"), "{}", outcome.stderr);
    let sessions = json(&lender, &["session", "list", "--json"]);
    let sessions = sessions["sessions"].as_array().expect("sessions").clone();
    let (children, roots): (Vec<&Value>, Vec<&Value>) = sessions.iter().partition(|s| s["parent"].is_string());
    assert!(roots.len() == 1 && !children.is_empty(), "{sessions:?}");
    let root = roots[0]["id"].as_str().expect("an id");
    let watched = run(&mut lender.hallpass(&["session", "watch", root, "--json"])).succeeded();
    let rows: Vec<Value> = watched.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for (operation, of_child) in [("AssumeRole", false), ("GetObject", true), ("PutObject", true)] {
        let row = rows.iter().find(|row| row["operation"] == operation).expect(operation);
        let known = children.iter().any(|child| child["short_id"] == row["child"]);
        assert_eq!(known, of_child, "{operation}: {row}");
    }
    for command in ["show", "report"] {
        let told = json(&lender, &["session", command, root, "--json"]);
        assert_eq!(told["children"].as_array().map(Vec::len), Some(children.len()), "{command}");
        let page = run(&mut lender.hallpass(&["session", command, root])).succeeded();
        let first = children[0]["short_id"].as_str().expect("an id");
        assert!(page.lines().any(|line| line.starts_with("children") && line.contains(first)), "{command}: {page}");
    }
    let child = children[0]["id"].as_str().expect("an id");
    assert_eq!(json(&lender, &["session", "show", child, "--json"])["children"], serde_json::json!([]));
}

#[test]
fn a_child_session_that_is_killed_alone_is_refused_and_its_parent_goes_on() {
    let lender = Lender::with_role(Ministack::shared());
    let (running, said) = waiting(&lender);
    let child = said.one("given")["session"].as_str().expect("text").to_owned();
    let listed = run(&mut lender.hallpass(&["session", "list", "--live"])).succeeded();
    assert!(listed.contains("child of "), "{listed}");
    let killed = run(&mut lender.hallpass(&["session", "kill", &child])).succeeded();
    assert!(killed.contains("is revoked") && killed.contains("goes on"), "{killed}");
    go(&lender);
    assert_eq!(wait(running).code, Some(0));
    let late = Said::by(&lender);
    late.refused("late-child-get", "taken back");
    late.worked("late-own-get");
    let ended = lender.events("session_ended");
    let ended: Vec<&str> = ended.iter().filter_map(|event| event["status"].as_str()).collect();
    assert_eq!(ended, ["revoked", "completed"]);
}

#[test]
fn a_child_session_ends_with_its_parents_time() {
    let lender = Lender::with_role(Ministack::shared());
    let (_, said) = ran(&lender, &["--ttl", "1m", SCOPE[0], SCOPE[1]], &[]);
    let left = said.one("given")["left"].as_f64().expect("seconds");
    assert!(left <= 60.0, "the child session has {left} s left, its parent 60");
}

#[test]
fn child_sessions_nest_only_so_deep_and_each_is_a_subset() {
    let lender = Lender::with_role(Ministack::shared());
    let (_, said) = ran(&lender, &SCOPE, &["nest"]);
    let deepest = hallpass_core::limits::CHILD_SESSION_DEPTH_MAX;
    assert_eq!(said.all("given").len(), deepest, "{said:?}");
    said.refused(&format!("depth-{deepest}"), "nest");
    assert!(said.all("nested-get").iter().all(|line| line["code"] == ""), "{said:?}");
}

#[test]
fn where_sts_does_not_know_get_scoped_credentials_the_gate_alone_narrows_and_the_banner_says_so() {
    let cloud = Ministack::shared();
    let lender = Lender::without_role(cloud);
    let mut asking = cloud.client_as(&cloud.owner, "aws");
    let given = run(asking.args(["sts", "get-session-token", "--output", "json"])).succeeded();
    let given: Value = serde_json::from_str(&given).expect("json");
    let text = |name: &str| given["Credentials"][name].as_str().expect("text").to_owned();
    let mut command =
        lender.lending(&["--allow", "s3:GetObject"], &["aws", "s3", "cp", "s3://lent/reports/a.txt", "-"]);
    command.env("AWS_ACCESS_KEY_ID", text("AccessKeyId")).env("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey"));
    let outcome = run(command.env("AWS_SESSION_TOKEN", text("SessionToken")));
    assert_eq!(outcome.stdout, "alpha\n", "{}", outcome.shown());
    let said = "the cloud does not narrow your own identity: sts:GetScopedCredentials";
    assert!(outcome.stderr.contains(said) && outcome.stderr.contains("the gate alone"), "{}", outcome.shown());
}
