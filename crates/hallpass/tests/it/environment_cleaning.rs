//! No identity of the caller's is in the child's environment or in that of any process of the session, whatever the
//! delivery.

use std::process::Stdio;

use crate::run::world::{World, finish, until, wait};
use hallpass_testkit::servers::standin::{LENT_KEY, LENT_SECRET, LENT_TOKEN};

/// Every variable of the reference list; those that steer the test itself are left out.
const PLANTED: &[&str] = &[
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_SSO_ACCOUNT",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_VAULT",
    "S3_SECRET_ACCESS_KEY",
    "MC_HOST_prod",
    "MINIO_ROOT_PASSWORD",
    "RCLONE_CONFIG_PROD_SECRET_ACCESS_KEY",
    "B2_APPLICATION_KEY",
    "BOTO_PATH",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "GOOGLE_CREDENTIALS",
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
    "CLOUDSDK_CONFIG",
    "GCE_METADATA_HOST",
    "AZURE_CLIENT_SECRET",
    "AZURE_CONFIG_DIR",
    "ARM_CLIENT_SECRET",
    "MSI_SECRET",
    "IDENTITY_HEADER",
    "VAULT_TOKEN",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "CI_JOB_JWT_V2",
    "HALLPASS_CANARY",
];

const ROLE: &str = "arn:aws:iam::111122223333:role/agent";

/// Prints the environment of the child and of every process that it can read, as a child would look for it.
const LOOK: &str = "env; for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ 2>/dev/null; tr '\\0' ' ' < $p/cmdline \
                    2>/dev/null; done; echo looked";

fn canary(delivery: &str) -> String {
    format!("canary-{delivery}-{}", std::process::id())
}

fn planted(world: &World, delivery: &str, flags: &[&str]) -> std::process::Command {
    let canary = canary(delivery);
    let mut command = world.lend(&[&["--delivery", delivery], flags].concat(), &["sh", "-c", LOOK]);
    for name in PLANTED {
        command.env(name, format!("{canary}-{name}"));
    }
    command.env("AWS_ACCESS_KEY_ID", "AKIACANARY0000000099").env("AWS_SECRET_ACCESS_KEY", format!("{canary}-secret"));
    command.env("AWS_SESSION_TOKEN", format!("{canary}-token"));
    command
}

#[test]
fn no_delivery_shows_an_identity_of_the_callers_to_any_process_of_the_session() {
    // The second time our own environment cannot be overwritten, and the program starts anew without it.
    let ways = [None, Some("scrub::in-place=return")];
    for (delivery, fail) in
        ["proxy", "env", "file", "credential-endpoint"].into_iter().flat_map(|d| ways.map(|w| (d, w)))
    {
        let world = World::new();
        let mut command = planted(&world, delivery, &["--role", ROLE]);
        command.envs(fail.map(|fail| ("HALLPASS_FAIL", fail)));
        let done = finish(command);
        let seen = done.stdout_text();
        assert_eq!(done.code, Some(0), "{delivery}: {}", done.stderr);
        assert!(seen.ends_with("looked\n") && seen.contains("HALLPASS_SESSION_ID="), "{delivery}: {seen}");
        let leaks: Vec<&str> = seen.lines().filter(|line| line.contains(&canary(delivery))).collect();
        assert!(leaks.is_empty(), "{delivery} leaks {leaks:#?}");
        assert!(!seen.contains("AKIACANARY0000000099"), "{delivery} shows the base key");
        let real = [LENT_KEY, LENT_SECRET, LENT_TOKEN].iter().filter(|value| seen.contains(**value)).count();
        assert_eq!(real, if delivery == "env" { 3 } else { 0 }, "{delivery}: the lent credential in an environment");
    }
}

#[test]
fn the_check_sees_a_secret_that_is_left_in_an_environment() {
    // The same look, on a process that does keep its secret: if this found nothing, the test above would prove nothing.
    let world = World::new();
    let mut keeping = std::process::Command::new("sleep");
    let mut keeping = keeping.arg("60").env("AWS_SECRET_ACCESS_KEY", canary("control")).spawn().expect("starts");
    let done = finish(world.lend(&[], &["sh", "-c", LOOK]));
    keeping.kill().expect("ours");
    keeping.wait().expect("reaped");
    assert!(done.stdout_text().contains(&canary("control")));
}

