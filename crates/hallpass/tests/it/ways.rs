//! Unmodified clients under `hallpass run --via …`: through the proxy they keep AWS's own host names.

use hallpass_testkit::clients::{Outcome, bare, python, run};
use hallpass_testkit::servers::Ministack;
use hallpass_testkit::servers::ministack::{BUCKET, OTHER_BUCKET};

use crate::aws::Lender;
use crate::aws_cli::READ;
use crate::sdk::{Script, calls};
use crate::sdk_boto3::SCOPE;

/// `READ` by one way.
fn by(way: &str) -> Vec<&str> {
    READ.into_iter().chain(["--via", way]).collect()
}

fn shell(lender: &Lender, way: &str, script: &str) -> Outcome {
    lender.run(&by(way), &["sh", "-c", script])
}

#[test]
fn the_aws_command_line_works_by_every_way() {
    for way in ["proxy", "endpoint", "both"] {
        let lender = Lender::with_role(Ministack::shared());
        let object = format!("s3://{BUCKET}/reports/a.txt");
        let fetched = lender.run(&by(way), &["aws", "s3", "cp", &object, "-"]).succeeded();
        assert_eq!(fetched, "alpha\n", "{way}");
        let said = lender.run(&by(way), &["aws", "s3", "rm", &object]).failed();
        assert!(said.contains("AccessDenied") && said.contains("s3:DeleteObject"), "{way}: {said}");
        let said = lender.run(&by(way), &["aws", "iam", "create-user", "--user-name", "mallory"]).failed();
        assert!(said.contains("(AccessDenied)") && said.contains("iam:CreateUser"), "{way}: {said}");
        let said = lender.run(&by(way), &["aws", "ec2", "describe-instances"]).failed();
        assert!(said.contains("(UnauthorizedOperation)"), "{way}: {said}");
        assert_eq!(lender.count("request_denied", "DeleteObject"), 1, "{way}: no SDK retries a denial");
    }
}

#[test]
fn boto3_sees_the_same_through_the_proxy_as_at_the_endpoint() {
    let lender = Lender::with_role(Ministack::shared());
    let flags: Vec<&str> = SCOPE.into_iter().chain(["--via", "proxy"]).collect();
    let calls = calls(&lender, &flags, &Script::Boto3(include_str!("sdk_boto3.py")));
    let worked = ["put and get", "upload a stream", "odd keys", "get an item", "list queues", "who am I"];
    for name in worked.into_iter().chain(["list users", "describe instances"]) {
        calls[name].worked();
    }
    calls["delete an object"].refused("AccessDenied");
    calls["get outside the prefix"].refused("AccessDenied");
    calls["put an item"].refused("AccessDeniedException");
    calls["create a user"].refused("AccessDenied");
    calls["run instances"].refused("UnauthorizedOperation");
}

#[test]
fn curl_reaches_real_host_names_and_no_other() {
    let lender = Lender::with_role(Ministack::shared());
    let sign = "-s --aws-sigv4 aws:amz:us-east-1:s3 --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" \
                -H \"x-amz-security-token: $AWS_SESSION_TOKEN\" \
                -H \"x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";
    let get =
        |host: &str, path: &str| shell(&lender, "proxy", &format!("curl {sign} https://{host}/{path}")).succeeded();
    assert_eq!(get("s3.us-east-1.amazonaws.com", "lent/reports/a.txt"), "alpha\n");
    assert_eq!(get("lent.s3.us-east-1.amazonaws.com", "reports/a.txt"), "alpha\n");
    let refused = get(&format!("{OTHER_BUCKET}.s3.us-east-1.amazonaws.com"), "reports/a.txt");
    assert!(refused.contains("AccessDenied"), "{refused}");
    let refused = get("s3.eu-west-1.amazonaws.com", "lent/reports/a.txt");
    assert!(refused.contains("the host is of `s3` in `eu-west-1`"), "{refused}");
    let elsewhere = shell(&lender, "proxy", "curl -sS https://example.com/ 2>&1").failed();
    assert!(elsewhere.contains("403"), "{elsewhere}");
    let stranger =
        shell(&lender, "proxy", "curl -sS -x http://hallpass:x@${HTTPS_PROXY##*@} https://s3.amazonaws.com 2>&1");
    assert!(stranger.failed().contains("407"));
}

