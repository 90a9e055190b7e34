//! stdout is data, stderr is talk. The only room that writes to either.

pub(crate) mod clean;
pub(crate) mod count;
pub(crate) mod envelope;
pub(crate) mod file;
mod printer;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod table;
pub(crate) mod time;

pub(crate) use printer::{Paint, Printer};

/// Version of the JSON that we print. Raised when a field changes its meaning or goes away; new fields do not.
pub(crate) const SCHEMA_VERSION: u32 = 1;
