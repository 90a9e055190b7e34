//! A caller behind a company's proxy: everything that `hallpass` sends to AWS itself goes through it, with its password,
//! and nothing goes around it.

use hallpass_testkit::connect_proxy::ConnectProxy;
use tokio::runtime::Runtime;

use crate::run::world::{Done, KEY, SECRET, World, finish};

/// `corp:p@ss` in base 64.
const BASIC: &str = "Basic Y29ycDpwQHNz";
const ROLE: &str = "arn:aws:iam::111122223333:role/agent";
const GET: &str = "curl -s --aws-sigv4 aws:amz:us-east-1:s3 --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY \
                   -H x-amz-security-token:$AWS_SESSION_TOKEN -H x-amz-content-sha256:UNSIGNED-PAYLOAD \
                   $AWS_ENDPOINT_URL/lent/key";

/// A proxy whose tunnels lead to nobody: who asks it for what is all that is looked at.
fn proxy(runtime: &Runtime) -> ConnectProxy {
    let nowhere = "127.0.0.1:1".parse().expect("an address");
    runtime.block_on(ConnectProxy::start(nowhere, Some(BASIC))).expect("a proxy")
}

/// `hallpass run` against AWS itself, with `HTTPS_PROXY` and more.
fn lend(proxy: &ConnectProxy, password: &str, flags: &[&str], more: &[(&str, &str)]) -> Done {
    let world = World::new();
    let mut command = world.lend(flags, &["sh", "-c", GET]);
    command.env_remove("AWS_ENDPOINT_URL").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("HTTPS_PROXY", format!("http://corp:{password}@{}", proxy.address()));
    command.envs(more.iter().copied());
    finish(command)
}

#[test]
fn the_gates_requests_and_the_sign_in_go_through_the_callers_proxy_with_its_password() {
    let runtime = Runtime::new().expect("a runtime");
    let gate = proxy(&runtime);
    let done = lend(&gate, "p%40ss", &[], &[]);
    let text = done.stdout_text();
    assert!(text.contains("is not to be reached"), "{text} {}", done.stderr);
    let sign_in = proxy(&runtime);
    let refused = lend(&sign_in, "p%40ss", &["--role", ROLE], &[]);
    assert_eq!(refused.code, Some(125), "{}", refused.stderr);
    for (proxy, host) in [(&gate, "s3.us-east-1.amazonaws.com:443"), (&sign_in, "sts.us-east-1.amazonaws.com:443")] {
        let asked = proxy.asked();
        assert!(!asked.is_empty(), "{host}");
        for head in asked {
            let lines = head.to_ascii_lowercase();
            assert!(lines.starts_with(&format!("connect {host} http/1.1\r\n")), "{head}");
            assert!(lines.contains(&format!("\r\nproxy-authorization: {}\r\n", BASIC.to_ascii_lowercase())), "{head}");
            assert!(!head.contains(KEY) && !head.contains("lent"), "{head}");
        }
    }
    for said in [text, done.stderr, refused.stdout_text(), refused.stderr] {
        assert!(!said.contains("p%40ss") && !said.contains("p@ss") && !said.contains(SECRET), "{said}");
    }
}

#[test]
fn a_proxy_that_refuses_or_cannot_be_gone_through_is_not_gone_around() {
    let runtime = Runtime::new().expect("a runtime");
    let closed = proxy(&runtime);
    let done = lend(&closed, "wrong", &[], &[]);
    assert!(done.stdout_text().contains("answered 407"), "{} {}", done.stdout_text(), done.stderr);
    let refused = lend(&closed, "wrong", &["--role", ROLE], &[]);
    assert!(refused.code == Some(125) && refused.stderr.contains("proxy"), "{}", refused.stderr);
    let asked = closed.asked().len();
    let socks = lend(&closed, "x", &["--role", ROLE], &[("HTTPS_PROXY", "socks5://corp:hunter2@127.0.0.1:1")]);
    assert!(socks.code == Some(125) && !socks.stderr.contains("hunter2"), "{}", socks.stderr);
    assert_eq!(closed.asked().len(), asked);
}
