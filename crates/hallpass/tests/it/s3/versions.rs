//! Buckets that keep versions: what we show is what the store has, as another client tells it.

use std::process::Command;

use hallpass_testkit::clients::{bare, identity, python, run};
use hallpass_testkit::servers::{Ministack, Seaweedfs, seaweedfs};
use serde_json::{Value, json};

use super::store::Shop;

/// Every version and delete marker of a bucket as boto3 reads it: `[key, id, is the newest, is a marker, size]`.
const LISTED: &str = r#"
import boto3, json, sys
answer = boto3.client("s3").list_object_versions(Bucket=sys.argv[1])
row = lambda o, marker: [o["Key"], o["VersionId"], o["IsLatest"], marker, None if marker else o["Size"]]
rows = [row(o, False) for o in answer.get("Versions", [])] + [row(o, True) for o in answer.get("DeleteMarkers", [])]
print(json.dumps(rows))
"#;

struct Versioned {
    shop: Shop,
    other: Box<dyn Fn() -> Command>,
}

/// A bucket `kept` with three versions of `dir/a`, `b`, which is deleted, and `ü c`.
fn furnished(shop: Shop, other: Box<dyn Fn() -> Command>) -> Versioned {
    shop.ok(&["mb", "m/kept", "--with-versioning"]);
    assert_eq!(shop.ok(&["version", "info", "m/kept"]), "enabled\n");
    for (key, text) in [("dir/a", "one"), ("dir/a", "two 2"), ("dir/a", "three 3"), ("b", "b"), ("ü c", "c")] {
        assert_eq!(shop.say_with(&["pipe", &format!("m/kept/{key}")], text.as_bytes()).code, 0);
    }
    shop.ok(&["rm", "m/kept/b"]);
    Versioned { shop, other }
}

impl Versioned {
    /// What the other client sees.
    fn there(&self) -> Vec<Value> {
        let printed = run((self.other)().args(["-c", LISTED, "kept"])).succeeded();
        sorted(serde_json::from_str(&printed).expect("JSON"))
    }

    /// The same as `ls --versions` has it.
    fn shown(&self) -> Vec<Value> {
        let lines = self.shop.json(&["ls", "-r", "m/kept", "--versions"]);
        let row = |line: &Value| {
            let data = &line["data"];
            let marker = data["kind"] == "delete_marker";
            json!([data["key"], data["version_id"], data["is_latest"], marker, data["size"]])
        };
        sorted(lines.iter().map(row).collect())
    }

    /// Versions of a key, newest first; with or without delete markers.
    fn ids(&self, key: &str, markers: bool) -> Vec<String> {
        let all = self.shop.json(&["ls", &format!("m/kept/{key}"), "--versions"]);
        let of_kind = all.iter().map(|line| &line["data"]).filter(|data| (data["kind"] == "delete_marker") == markers);
        of_kind.map(|data| data["version_id"].as_str().expect("an id").to_owned()).collect()
    }
}

fn all(versioned: &Versioned) {
    every_version_is_listed_as_the_store_has_it(versioned);
    each_version_can_be_read_shared_and_looked_at(versioned);
    a_delete_marker_is_called_one_and_removing_it_brings_the_object_back(versioned);
    null_versions_and_all_the_rest_go_for_good(versioned);
    one_version_is_copied_down_across_and_back_to_its_place(versioned);
}

#[test]
fn versions_on_ministack() {
    let cloud = Ministack::start().expect("MiniStack starts");
    let (url, owner) = (cloud.url(), cloud.owner.clone());
    let shop = Shop::new(&url, &owner.key, &owner.secret);
    all(&furnished(shop, Box::new(move || client(&url, &owner.key, &owner.secret))));
}

#[test]
fn versions_on_seaweedfs() {
    let store = Seaweedfs::start().expect("SeaweedFS starts");
    let (url, shop) = (store.url(), Shop::new(&store.url(), seaweedfs::KEY, seaweedfs::SECRET));
    all(&furnished(shop, Box::new(move || client(&url, seaweedfs::KEY, seaweedfs::SECRET))));
}