#[test]
fn the_key_of_the_sessions_authority_is_in_no_file_and_in_no_variable() {
    let lender = Lender::with_role(Ministack::shared());
    let look = "env; cat \"$AWS_CA_BUNDLE\"; cat $(find \"$(dirname \"$AWS_CA_BUNDLE\")\" -type f)";
    let printed = shell(&lender, "both", look).succeeded();
    assert!(printed.contains("BEGIN CERTIFICATE") && !printed.contains("PRIVATE KEY"), "the key has left");
    let bundle = printed.lines().find_map(|line| line.strip_prefix("AWS_CA_BUNDLE=")).expect("named");
    assert!(!std::path::Path::new(bundle).exists(), "the certificate outlives its session");
}

#[test]
fn a_session_by_one_way_has_no_trace_of_the_other() {
    let lender = Lender::with_role(Ministack::shared());
    let proxied = shell(&lender, "proxy", "env").succeeded();
    assert!(proxied.contains("HTTPS_PROXY=http://hallpass:") && !proxied.contains("ENDPOINT_URL="), "{proxied}");
    let pointed = shell(&lender, "endpoint", "env").succeeded();
    assert!(pointed.contains("AWS_ENDPOINT_URL=http://127.0.0.1:") && !pointed.contains("_PROXY=http"), "{pointed}");
    assert!(!pointed.contains("CA_BUNDLE"), "{pointed}");
}

#[test]
fn a_no_proxy_of_the_callers_does_not_lead_past_the_gate() {
    let lender = Lender::with_role(Ministack::shared());
    let mut command = lender.lending(&by("proxy"), &["aws", "s3", "cp", &format!("s3://{BUCKET}/reports/a.txt"), "-"]);
    command.env("NO_PROXY", "*").env("no_proxy", ".amazonaws.com,s3.us-east-1.amazonaws.com");
    assert_eq!(run(&mut command).succeeded(), "alpha\n");
}

#[test]
fn services_arrive_although_nothing_can_stand_before_the_gates_address() {
    let cloud = Ministack::shared();
    let lender = Lender::without_role(cloud);
    let listing = ["aws", "s3control", "list-access-points", "--account-id", &cloud.account];
    for way in ["both", "proxy"] {
        let listed = lender.run(&["--allow", "s3:ListAccessPoints", "--via", way], &listing).succeeded();
        assert!(listed.contains("AccessPointList"), "{way}: {listed}");
    }
    for (call, action) in [
        (&listing[..], "s3:ListAccessPoints"),
        (&["aws", "location", "list-maps"], "geo:ListMaps"),
        (&["aws", "omics", "list-runs"], "omics:ListRuns"),
        (&["aws", "mwaa", "list-environments"], "airflow:ListEnvironments"),
    ] {
        let refused = lender.run(&["--allow", "s3:GetObject"], call).failed();
        assert!(refused.contains(&format!("`{action}` is not allowed")), "{call:?}: {refused}");
    }
}

#[test]
fn a_session_inside_another_borrows_by_every_way_and_finds_no_identity_to_warn_of() {
    let cloud = Ministack::shared();
    let own = env!("CARGO_BIN_EXE_hallpass");
    for outer in ["proxy", "endpoint", "both"] {
        let lender = Lender::with_role(cloud);
        // The configuration says how the cloud is reached from outside.
        let settings = format!(
            "[session]\nrole = \"{}\"\n[aws]\nprofile = \"work\"\nendpoint_url = \"http://127.0.0.1:9\"\n",
            cloud.narrow_role
        );
        let config = lender.work().join("inner.toml");
        std::fs::write(&config, settings).expect("written");
        let script = format!(
            "HALLPASS_STATE_DIR=$PWD/inner exec {own} --config {} run --allow 's3:*' -- sh -c \
             'aws s3 cp s3://{BUCKET}/reports/a.txt -; aws s3 cp s3://{OTHER_BUCKET}/reports/a.txt -'",
            config.display()
        );
        let outcome = shell(&lender, outer, &script);
        assert_eq!(outcome.stdout, "alpha\n", "{outer}: {}", outcome.shown());
        assert!(!outcome.stderr.contains("other identit"), "{outer}: {}", outcome.stderr);
        assert_eq!(lender.count("request_denied", "HeadObject"), 1, "{outer}: the outer gate did not refuse");

        let elsewhere = format!("{own} run --provider s3 --endpoint http://127.0.0.1:9 --allow s3:GetObject -- true");
        let refused = shell(&lender, outer, &elsewhere).failed();
        assert!(refused.contains("inside session") && refused.contains("leave out `--endpoint`"), "{refused}");
    }
}

