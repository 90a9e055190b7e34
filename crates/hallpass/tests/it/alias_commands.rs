//! `hallpass alias test|rename|export|import`, `hallpass s3 which`, and the promise that no secret is ever shown.

use std::os::unix::fs::PermissionsExt;

use hallpass_testkit::servers::Scripted;

use crate::alias::{config, with};
use crate::cli_world::World;

const SECRET: &str = "cAnArY-sEcReT";
const TOKEN: &str = "cAnArY-tOkEn";

#[test]
fn debug_and_verbose_logs_strictly_mask_secret_and_session_token() {
    let world = World::new();
    let url = format!("http://AK:{SECRET}:{TOKEN}@127.0.0.1:9");
    let broken = format!("http://AK:{SECRET}:{TOKEN}:x@127.0.0.1:9");
    let odd = format!("http://AK:{SECRET}%zz@127.0.0.1:9");
    let process = format!(
        "echo '{{\"Version\":1,\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"{SECRET}\",\"SessionToken\":\"{TOKEN}\"}}'"
    );
    let script = world.file("work/keys.sh", &format!("#!/bin/sh\n{process}\n"));
    let script = format!("sh {}", script.display());
    world.file("work/mc.json", &format!(
        r#"{{"version":"10","aliases":{{"mc":{{"url":"http://h/x","accessKey":"AK","secretKey":"{SECRET}","sessionToken":"{TOKEN}"}},
        "ok":{{"url":"http://h","accessKey":"AK","secretKey":"{SECRET}","sessionToken":"{TOKEN}"}}}}}}"#
    ));
    world.file("work/bad.toml", &format!("[[aliases]]\nname = \"x\"\nsecret_key = \"{SECRET}\" {TOKEN}\n"));
    let stdin = format!("{SECRET}\n{TOKEN}\n");
    let runs: &[&[&str]] = &[
        &["alias", "set", "--no-check", "m", "http://127.0.0.1:9", "AK", SECRET, "--session-token", TOKEN],
        &["alias", "set", "--no-check", "m", "http://127.0.0.1:9", "AK", "--secrets-stdin"],
        &["alias", "set", "--no-check", "bad", "nonsense", "AK", SECRET, "--session-token", TOKEN],
        &["alias", "set", "--no-check", "bad", &url, "--anonymous"],
        &["alias", "set", "--no-check", "p", "http://127.0.0.1:9", "--credential-process", &script],
        &["alias", "list"],
        &["alias", "test", "m"],
        &["alias", "test", "p"],
        &["alias", "test", "env"],
        &["alias", "test", "broken"],
        &["alias", "test", "odd"],
        &["alias", "rename", "m", "n"],
        &["alias", "export"],
        &["alias", "export", "n", "--include-secrets", "--yes", "--output", "out.toml"],
        &["alias", "import", "mc.json"],
        &["alias", "import", "bad.toml"],
        &["--config", "bad.toml", "alias", "list"],
        &["--config", "bad.toml", "config", "check"],
        &["alias", "import", "out.toml"],
        &["s3", "which", "env/b/k"],
        &["s3", "which", "broken/b/k"],
        &["alias", "remove", "n"],
    ];
    let variables = [
        ("HALLPASS_LOG", "trace"),
        ("HALLPASS_HOST_env", &url),
        ("HALLPASS_HOST_broken", &broken),
        ("MC_HOST_odd", &odd),
    ];
    let variables = variables.map(|(name, value)| (name, value as &str));
    for args in runs {
        for extra in [&[][..], &["--json"], &["-vv"]] {
            let said = with(&world, &[*args, extra].concat(), &variables, &stdin);
            let all = format!("{}{}", said.out, said.err);
            assert!(!all.contains(SECRET) && !all.contains(TOKEN), "{args:?} {extra:?}: {said:?}");
        }
    }
    assert!(std::fs::read_to_string(world.work().join("out.toml")).expect("exported").contains(TOKEN));
}

#[test]
fn an_export_with_secrets_needs_two_words_and_is_for_the_owner_alone() {
    let world = World::new();
    world.ok(&["alias", "set", "--no-check", "m", "http://h", "AK", SECRET, "--session-token", TOKEN]);
    assert_eq!(world.say(&["alias", "export", "--include-secrets"]).code, 2);
    let bare = world.ok(&["alias", "export"]);
    assert!(bare.contains("http://h") && !bare.contains(SECRET) && !bare.contains(TOKEN), "{bare}");
    let export = ["alias", "export", "m", "--include-secrets", "--yes", "--output", "x.toml"];
    world.ok(&export);
    let path = world.work().join("x.toml");
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(world.say(&export).code, 6, "an old file is not overwritten");
    world.ok(&[&export[..], &["--force"]].concat());
    let other = World::new();
    other.ok(&["alias", "import", path.to_str().expect("text")]);
    assert!(config(&other).contains(SECRET) && config(&other).contains(TOKEN));
}

#[test]
fn an_export_of_an_environment_alias_has_its_token() {
    let world = World::new();
    let variables = [("HALLPASS_HOST_v", "http://AK:S:ToKeN@h")];
    let said = with(&world, &["alias", "export", "--include-secrets", "--yes"], &variables, "");
    assert!(said.out.contains("session_token = \"ToKeN\""), "{said:?}");
}

