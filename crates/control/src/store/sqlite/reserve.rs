//! A file that holds some space. When the disk is full it is given up, so that ends of sessions can still be recorded;
//! until it can be made again, nothing else is.

use std::io::Read;
use std::path::PathBuf;

use hallpass_core::limits::STORE_RESERVE_BYTES;
use rustix::fs::FallocateFlags;

use crate::files::{self, Privacy};
use crate::store::StoreError;

#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    held: bool,
}

impl Reserve {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, held: false }
    }

    /// Makes the file if it is missing. False when the disk has no room for it.
    pub(super) fn hold(&mut self) -> bool {
        if self.held {
            return true;
        }
        match self.make() {
            Ok(()) => self.held = true,
            Err(StoreError::DiskFull(_)) => return false,
            // Whatever stands in the way will stand in the way of the database too, and be reported there.
            Err(error) => tracing::debug!(%error, "no space can be reserved for recording the ends of sessions"),
        }
        true
    }

    /// Gives the space up. False when there was none to give.
    pub(super) fn release(&mut self) -> bool {
        self.held = false;
        std::fs::remove_file(&self.path).is_ok()
    }

    fn make(&self) -> Result<(), StoreError> {
        let mut file = files::open_or_make(&self.path, Privacy::Unwritable)?;
        let length = file.metadata().map_err(|error| files::failed("look at", &self.path, &error))?.len();
        if length >= STORE_RESERVE_BYTES {
            return Ok(());
        }
        let mut reserved = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, STORE_RESERVE_BYTES);
        if reserved == Err(rustix::io::Errno::OPNOTSUPP) {
            let zeros = std::io::copy(&mut std::io::repeat(0).take(STORE_RESERVE_BYTES), &mut file);
            return zeros.map(|_| ()).map_err(|error| self.unmake(&error));
        }
        if reserved == Err(rustix::io::Errno::INTR) {
            reserved = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, STORE_RESERVE_BYTES);
        }
        reserved.map_err(|error| self.unmake(&error.into()))
    }

    /// A file without its space would look like a reserve to the next process.
    fn unmake(&self, error: &std::io::Error) -> StoreError {
        drop(std::fs::remove_file(&self.path));
        files::failed("reserve", &self.path, error)
    }
}
