//! What stands between the store and those who would go round it: SQL triggers, modes, owners, durability settings.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use hallpass_control::failpoint::FAIL_POINTS;
use hallpass_control::files;
use hallpass_control::keys::SigningKey;
use hallpass_control::store::{Filter, Page, StoreError};
use hallpass_core::session::{SessionEvent, SessionStatus};
use hallpass_testkit::store_fixtures::{activate, change, new_session, request_denied, run, session};
use rusqlite::Connection;

use crate::support::{Place, stored};

/// A connection that keeps the guards.
fn guarded(place: &Place) -> Connection {
    Connection::open(place.file(files::DATABASE)).expect("opens")
}

fn refused(connection: &Connection, sql: &str, why: &str) {
    let error = connection.execute(sql, []).expect_err(sql).to_string();
    assert!(error.contains(why), "{sql}: {error}");
}

#[test]
fn the_table_in_sql_is_the_state_machine_of_core() {
    let place = Place::new();
    drop(place.open());
    let connection = guarded(&place);
    for from in SessionStatus::ALL {
        for to in SessionStatus::ALL.into_iter().filter(|to| *to != from) {
            let select = "SELECT count(*) FROM session_transitions WHERE from_status = ?1 AND to_status = ?2";
            let in_sql: i64 =
                connection.query_row(select, [from.as_str(), to.as_str()], |row| row.get(0)).expect("reads");
            let in_core = SessionEvent::ALL.into_iter().any(|event| from.on(event) == Ok(to));
            assert_eq!(in_sql == 1, in_core, "{from} to {to}");
        }
    }
}

#[test]
fn an_illegal_change_of_state_fails_in_sql_too() {
    let place = Place::new();
    let store = place.open();
    run(async {
        store.create(new_session(session("pending"))).await.expect("created");
        activate(&*store, session("revoked")).await;
        store.transition(change("revoked", SessionEvent::Revoke)).await.expect("ends");
    });
    let sql = guarded(&place);
    let on = |id: &str, set: &str| format!("UPDATE sessions SET {set} WHERE id = '{id}'");
    refused(&sql, &on("pending", "status = 'completed', ended_at = 1"), "illegal change");
    refused(&sql, &on("revoked", "status = 'active', ended_at = NULL"), "does not change");
    refused(&sql, &on("revoked", "status = 'completed'"), "does not change");
    refused(&sql, &on("revoked", "end_reason = 'never mind'"), "does not change");
    refused(&sql, &on("pending", "status = 'nonsense'"), "illegal change");
    refused(&sql, &on("pending", "status = 'failed'"), "CHECK constraint");
    for column in ["policy", "role_arn", "expires_at", "authority", "provider", "delivery", "tags", "region"] {
        refused(&sql, &on("pending", &format!("{column} = '{{}}'")), "does not change");
    }
    refused(&sql, "DELETE FROM sessions WHERE id = 'pending'", "not removed");
    refused(&sql, "INSERT INTO sessions SELECT * FROM sessions WHERE id = 'revoked'", "begins pending");
    refused(&sql, "DELETE FROM audit_runs", "append-only");
    refused(&sql, "UPDATE audit_runs SET entries = 0", "append-only");
    refused(&sql, "DELETE FROM audit_run_sessions", "append-only");
    refused(&sql, "UPDATE audit_run_sessions SET entries = 0", "append-only");
    refused(&sql, "DELETE FROM audit_checkpoints", "append-only");
    refused(&sql, "UPDATE audit_checkpoints SET note = ''", "append-only");
    refused(&sql, "DELETE FROM audit_head", "only grows");
    refused(&sql, "UPDATE audit_head SET size = size - 1", "only grows");
    refused(&sql, "UPDATE audit_head SET log_id = 'x'", "only grows");
}

#[test]
fn everything_in_the_state_directory_is_ours_alone() {
    let place = Place::new();
    place.populate();
    let store = place.open();
    run(store.create(new_session(session("s")))).expect("created");
    let mode = |path: &Path| fs::metadata(path).expect("exists").mode() & 0o777;
    assert_eq!(mode(&place.dir()), 0o700);
    let mut names = Vec::new();
    for file in fs::read_dir(place.dir()).expect("reads") {
        let path = file.expect("reads").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().expect("has one").to_string_lossy().into_owned());
    }
    names.sort();
    let expected =
        ["checkpoint.key", "checkpoints.log", "hallpass.db", "hallpass.db-shm", "hallpass.db-wal", "reserve"];
    assert_eq!(names, expected);
}

