//! `hallpass audit …`.

pub(crate) mod export;
pub(crate) mod follow;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod proof;
pub(crate) mod show;
pub(crate) mod verify;
