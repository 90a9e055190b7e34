//! The unmodified `aws` command line under `hallpass run`.

use hallpass_testkit::canary::{Canaries, Leak};
use hallpass_testkit::clients::run;
use hallpass_testkit::servers::Ministack;
use hallpass_testkit::servers::ministack::{BUCKET, OTHER_BUCKET};

use crate::aws::Lender;

/// What the README's first example lends.
pub(crate) const READ: [&str; 6] = [
    "--allow",
    "s3:ListBucket,s3:GetObject",
    "--resource",
    "arn:aws:s3:::lent",
    "--resource",
    "arn:aws:s3:::lent/reports/*",
];

#[test]
fn what_was_lent_works() {
    let lender = Lender::with_role(Ministack::shared());
    let listed = lender.run(&READ, &["aws", "s3", "ls", &format!("s3://{BUCKET}/reports/")]).succeeded();
    assert!(listed.contains("a.txt"), "{listed}");
    let fetched = lender.run(&READ, &["aws", "s3", "cp", &format!("s3://{BUCKET}/reports/a.txt"), "-"]).succeeded();
    assert_eq!(fetched, "alpha\n", "stdout belongs to the command");
    assert_eq!(lender.count("request_allowed", "GetObject"), 1);
}

#[test]
fn removing_an_object_is_refused_with_the_reason_and_asked_only_once() {
    let lender = Lender::with_role(Ministack::shared());
    let target = format!("s3://{BUCKET}/reports/a.txt");
    let outcome = lender.run(&READ, &["aws", "s3", "rm", &target]);
    assert_eq!(outcome.status.code(), Some(1), "the child's own status: {}", outcome.shown());
    let said = outcome.failed();
    assert!(said.contains("AccessDenied") && said.contains("operation: hallpass: "), "{said}");
    assert!(said.contains("s3:DeleteObject"), "the missing action is named: {said}");
    assert_eq!(lender.count("request_denied", "DeleteObject"), 1, "no SDK retries a denial");
    assert_eq!(lender.count("request_allowed", "DeleteObject"), 0);
    let cloud = Ministack::shared();
    let still = run(cloud.client_as(&cloud.owner, "aws").args(["s3", "ls", &target])).succeeded();
    assert!(still.contains("a.txt"));
}

#[test]
fn creating_a_user_is_refused_in_the_query_protocols_shape() {
    let lender = Lender::with_role(Ministack::shared());
    let said = lender.run(&READ, &["aws", "iam", "create-user", "--user-name", "mallory"]).failed();
    assert!(said.contains("(AccessDenied)") && said.contains("iam:CreateUser"), "{said}");
    assert_eq!(lender.count("request_denied", "CreateUser"), 1);
    let cloud = Ministack::shared();
    let users = run(cloud.client_as(&cloud.owner, "aws").args(["iam", "list-users"])).succeeded();
    assert!(!users.contains("mallory"));
}

#[test]
fn describing_instances_is_refused_in_ec2s_shape() {
    let lender = Lender::with_role(Ministack::shared());
    let said = lender.run(&READ, &["aws", "ec2", "describe-instances"]).failed();
    assert!(said.contains("(UnauthorizedOperation)") && said.contains("operation: hallpass: "), "{said}");
    assert_eq!(lender.count("request_denied", "DescribeInstances"), 1);
}

#[test]
fn another_bucket_and_another_prefix_are_refused() {
    let lender = Lender::with_role(Ministack::shared());
    for target in [format!("s3://{OTHER_BUCKET}/reports/a.txt"), format!("s3://{BUCKET}/private/b.txt")] {
        let said = lender.run(&READ, &["aws", "s3", "cp", &target, "-"]).failed();
        // `cp` begins with a HEAD, whose answer has no body: only the status can say why.
        assert!(said.contains("403") || said.contains("AccessDenied"), "{said}");
    }
    assert_eq!(lender.events("request_allowed").len(), 0);
}

#[test]
fn the_gate_alone_narrows_when_there_is_no_role() {
    let lender = Lender::without_role(Ministack::shared());
    let outcome = lender.run(&READ, &["aws", "s3", "cp", &format!("s3://{BUCKET}/reports/a.txt"), "-"]);
    assert_eq!(outcome.stdout, "alpha\n", "{}", outcome.shown());
    let put = ["aws", "s3api", "put-object", "--bucket", BUCKET, "--key", "reports/new"];
    let said = lender.run(&READ, &put).failed();
    assert!(said.contains("AccessDenied") && said.contains("s3:PutObject"), "{said}");
}

#[test]
fn a_denied_action_is_denied_though_a_wider_allow_covers_it() {
    let lender = Lender::with_role(Ministack::shared());
    let flags = ["--allow", "s3:*,iam:*", "--deny", "iam:CreateUser"];
    lender.run(&flags, &["aws", "iam", "list-users"]).succeeded();
    let said = lender.run(&flags, &["aws", "iam", "create-user", "--user-name", "mallory"]).failed();
    assert!(said.contains("AccessDenied"), "{said}");
    let denied = lender.events("request_denied");
    assert_eq!(denied[0]["denial"]["code"], "explicit-deny", "{denied:?}");
}