#[test]
fn a_way_without_a_gate_is_refused() {
    let lender = Lender::with_role(Ministack::shared());
    let flags: Vec<&str> = by("proxy").into_iter().chain(["--delivery", "env"]).collect();
    let outcome = lender.run(&flags, &[python().as_os_str(), "-c".as_ref(), "".as_ref()]);
    assert_eq!(outcome.status.code(), Some(125), "{}", outcome.shown());
    assert!(outcome.stderr.contains("--delivery proxy"), "{}", outcome.shown());
}

#[test]
fn presign_gives_a_real_url_that_works_without_the_session_and_says_so() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let presign = concat!(env!("CARGO_BIN_EXE_hallpass"), " presign");
    let script =
        format!("{presign} s3://{BUCKET}/reports/a.txt --expires 60s; {presign} s3://{OTHER_BUCKET}/x; echo $?");
    let outcome = shell(&lender, "both", &script);
    let printed: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(printed.len(), 2, "{}", outcome.shown());
    assert_eq!(printed[1], "77", "another bucket is refused: {}", outcome.shown());
    assert!(outcome.stderr.contains("cannot be taken back before"), "{}", outcome.shown());
    let fetched = run(bare("curl").args(["-s", printed[0]]));
    assert_eq!(fetched.succeeded(), "alpha\n", "after the session has ended");
    let made = lender.events("url_presigned");
    assert_eq!((made.len(), made[0]["method"].as_str()), (1, Some("GET")), "{made:?}");
    assert_eq!(made[0]["resources"][0], format!("arn:aws:s3:::{BUCKET}/reports/a.txt"));
    assert_eq!(lender.events("request_denied").len(), 1);

    let ended = run(&mut lender.hallpass(&["session", "list", "--json"])).succeeded();
    let ended: serde_json::Value = serde_json::from_str(&ended).expect("JSON");
    let id = ended["sessions"][0]["id"].as_str().expect("an id").to_owned();
    let report = run(&mut lender.hallpass(&["session", "report", &id])).succeeded();
    assert!(report.contains("Presigned URLs\nGET arn:aws:s3:::lent/reports/a.txt works until"), "{report}");
    let killed = run(&mut lender.hallpass(&["session", "kill", &id]));
    assert!(killed.stderr.contains("1 presigned URL still works"), "{}", killed.shown());

    let learned = run(&mut lender.hallpass(&["learn", "--from", &id])).succeeded();
    assert!(learned.contains("\"s3:GetObject\"") && learned.contains("lent/reports/a.txt"), "{learned}");
}

#[test]
fn a_url_that_the_child_presigns_itself_dies_with_the_session() {
    let lender = Lender::with_role(Ministack::shared());
    let script = format!(
        "aws configure set default.s3.signature_version s3v4; url=$(aws s3 presign s3://{BUCKET}/reports/a.txt); curl -s \"$url\"; echo \"$url\""
    );
    for way in ["proxy", "endpoint"] {
        let printed = shell(&lender, way, &script).succeeded();
        let (fetched, url) = printed.split_once('\n').expect("two lines");
        assert_eq!(fetched, "alpha", "{way}: {url}");
        assert!(url.contains("ASIAHALLPASS") && url.contains("X-Amz-Signature"), "{way}: {url}");
        let mut later = bare("curl");
        let direct = url.trim().replace("https://", "http://");
        later.args(["-s", "-m", "5", "--connect-to", &format!("::{}", host_of(&Ministack::shared().url())), &direct]);
        let after = run(&mut later);
        assert!(!after.stdout.contains("alpha"), "{way}: the cloud does not know the key: {}", after.shown());
    }
}

fn host_of(url: &str) -> &str {
    url.trim_start_matches("http://")
}

#[test]
fn a_host_of_the_configuration_leads_to_another_address() {
    let cloud = Ministack::shared();
    let lender = Lender::without_role(cloud);
    let file = lender.work().join("user.toml");
    let lines = ["s3.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com", "iam.amazonaws.com"]
        .map(|host| format!("\"{host}\" = \"{}\"\n", cloud.url()));
    std::fs::write(&file, format!("[aws.upstreams]\n{}", lines.concat())).expect("written");
    for way in ["proxy", "endpoint"] {
        let mut command = lender.hallpass(&["--config", file.to_str().expect("text"), "run", "-q"]);
        command.env_remove("AWS_ENDPOINT_URL").args(["--allow", "s3:GetObject,sts:GetCallerIdentity,iam:ListUsers"]);
        let script =
            format!("aws s3 cp s3://{BUCKET}/reports/a.txt - && aws sts get-caller-identity && aws iam list-users");
        command.args(["--via", way, "--", "sh", "-c", &script]);
        let printed = run(&mut command).succeeded();
        assert!(printed.starts_with("alpha\n") && printed.contains("Arn"), "{way}: {printed}");
    }
    let sent = lender.events("request_allowed");
    let to = |name: &str| sent.iter().any(|e| e["upstream"].as_str().is_some_and(|to| to.starts_with(name)));
    assert!(to("s3.us-east-1.amazonaws.com at 127.0.0.1:") && to("iam.amazonaws.com at "), "{sent:?}");
}

