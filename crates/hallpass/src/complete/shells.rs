//! How each shell asks, and how it is answered.
//!
//! Scripts for bash and zsh are ours: `alias:bucket/key` and `s3://bucket/key` hold a `:`, at which bash breaks words, and
//! which zsh takes for the beginning of a description.

use std::ffi::OsString;
use std::io::{Error, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine::complete;
use clap_complete::env::{Elvish, EnvCompleter, Fish, Powershell, Shells};

/// Every shell.
pub(super) const SHELLS: Shells<'static> = Shells(&[&BASH, &Elvish, &Fish, &Powershell, &ZSH]);

const BASH: Scripted = Scripted { name: "bash", script: include_str!("hallpass.bash"), describes: false };
const ZSH: Scripted = Scripted { name: "zsh", script: include_str!("hallpass.zsh"), describes: true };

/// A shell whose script passes the words up to the cursor, the last of them begun, and reads a line for each candidate.
#[derive(Debug)]
struct Scripted {
    name: &'static str,
    script: &'static str,
    /// It shows what a candidate is for: behind a tab.
    describes: bool,
}

impl EnvCompleter for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is(&self, name: &str) -> bool {
        name == self.name
    }

    fn write_registration(&self, _: &str, _: &str, _: &str, _: &str, out: &mut dyn Write) -> Result<(), Error> {
        out.write_all(self.script.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let last = words.len().saturating_sub(1);
        for candidate in complete(command, words, last, folder)? {
            let value = candidate.get_value().to_string_lossy();
            // It would be two.
            if value.contains(['\n', '\t']) {
                continue;
            }
            write!(out, "{value}")?;
            if let Some(help) = candidate.get_help().filter(|_| self.describes) {
                write!(out, "\t{}", help.to_string().lines().next().unwrap_or_default())?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
