//! The demo: the whole idea on an embedded store, with real processes and real requests.

pub(crate) mod child;
pub(crate) mod client;
pub(crate) mod stage;
pub(crate) mod store;
pub(crate) mod story;
pub(crate) mod timeline;
