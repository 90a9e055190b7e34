//! `hallpass session …`.

pub(crate) mod family;
pub(crate) mod find;
pub(crate) mod import;
pub(crate) mod kill;
pub(crate) mod list;
mod presigned;
pub(crate) mod prune;
pub(crate) mod report;
mod requests;
pub(crate) mod revoke;
pub(crate) mod show;
mod view;
pub(crate) mod watch;
