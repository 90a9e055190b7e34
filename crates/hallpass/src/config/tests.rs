//! The settings as a whole: what is refused, where, and with which words; who wins; what a project may do.

use std::path::PathBuf;

use hallpass_core::delivery::Delivery;
use hallpass_core::limits::{CONFIG_BYTES_MAX, PROFILE_NAME_BYTES_MAX, SESSIONS_KEPT_MAX};

use super::file::{Owner, Source};
use super::{Config, Files, Origin, Problem, Problems};
use crate::error::{CommandError, ExitStatus};

fn parse(owner: Owner, text: &str) -> Result<Config, Vec<Problem>> {
    let mut problems = Vec::new();
    let config = Config::parse(&Source::of_text(owner, text), &mut problems);
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

fn layered(user: &str, project: &str) -> Result<Config, Vec<Problem>> {
    let user = parse(Owner::User, user).expect("the user's file is right");
    let project = parse(Owner::Project, project).expect("the project's file is well-formed");
    let mut problems = Vec::new();
    let config = user.narrowed_by(project, &mut problems);
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// Text, code of the first problem, a part of its line.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "[session]\ntll = \"15m\"",
        "config.unknown_key",
        "test.toml:2:1: unknown key `tll` in [session]; did you mean `ttl`?",
    ),
    (
        "[sesion]\nttl = \"15m\"",
        "config.unknown_key",
        "test.toml:1:2: unknown key `sesion` in the file; did you mean `session`?",
    ),
    ("ttl = 5", "config.unknown_key", "test.toml:1:1: unknown key `ttl` in the file"),
    ("[session]\non-expiry = \"refuse\"", "config.unknown_key", "did you mean `on_expiry`?"),
    ("[session]\nzzzz = 1", "config.unknown_key", "unknown key `zzzz` in [session]"),
    (
        "[profiles.a]\nallows = [\"s3:Get*\"]",
        "config.unknown_key",
        "unknown key `allows` in [profiles.a]; did you mean `allow`?",
    ),
    (
        "[session]\nttl = true",
        "config.wrong_type",
        "test.toml:2:7: `session.ttl` must be a duration such as \"15m\", not boolean",
    ),
    ("[session]\nttl = 1.5", "config.wrong_type", "not float"),
    ("[session]\nstrict = \"yes\"", "config.wrong_type", "`session.strict` must be true or false, not string"),
    ("session = 5", "config.wrong_type", "`session` must be a table, not integer"),
    ("[profiles]\na = 1", "config.wrong_type", "`profiles` must be a table of tables, not integer"),
    ("[session]\ntags = \"a=b\"", "config.wrong_type", "`session.tags` must be a table of strings"),
    ("[session]\ntags = { a = 1 }", "config.wrong_type", "`session.tags` must be a table of strings"),
    ("[bounds]\nallowed_roles = \"arn\"", "config.wrong_type", "must be a list of strings, not string"),
    ("[bounds]\ndeny = [1]", "config.wrong_type", "must be a list of strings, not integer"),
    ("[session]\nttl = \"15x\"", "config.bad_value", "`15x` is not a duration: write it like `15m`"),
    ("[session]\nttl = \"13h\"", "config.bad_value", "a session may live 1s to 12h, not `13h`"),
    ("[session]\nttl = 0", "config.bad_value", "not `0`"),
    ("[session]\nttl = -5", "config.bad_value", "not a duration"),
    ("[session]\nrole = \"\"", "config.bad_value", "`session.role`: must not be empty"),
    ("[session]\ndelivery = \"fax\"", "config.bad_value", "`fax` is not a delivery"),
    ("[session]\non_expiry = \"never\"", "config.bad_value", "`never` is not a way to end"),
    ("[session]\ntags = { \"\" = \"x\" }", "config.bad_value", "1 to 128 characters"),
    ("[bounds]\nallowed_roles = []", "config.bad_value", "must not be an empty list"),
    ("[bounds]\nallowed_deliveries = [\"fax\"]", "config.bad_value", "`fax` is not a delivery"),
    ("[profiles.\"a b\"]\nallow = [\"s3:Get*\"]", "config.bad_value", "a name has 1 to 64 letters"),
    (
        "[profiles.a]\nallow = [\"s3:GetObject\", \"s3GetObject\"]",
        "config.bad_value",
        "test.toml:2:26: `profiles.a.allow`: `s3GetObject`, character 3: expected",
    ),
    ("[profiles.a]\ndeny = [\"s3:Get Object\"]", "config.bad_value", "`profiles.a.deny`"),
    ("[profiles.a]\nresources = [\"bucket/*\"]", "config.bad_value", "`profiles.a.resources`"),
    ("[bounds]\ndeny = [\"everything\"]", "config.bad_value", "`bounds.deny`"),
    ("[store]\ndurability = \"hope\"", "config.bad_value", "`hope` is not a durability (process, power)"),
    ("[store]\nkeep_sessions = -1", "config.bad_value", "a whole number from 0 to 100000"),
    ("[aws]\nendpoint_url = \"ftp://x\"", "config.bad_value", "must begin with http:// or https://"),
    ("[aws]\nsts_endpoint_url = \"http://u:p@x\"", "config.bad_value", "must not hold a user or password"),
    ("[session\nttl = 1", "config.syntax", "test.toml:1:"),
    ("[session]\nttl = 1\nttl = 2", "config.syntax", "test.toml:3:1: duplicate key"),
];

