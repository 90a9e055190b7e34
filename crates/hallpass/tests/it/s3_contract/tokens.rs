//! The traps around tokens, and what each refusal of a store becomes.

use hallpass_testkit::servers::Scripted;
use serde_json::Value;

use crate::alias::{config, with};
use crate::cli_world::World;

#[test]
fn token_trap_1_a_secret_may_hold_slash_and_plus_and_one_bad_variable_breaks_no_other() {
    let (world, store) = (World::new(), Scripted::empty());
    let odd = store.url().replace("http://", "http://AK:se/cr+et=:to/k+en==@");
    let variables = [("HALLPASS_HOST_odd", odd.as_str()), ("HALLPASS_HOST_bad", "http://key@h:port")];
    let said = with(&world, &["alias", "test", "odd"], &variables, "");
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(store.heard()[0].header("x-amz-security-token"), "to/k+en==");
    let listed = with(&world, &["alias", "list"], &variables, "");
    assert!(listed.code == 0 && listed.out.contains("odd") && listed.out.contains("broken"), "{listed:?}");
    let used = with(&world, &["s3", "ls", "bad"], &variables, "");
    assert!(used.code == 2 && used.err.contains("HALLPASS_HOST_bad"), "the reason, not `not found`: {used:?}");
}

#[test]
fn token_trap_2_an_alias_that_a_variable_hides_is_said_to_be_hidden() {
    let world = World::new();
    let variables = [("HALLPASS_HOST_m", "http://AK:S:T@h")];
    let said = with(&world, &["alias", "set", "m", "http://h", "AK", "S", "--no-check"], &variables, "");
    assert!(said.code == 0 && said.err.contains("HALLPASS_HOST_m hides"), "{said:?}");
    let list = with(&world, &["alias", "list"], &variables, "").out;
    assert!(list.contains("HALLPASS_HOST_m") && list.contains("shadowed") && list.contains("temporary"), "{list}");
}

#[test]
fn token_trap_3_an_export_of_credentials_has_the_token() {
    let world = World::new();
    let variables = [("HALLPASS_HOST_m", "http://AK:S:ToKeN@h")];
    let said = with(&world, &["alias", "export", "m", "--include-secrets", "--yes"], &variables, "");
    assert!(said.out.contains("ToKeN"), "{said:?}");
}

#[test]
fn token_trap_4_redaction_shreds_no_names() {
    for (key, secret, bucket) in [("test", "test", "test-bucket"), ("a", "a", "banana")] {
        let (world, store) = (World::new(), Scripted::refusing(404, "NoSuchBucket"));
        world.ok(&["alias", "set", "m", &store.url(), key, secret, "--no-check"]);
        let said = world.say(&["s3", "ls", &format!("m/{bucket}")]);
        assert!(said.code == 5 && said.err.contains(bucket), "{said:?}");
    }
}

/// Code and status of a store's answer; our exit status, word, and whether trying again may help.
const ANSWERS: [(&str, u16, i32, &str, bool); 16] = [
    ("ExpiredToken", 400, 4, "auth_error", false),
    ("ExpiredToken", 403, 4, "auth_error", false),
    ("InvalidToken", 400, 4, "auth_error", false),
    ("TokenRefreshRequired", 400, 4, "auth_error", false),
    ("RequestExpired", 400, 4, "auth_error", false),
    ("InvalidAccessKeyId", 403, 4, "auth_error", false),
    ("SignatureDoesNotMatch", 403, 4, "auth_error", false),
    ("AccessDenied", 403, 4, "auth_error", false),
    ("RequestTimeTooSkewed", 403, 4, "auth_error", false),
    ("NoSuchBucket", 404, 5, "not_found", false),
    ("OperationAborted", 409, 6, "conflict", true),
    ("NotImplemented", 501, 7, "unsupported_feature", false),
    ("SlowDown", 503, 3, "network_error", true),
    ("InternalError", 500, 3, "network_error", true),
    ("InvalidArgument", 400, 1, "general_error", false),
    ("NobodyKnowsThis", 418, 1, "general_error", false),
];

#[test]
fn what_a_store_answers_decides_the_status_on_every_verb_alike() {
    for (code, status, exit, word, retryable) in ANSWERS {
        let store = Scripted::refusing(status, code);
        for args in [&["ls", "m/data"][..], &["cat", "m/data/a"], &["head", "m/data/a"]] {
            let world = World::new();
            world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--session-token", "T", "--no-check"]);
            let said = world.say(&[&["s3"], args, &["--json"]].concat());
            let error: Value =
                said.err.lines().filter_map(|line| serde_json::from_str(line).ok()).next_back().expect("JSON");
            let error = &error["error"];
            assert_eq!(said.code, exit, "{code} {args:?}: {said:?}");
            assert_eq!((&error["type"], &error["retryable"]), (&word.into(), &retryable.into()), "{code} {args:?}");
            assert!(error["code"].is_string() && error["message"].is_string() && !error["suggestion"].is_number());
        }
    }
}

#[test]
fn a_clock_that_is_wrong_is_told_about_the_clock() {
    let (world, store) = (World::new(), Scripted::refusing(403, "RequestTimeTooSkewed"));
    world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--no-check"]);
    let said = world.say(&["s3", "ls", "m/data"]);
    assert!(said.code == 4 && said.err.contains("clock"), "{said:?}");
    assert!(config(&world).contains("\"m\""));
}

#[test]
fn a_token_that_the_server_repeats_is_not_repeated_by_us() {
    let token = "a-token-that-the-server-repeats-in-its-answer";
    let (world, store) = (
        World::new(),
        Scripted::start(move |_| {
            let body =
                format!("<Error><Code>Strange</Code><Message>no: {token}</Message><Token-0>{token}</Token-0></Error>");
            hallpass_testkit::servers::scripted::Reply::new(418, body)
        }),
    );
    world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--session-token", token, "--no-check"]);
    for flags in [&[][..], &["--json"], &["-vv"]] {
        let said = with(&world, &[&["s3", "ls", "m/data"], flags].concat(), &[("HALLPASS_LOG", "trace")], "");
        assert!(!said.err.contains(token) && !said.out.contains(token), "{said:?}");
    }
}

#[test]
fn what_is_traced_tells_each_request_and_masks_keys_and_token() {
    let (world, store) = (World::new(), Scripted::refusing(403, "AccessDenied"));
    let (secret, token) = ("the-secret-key-of-this-test", "the-session-token-of-this-test");
    world.ok(&["alias", "set", "m", &store.url(), "AK", secret, "--session-token", token, "--no-check"]);
    for args in [&["-vv", "s3", "stat", "m/data/a\u{1b}[31m"][..], &["-vv", "s3", "admin", "info", "m"]] {
        let said = world.say(args);
        let traced = |words: &str| said.err.lines().any(|line| line.contains("DEBUG") && line.contains(words));
        assert!(traced("secret_access_key: ***REDACTED***"), "{said:?}");
        assert!(traced("session_token: Some(***REDACTED***)") && traced("status=403"), "{said:?}");
        assert!(!said.err.contains(secret) && !said.err.contains(token) && !said.err.contains('\u{1b}'), "{said:?}");
        assert_eq!(said.out, "", "the trace is no data");
    }
}
