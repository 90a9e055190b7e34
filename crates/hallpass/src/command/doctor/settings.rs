//! Are the settings right, and where are we?

use super::Check;
use crate::command::Context;
use crate::environment;

/// The configuration can be read.
pub(super) fn config(context: &Context) -> Check {
    match context.config() {
        Ok(_) => {
            let files = context.config_files();
            let read: Vec<String> = [files.user, files.project]
                .into_iter()
                .flatten()
                .filter(|path| path.exists())
                .map(|path| path.display().to_string())
                .collect();
            Check::ok("config", if read.is_empty() { "defaults, no file".to_owned() } else { read.join(", ") })
        }
        Err(error) => Check::fail("config", error.message()).next("run `hallpass config check`"),
    }
}

/// Inside a session, a further one can only borrow through it.
pub(super) fn nesting() -> Check {
    match environment::text(environment::HALLPASS_SESSION_ID) {
        None => Check::ok("nesting", "not inside a session"),
        Some(id) => Check::warn("nesting", format!("this runs inside session {id}"))
            .next("what is checked here is what the session lets through; run it outside to see your own"),
    }
}
