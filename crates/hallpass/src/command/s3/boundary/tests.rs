use std::path::PathBuf;

use hallpass_s3::alias::{AliasFile, Entry, Origin, Registry, Stored};
use hallpass_s3::error::{Answer, ErrorKind, S3Error};
use tempfile::TempDir;

use super::Boundary;
use crate::cli::GlobalArgs;
use crate::command::Context;
use crate::output::Printer;

const FILE: &str = "schema_version = 2\n# kept\n[[aliases]]\nname = \"m\"\nendpoint = \"http://h\"\naccess_key = \"AK\"\n\
    secret_key = \"S\"\nsession_token = \"T\"\n\n[[aliases]]\nname = \"p\"\nendpoint = \"http://h\"\nprofile = \"x\"\n\n\
    [[aliases]]\nname = \"s\"\nendpoint = \"http://h\"\naccess_key = \"AK\"\nsecret_key = \"S\"\n";

struct World {
    _folder: TempDir,
    path: PathBuf,
    context: Context,
}

impl World {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        let (config, quiet) = (Some(path.clone()), true);
        let global = GlobalArgs { config, quiet, no_project: true, ..GlobalArgs::default() };
        let printer = Printer::new(&global);
        Self { _folder: folder, path, context: Context::new(global, printer) }
    }

    fn entry(&self, name: &str, origin: Origin) -> Entry {
        let Stored { aliases, .. } = AliasFile::new(&self.path).load().expect("loads");
        let (name, alias) = aliases.into_iter().find(|(known, _)| known == name).expect("there");
        Entry { name, origin, shadowed: false, alias }
    }

    /// True when the alias is still there after `error`, and the exit code.
    fn after(&self, entry: &Entry, no_prune: bool, error: S3Error) -> (bool, u8) {
        let failure = Boundary::new(&self.context, entry, no_prune).failed(error);
        let stored = AliasFile::new(&self.path).load().expect("loads");
        let stays = stored.aliases.iter().any(|(name, _)| *name == entry.name);
        (stays, failure.exit_status().code())
    }
}

fn expired() -> S3Error {
    S3Error::TokenExpired("m".to_owned())
}

#[test]
fn an_expired_token_removes_the_alias_and_exits_with_auth_error_4() {
    let world = World::new(FILE);
    let entry = world.entry("m", Origin::File);
    assert_eq!(world.after(&entry, false, expired()), (false, 4));
    let text = std::fs::read_to_string(&world.path).expect("text");
    assert!(text.contains("\"p\"") && text.contains("\"s\"") && !text.contains("\"T\""), "{text}");
    Registry::default().find("m").expect_err("gone");
}

#[test]
fn no_prune_and_the_configuration_keep_the_alias() {
    let world = World::new(FILE);
    let entry = world.entry("m", Origin::File);
    assert_eq!(world.after(&entry, true, expired()), (true, 4));
    let world =
        World::new(&format!("[s3]\nprune_expired = false\n{}", FILE.trim_start_matches("schema_version = 2\n")));
    assert_eq!(world.after(&entry, false, expired()), (true, 4));
}

#[test]
fn what_can_be_renewed_or_comes_from_a_variable_is_never_pruned() {
    let world = World::new(FILE);
    for (name, origin) in [
        ("m", Origin::Environment("MC_HOST_m".to_owned())),
        ("p", Origin::File),
        ("s", Origin::File),
        ("m", Origin::BuiltIn),
    ] {
        let entry = world.entry(name, origin.clone());
        assert_eq!(world.after(&entry, false, expired()), (true, 4), "{name} {origin:?}");
    }
}

#[test]
fn keys_that_were_renewed_meanwhile_stay() {
    let world = World::new(FILE);
    let entry = world.entry("m", Origin::File);
    std::fs::write(&world.path, FILE.replace("session_token = \"T\"", "session_token = \"NEW\"")).expect("written");
    assert_eq!(world.after(&entry, false, expired()), (true, 4));
}

#[test]
fn another_failure_removes_nothing_whatever_its_words_are() {
    let world = World::new(FILE);
    let entry = world.entry("m", Origin::File);
    for kind in [ErrorKind::Auth, ErrorKind::Network, ErrorKind::NotFound] {
        let (code, message) = ("AccessDenied".to_owned(), "ExpiredToken: the token has expired".to_owned());
        let error = S3Error::Store(kind, Answer { code, message, status: Some(403), retryable: false });
        assert!(world.after(&entry, false, error).0, "{kind:?}");
    }
}
