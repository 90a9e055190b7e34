//! Connections: pragmas, migrations, and SQLite's errors in our words.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use hallpass_core::limits::{STORE_BUSY_TIMEOUT_MS, STORE_LOG_LEFT_BYTES_MAX, STORE_LOG_PAGES_MAX};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::files::{self, Privacy};
use crate::store::{Durability, StoreError};

/// The migrations, in order; number n leads to schema version n + 1.
const MIGRATIONS: [[&str; 2]; 3] = [
    [include_str!("schema/0001_sessions.sql"), include_str!("schema/0001_sqlite.sql")],
    [include_str!("schema/0002_budget.sql"), include_str!("schema/0002_sqlite.sql")],
    [include_str!("schema/0003_children.sql"), include_str!("schema/0003_sqlite.sql")],
];
/// The schema version that this program knows.
pub(crate) const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// One pause of the busy handler.
const BUSY_PAUSE: Duration = Duration::from_micros(500);

/// Opens the connection that writes, and checks that the settings which durability rests on are in force.
pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    drop(files::open_or_make(path, Privacy::Unwritable)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(from_sql)?;
    wait_when_busy(&mut connection)?;
    plan_once(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(from_sql)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).map_err(from_sql)?;
    use_wal(&connection)?;
    connection.pragma_update(None, "wal_autocheckpoint", STORE_LOG_PAGES_MAX).map_err(from_sql)?;
    let (name, number) = match durability {
        Durability::Process => ("NORMAL", 1),
        Durability::Power => ("FULL", 2),
    };
    connection.pragma_update(None, "synchronous", name).map_err(from_sql)?;
    let in_force: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(from_sql)?;
    if in_force != number {
        return Err(StoreError::Database(format!("`synchronous` is {in_force}, not {number}")));
    }
    tracing::debug!(journal_mode = "wal", synchronous = in_force, "the store is open for writing");
    Ok(connection)
}

/// Closes a connection that is not to be trusted any more, or whose disk is full: what it had begun is undone, and the
/// write-ahead log is left as it is, because copying it into the database would need space and trust.
pub(crate) fn abandon(connection: Connection) {
    drop(connection.execute_batch("ROLLBACK"));
    drop(connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
    drop(connection);
}

/// Closes the connection that wrote. A small write-ahead log stays for the next process: copying it into the database,
/// with its syncs, and making it anew cost a short `run` a tenth of all its CPU time. Who wants durability against
/// the loss of power gets the copy.
pub(crate) fn close(connection: Connection, path: &Path, durability: Durability) {
    let small = std::fs::metadata(log_of(path)).is_ok_and(|log| log.len() <= STORE_LOG_LEFT_BYTES_MAX);
    if small && durability == Durability::Process {
        drop(connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
    }
    drop(connection);
}

/// The file of the write-ahead log.
fn log_of(path: &Path) -> OsString {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log
}

/// Opens a connection that cannot write.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    if files::open_existing(path, Privacy::Unwritable)?.is_none() {
        return Err(StoreError::Io(format!("there is no store: `{}` does not exist", path.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match immutable(path) {
        Some(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI),
        None => Connection::open_with_flags(path, flags),
    };
    let mut connection = opened.map_err(from_sql)?;
    wait_when_busy(&mut connection)?;
    plan_once(&connection)?;
    Ok(connection)
}

/// The address of a database on a read-only file system whose write-ahead log is empty: SQLite would want to make the
/// log's index beside it, and cannot. Nobody writes there, so it may be read as it stands.
fn immutable(path: &Path) -> Option<String> {
    let folder = rustix::fs::statvfs(path.parent()?).ok()?;
    if !folder.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return None;
    }
    if std::fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0) {
        return None;
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    let encode = |b: &u8| if legal(*b) { char::from(*b).to_string() } else { format!("%{b:02X}") };
    let address: String = path.as_os_str().as_encoded_bytes().iter().map(encode).collect();
    Some(format!("file:{address}?immutable=1"))
}

/// The schema version of a database; 0 when it is empty.
///
/// # Errors
/// [`StoreError::Newer`] for one that we do not know.
pub(crate) fn schema_version(connection: &Connection) -> Result<i64, StoreError> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
    let exists: Option<i64> = connection.query_row(exists, [], |row| row.get(0)).optional().map_err(from_sql)?;
    if exists.is_none() {
        return Ok(0);
    }
    let version = connection.query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0));
    let found: i64 = version.map_err(from_sql)?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer { found, known: SCHEMA_VERSION });
    }
    Ok(found)
}