#[test]
fn every_mistake_is_named_with_its_place() {
    for (text, code, part) in WRONG {
        let problems = parse(Owner::User, text).expect_err(text);
        let shown = problems[0].to_string();
        assert_eq!(problems[0].code, *code, "{text:?}: {shown}");
        assert!(shown.contains(part), "{text:?}: {shown}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_and_are_a_usage_error() {
    let problems = parse(Owner::User, "[session]\ntll = 1\nstrict = 2\n[store]\nx = 1").expect_err("wrong");
    assert_eq!(problems.len(), 3, "{problems:?}");
    let error = CommandError::from(Problems(problems));
    assert_eq!(error.exit_status(), ExitStatus::Usage);
    assert!(error.to_string().contains("cause: test.toml:"), "{error}");
}

#[test]
fn one_more_session_than_the_store_keeps_is_refused() {
    let keep = |n: u64| parse(Owner::User, &format!("[store]\nkeep_sessions = {n}"));
    assert_eq!(keep(SESSIONS_KEPT_MAX).expect("legal").store.keep_sessions(), SESSIONS_KEPT_MAX);
    assert!(keep(SESSIONS_KEPT_MAX + 1).is_err());
}

#[test]
fn a_profile_name_past_the_limit_is_refused() {
    let named = |length: usize| parse(Owner::User, &format!("[profiles.{}]\nread_only = true", "p".repeat(length)));
    assert!(named(PROFILE_NAME_BYTES_MAX).is_ok());
    assert!(named(PROFILE_NAME_BYTES_MAX + 1).is_err());
}

#[test]
fn a_file_past_the_size_limit_is_refused() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("config.toml");
    let load = |size: u64| {
        std::fs::write(&path, "#".repeat(usize::try_from(size).expect("fits"))).expect("writes");
        Config::load(&Files { user: Some(path.clone()), ..Files::default() }, &|_| None)
    };
    assert!(load(CONFIG_BYTES_MAX).is_ok());
    let Problems(problems) = load(CONFIG_BYTES_MAX + 1).expect_err("too large");
    assert_eq!(problems[0].code, "config.too_large");
}

#[test]
fn a_file_that_everyone_may_write_is_not_obeyed() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("hallpass.toml");
    std::fs::write(&path, "").expect("writes");
    let load = |mode: u32| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode");
        Config::load(&Files { project: Some(path.clone()), ..Files::default() }, &|_| None)
    };
    assert!(load(0o644).is_ok());
    let Problems(problems) = load(0o646).expect_err("open to all");
    assert_eq!(problems[0].code, "config.foreign");
}

#[test]
fn a_file_that_was_named_must_exist_and_one_that_was_not_need_not() {
    let missing = Some(PathBuf::from("/nonexistent/config.toml"));
    let load =
        |user_is_named| Config::load(&Files { user: missing.clone(), user_is_named, ..Files::default() }, &|_| None);
    assert!(load(false).is_ok());
    let Problems(problems) = load(true).expect_err("missing");
    assert_eq!(problems[0].code, "config.not_found");
}

