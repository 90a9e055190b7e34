//! Named S3 stores, as the binary finds them: variables, the user's file, and `aws`.

mod built_in;
pub(crate) mod credentials;
pub(crate) mod failure;
pub(crate) mod probe;
pub(crate) mod secrets;

use std::io;
use std::path::PathBuf;

use hallpass_s3::alias::{AliasFile, Registry, Stored, parse_variable};

use crate::command::Context;
use crate::environment;
use crate::error::CommandError;

/// The user's own file, which need not exist.
///
/// # Errors
/// When there is no home folder to look in.
pub(crate) fn file(context: &Context) -> Result<AliasFile, CommandError> {
    let user = context.config_files().user.ok_or_else(|| {
        CommandError::usage("config.unknown_place", "there is no home folder to keep aliases in")
            .next("set HALLPASS_CONFIG, or pass `--config FILE`")
    })?;
    Ok(AliasFile::new(user))
}

/// Every alias there is. Without a home folder there is no file, and the others are there still.
///
/// # Errors
/// When the user's file cannot be read, or was named and is not there; a single alias that is wrong is only marked so.
pub(crate) fn registry(context: &Context) -> Result<Registry, CommandError> {
    let files = context.config_files();
    let missing = |path: &PathBuf| path.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
    if let Some(path) = files.user.as_ref().filter(|path| files.user_is_named && missing(path)) {
        return Err(CommandError::usage("config.not_found", format!("{} is not there", path.display()))
            .next("correct `--config` or HALLPASS_CONFIG, or make the file with `hallpass alias set`"));
    }
    let file = files.user.map(AliasFile::new);
    let stored = file.as_ref().map_or(Ok(Stored::default()), AliasFile::load).map_err(failure::of)?;
    if let Some(file) = &file
        && stored.readable_by_others
    {
        let path = file.path().display();
        context.printer.warn(format_args!("others may read the keys in {path}; run `chmod 600 {path}`"));
    }
    Ok(Registry::new(parse_variable(environment::all()), stored, built_in::alias()?))
}
