//! JSON of every command: what it prints when it succeeds, when it fails, and when it is asked for its rights.

use std::collections::BTreeSet;

use hallpass_testkit::servers::minio_admin::{KEY, MinioAdmin, SECRET};
use hallpass_testkit::servers::{Scripted, Seaweedfs, seaweedfs};
use serde_json::Value;

use super::envelope::{all_keep_to_the_schema, published};
use super::expired::{CASES, OFFLINE, arguments, world};
use super::store::Shop;
use super::tree::leaves;
use crate::alias::with;
use crate::cli_world::Said;

/// These print what an object holds, and no JSON beside it.
const RAW: [&str; 2] = ["cat", "head"];

/// What is done, in this order: what one makes, another one finds. `@` is a bucket of moto, `%` one of SeaweedFS, which has
/// object lock, and `n` the stand-in for MinIO.
const DONE: &[(&str, &str)] = &[
    ("mb", "@-two --with-versioning"),
    ("mb", "% --with-lock"),
    ("pipe", "@/a"),
    ("pipe", "%/held"),
    ("cp", "./folder/a @/b"),
    ("cp", "./folder/a @/b --no-clobber"),
    ("cp", "-r ./folder/ @/copies/"),
    ("cp", "-r ./folder/ @/planned/ --dry-run"),
    ("cp", "@/b ./down"),
    ("cp", "@/b @/inside"),
    ("mv", "@/b @/moved"),
    ("mirror", "./folder/ @/mirror/"),
    ("mirror", "./folder/ @/mirror/"),
    ("mirror", "./folder/ @/copies/ --remove --dry-run"),
    ("diff", "./folder/ @/copies/"),
    ("diff", "./folder/ @/"),
    ("ls", "m"),
    ("ls", "@"),
    ("ls", "@ -r --summarize"),
    ("ls", "% -r --versions"),
    ("ls", "@ --incomplete"),
    ("stat", "@"),
    ("stat", "@/a --tags"),
    ("find", "@ --name *a*"),
    ("tree", "@"),
    ("du", "@ --depth 1"),
    ("share download", "@/a @/moved"),
    ("share upload", "@/new"),
    ("share upload", "@/new/ --form --prefix --size-max 1MB"),
    ("tag set", "@/a team=web"),
    ("tag list", "@/a"),
    ("tag remove", "@/a"),
    ("tag set", "@ team=web"),
    ("tag list", "@"),
    ("version info", "@"),
    ("version enable", "@"),
    ("version suspend", "@"),
    ("retention set", "%/held --mode governance --for 1d"),
    ("retention info", "%/held"),
    ("retention info", "%"),
    ("retention clear", "%"),
    ("legal-hold set", "%/held"),
    ("legal-hold info", "%/held"),
    ("legal-hold clear", "%/held"),
    ("cors set", "@ cors.json"),
    ("cors get", "@"),
    ("cors remove", "@"),
    ("lifecycle rule add", "@ --id one --expire-days 3"),
    ("lifecycle rule ls", "@"),
    ("lifecycle export", "@"),
    ("lifecycle rule rm", "@ --id one"),
    ("lifecycle import", "@ lifecycle.json"),
    ("policy set", "download @"),
    ("policy get", "@"),
    ("policy set", "none @ --force"),
    ("run", "batch"),
    ("which", "@/a"),
    ("which", "./folder"),
    ("rm", "@/moved"),
    ("rm", "-r @/copies --dry-run"),
    ("rm", "-r @/mirror"),
    ("rb", "@-two"),
    ("admin info", "n"),
    ("admin heal", "n"),
    ("admin user add", "n anna --secret-key-stdin"),
    ("admin user list", "n"),
    ("admin user info", "n anna"),
    ("admin user disable", "n anna"),
    ("admin user enable", "n anna"),
    ("admin group add", "n team anna"),
    ("admin group list", "n"),
    ("admin group info", "n team"),
    ("admin group disable", "n team"),
    ("admin group enable", "n team"),
    ("admin policy create", "n reading policy.json"),
    ("admin policy list", "n"),
    ("admin policy info", "n reading"),
    ("admin policy attach", "n reading --user anna"),
    ("admin policy detach", "n reading --user anna"),
    ("admin policy remove", "n reading"),
    ("admin group remove", "n team anna"),
    ("admin user remove", "n anna"),
    ("admin service-account add", "n --access-key KEYOFTHEROBOT --name ci"),
    ("admin service-account list", "n"),
    ("admin service-account info", "n KEYOFTHEROBOT"),
    ("admin service-account edit", "n KEYOFTHEROBOT --status off"),
    ("admin service-account remove", "n KEYOFTHEROBOT"),
];

