//! Which aliases can be changed: those of the user's file.

use hallpass_s3::alias::{Origin, Registry};

use crate::alias::failure;
use crate::error::{CommandError, ErrorKind};

/// Checks that the file has an alias of that name.
///
/// # Errors
/// [`ErrorKind::NotFound`]; [`ErrorKind::Conflict`] when it stands elsewhere, and what to do there.
pub(super) fn check(registry: &Registry, name: &str) -> Result<(), CommandError> {
    let mut known = registry.entries().iter().filter(|entry| entry.name == name).map(|entry| &entry.origin);
    if known.clone().any(|origin| *origin == Origin::File) {
        return Ok(());
    }
    let elsewhere = |place: String, next: String| {
        let message = format!("the alias `{name}` {place}");
        CommandError::new(ErrorKind::Conflict, "alias.not_in_file", message).next(next)
    };
    Err(match known.next() {
        None => failure::of(registry.not_found(name)),
        Some(Origin::Environment(variable)) => {
            elsewhere(format!("comes from the variable {variable}"), format!("unset {variable}"))
        }
        Some(_) => elsewhere("is built in".to_owned(), "it cannot be changed; set another one".to_owned()),
    })
}
