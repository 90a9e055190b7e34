use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hallpass_core::limits::{ALIASES_MAX, CONFIG_BYTES_MAX};
use tempfile::TempDir;

use super::AliasFile;
use crate::alias::{Addressing, Alias, CredentialsSource};
use crate::error::ErrorKind;

fn alias(name: &str) -> Alias {
    Alias {
        name: name.to_owned(),
        endpoint: "http://h:9000".to_owned(),
        region: "us-east-1".to_owned(),
        addressing: Addressing::Auto,
        credentials: CredentialsSource::Anonymous,
    }
}

fn world(text: &str) -> (TempDir, AliasFile) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).expect("written");
    (folder, AliasFile::new(path))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777
}

fn text(file: &AliasFile) -> String {
    std::fs::read_to_string(file.path()).expect("text")
}

#[test]
fn a_new_file_and_its_folder_are_for_the_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = AliasFile::new(folder.path().join("hallpass/config.toml"));
    assert!(file.load().expect("nothing").aliases.is_empty());
    file.edit(|change| change.set(&alias("m"))).expect("set");
    assert_eq!((mode(file.path()), mode(&folder.path().join("hallpass"))), (0o600, 0o700));
    assert!(text(&file).starts_with("schema_version = 2\n"), "{}", text(&file));
    let left: Vec<_> = std::fs::read_dir(folder.path().join("hallpass")).expect("a folder").collect();
    assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
}

#[test]
fn an_edit_keeps_what_it_does_not_change_and_a_backup_of_an_older_file() {
    let old = "# mine\n[session]\nttl = \"15m\" # short\n\n# home\n[[aliases]]\nname = \"home\"\nendpoint = \"http://h\"\n\
        anonymous = true\nfuture = \"x\" # unknown\n";
    let (folder, file) = world(old);
    file.edit(|change| change.set(&alias("m"))).expect("set");
    let new = text(&file);
    for line in old.lines() {
        assert!(new.contains(line), "{line} is lost:\n{new}");
    }
    let backup = folder.path().join("config.toml.v1.bak");
    assert_eq!(std::fs::read_to_string(&backup).expect("a backup"), old);
    assert_eq!((mode(&backup), mode(file.path())), (0o600, 0o600));
    std::fs::remove_file(&backup).expect("removed");
    file.edit(|change| change.remove("m")).expect("removed");
    assert!(!backup.exists(), "a file of today's version needs no backup");
    assert_eq!(text(&file).trim_end(), new.split("\n[[aliases]]\nname = \"m\"").next().expect("text").trim_end());
}

#[test]
fn a_change_that_fails_or_changes_nothing_writes_nothing() {
    let old = "[[aliases]]\nname = \"m\"\nendpoint = \"http://h:9000\"\nregion = \"us-east-1\"\nanonymous = true\n";
    let (_folder, file) = world(old);
    let mut bad = alias("x");
    bad.region = "a b".to_owned();
    file.edit(|change| change.set(&bad)).expect_err("refused");
    assert!(!file.edit(|change| change.remove("absent")).expect("asks"));
    assert!(file.edit(|change| change.set(&alias("m"))).expect("the same again"));
    assert_eq!(text(&file), old);
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let old = "schema_version = 99\n[[aliases]]\nname = \"m\"\n";
    let (_folder, file) = world(old);
    assert_eq!(file.load().expect_err("newer").kind(), ErrorKind::Unsupported);
    assert_eq!(file.edit(|change| change.set(&alias("x"))).expect_err("newer").kind(), ErrorKind::Unsupported);
    assert_eq!(text(&file), old);
}

#[test]
fn one_alias_that_is_wrong_spoils_only_itself() {
    let good = "[[aliases]]\nname = \"good\"\nendpoint = \"http://h\"\nanonymous = true\n";
    let twice = "[[aliases]]\nname = \"twice\"\nendpoint = \"http://h\"\nanonymous = true\n".repeat(2);
    let (_folder, file) = world(&format!("[[aliases]]\nname = \"bad\"\n{good}[[aliases]]\nx = 1\n{twice}"));
    let stored = file.load().expect("loads");
    let seen: Vec<_> = stored.aliases.iter().map(|(name, alias)| (name.as_str(), alias.is_ok())).collect();
    assert_eq!(seen, [("bad", false), ("good", true), ("#3", false), ("twice", false), ("twice", false)]);
}

#[test]
fn an_array_of_inline_tables_is_understood() {
    let (_folder, file) = world("aliases = [{ name = \"a\", endpoint = \"http://h\", anonymous = true }]\n");
    assert_eq!(file.load().expect("loads").aliases.len(), 1);
    file.edit(|change| change.set(&alias("m"))).expect("set");
    assert_eq!(file.load().expect("loads").aliases.len(), 2);
}

#[test]
fn files_that_are_not_ours_to_read_are_refused() {
    for bad in ["aliases = 3", "not toml", "[aliases]\nname = 1", "aliases = [1]"] {
        let (_folder, file) = world(bad);
        file.load().expect_err(bad);
        file.edit(|change| change.set(&alias("m"))).expect_err(bad);
        assert_eq!(text(&file), bad);
    }
    let (_folder, file) = world("");
    std::fs::set_permissions(file.path(), PermissionsExt::from_mode(0o666)).expect("mode");
    assert!(file.load().expect_err("refused").to_string().contains("every user"));
    let (_folder, file) = world(&"#".repeat(usize::try_from(CONFIG_BYTES_MAX).expect("fits") + 1));
    assert!(file.load().expect_err("refused").to_string().contains("larger"));
}

#[test]
fn a_broken_line_is_named_without_its_text() {
    let (_folder, file) = world("[[aliases]]\nname = \"m\"\nsecret_key = \"canary\" canary\n");
    let said = format!("{0} {0:?}", file.load().expect_err("no TOML"));
    assert!(said.contains("line 3") && !said.contains("canary"), "{said}");
}

#[test]
fn there_are_not_more_aliases_than_anybody_needs() {
    let many: String = (0..ALIASES_MAX)
        .map(|n| format!("[[aliases]]\nname = \"a{n}\"\nendpoint = \"http://h\"\nanonymous = true\n"))
        .collect();
    let (_folder, file) = world(&many);
    assert_eq!(file.load().expect("loads").aliases.len(), ALIASES_MAX);
    file.edit(|change| change.set(&alias("one-more"))).expect_err("too many");
    assert_eq!(text(&file), many);
    let (_folder, file) = world(&format!("{many}[[aliases]]\nname = \"one-more\"\n"));
    file.load().expect_err("too many");
}

#[test]
fn a_link_to_the_file_stays_a_link() {
    let (folder, file) = world("");
    let link = folder.path().join("link.toml");
    std::os::unix::fs::symlink(file.path(), &link).expect("a link");
    AliasFile::new(&link).edit(|change| change.set(&alias("m"))).expect("set");
    assert!(link.symlink_metadata().expect("metadata").is_symlink());
    assert_eq!(file.load().expect("loads").aliases.len(), 1);
}

#[test]
fn renaming_touches_nothing_but_the_name() {
    let old = "schema_version = 2\n[[aliases]]\nname = \"a\" # first\nendpoint = \"http://h\"\nfuture = 1\n";
    let (_folder, file) = world(old);
    assert!(file.edit(|change| change.rename("a", "b")).expect("renamed"));
    assert_eq!(text(&file), old.replace("\"a\"", "\"b\""));
    file.edit(|change| change.set(&alias("c"))).expect("set");
    let refused = file.edit(|change| change.rename("b", "c")).expect_err("taken");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}
