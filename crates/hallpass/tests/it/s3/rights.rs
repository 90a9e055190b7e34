//! `--explain`: what each command asks for when it borrows a role, and nothing more.

use super::store::{Puppet, Shop};

#[test]
fn every_command_needs_what_it_does_and_no_more() {
    let store = Puppet::refusing(500, "InternalError");
    let shop = Shop::new(&store.url(), "k", "s");
    let table: &[(&[&str], &str, &str)] = &[
        (&["ls", "m"], "ListAllMyBuckets", "*"),
        (&["ls", "m/b/p"], "ListBucket", "b"),
        (&["ls", "m/b", "--versions"], "ListBucketVersions", "b"),
        (&["mb", "m/bkt"], "CreateBucket", "bkt"),
        (&["rb", "m/b"], "DeleteBucket ListBucket ListBucketVersions", "b"),
        (&["cat", "m/b/k"], "GetObject", "b/k"),
        (&["head", "m/b/k", "--version-id", "v"], "GetObjectVersion", "b/k"),
        (&["cp", "m/b/k", "./x", "--version-id", "v"], "GetObjectVersion", "b/k"),
        (&["stat", "m/b/k"], "GetObject ListBucket", "b/k b"),
        (&["find", "m/b/p"], "ListBucket", "b"),
        (&["rm", "m/b/k*"], "DeleteObject ListBucket", "b/k${*} b"),
        (&["rm", "-r", "m/b/p/"], "DeleteObject ListBucket", "b/p/ b/p/* b"),
        (&["rm", "-r", "m/b/p/", "--versions"], "DeleteObjectVersion ListBucketVersions", "b/p/ b/p/* b"),
        (&["pipe", "m/b/k"], "PutObject AbortMultipartUpload", "b/k"),
        (&["share", "download", "m/b/k"], "GetObject", "b/k"),
        (&["share", "upload", "m/b/p/", "--form", "--prefix"], "PutObject", "b/p/*"),
        (&["tag", "set", "m/b/k", "a=b"], "PutObjectTagging", "b/k"),
        (&["tag", "list", "m/b"], "GetBucketTagging", "b"),
        (&["version", "info", "m/b"], "GetBucketVersioning", "b"),
        (&["retention", "info", "m/b/k"], "GetObjectRetention", "b/k"),
        (&["legal-hold", "set", "m/b/k"], "PutObjectLegalHold", "b/k"),
        (&["cors", "get", "m/b"], "GetBucketCORS", "b"),
        (&["lifecycle", "export", "m/b"], "GetLifecycleConfiguration", "b"),
        (&["policy", "set", "none", "m/b", "--force"], "DeleteBucketPolicy", "b"),
    ];
    for (command, actions, resources) in table {
        let data = shop.data(&[*command, &["--explain"]].concat());
        let expected: Vec<_> = actions.split(' ').map(|action| format!("s3:{action}")).collect();
        assert_eq!(data["actions"], serde_json::json!(expected), "{command:?}");
        let arn = |name: &str| if name == "*" { name.to_owned() } else { format!("arn:aws:s3:::{name}") };
        let expected: Vec<_> = resources.split(' ').map(arn).collect();
        assert_eq!(data["resources"], serde_json::json!(expected), "{command:?}");
    }
    assert_eq!(store.requests.load(std::sync::atomic::Ordering::SeqCst), 0, "explaining does nothing");
}

#[test]
fn trap_19_options_of_every_command_stand_apart_from_its_own() {
    let world = crate::cli_world::World::new();
    for command in ["ls", "rm", "find", "share", "retention"] {
        let help = world.ok(&["s3", command, "--help"]);
        let (own, global) = help.split_once("\nGlobal options:").expect("two groups");
        assert!(global.contains("--explain") && global.contains("--no-prune") && global.contains("--json"), "{help}");
        assert!(!own.contains("--explain") && !own.contains("--json"), "{help}");
    }
}
