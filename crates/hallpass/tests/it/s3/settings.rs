//! Tags, versions, CORS, lifecycle, policies: against SeaweedFS.

use hallpass_testkit::clients::{bare, identity, python, run};
use hallpass_testkit::servers::{Seaweedfs, seaweedfs};
use serde_json::Value;

use super::store::{Puppet, Shop};

fn shop(store: &Seaweedfs) -> Shop {
    let shop = Shop::new(&store.url(), seaweedfs::KEY, seaweedfs::SECRET);
    shop.ok(&["mb", "m/data"]);
    shop
}

#[test]
fn a_document_of_the_store_cannot_steer_the_terminal() {
    let store = Puppet::start(|head| match head.contains("?policy=") {
        true => (200, "{\"Statement\":[{\"Sid\":\"a\u{202e}b\u{9b}2J\"}]}".to_owned()),
        false => (200, "<CORSConfiguration><CORSRule><ID>\u{202e}x</ID></CORSRule></CORSConfiguration>".to_owned()),
    });
    let shop = Shop::new(&store.url(), "k", "s");
    for args in [["policy", "get", "m/b"], ["cors", "get", "m/b"]] {
        let shown = shop.ok(&args);
        assert!(shown.contains("\\u202e") && !shown.contains(['\u{202e}', '\u{9b}']), "{shown:?}");
        serde_json::from_str::<Value>(&shown).expect("still JSON");
    }
}

#[test]
fn settings_of_a_bucket_are_set_read_and_removed() {
    let store = Seaweedfs::start().expect("SeaweedFS starts");
    let shop = shop(&store);
    shop.put(&["data/a", "data/dir/b"]);
    assert_eq!(shop.data(&["stat", "m/data/dir"])["kind"], "prefix");
    incomplete(&store, &shop);
    tags(&shop);
    cors(&shop);
    lifecycle(&shop);
    policies(&shop);
    versions(&shop);
}

/// An upload that another client began and never ended.
fn incomplete(store: &Seaweedfs, shop: &Shop) {
    let mut begin = bare(python());
    begin.envs(identity(&store.url(), seaweedfs::KEY, seaweedfs::SECRET, None));
    begin.args(["-c", "import boto3; boto3.client('s3').create_multipart_upload(Bucket='data', Key='dir/half')"]);
    run(&mut begin).succeeded();
    let all = shop.json(&["ls", "m/data", "--incomplete"]);
    assert_eq!((all.len(), all[0]["data"]["key"].as_str()), (1, Some("dir/half")));
    assert!(all[0]["data"]["upload_id"].is_string());
    assert_eq!(shop.json(&["ls", "m/data", "-r"]).len(), 2, "it is no object");
}

fn tags(shop: &Shop) {
    assert_eq!(shop.data(&["tag", "list", "m/data/a"])["tags"], serde_json::json!({}));
    shop.ok(&["tag", "set", "m/data/a", "team=blue", "odd=ü +x/y"]);
    assert_eq!(shop.ok(&["tag", "ls", "m/data/a"]), "odd=ü +x/y\nteam=blue\n");
    assert_eq!(shop.data(&["stat", "m/data/a", "--tags"])["tags"]["team"], "blue");
    shop.ok(&["tag", "rm", "m/data/a"]);
    assert_eq!(shop.ok(&["tag", "ls", "m/data/a"]), "");
    let many: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    shop.refused(&[&["tag", "set", "m/data/a"], many.as_slice()].concat(), 2);
}

fn cors(shop: &Shop) {
    assert_eq!(shop.data(&["cors", "get", "m/data"])["document"], Value::Null);
    let rules = r#"{"CORSRules":[{"AllowedMethods":["GET","PUT"],"AllowedOrigins":["*"],"MaxAgeSeconds":5}]}"#;
    assert_eq!(shop.say_with(&["cors", "set", "m/data", "-"], rules.as_bytes()).code, 0);
    let shown = shop.ok(&["cors", "get", "m/data"]);
    assert_eq!(
        serde_json::from_str::<Value>(&shown).expect("JSON"),
        serde_json::from_str::<Value>(rules).expect("JSON")
    );
    let unknown = r#"{"CORSRules":[{"AllowedVerbs":["GET"]}]}"#;
    assert_eq!(shop.say_with(&["cors", "set", "m/data", "-"], unknown.as_bytes()).code, 2);
    shop.ok(&["cors", "rm", "m/data"]);
    assert_eq!(shop.data(&["cors", "get", "m/data"])["document"], Value::Null);
}

