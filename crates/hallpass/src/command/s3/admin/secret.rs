//! How a secret key for somebody else comes in.

use std::path::PathBuf;

use clap::Args;
use hallpass_core::secret::Secret;

use crate::alias::secrets::{Argument, one};
use crate::error::CommandError;
use crate::output::Printer;

/// Where the secret key is found.
#[derive(Debug, Args)]
pub(super) struct SecretKeyArgs {
    /// Read the secret key from stdin
    #[arg(long, conflicts_with_all = ["secret_key_file", "secret_key_env"])]
    secret_key_stdin: bool,
    /// Read the secret key from this file
    #[arg(long, value_name = "FILE", conflicts_with = "secret_key_env")]
    secret_key_file: Option<PathBuf>,
    /// Read the secret key from this variable
    #[arg(long, value_name = "NAME")]
    secret_key_env: Option<String>,
}

impl SecretKeyArgs {
    /// The secret key, if one was given.
    pub(super) fn given(&self, printer: Printer, argument: Option<Argument>) -> Result<Option<Secret>, CommandError> {
        one(printer, argument, self.secret_key_stdin, self.secret_key_file.as_deref(), self.secret_key_env.as_deref())
    }
}
