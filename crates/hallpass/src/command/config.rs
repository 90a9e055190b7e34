//! `hallpass config …`.

pub(crate) mod check;
pub(crate) mod path;
pub(crate) mod show;