#[test]
fn a_variable_wins_over_the_project_and_the_project_over_the_user() {
    let dir = tempfile::tempdir().expect("folder");
    let (user, project) = (dir.path().join("config.toml"), dir.path().join("hallpass.toml"));
    std::fs::write(&user, "[session]\nttl = \"1h\"\nregion = \"us-east-1\"\nstrict = true\n").expect("writes");
    std::fs::write(&project, "[session]\nttl = \"30m\"\nregion = \"eu-west-1\"\n").expect("writes");
    let files = Files { user: Some(user), project: Some(project), ..Files::default() };
    let config = Config::load(&files, &|name| (name == "HALLPASS_TTL").then(|| "5m".to_owned())).expect("loads");
    assert_eq!(config.session.ttl(), 300);
    assert_eq!(config.session.region(), Some("eu-west-1"));
    assert!(config.session.strict());
    assert_eq!(config.session.delivery(), Delivery::Proxy);
    let origin = |key: &str| {
        let found = config.entries().into_iter().find(|entry| entry.key == key);
        found.map(|entry| entry.origin).expect(key)
    };
    assert_eq!(origin("session.ttl"), Origin::Environment("HALLPASS_TTL"));
    assert!(matches!(origin("session.region"), Origin::Project(at) if at.line == 3));
    assert!(matches!(origin("session.strict"), Origin::User(at) if at.line == 4));
    assert_eq!(origin("session.delivery"), Origin::Default);
}

#[test]
fn a_bad_variable_is_an_error_that_names_it() {
    let Problems(problems) =
        Config::load(&Files::default(), &|name| (name == "HALLPASS_TTL").then(|| "soon".to_owned())).expect_err("bad");
    assert!(problems[0].to_string().starts_with("HALLPASS_TTL: `soon` is not a duration"), "{}", problems[0]);
}

/// User's file, project's file, the key that is refused.
const WIDENING: &[(&str, &str, &str)] = &[
    ("", "[session]\nttl = \"1h\"", "session.ttl"),
    ("[session]\nttl = \"10m\"", "[session]\nttl = \"11m\"", "session.ttl"),
    ("", "[session]\nrole = \"arn:aws:iam::1:role/Admin\"", "session.role"),
    ("[session]\nrole = \"a\"\n[bounds]\nallowed_roles = [\"a\", \"b\"]", "[session]\nrole = \"c\"", "session.role"),
    ("", "[session]\ndelivery = \"env\"", "session.delivery"),
    ("[session]\ndelivery = \"file\"", "[session]\ndelivery = \"env\"", "session.delivery"),
    ("", "[session]\non_expiry = \"refuse\"", "session.on_expiry"),
    ("", "[session]\nstrict = false", "session.strict"),
    ("", "[session]\ntags = { team = \"admins\" }", "session.tags"),
    ("", "[store]\ndurability = \"process\"", "store.durability"),
    ("", "[store]\nkeep_sessions = 1", "store.keep_sessions"),
    ("", "[aws]\nendpoint_url = \"https://evil.example\"", "aws.endpoint_url"),
    ("", "[aws]\nsts_endpoint_url = \"https://evil.example\"", "aws.sts_endpoint_url"),
    ("", "[aws]\nexternal_id = \"x\"", "aws.external_id"),
    ("", "[aws]\nsource_identity = \"x\"", "aws.source_identity"),
    ("", "[aws]\nprofile = \"admin\"", "aws.profile"),
    ("", "[aws.upstreams]\n\"s3.us-east-1.amazonaws.com\" = \"http://evil.example\"", "aws.upstreams"),
    ("[profiles.p]\nread_only = true", "[profiles.p]\nallow = [\"s3:*\"]", "profile `p`"),
    ("", "[profiles.p]\nttl = \"1h\"", "profiles.p.ttl"),
    ("", "[profiles.p]\nrole = \"arn:aws:iam::1:role/Admin\"", "profiles.p.role"),
    ("[bounds]\nallowed_roles = [\"a\"]", "[bounds]\nallowed_roles = [\"b\"]", "bounds.allowed_roles"),
    (
        "[bounds]\nallowed_deliveries = [\"proxy\"]",
        "[bounds]\nallowed_deliveries = [\"env\"]",
        "bounds.allowed_deliveries",
    ),
];

#[test]
fn a_project_can_widen_nothing() {
    for (user, project, key) in WIDENING {
        let problems = layered(user, project).expect_err(project);
        assert_eq!(problems.len(), 1, "{project:?}: {problems:?}");
        assert!(problems[0].to_string().contains(key), "{project:?}: {}", problems[0]);
        assert!(problems[0].code.starts_with("config.project_"), "{project:?}: {}", problems[0].code);
        assert!(problems[0].next.is_some(), "{project:?}");
    }
}