fn client(url: &str, key: &str, secret: &str) -> Command {
    let mut command = bare(python());
    command.envs(identity(url, key, secret, None));
    command
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(ToString::to_string);
    rows
}

fn every_version_is_listed_as_the_store_has_it(kept: &Versioned) {
    let shop = &kept.shop;
    let there = kept.there();
    assert_eq!((there.len(), kept.shown()), (6, there));
    let plain = shop.ok(&["ls", "-r", "m/kept", "--versions"]);
    assert_eq!(plain.lines().count(), 6, "{plain}");
    for (key, id, latest, deleted) in
        [("b", &kept.ids("b", true)[0], true, true), ("dir/a", &kept.ids("dir/a", false)[2], false, false)]
    {
        let line = plain.lines().find(|line| line.contains(id.as_str())).expect("its line");
        assert!(line.ends_with(key) && line.contains(&format!("{id}*")) == latest, "{line}");
        assert_eq!(line.contains("deleted"), deleted, "{line}");
    }
    let column = |line: &str, key: &str| line.strip_suffix(key).map(|before| before.chars().count());
    let columns = plain.lines().map(|line| ["dir/a", "b", "ü c"].iter().find_map(|key| column(line, key)));
    assert_eq!(columns.collect::<std::collections::BTreeSet<_>>().len(), 1, "names begin in one column: {plain}");
    assert_eq!(shop.ok(&["find", "m/kept", "--print", "{key}"]), "dir/a\nü c\n", "what is deleted is not there");
    assert_eq!(shop.data(&["stat", "m/kept"])["versioning"], "enabled");
}

fn each_version_can_be_read_shared_and_looked_at(kept: &Versioned) {
    let shop = &kept.shop;
    let ids = kept.ids("dir/a", false);
    for (id, text) in ids.iter().zip(["three 3", "two 2", "one"]) {
        let version = ["m/kept/dir/a", "--version-id", id];
        assert_eq!(shop.ok(&[&["cat"][..], &version].concat()), text);
        // MiniStack sends the whole of a version whatever range is asked for.
        assert_eq!(shop.ok(&[&["head", "-c", "3"][..], &version].concat()), text[..3]);
        let stat = shop.data(&[&["stat"][..], &version].concat());
        assert_eq!((&stat["version_id"], &stat["size"]), (&json!(id), &json!(text.len())));
        let shared = shop.data(&[&["share", "download"][..], &version].concat());
        assert_eq!(shared["version_id"], json!(id));
        let mut curl = bare("curl");
        assert_eq!(run(curl.args(["-sS", "--fail", shared["url"].as_str().expect("a link")])).succeeded(), text);
    }
    assert_eq!(shop.ok(&["cat", "m/kept/dir/a"]), "three 3");
    for command in ["cat", "head", "stat", "rm"] {
        let said = shop.refused(&[command, "m/kept/dir/a", "--version-id", "00000000000000000000000000000000"], 5);
        assert!(said.err.contains("ersion"), "{said:?}");
    }
    let said = shop.refused(&["share", "download", "m/kept/b", "m/kept/dir/a", "--version-id", "x"], 2);
    assert!(said.err.contains("one link at a time"), "{said:?}");
}

fn a_delete_marker_is_called_one_and_removing_it_brings_the_object_back(kept: &Versioned) {
    let shop = &kept.shop;
    let marker = &kept.ids("b", true)[0];
    for command in ["cat", "head", "stat"] {
        shop.refused(&[command, "m/kept/b"], 5);
        shop.refused(&[command, "m/kept/b", "--version-id", marker], 5);
    }
    let said = shop.refused(&["rm", "m/kept/b"], 5);
    assert!(said.err.contains("there is no `m/kept/b`"), "{said:?}");
    assert_eq!(
        shop.ok(&["rm", "m/kept/b", "--version-id", marker, "--dry-run"]),
        format!("m/kept/b (version {marker})\n")
    );
    shop.refused(&["cat", "m/kept/b"], 5);
    assert_eq!(shop.json(&["rm", "m/kept/b", "--version-id", marker])[0]["data"]["version_id"], json!(marker));
    assert_eq!(shop.ok(&["cat", "m/kept/b"]), "b");
    let said = shop.refused(&["rm", "m/kept/b", "--version-id", marker], 5);
    assert!(said.err.contains(&format!("there is no version `{marker}` of `m/kept/b`")), "{said:?}");
    assert_eq!(kept.shown(), kept.there());
}