/// Brings the schema up to date; `begin` is called in the same transaction when the database was empty. Of several
/// processes that come at the same time one migrates, the others find it done.
pub(crate) fn migrate(
    connection: &mut Connection,
    begin: impl FnOnce(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(from_sql)?;
    let found = schema_version(&transaction)?;
    for [portable, sqlite] in &MIGRATIONS[usize::try_from(found).unwrap_or(0)..] {
        transaction.execute_batch(portable).map_err(from_sql)?;
        transaction.execute_batch(sqlite).map_err(from_sql)?;
    }
    if found == 0 {
        begin(&transaction)?;
    }
    transaction.commit().map_err(from_sql)
}

/// SQLite's error in our words.
pub(crate) fn from_sql(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    if let rusqlite::Error::SqliteFailure(failure, _) = &error
        && failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
    {
        return StoreError::DiskFull(text);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(STORE_BUSY_TIMEOUT_MS),
        Some(ErrorCode::DiskFull) => StoreError::DiskFull(text),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly(text),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => StoreError::Io(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(text),
        Some(ErrorCode::ConstraintViolation) => StoreError::Invalid(text),
        _ => StoreError::Database(text),
    }
}

/// Keeps a statement's plan whatever values are bound to it. Without this, SQLite parses and plans a statement anew
/// whenever a value changes that might matter to a partial index: five times the cost of a look-up.
fn plan_once(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(from_sql).map(|_| ())
}

/// Waits in short pauses: SQLite's own back-off sleeps up to 100 ms, which a `kill` must not.
fn wait_when_busy(connection: &mut Connection) -> Result<(), StoreError> {
    let pauses = i32::try_from(u128::from(STORE_BUSY_TIMEOUT_MS) * 1_000 / BUSY_PAUSE.as_micros()).unwrap_or(i32::MAX);
    let handler = move |count: i32| {
        if count < pauses {
            std::thread::sleep(BUSY_PAUSE);
        }
        count < pauses
    };
    connection.busy_handler(Some(handler)).map_err(from_sql)
}

/// Write-ahead logging is a property of the file; switching it on needs the file for a moment alone, and SQLite does
/// not call the busy handler for that.
fn use_wal(connection: &Connection) -> Result<(), StoreError> {
    let mut tries = STORE_BUSY_TIMEOUT_MS;
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode.map_err(from_sql) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let text = format!("the file system of the state directory cannot share memory (journal mode {mode})");
                return Err(StoreError::Database(text));
            }
            Err(StoreError::Busy(_)) if tries > 0 => {
                tries -= 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::STORE_LOG_LEFT_BYTES_MAX;

    use super::{close, log_of, open_writer};
    use crate::store::Durability;

    #[test]
    fn a_small_log_is_left_for_the_next_process_and_a_large_one_is_not() {
        let small = 1;
        let large = usize::try_from(STORE_LOG_LEFT_BYTES_MAX).expect("fits");
        let cases = [(Durability::Process, small, true), (Durability::Process, large, false)];
        for (durability, bytes, left) in cases.into_iter().chain([(Durability::Power, small, false)]) {
            let dir = tempfile::tempdir().expect("a directory");
            crate::files::prepare_dir(dir.path()).expect("ours");
            let path = dir.path().join(crate::files::DATABASE);
            let connection = open_writer(&path, durability).expect("opens");
            connection.execute_batch("CREATE TABLE t (b BLOB)").expect("made");
            connection.execute("INSERT INTO t VALUES (zeroblob(?1))", [bytes]).expect("written");
            close(connection, &path, durability);
            assert_eq!(std::fs::metadata(log_of(&path)).is_ok(), left, "{durability:?} {bytes}");
            let again = open_writer(&path, durability).expect("opens");
            let found: usize = again.query_row("SELECT length(b) FROM t", [], |row| row.get(0)).expect("reads");
            assert_eq!(found, bytes, "nothing is lost");
        }
    }
}
