//! `hallpass policy …`.

pub(crate) mod check;
pub(crate) mod compile;
pub(crate) mod diff;
pub(crate) mod explain;
mod keys;
mod reach;
pub(crate) mod source;
pub(crate) mod spelling;
pub(crate) mod words;