fn null_versions_and_all_the_rest_go_for_good(kept: &Versioned) {
    let shop = &kept.shop;
    shop.ok(&["version", "suspend", "m/kept"]);
    assert_eq!(shop.data(&["version", "info", "m/kept"])["versioning"], "suspended");
    for text in ["four", "five 5"] {
        assert_eq!(shop.say_with(&["pipe", "m/kept/dir/a"], text.as_bytes()).code, 0);
    }
    assert_eq!(kept.ids("dir/a", false).iter().filter(|id| *id == "null").count(), 1, "one null version");
    assert_eq!(kept.ids("dir/a", false).len(), 4);
    assert_eq!(shop.ok(&["cat", "m/kept/dir/a", "--version-id", "null"]), "five 5");
    assert_eq!(kept.shown(), kept.there());
    assert_eq!(shop.data(&["du", "m/kept", "--versions"])["objects"], 6);
    let planned = shop.ok(&["rm", "-r", "m/kept/dir", "--versions", "--dry-run"]);
    assert_eq!(planned.lines().count(), 4, "{planned}");
    let removed = shop.json(&["rm", "-r", "m/kept/dir", "--versions"]);
    assert_eq!((removed.len(), &removed[4]["data"]["removed"]), (5, &json!(4)));
    assert_eq!(kept.there().len(), 2, "{:?}", kept.there());
    let said = shop.refused(&["rb", "m/kept"], 6);
    assert!(said.err.contains("--force"), "{said:?}");
    shop.ok(&["rm", "m/kept/b", "--versions"]);
    shop.ok(&["rm", "m/kept/ü c"]);
    assert!(!kept.there().is_empty(), "versions stay when an object is deleted");
    shop.refused(&["rb", "m/kept"], 6);
    shop.ok(&["rb", "m/kept", "--force"]);
    shop.refused(&["ls", "m/kept"], 5);
}

fn one_version_is_copied_down_across_and_back_to_its_place(kept: &Versioned) {
    let shop = &kept.shop;
    shop.ok(&["mb", "m/again", "--with-versioning"]);
    for text in ["one", "two 2"] {
        assert_eq!(shop.say_with(&["pipe", "m/again/a"], text.as_bytes()).code, 0);
    }
    let all = shop.json(&["ls", "m/again/a", "--versions"]);
    let first = all[1]["data"]["version_id"].as_str().expect("an id");
    fn of_version<'a>(paths: &[&'a str], id: &'a str) -> Vec<&'a str> {
        [&["cp"], paths, &["--version-id", id]].concat()
    }
    let copy = |paths: &[&'static str]| of_version(paths, first);
    assert_eq!(shop.ok(&copy(&["m/again/a", "-"])), "one");
    shop.ok(&copy(&["m/again/a", "./down"]));
    assert_eq!(std::fs::read_to_string(shop.world.work().join("down")).expect("the file"), "one");
    shop.ok(&copy(&["m/again/a", "m/again/b"]));
    assert_eq!(shop.ok(&["cat", "m/again/b"]), "one");
    assert_eq!(shop.ok(&["cat", "m/again/a"]), "two 2", "what is not asked for stays");
    shop.ok(&copy(&["m/again/a", "m/again/a"]));
    assert_eq!(shop.ok(&["cat", "m/again/a"]), "one");
    let unknown = ["cp", "m/again/a", "./none", "--version-id", "00000000000000000000000000000000"];
    shop.refused(&unknown, 5);
    assert!(!shop.world.work().join("none").exists());
    for args in [&["-r", "m/again/", "./x/"][..], &["./down", "m/again/c"], &["m/again/a", "m/again/b", "./x/"]] {
        shop.refused(&copy(args), 2);
    }
    shop.ok(&["rb", "m/again", "--force"]);
}