#[test]
fn an_import_takes_all_or_nothing_and_says_what_it_skips() {
    let world = World::new();
    let mc = r#"{"version":"10","aliases":{"local":{"url":"http://localhost:9000","accessKey":"","secretKey":""},
        "a":{"url":"http://a","accessKey":"K","secretKey":"S"},"b":{"url":"http://b","accessKey":"K","secretKey":"S"}}}"#;
    world.ok(&["alias", "set", "--no-check", "b", "http://mine", "--anonymous"]);
    let taken = with(&world, &["alias", "import", "-"], &[], mc);
    assert!(taken.code == 6 && taken.err.contains("`b`"), "{taken:?}");
    assert!(!config(&world).contains("http://a"), "nothing was imported");
    let forced = with(&world, &["alias", "import", "-", "--force"], &[], mc);
    assert!(forced.code == 0 && forced.err.contains("`local` is skipped"), "{forced:?}");
    assert!(config(&world).contains("http://a") && config(&world).contains("http://b"));
}

#[test]
fn a_program_or_a_profile_that_hands_out_nothing_is_found_out_at_once() {
    let world = World::new();
    let set = ["alias", "set", "p", "http://h", "--credential-process", "exit 3"];
    let refused = world.say(&set);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert_eq!(config(&world), "");
    world.ok(&[&set[..], &["--no-check"]].concat());
    let profile = world.say(&["alias", "set", "q", "http://h", "--profile", "nobody"]);
    assert_eq!(profile.code, 4, "{profile:?}");
    world.file("home/.aws/credentials", "[me]\naws_access_key_id = AK\naws_secret_access_key = S\n");
    let store = Scripted::empty();
    world.ok(&["alias", "set", "q", &store.url(), "--profile", "me"]);
    assert!(world.ok(&["alias", "test", "q"]).contains("keys found"));
}

#[test]
fn keys_of_the_environment_never_stand_in_for_a_profile() {
    let world = World::new();
    let keys = [("AWS_ACCESS_KEY_ID", "STRONGER"), ("AWS_SECRET_ACCESS_KEY", "S")];
    let set = ["alias", "set", "q", "http://h", "--profile", "nobody"];
    let refused = with(&world, &set, &keys, "");
    assert_eq!(refused.code, 4, "{refused:?}");
    let store = Scripted::empty();
    let url = store.url();
    let keys = [&keys[..], &[("AWS_ENDPOINT_URL", &url)]].concat();
    assert!(with(&world, &["alias", "test", "aws"], &keys, "").out.contains("keys found"));
    assert!(store.heard()[0].header("authorization").contains("Credential=STRONGER/"));
}

#[test]
fn keys_that_have_ended_by_our_clock_are_said_to_and_are_not_removed_on_its_word() {
    let world = World::new();
    let store = Scripted::empty();
    let text = format!(
        "schema_version = 2\n[[aliases]]\nname = \"old\"\nendpoint = \"{}\"\naccess_key = \"AK\"\n\
        secret_key = \"S\"\nsession_token = \"T\"\nexpires_at = 2001-01-01T00:00:00Z\n",
        store.url()
    );
    world.file("home/.config/hallpass/config.toml", &text);
    let said = world.say(&["alias", "test", "old"]);
    assert!(said.code == 0 && said.err.contains("expired"), "the store takes them: {said:?}");
    assert_eq!(config(&world), text);
    assert!(world.ok(&["alias", "list"]).contains("expired"));
}

#[test]
fn a_session_that_is_out_of_reach_is_refused_clearly() {
    let world = World::new();
    world.ok(&["alias", "set", "--no-check", "s", "http://h", "--session", "3f2a91c0"]);
    let said = world.say(&["alias", "test", "s"]);
    assert!(said.code == 7 && said.err.contains("run this inside of that session"), "{said:?}");
}

#[test]
fn a_role_is_not_borrowed_for_a_store_that_is_not_where_the_gate_goes() {
    let world = World::new();
    world.ok(&["alias", "set", "--no-check", "r", "http://elsewhere", "--role", "arn:aws:iam::111122223333:role/r"]);
    let said = world.say(&["alias", "test", "r"]);
    assert!(said.code == 7 && said.err.contains("AWS_ENDPOINT_URL=http://elsewhere"), "{said:?}");
}

#[test]
fn trap_11_a_name_that_no_path_can_express_is_refused() {
    let world = World::new();
    for name in ["we ird/n", "a.b", "-x", "a:b"] {
        assert_eq!(world.say(&["alias", "set", "--no-check", "--", name, "http://h", "AK"]).code, 2, "{name}");
    }
}

#[test]
fn traps_1_to_3_a_path_means_what_it_says_and_ambiguity_is_said() {
    let world = World::new();
    std::fs::create_dir_all(world.work().join("tree/sub")).expect("folders");
    std::fs::create_dir_all(world.work().join("both")).expect("folders");
    world.ok(&["alias", "set", "--no-check", "both", "http://h", "--anonymous"]);
    assert_eq!(world.ok(&["s3", "which", "tree/"]), "local\ttree/\n");
    assert_eq!(world.ok(&["s3", "which", "both:b//k/"]), "remote\tboth\tb\t/k/\thttp://h\n");
    let nothing = world.say(&["s3", "which", "nosuchdir/file"]);
    assert!(nothing.code == 5 && nothing.err.contains("no local path `nosuchdir/file`"), "{nothing:?}");
    let ambiguous = world.say(&["s3", "which", "both/b/k"]);
    assert_eq!(ambiguous.code, 2, "{ambiguous:?}");
    assert!(ambiguous.err.contains("`./both/b/k`") && ambiguous.err.contains("`both:b/k`"), "{ambiguous:?}");
    let rights = world.say(&["s3", "which", "s3://data/a*b", "--explain"]);
    assert!(rights.err.contains("s3:GetObject on arn:aws:s3:::data/a${*}b"), "{rights:?}");
}
