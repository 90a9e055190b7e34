//! The SQLite store against what every store must do.

use std::sync::Arc;

use hallpass_control::{StoreOptions, connect};
use hallpass_core::clock::ManualClock;
use hallpass_testkit::store_fixtures::{StoreFixture, start};

fn sqlite() -> StoreFixture {
    let dir = tempfile::tempdir().expect("a directory");
    let clock = Arc::new(ManualClock::new(start()));
    let store = connect(StoreOptions::new(dir.path().join("state"), clock.clone())).expect("opens");
    StoreFixture { store, clock, keep: Box::new(dir) }
}

hallpass_testkit::store_conformance!(sqlite);