#[test]
fn tools_find_empty_places_instead_of_planted_profiles() {
    let world = World::new();
    let aws = world.path("home/.aws");
    std::fs::create_dir(&aws).expect("folder");
    std::fs::write(aws.join("credentials"), "[default]\naws_access_key_id=AKIAPLANTED000000001\n").expect("file");
    std::fs::write(aws.join("config"), "[profile x]\ncredential_process=cat /etc/passwd\n").expect("file");
    let script = "for v in AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE KUBECONFIG GOOGLE_APPLICATION_CREDENTIALS \
                  BOTO_CONFIG RCLONE_CONFIG S3CMD_CONFIG; do eval f=\\$$v; test -f \"$f\" || echo missing $v; test -s \
                  \"$f\" && echo full $v; test \"$(stat -c %a \"$f\")\" = 600 || echo open $v; done; for v in \
                  CLOUDSDK_CONFIG AZURE_CONFIG_DIR MC_CONFIG_DIR; do eval d=\\$$v; test -d \"$d\" || echo missing $v; \
                  test -z \"$(ls -A \"$d\")\" || echo full $v; done; echo $AWS_EC2_METADATA_DISABLED; cat \
                  $AWS_CONFIG_FILE";
    let mut command = world.hallpass(&["run", "--allow", "s3:GetObject", "--", "sh", "-c", script]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = wait(command.spawn().expect("starts"));
    // The one setting is for SDKs that would sign URLs in a way that nobody can narrow.
    let config = "[default]\ns3 =\n    signature_version = s3v4\n";
    assert_eq!(done.stdout_text(), format!("full AWS_CONFIG_FILE\ntrue\n{config}"), "{}", done.stderr);
    assert!(done.stderr.contains("readable: ~/.aws/credentials"), "{}", done.stderr);
    assert!(!done.stderr.contains("resolves:"), "{}", done.stderr);
}

#[test]
fn strict_refuses_while_another_identity_is_within_reach() {
    let world = World::new();
    std::fs::create_dir(world.path("home/.kube")).expect("folder");
    std::fs::write(world.path("home/.kube/config"), "clusters: []").expect("file");
    let refused = finish(world.lend(&["--strict"], &["touch", "ran"]));
    assert_eq!(refused.code, Some(125), "{}", refused.stderr);
    assert!(refused.stderr.contains("~/.kube/config") && refused.stderr.contains("move"), "{}", refused.stderr);
    assert!(!world.path("work/ran").exists());
    assert_eq!(world.only_status(), "failed");
}

#[test]
fn a_file_delivery_is_private_and_gone_with_the_session() {
    let world = World::new();
    let script = "cat \"$AWS_SHARED_CREDENTIALS_FILE\"; stat -c %a \"$AWS_SHARED_CREDENTIALS_FILE\"; echo $AWS_PROFILE; \
                  echo \"$AWS_SHARED_CREDENTIALS_FILE\" > where";
    let done = finish(world.lend(&["--delivery", "file", "--role", ROLE], &["sh", "-c", script]));
    let text = done.stdout_text();
    assert!(text.contains(LENT_SECRET) && text.ends_with("600\nhallpass\n"), "{text}{}", done.stderr);
    let file = std::fs::read_to_string(world.path("work/where")).expect("written");
    assert!(!std::path::Path::new(file.trim()).exists());
}

#[test]
fn the_credential_endpoint_answers_its_child_and_nobody_without_the_token() {
    let world = World::new();
    let script = "curl -s -H \"Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN\" $AWS_CONTAINER_CREDENTIALS_FULL_URI; \
                  echo; curl -s -o /dev/null -w '%{http_code}\\n' $AWS_CONTAINER_CREDENTIALS_FULL_URI; echo \
                  $AWS_ACCESS_KEY_ID-";
    let done = finish(world.lend(&["--delivery", "credential-endpoint", "--role", ROLE], &["sh", "-c", script]));
    let text = done.stdout_text();
    let lines: Vec<&str> = text.lines().collect();
    let body: serde_json::Value = serde_json::from_str(lines[0]).expect("json");
    assert_eq!(body["SecretAccessKey"], LENT_SECRET);
    assert_eq!(lines[1..], ["401", "-"], "{text}");
}

/// What a page, a confused server or another process of the machine could send to the endpoint of a session.
#[test]
fn no_request_but_the_exact_one_gets_the_credential_out_of_a_session() {
    let world = World::new();
    let script = r#"
        u=$AWS_CONTAINER_CREDENTIALS_FULL_URI; t=$AWS_CONTAINER_AUTHORIZATION_TOKEN; base=${u%/credentials}
        other=$(printf %s "$t" | tr 'A-Ya-y0-8' 'B-Zb-z1-9')
        ask() { curl -s -m 10 -w '\n%{http_code}\n' "$@"; }
        ask "$u"
        for wrong in "$other" "${t}x" "${t%?}" "Bearer $t" "" " " "*"; do ask -H "Authorization: $wrong" "$u"; done
        ask -H "Authorization: $t" -H "Authorization: $t" "$u"
        for path in / /credentials/ /credentials/x /Credentials //credentials /credentials%2f /x/../credentials \
            '/credentials?a=b' /latest/meta-data/iam/security-credentials/ /v2/credentials/x /role/x; do
            ask --path-as-is -H "Authorization: $t" "$base$path"
        done
        for method in POST PUT HEAD OPTIONS TRACE; do
            ask -m 2 -X $method -H "Authorization: $t" "$u"
        done
        for host in 169.254.170.2 localhost evil.example; do ask -H "Host: $host" -H "Authorization: $t" "$u"; done
        for page in 'Origin: http://evil.example' 'Sec-Fetch-Site: cross-site'; do
            ask -H "$page" -H "Authorization: $t" "$u"
        done
        ask -x "$base" -H "Authorization: $t" http://169.254.170.2/credentials
        echo ---; ask -H "Authorization: $t" "$u"
    "#;
    let flags = ["--delivery", "credential-endpoint", "--role", ROLE];
    let text = finish(world.lend(&flags, &["sh", "-c", script])).stdout_text();
    let (refused, right) = text.split_once("---\n").expect("both parts");
    assert!(!refused.contains(LENT_SECRET) && !refused.contains(LENT_KEY), "{refused}");
    let codes: Vec<&str> = refused.lines().filter(|line| line.len() == 3).collect();
    assert!(codes.len() >= 30 && codes.iter().all(|code| code.starts_with('4') || *code == "000"), "{codes:?}");
    assert!(right.contains(LENT_SECRET) && right.trim_end().ends_with("200"), "{right}");
}

#[test]
fn credential_process_prints_json_only_and_asks_the_cloud_once() {
    let world = World::new();
    let ask = |allow: &str| {
        let done = finish(world.hallpass(&["credential-process", "--role", ROLE, "--allow", allow]));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_slice::<serde_json::Value>(&done.stdout).expect("json and nothing else")
    };
    let first = ask("s3:GetObject");
    assert_eq!((&first["Version"], &first["AccessKeyId"]), (&serde_json::json!(1), &serde_json::json!(LENT_KEY)));
    let asked = world.upstream.requests();
    assert!(asked > 0);
    assert_eq!(ask("s3:GetObject"), first);
    assert_eq!(world.upstream.requests(), asked, "the same question went to the cloud again");
    ask("s3:PutObject");
    assert!(world.upstream.requests() > asked, "another scope was answered with the old session");
    let refused = finish(world.hallpass(&["credential-process", "--allow", "s3:GetObject"]));
    assert_eq!(refused.code, Some(77), "{}", refused.stderr);
    assert!(refused.stdout.is_empty());
}

#[test]
fn a_short_life_is_not_answered_with_a_longer_one() {
    let world = World::new();
    let ask = |ttl: &str| {
        let allow = ["--allow", "s3:GetObject", "--ttl", ttl];
        let done = finish(world.hallpass(&[["credential-process", "--role", ROLE].as_slice(), &allow].concat()));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        world.upstream.requests()
    };
    let long = ask("1h");
    let short = ask("15m");
    assert!(short > long, "a session of an hour was handed out to who asked for 15 minutes");
    assert_eq!(ask("1h"), short, "a shorter life serves who asked for a longer one until it is about to end");
}

#[test]
fn a_revoked_session_is_not_handed_out_again() {
    let world = World::new();
    let ask = || finish(world.hallpass(&["credential-process", "--role", ROLE, "--allow", "s3:GetObject"]));
    assert_eq!(ask().code, Some(0));
    let asked = world.upstream.requests();
    let listed = finish(world.hallpass(&["session", "list", "--live", "--json"])).stdout_text();
    assert!(listed.contains("\"active\""), "its credential lives, and so does the session: {listed}");
    assert_eq!((ask().code, world.upstream.requests()), (Some(0), asked), "a look at the sessions ended it");
    assert_eq!(finish(world.hallpass(&["audit", "verify"])).code, Some(0));
    let id = listed.split("\"id\":").nth(1).and_then(|rest| rest.split('"').nth(1)).expect("an id").to_owned();
    assert_eq!(finish(world.hallpass(&["session", "kill", &id])).code, Some(0));
    assert_eq!(ask().code, Some(0));
    until("the cloud was asked again", || (world.upstream.requests() > asked).then_some(()));
}
