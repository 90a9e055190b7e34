//! What a run did, counted when it is over.

use std::fs;
use std::path::{Path, PathBuf};

use hallpass_testkit::cpu::cost_into;

use super::sink::taken;
use super::sizes::SMALL_BYTES;
use super::{Bench, Work};

impl Bench {
    /// Where stdout of the run goes.
    pub(super) fn printed(&self) -> PathBuf {
        self.folder.join("printed")
    }

    /// Before a run: nothing is counted yet, and nothing that an earlier run left stands in for its work.
    pub(super) fn prepare(&self, work: Work) {
        if self.counts {
            taken();
        } else if work == Work::SmallUp {
            self.quietly(&["s3", "rm", "-q", "-r", "--force", "m/bkt/small/"]);
        }
    }

    /// # Errors
    /// What is missing.
    pub(super) fn proof(&self, work: Work) -> Result<(), String> {
        let (small, sizes) = (self.sizes.small, self.sizes);
        let (done, wanted) = match work {
            Work::LargeUp if self.counts => (up(), (1, sizes.large)),
            Work::SmallUp if self.counts => (up(), (small, small * SMALL_BYTES)),
            // What a real store has is asked of it.
            Work::LargeUp | Work::SmallUp => {
                self.quietly(&["s3", "du", "--json", "m/bkt/small/"]);
                (self.usage(), (small, small * SMALL_BYTES))
            }
            Work::LargeDown => (files(&self.folder.join("down")), (1, sizes.large)),
            Work::SmallDown => (files(&self.folder.join("down")), (small, small * SMALL_BYTES)),
            Work::List => ((self.lines(), 0), (sizes.listed, 0)),
            Work::Delete => ((taken().removed, 0), (small, 0)),
        };
        if done == wanted {
            return Ok(());
        }
        Err(format!("did {} things of {} bytes, and {} of {} were asked for", done.0, done.1, wanted.0, wanted.1))
    }

    fn quietly(&self, arguments: &[&str]) {
        let out = fs::File::create(self.printed()).expect("a file");
        cost_into(&mut self.hallpass(arguments), out);
    }

    fn lines(&self) -> u64 {
        fs::read(self.printed()).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() as u64
    }

    /// Objects and bytes of the `du` that was printed.
    fn usage(&self) -> (u64, u64) {
        let text = fs::read_to_string(self.printed()).unwrap_or_default();
        let number = |name: &str| {
            let rest = text.split_once(&format!("\"{name}\":"))?.1;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        (number("objects").unwrap_or(0), number("bytes").unwrap_or(0))
    }
}

fn up() -> (u64, u64) {
    let taken = taken();
    (taken.objects, taken.bytes)
}

/// Files below a folder, and their bytes.
fn files(folder: &Path) -> (u64, u64) {
    let mut all = (0, 0);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (number, bytes) = match entry.metadata() {
            Ok(meta) if meta.is_dir() => files(&entry.path()),
            Ok(meta) => (1, meta.len()),
            Err(_) => (0, 0),
        };
        all = (all.0 + number, all.1 + bytes);
    }
    all
}