#[test]
fn the_cloud_enforces_the_same_scope_when_the_credential_leaves_the_gate() {
    let lender = Lender::with_role(Ministack::shared());
    let flags: Vec<&str> = READ.into_iter().chain(["--delivery", "env"]).collect();
    let fetched = lender.run(&flags, &["aws", "s3", "cp", &format!("s3://{BUCKET}/reports/a.txt"), "-"]).succeeded();
    assert_eq!(fetched, "alpha\n");
    let said = lender.run(&flags, &["aws", "s3", "rm", &format!("s3://{BUCKET}/reports/a.txt")]).failed();
    assert!(
        said.contains("AccessDenied") && !said.contains("operation: hallpass: "),
        "the cloud itself refuses: {said}"
    );
    let said = lender.run(&flags, &["aws", "s3", "cp", &format!("s3://{OTHER_BUCKET}/reports/a.txt"), "-"]).failed();
    assert!(said.contains("403") || said.contains("AccessDenied"), "{said}");
    assert_eq!(lender.events("request_allowed").len(), 0, "nothing passed the gate");
}

#[test]
fn the_real_credential_is_not_handed_out_where_the_cloud_cannot_narrow_it() {
    let lender = Lender::without_role(Ministack::shared());
    let flags: Vec<&str> = READ.into_iter().chain(["--delivery", "env"]).collect();
    let outcome = lender.run(&flags, &["env"]);
    assert_eq!(outcome.status.code(), Some(77), "denied: {}", outcome.shown());
    assert!(!outcome.stdout.contains("AWS_"), "the child did not start: {}", outcome.shown());
}

#[test]
fn a_session_policy_that_sts_would_refuse_for_its_size_is_refused_by_us_with_a_hint() {
    let lender = Lender::with_role(Ministack::shared());
    let resources: Vec<String> =
        (0..60).map(|n| format!("arn:aws:s3:::bucket-with-a-long-name-{n:03}/prefix/*")).collect();
    let mut flags = vec!["--allow", "s3:GetObject"];
    for resource in &resources {
        flags.extend(["--resource", resource]);
    }
    let outcome = lender.run(&flags, &["true"]);
    assert_eq!(outcome.status.code(), Some(125), "{}", outcome.shown());
    assert!(outcome.stderr.contains("2048") || outcome.stderr.contains("2,048"), "{}", outcome.stderr);
}

#[test]
fn nothing_that_the_child_or_the_disk_holds_is_a_real_credential() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    // The child sees its own environment, that of its parents, and every file that it was given.
    let look = "env; cat /proc/self/environ /proc/$PPID/environ /proc/$PPID/cmdline; \
                aws configure list; aws configure export-credentials; \
                cat \"$AWS_CONFIG_FILE\" \"$AWS_SHARED_CREDENTIALS_FILE\"; true";
    let outcome = lender.run(&READ, &["sh", "-c", look]);
    assert!(outcome.stdout.contains("AWS_ACCESS_KEY_ID="), "{}", outcome.shown());
    let issued = lender.events("credentials_issued");
    let real_key = issued[0]["access_key_id"].as_str().expect("the log names the real key");
    let canaries = Canaries::default().and("base secret", &cloud.lender.secret).and("base key", &cloud.lender.key);
    let canaries = canaries.and("key of the role session", real_key);
    let mut leaks = canaries.in_bytes("stdout of the child", outcome.stdout.as_bytes());
    leaks.extend(canaries.in_bytes("stderr", outcome.stderr.as_bytes()));
    leaks.extend(state_leaks(&lender));
    assert_eq!(leaks, []);
}

#[test]
fn every_delivery_works_and_none_hands_out_the_base_credential() {
    let cloud = Ministack::shared();
    let canaries = Canaries::default().and("base secret", &cloud.lender.secret).and("base key", &cloud.lender.key);
    for delivery in ["proxy", "env", "file", "credential-endpoint"] {
        let lender = Lender::with_role(cloud);
        let flags: Vec<&str> = READ.into_iter().chain(["--delivery", delivery]).collect();
        let script = format!(
            "aws s3 cp s3://{BUCKET}/reports/a.txt -; env; cat /proc/$PPID/environ; aws configure export-credentials"
        );
        let outcome = lender.run(&flags, &["sh", "-c", &script]);
        assert!(outcome.stdout.starts_with("alpha\n"), "{delivery}: {}", outcome.shown());
        let mut leaks = canaries.in_bytes(delivery, outcome.stdout.as_bytes());
        leaks.extend(canaries.in_bytes(delivery, outcome.stderr.as_bytes()));
        leaks.extend(state_leaks(&lender));
        assert_eq!(leaks, []);
    }
}

/// Real secrets in the state folder. The base *key id* may stand there: it is an identifier, and the log names it.
fn state_leaks(lender: &Lender) -> Vec<Leak> {
    let canaries = Canaries::default().and("base secret", &Ministack::shared().lender.secret);
    canaries.in_folder(&lender.state()).expect("our own state can be read")
}