fn lifecycle(shop: &Shop) {
    shop.ok(&["lifecycle", "rule", "add", "m/data", "--id", "tmp", "--prefix", "tmp/", "--expire-days", "7"]);
    shop.refused(&["ilm", "rule", "add", "m/data", "--id", "tmp", "--expire-days", "7"], 6);
    shop.ok(&["ilm", "rule", "add", "m/data", "--id", "old", "--prefix", "old/", "--expire-days", "9"]);
    let rules = shop.json(&["lifecycle", "rule", "ls", "m/data"]);
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert_eq!(rules[0]["data"]["rule"]["Expiration"]["Days"], 7, "the first rule is still what it was");
    let exported = shop.ok(&["lifecycle", "export", "m/data"]);
    shop.ok(&["lifecycle", "rule", "rm", "m/data", "--id", "tmp"]);
    shop.refused(&["lifecycle", "rule", "rm", "m/data", "--id", "tmp"], 5);
    assert_eq!(shop.json(&["lifecycle", "rule", "ls", "m/data"]).len(), 1);
    assert_eq!(shop.say_with(&["lifecycle", "import", "m/data", "-"], exported.as_bytes()).code, 0);
    assert_eq!(shop.json(&["lifecycle", "rule", "ls", "m/data"]).len(), 2);
    shop.ok(&["lifecycle", "rule", "rm", "m/data", "--all"]);
    assert_eq!(shop.data(&["lifecycle", "export", "m/data"])["document"], Value::Null);
}

fn policies(shop: &Shop) {
    let word = || shop.data(&["policy", "get", "m/data"])["anonymous"].as_str().expect("a word").to_owned();
    assert_eq!(word(), "none");
    for set in ["download", "upload", "public"] {
        shop.ok(&["policy", "set", set, "m/data"]);
        assert_eq!(word(), set);
    }
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::data/a*"}]}"#;
    shop.world.file("work/policy.json", own);
    shop.ok(&["anonymous", "set", "policy.json", "m/data"]);
    assert_eq!(word(), "custom");
    shop.refused(&["policy", "set", "none", "m/data"], 6);
    shop.ok(&["policy", "set", "none", "m/data", "--force"]);
    assert_eq!(word(), "none");
}

fn versions(shop: &Shop) {
    shop.ok(&["version", "enable", "m/data"]);
    assert_eq!(shop.ok(&["version", "info", "m/data"]), "enabled\n");
    shop.put(&["data/v", "data/v", "data/vv"]);
    shop.ok(&["rm", "m/data/v"]);
    shop.refused(&["cat", "m/data/v"], 5);
    let all = shop.json(&["ls", "m/data/v", "--versions"]);
    let kinds: Vec<_> = all.iter().map(|l| (l["data"]["key"].as_str(), l["data"]["kind"].as_str())).collect();
    let (marker, version) = (Some("delete_marker"), Some("version"));
    assert_eq!(kinds, [(Some("v"), marker), (Some("v"), version), (Some("v"), version), (Some("vv"), version)]);
    let oldest = all[2]["data"]["version_id"].as_str().expect("a version").to_owned();
    assert_eq!(shop.ok(&["cat", "m/data/v", "--version-id", &oldest]), "data/v");
    assert_eq!(shop.json(&["du", "m/data", "--versions"])[0]["data"]["objects"], 5);
    shop.ok(&["rm", "m/data/v", "--version-id", &oldest]);
    shop.refused(&["rm", "m/data/v", "--version-id", &oldest], 5);
    shop.ok(&["rm", "-r", "m/data/v", "--versions", "--older-than", "1h"]);
    assert_eq!(shop.json(&["ls", "m/data/v", "--versions"]).len(), 3, "nothing is old enough");
    shop.ok(&["rm", "m/data/v", "--versions"]);
    assert_eq!(shop.json(&["ls", "m/data/v", "--versions"]).len(), 1, "`vv` is not `v`");
    shop.refused(&["rb", "m/data"], 6);
    shop.ok(&["rb", "m/data", "--force"]);
    assert_eq!(shop.ok(&["ls", "m"]), "");
}