#[test]
fn what_others_can_write_is_not_opened() {
    let chmod = |path: &Path, mode: u32| fs::set_permissions(path, Permissions::from_mode(mode)).expect("sets");
    let insecure = |place: &Place, what: &str| {
        let error = place.try_open().map(|store| run(store.create(new_session(session("s")))));
        let error = match error {
            Ok(created) => created.expect_err(what),
            Err(error) => error,
        };
        assert!(matches!(&error, StoreError::Insecure(text) if text.contains("chmod")), "{what}: {error}");
        assert_eq!(error.code(), "store-insecure");
    };
    let place = Place::new();
    place.populate();
    for mode in [0o770, 0o702, 0o777, 0o1777] {
        chmod(&place.dir(), mode);
        insecure(&place, "directory");
    }
    chmod(&place.dir(), 0o755);
    assert!(place.try_open().is_ok(), "others may know that it is there");
    chmod(&place.file(files::DATABASE), 0o660);
    insecure(&place, "database");
    chmod(&place.file(files::DATABASE), 0o600);
    chmod(&place.file(files::KEY), 0o640);
    insecure(&place, "a key that others can read is no key");
}

#[test]
fn a_file_of_another_user_is_not_opened() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root can give files away");
    }
    for name in ["", files::DATABASE, files::KEY] {
        let place = Place::new();
        place.populate();
        let nobody = rustix::fs::Uid::from_raw(65_534);
        rustix::fs::chown(place.dir().join(name), Some(nobody), None).expect("gives away");
        let error = place.try_open().and_then(|store| run(store.create(new_session(session("s"))))).expect_err(name);
        assert!(matches!(&error, StoreError::Insecure(text) if text.contains("belongs to user 65534")), "{error}");
    }
}

#[test]
fn a_symbolic_link_in_place_of_a_file_is_not_followed() {
    for name in [files::DATABASE, files::KEY] {
        let place = Place::new();
        place.populate();
        let moved = place.dir().join("moved");
        fs::rename(place.file(name), &moved).expect("moves");
        symlink(&moved, place.file(name)).expect("links");
        let error = place.try_open().and_then(|store| run(store.create(new_session(session("s"))))).expect_err(name);
        assert!(matches!(&error, StoreError::Insecure(text) if text.contains("symbolic link")), "{name}: {error}");
    }
}

#[test]
fn of_many_that_make_the_key_at_once_all_get_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("key");
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let key = SigningKey::load_or_make(&path).expect("makes");
                key.verifier("x").expect("a name").to_string()
            })
        })
        .collect();
    let mut keys: Vec<String> = threads.into_iter().map(|thread| thread.join().expect("ends")).collect();
    keys.dedup();
    assert_eq!(keys.len(), 1);
    let left: Vec<_> = fs::read_dir(dir.path()).expect("reads").collect();
    assert_eq!(left.len(), 1, "no half-made key stays behind");
}

#[test]
fn a_lost_or_foreign_key_stops_the_store_instead_of_being_replaced() {
    let place = Place::new();
    place.populate();
    let other = Place::new();
    other.populate();
    let create = || place.try_open().and_then(|store| run(store.create(new_session(session("s")))));
    fs::remove_file(place.file(files::KEY)).expect("removes");
    assert!(matches!(create(), Err(StoreError::Key(text)) if text.contains("is missing")));
    fs::copy(other.file(files::KEY), place.file(files::KEY)).expect("copies");
    assert!(matches!(create(), Err(StoreError::Key(text)) if text.contains("not the key that signed")));
    fs::write(place.file(files::KEY), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        .expect("writes");
    assert!(matches!(create(), Err(StoreError::Key(_))));
    assert_eq!(stored(&place.raw()).len(), 34, "nothing was recorded without a signature");
}

#[test]
fn the_list_of_fail_points_is_what_the_source_has() {
    let mut found = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    visit(&sources, &mut |text| {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("fail_point!(\"") {
            let (name, after) = after.split_once('"').expect("a name ends");
            found.push(name.to_owned());
            rest = after;
        }
    });
    found.sort();
    let mut listed = FAIL_POINTS.map(str::to_owned).to_vec();
    listed.sort();
    assert_eq!(found, listed, "each once");
    assert!(listed.len() >= 8);
}

fn visit(dir: &Path, look: &mut dyn FnMut(&str)) {
    for entry in fs::read_dir(dir).expect("reads") {
        let path = entry.expect("reads").path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&fs::read_to_string(&path).expect("reads"));
        }
    }
}

#[test]
fn a_store_that_was_closed_leaves_little_to_be_read_again_and_nothing_is_lost() {
    let place = Place::new();
    place.populate();
    let store = place.open();
    run(store.list(Filter::default(), Page::default())).expect("reads");
    run(store.append(None, request_denied(1))).expect("appended");
    drop(store);
    let left = std::fs::metadata(place.file("hallpass.db-wal")).map_or(0, |log| log.len());
    assert!(left <= hallpass_core::limits::STORE_LOG_LEFT_BYTES_MAX, "{left}");
    assert_eq!(place.codes(), Vec::<&str>::new());
}
