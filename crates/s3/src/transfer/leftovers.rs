//! Uploads that were begun and stay in the store. A store keeps their parts, and asks money for them, until somebody
//! gives them up: so whoever runs a transfer is told of each.

use std::sync::{Arc, Mutex, PoisonError};

use crate::client::MultipartUpload;

/// One upload that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What, and the store's id for it.
    pub upload: MultipartUpload,
    /// The alias of the store.
    pub alias: String,
    /// It stays because it can be gone on with; else giving it up has failed.
    pub resumable: bool,
    /// Why giving it up has failed.
    pub why: Option<String>,
}

/// Where they are gathered. Clones share.
#[derive(Debug, Clone, Default)]
pub struct Leftovers(Arc<Mutex<Vec<Leftover>>>);

impl Leftovers {
    pub(crate) fn add(&self, leftover: Leftover) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(leftover);
    }

    /// All of them so far, which are then forgotten here.
    pub fn taken(&self) -> Vec<Leftover> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
