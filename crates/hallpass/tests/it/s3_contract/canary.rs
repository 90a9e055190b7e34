//! Secrets with a known value, looked for wherever the S3 commands write: nothing but the user's file may hold one.

use hallpass_testkit::canary::Canaries;
use hallpass_testkit::servers::scripted::{Reply, Scripted};

use super::expired::{CASES, OFFLINE, arguments, world};
use super::tree::leaves;
use crate::alias::{config, with};

/// As `expired::world` writes them.
const SECRET: &str = super::expired::SECRET;
const TOKEN: &str = super::expired::TOKEN;

fn canaries() -> Canaries {
    Canaries::default().and("secret key", SECRET).and("session token", TOKEN)
}

/// A store that says back whatever it was told, secrets included, under a code for which only its own words can be shown.
fn echo() -> Scripted {
    Scripted::start(|heard| {
        let token = heard.header("x-amz-security-token");
        let body = format!(
            "<Error><Code>Strange</Code><Message>{SECRET} {token} {}</Message><Token-0>{token}</Token-0></Error>",
            heard.header("authorization")
        );
        Reply::new(418, body).header("x-amz-request-id", token.to_owned())
    })
}

#[test]
fn no_command_shows_a_secret_or_a_token_at_trace_level() {
    let store = echo();
    for (leaf, args) in CASES.iter().filter(|(leaf, _)| leaves().contains(*leaf)) {
        let world = world(&store.url(), "m");
        let args = arguments(leaf, args, "m");
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        for extra in [&[][..], &["-vv"]] {
            let said = with(&world, &[&args, extra].concat(), &[("HALLPASS_LOG", "trace")], "long-secret\n");
            let all = format!("{}{}", said.out, said.err);
            let leaks = canaries().in_bytes(leaf, all.as_bytes());
            assert!(leaks.is_empty(), "{leaf}: {leaks:?}");
        }
        assert!(config(&world).contains(TOKEN), "{leaf}: a refusal that is none of the token's prunes nothing");
        for folder in [world.work(), world.state()] {
            assert_eq!(canaries().in_folder(&folder).expect("reads"), [], "{leaf}");
        }
    }
}

#[test]
fn what_asks_nobody_shows_no_secret_either() {
    for leaf in OFFLINE.iter().filter(|leaf| **leaf == "which") {
        let world = world("http://127.0.0.1:9", "m");
        let args = arguments(leaf, &["@/data/a"], "m");
        let args: Vec<_> = args.iter().map(String::as_str).chain(["-vv"]).collect();
        let said = with(&world, &args, &[("HALLPASS_LOG", "trace")], "");
        assert_eq!(said.code, 0, "{said:?}");
        assert!(canaries().in_bytes(leaf, format!("{}{}", said.out, said.err).as_bytes()).is_empty());
    }
}
