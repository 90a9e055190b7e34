//! `hallpass audit …`.

pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod follow;
pub(crate) mod key;
mod line;
pub(crate) mod list;
pub(crate) mod proof;
pub(crate) mod show;
pub(crate) mod verify;

use crate::command::Context;
use crate::error::{CommandError, ErrorKind};

/// The log of the state directory does not exist.
fn no_log(context: &Context) -> CommandError {
    let place = context.state_dir().map(|dir| dir.display().to_string()).unwrap_or_default();
    CommandError::new(ErrorKind::NotFound, "audit.no_log", format!("there is no audit log in `{place}`"))
        .next("it begins with the first `hallpass run`; if it was there before, it has been removed")
}
