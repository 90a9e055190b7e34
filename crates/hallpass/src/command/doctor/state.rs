//! The state folder, the store in it, its log, its sessions, and the clock that stamps them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hallpass_control::Store;
use hallpass_control::store::{EntryFilter, Filter, Page, StoredEntry};
use hallpass_core::audit::Entry;
use hallpass_core::audit::entry::leaf_hash;
use hallpass_core::limits::{LIST_PAGE_MAX, SIGNATURE_SKEW_S_MAX};

use super::Check;
use crate::command::Context;
use crate::error::CommandError;
use crate::output::count::counted;

/// Everything about the state folder.
pub(super) fn checks(context: &Context) -> Vec<Check> {
    let dir = match context.state_dir() {
        Ok(dir) => dir,
        Err(error) => return vec![Check::fail("state folder", error.message())],
    };
    if !dir.exists() {
        return vec![Check::ok("state folder", format!("{} will be made by the first session", dir.display()))];
    }
    let mut all = vec![folder(&dir)];
    match context.has_store() {
        Ok(true) => {}
        Ok(false) => {
            all.push(Check::ok("store", "will be made by the first session"));
            return all;
        }
        Err(error) => {
            all.push(Check::fail("store", error.message()));
            return all;
        }
    }
    match context.store_unrepaired() {
        Err(error) => {
            all.push(Check::fail("store", error.message()).next("keep the files; see `hallpass audit verify`"))
        }
        Ok(store) => {
            all.push(Check::ok("store", "opens"));
            all.push(answered("audit log", log(context, &*store)));
            all.push(answered("clock", clock(context, &*store)));
            all.push(answered("sessions", sessions(context, &*store)));
        }
    }
    all
}

fn answered(name: &'static str, check: Result<Check, CommandError>) -> Check {
    check.unwrap_or_else(|error| Check::fail(name, error.message()))
}

fn folder(dir: &Path) -> Check {
    let name = "state folder";
    let meta = match dir.metadata() {
        Ok(meta) => meta,
        Err(error) => return Check::fail(name, format!("{}: {error}", dir.display())),
    };
    if !meta.is_dir() {
        return Check::fail(name, format!("{} is no folder", dir.display()))
            .next("pass `--state-dir DIR` with a folder");
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Check::fail(name, format!("{} belongs to another user", dir.display()))
            .next("pass `--state-dir DIR` with a folder of your own");
    }
    match meta.mode() & 0o077 {
        0 => Check::ok(name, format!("{} is yours alone", dir.display())),
        open if open & 0o022 != 0 => Check::fail(name, format!("{} can be changed by other users", dir.display()))
            .next(format!("run `chmod 700 {}`", dir.display())),
        _ => Check::warn(name, format!("{} can be read by other users", dir.display()))
            .next(format!("run `chmod 700 {}`", dir.display())),
    }
}

/// The newest entries, one page of them: does each link to the one before, and the last to what the store remembers?
fn log(context: &Context, store: &dyn Store) -> Result<Check, CommandError> {
    let info = context.block_on(store.log_info())??;
    let filter = EntryFilter { newest_first: true, limit: LIST_PAGE_MAX, ..EntryFilter::default() };
    let newest = context.block_on(store.entries(filter))??;
    let broken = newest.windows(2).find(|pair| !links(&pair[1], &pair[0]));
    let head =
        newest.first().is_none_or(|entry| leaf_hash(&entry.bytes) == info.last_hash && entry.seq + 1 == info.size);
    let check = match broken {
        Some(pair) => Check::fail("audit log", format!("entry {} does not link to the one before", pair[0].seq)),
        None if !head => Check::fail("audit log", "the newest entry is not the one that the store remembers"),
        None => {
            let count = newest.len();
            return Ok(Check::ok(
                "audit log",
                format!("{}, the newest {count} linked", counted(info.size, "entry", "entries")),
            ));
        }
    };
    Ok(check.next("run `hallpass audit verify`"))
}

fn links(earlier: &StoredEntry, later: &StoredEntry) -> bool {
    Entry::links(&later.bytes)
        .is_some_and(|(seq, prev)| seq == later.seq && earlier.seq + 1 == seq && prev == leaf_hash(&earlier.bytes))
}

/// A clock that is behind the log was set back, or the log is from the future.
fn clock(context: &Context, store: &dyn Store) -> Result<Check, CommandError> {
    let filter = EntryFilter { newest_first: true, limit: 1, ..EntryFilter::default() };
    let newest = context.block_on(store.entries(filter))??;
    let last = newest.first().and_then(|entry| entry.decode().ok()).map(|entry| entry.time);
    let now = context.now();
    let behind_s = last.map_or(0, |last| last.duration_since(now).as_secs());
    if behind_s > SIGNATURE_SKEW_S_MAX {
        return Ok(Check::fail("clock", format!("the clock is {behind_s} s behind the newest audit entry"))
            .next("set the clock: signatures and expiry depend on it"));
    }
    Ok(Check::ok("clock", format!("{now:.0}")))
}

/// Sessions whose keeper is gone are ended by the next command that starts or ends one.
fn sessions(context: &Context, store: &dyn Store) -> Result<Check, CommandError> {
    let live = context.block_on(store.list(Filter { live: true, ..Filter::default() }, Page::default()))??.records;
    let gone = live.iter().filter(|record| record.keeper.as_ref().is_some_and(|keeper| !keeper.is_alive())).count();
    if gone > 0 {
        return Ok(Check::warn("sessions", format!("{gone} of {} live sessions have lost their keeper", live.len()))
            .next("run `hallpass session list`: it ends their records"));
    }
    Ok(Check::ok("sessions", format!("{} live", live.len())))
}