/// The envelopes on both streams.
fn envelopes(said: &Said) -> Vec<String> {
    said.out.lines().chain(said.err.lines()).filter(|line| line.starts_with('{')).map(str::to_owned).collect()
}

fn family(line: &str, status: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line).expect("JSON");
    (value["status"] == status).then(|| value["type"].as_str().expect("a family").to_owned())
}

#[test]
fn every_command_that_succeeds_says_so_in_json_that_keeps_to_the_schema() {
    let (shop, server) = (Shop::new(), MinioAdmin::start().expect("starts"));
    let locks = Seaweedfs::start().expect("SeaweedFS starts");
    let set = ["alias", "set", "w", &locks.url(), seaweedfs::KEY, "--secrets-stdin", "--no-check"];
    assert_eq!(with(&shop.world, &set, &[], &format!("{}\n", seaweedfs::SECRET)).code, 0);
    let set = ["alias", "set", "n", &server.url(), KEY, "--secrets-stdin", "--no-check"];
    assert_eq!(with(&shop.world, &set, &[], &format!("{SECRET}\n")).code, 0);
    let furnished = world("http://127.0.0.1:9", "m");
    for name in ["policy.json", "cors.json", "lifecycle.json"] {
        std::fs::copy(furnished.work().join(name), shop.world.work().join(name)).expect("copied");
    }
    shop.world.file("work/folder/a", "alpha");
    shop.world.file("work/batch", &format!("ls m/{}\nstat m/{}/a\n", shop.bucket, shop.bucket));
    let (mut lines, mut done, mut families) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (leaf, args) in DONE {
        let args = args.replace('%', "w/locks");
        let words: Vec<&str> = leaf.split(' ').chain(args.split(' ')).chain(["--json"]).collect();
        let said = shop.say_with(&words, "long-enough-secret\n");
        let differs = *leaf == "diff" && said.code == 1;
        assert!(said.code == 0 || differs, "{leaf} {args}: {said:?}");
        let found = envelopes(&said);
        let good: BTreeSet<_> = found.iter().filter_map(|line| family(line, "success")).collect();
        // A listing of nothing has no lines.
        assert!(!good.is_empty() || args.ends_with("--incomplete"), "{leaf} {args} says nothing: {said:?}");
        families.extend(good);
        done.insert((*leaf).to_owned());
        lines.extend(found);
    }
    all_keep_to_the_schema(&shop.world, &lines);
    let raw = RAW.map(str::to_owned);
    let forgotten: Vec<_> = leaves().iter().filter(|leaf| !done.contains(*leaf) && !raw.contains(*leaf)).collect();
    assert!(forgotten.is_empty(), "say in DONE how these succeed: {forgotten:?}");
    let published = published();
    assert!(families.is_subset(&published), "not described: {:?}", families.difference(&published));
}

#[test]
fn every_command_that_fails_or_explains_itself_keeps_to_the_schema() {
    let store = Scripted::refusing(418, "Strange");
    let (mut lines, home) = (Vec::new(), world(&store.url(), "m"));
    for (leaf, args) in CASES.iter().filter(|(leaf, _)| leaves().contains(*leaf)) {
        let args = arguments(leaf, args, "m");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let failed = with(&home, &args, &[], "long-enough-secret\n");
        let found = envelopes(&failed);
        assert!(failed.code != 0 && found.iter().any(|line| family(line, "error").is_some()), "{leaf}: {failed:?}");
        let asked = store.heard().len();
        let explained = with(&home, &[&args[..], &["--explain"]].concat(), &[], "long-enough-secret\n");
        let rights = envelopes(&explained);
        let is_explained = |line: &String| family(line, "success").as_deref() == Some("s3_explain");
        assert!(explained.code == 0 && rights.iter().all(is_explained) && !rights.is_empty(), "{leaf}: {explained:?}");
        assert_eq!(store.heard().len(), asked, "{leaf}: explaining asks nobody");
        lines.extend(found.into_iter().chain(rights));
    }
    let without = |leaf: &String| !CASES.iter().any(|(name, _)| name == leaf) && !OFFLINE.contains(&leaf.as_str());
    assert!(!leaves().iter().any(without));
    all_keep_to_the_schema(&home, &lines);
}
