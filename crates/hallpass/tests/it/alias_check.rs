//! `alias set` and `alias test` ask the store.

use std::net::TcpListener;

use hallpass_testkit::servers::Scripted;
use hallpass_testkit::servers::scripted::Reply;

use crate::alias::config;
use crate::cli_world::World;

#[test]
fn keys_that_the_store_refuses_are_found_out_before_they_are_kept() {
    for (code, status) in [("InvalidAccessKeyId", 403), ("SignatureDoesNotMatch", 403), ("ExpiredToken", 400)] {
        let (world, store) = (World::new(), Scripted::refusing(status, code));
        let set = ["alias", "set", "m", &store.url(), "AK", "S", "--session-token", "T"];
        let said = world.say(&set);
        assert!(said.code == 4 && said.err.contains("--no-check"), "{code}: {said:?}");
        assert_eq!(config(&world), "", "{code}");
        world.ok(&[&set[..], &["--no-check"]].concat());
        assert_eq!(store.heard().len(), 1, "{code}: `--no-check` asks nobody");
    }
}

#[test]
fn access_denied_is_a_good_answer_because_the_store_knows_the_keys() {
    let (world, store) = (World::new(), Scripted::refusing(403, "AccessDenied"));
    let said = world.say(&["alias", "set", "m", &store.url(), "AK", "S"]);
    assert!(said.code == 0 && said.err.contains("does not let you list buckets"), "{said:?}");
    assert_eq!(world.json(&["alias", "test", "m"])["data"]["store"], "may_not_list");
}

#[test]
fn a_web_server_that_is_no_store_is_found_out() {
    let (world, site) = (World::new(), Scripted::start(|_| Reply::new(200, "<html>Welcome</html>")));
    let said = world.say(&["alias", "set", "m", &site.url(), "AK", "S"]);
    assert!(said.code == 1 && said.err.contains("is the endpoint an S3 store?"), "{said:?}");
    assert_eq!(config(&world), "");
}

#[test]
fn trap_12_a_store_that_is_down_is_said_in_words_and_no_check_is_the_way_out() {
    let world = World::new();
    let down = TcpListener::bind(("127.0.0.1", 0)).and_then(|held| held.local_addr()).expect("a port");
    let url = format!("http://{down}");
    let said = world.say(&["alias", "set", "m", &url, "AK", "S"]);
    assert!(said.code == 3 && said.err.contains("--no-check"), "{said:?}");
    for debris in ["{", "Error(", "Some("] {
        assert!(!said.err.contains(debris), "not a dump of our insides: {said:?}");
    }
    assert_eq!(config(&world), "");
    world.ok(&["alias", "set", "m", &url, "AK", "S", "--no-check"]);
    assert_eq!(world.say(&["alias", "test", "m"]).code, 3);
}

#[test]
fn a_test_that_finds_the_token_dead_removes_the_alias() {
    let (world, store) = (World::new(), Scripted::refusing(400, "ExpiredToken"));
    world.ok(&["alias", "set", "m", &store.url(), "AK", "S", "--session-token", "T", "--no-check"]);
    assert_eq!(world.say(&["alias", "test", "m", "--no-prune"]).code, 4);
    assert!(config(&world).contains("\"m\""));
    let said = world.say(&["alias", "test", "m"]);
    assert!(said.code == 4 && said.err.contains("the alias was removed"), "{said:?}");
    assert!(!config(&world).contains("\"m\""));
}