#[test]
fn a_project_can_narrow_and_its_bounds_add_to_the_users() {
    let user = "[session]\nttl = \"1h\"\n[bounds]\nttl_max = \"2h\"\nallowed_roles = [\"a\", \"b\"]\ndeny = [\"iam:*\"]\n\
                [profiles.own]\nallow = [\"s3:Get*\"]";
    let project = "[session]\nttl = \"20m\"\nstrict = true\nrole = \"b\"\n\
                   [bounds]\nttl_max = \"30m\"\nallowed_roles = [\"b\", \"c\"]\ndeny = [\"s3:Delete*\"]\n\
                   [profiles.theirs]\nallow = [\"s3:List*\"]\nttl = \"10m\"\nrole = \"a\"";
    let config = layered(user, project).expect("narrows");
    assert_eq!(config.session.ttl(), 1_200);
    assert!(config.session.strict());
    assert_eq!(config.session.role(), Some("b"));
    let bounds = config.bounds.to_core();
    assert_eq!(bounds.ttl_s_max, Some(1_800));
    assert_eq!(bounds.roles, ["b"]);
    assert_eq!(config.bounds.deny(), ["iam:*", "s3:Delete*"]);
    assert_eq!(config.profiles.keys().collect::<Vec<_>>(), ["own", "theirs"]);
}

#[test]
fn a_bound_of_the_project_never_loosens_one_of_the_user() {
    let config = layered("[bounds]\nttl_max = \"10m\"", "[bounds]\nttl_max = \"11h\"").expect("legal");
    assert_eq!(config.bounds.to_core().ttl_s_max, Some(600));
    let config =
        layered("[bounds]\nallowed_roles = [\"a\"]", "[bounds]\nallowed_roles = [\"a\", \"x\"]").expect("legal");
    assert_eq!(config.bounds.to_core().roles, ["a"]);
}

#[test]
fn a_policy_file_is_looked_for_beside_the_file_that_names_it() {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, "[profiles.a]\npolicy = \"deploy.json\"\n").expect("writes");
    let config = Config::load(&Files { user: Some(path), ..Files::default() }, &|_| None).expect("loads");
    let policy = config.profiles["a"].value.policy.as_ref().expect("policy");
    assert_eq!(policy.value, dir.path().join("deploy.json"));
}

#[test]
fn caps_of_the_configuration_are_amounts_and_a_project_can_only_lower_them() {
    let text = "[run]\nbudget = 2.5\nmax_requests = 5000\nmax_bytes = \"10GiB\"\nmax_resources = 7\n";
    let config = layered(text, "[run]\nbudget = \"1.25\"\nmax_requests = 9000\n").expect("narrower");
    let shown: Vec<String> = config
        .entries()
        .into_iter()
        .filter(|entry| entry.key.starts_with("run."))
        .map(|entry| format!("{}={}", entry.key, entry.value.unwrap_or_default()))
        .collect();
    let expected = [
        "run.budget=1.25 USD",
        "run.max_requests=5000",
        "run.max_bytes=10737418240",
        "run.max_resources=7",
        "run.allow_unmapped=",
    ];
    assert_eq!(shown, expected);
    assert!(matches!(config.run.budget.expect("set").origin, Origin::Project(_)));
    assert!(matches!(config.run.max_requests.expect("set").origin, Origin::User(_)));
    assert_eq!(layered("", "[run]\nmax_requests = 5").expect("narrower").run.max_requests.map(|v| v.value), Some(5));
    for wrong in [
        "budget = 0",
        "budget = -1",
        "budget = nan",
        "budget = inf",
        "max_requests = 0",
        "max_requests = -1",
        "max_requests = 1.5",
        "max_bytes = \"10 apples\"",
        "max_resources = \"many\"",
        "max_resources = true",
    ] {
        let problems = parse(Owner::User, &format!("[run]\n{wrong}")).expect_err(wrong);
        assert_eq!(problems.len(), 1, "{wrong}");
    }
}

#[test]
fn guessed_actions_are_allowed_service_by_service_and_never_by_a_project() {
    let config = parse(Owner::User, "[run]\nallow_unmapped = [\"kms\", \"sso-oauth\"]").expect("right");
    assert_eq!(config.run.allow_unmapped(), ["kms", "sso-oauth"]);
    assert!(Config::default().run.allow_unmapped().is_empty());
    for wrong in ["[\"*\"]", "[\"kms:*\"]", "[\"KMS\"]", "[]", "true", "[\"\"]"] {
        assert!(parse(Owner::User, &format!("[run]\nallow_unmapped = {wrong}")).is_err(), "{wrong}");
    }
    let problems = layered("", "[run]\nallow_unmapped = [\"kms\"]").expect_err("widens");
    assert!(problems.iter().any(|problem| problem.message.contains("run.allow_unmapped")));
}