/// The caller's own proxy: answers every connection with the same page, and notes what it was asked.
fn corporate_proxy() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://corp:hunter2@{}", listener.local_addr().expect("an address"));
    let (tell, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().take(4).flatten() {
            let mut head = [0; 4096];
            let read = socket.read(&mut head).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&head[..read]).into_owned());
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\npage\n");
        }
    });
    (url, asked)
}

#[test]
fn by_default_an_agent_keeps_its_own_api_and_aws_never_passes_untouched() {
    let lender = Lender::with_role(Ministack::shared());
    let (proxy, asked) = corporate_proxy();
    let script = "curl -s http://api.example.com/v1; curl -sS https://x.elb.us-east-1.amazonaws.com/ 2>&1; \
                  curl -sS http://169.254.169.254/latest/ 2>&1; curl -s -m 5 https://api.example.com/; \
                  aws s3 cp s3://lent/reports/a.txt -; env | grep -c hunter2";
    let mut command = lender.lending(&READ, &["sh", "-c", script]);
    command.env("HTTPS_PROXY", &proxy).env("HTTP_PROXY", &proxy).env("NO_PROXY", "127.0.0.1");
    let outcome = run(&mut command);
    let printed = &outcome.stdout;
    assert!(printed.starts_with("page\n") && printed.ends_with("alpha\n0\n"), "{}", outcome.shown());
    assert!(printed.contains("never passed through") || printed.contains("403"), "{}", outcome.shown());
    let asked: Vec<String> = asked.try_iter().collect();
    assert!(asked[0].starts_with("GET http://api.example.com/v1 HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[1].starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"), "{asked:?}");
    assert_eq!(asked.len(), 2, "neither AWS nor a metadata service: {asked:?}");
    let opened = lender.events("tunnel_opened");
    let hosts: Vec<_> = opened.iter().map(|e| (e["host"].as_str(), e["port"].as_u64())).collect();
    assert_eq!(hosts, [(Some("api.example.com"), Some(80)), (Some("api.example.com"), Some(443))]);
    assert_eq!(lender.events("tunnel_closed").len(), 2);
}

#[test]
fn without_passthrough_the_proxy_reaches_aws_alone() {
    let lender = Lender::with_role(Ministack::shared());
    let (proxy, asked) = corporate_proxy();
    for flags in [&["--passthrough", "none"][..], &["--via", "proxy"]] {
        let flags: Vec<&str> = READ.into_iter().chain(flags.iter().copied()).collect();
        let mut command = lender.lending(&flags, &["sh", "-c", "curl -s http://api.example.com/"]);
        command.env("HTTP_PROXY", &proxy).env("NO_PROXY", "127.0.0.1");
        let outcome = run(&mut command);
        assert!(outcome.stdout.contains("--passthrough HOST"), "the way out is named: {}", outcome.shown());
    }
    assert_eq!(asked.try_iter().count(), 0);
    assert!(lender.events("tunnel_opened").is_empty());
}

#[test]
fn a_proxy_of_the_callers_that_cannot_be_gone_through_keeps_ours_out_of_the_way() {
    let lender = Lender::with_role(Ministack::shared());
    let started = |flags: &[&str]| {
        let flags: Vec<&str> = READ.into_iter().chain(flags.iter().copied()).collect();
        let mut command = lender.lending(&flags, &["sh", "-c", "env"]);
        command.env("ALL_PROXY", "socks5://corp:hunter2@127.0.0.1:1").env("NO_PROXY", "127.0.0.1");
        run(&mut command)
    };
    let outcome = started(&[]);
    let left = outcome.stdout.contains("ALL_PROXY=socks5:") && !outcome.stdout.contains("HTTPS_PROXY=");
    assert!(left && outcome.stderr.contains("will not reach the gate"), "{}", outcome.shown());
    let refused = started(&["--via", "both"]);
    assert_eq!(refused.status.code(), Some(125), "{}", refused.shown());
    assert!(refused.stderr.contains("--via endpoint") && !refused.stderr.contains("hunter2"), "{}", refused.shown());
    let strict = started(&["--via", "both", "--passthrough", "none"]);
    assert!(strict.stdout.contains("HTTPS_PROXY=http://hallpass:") && !strict.stdout.contains("ALL_PROXY"));
}
