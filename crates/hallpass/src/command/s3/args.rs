//! What every verb of `hallpass s3` takes.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use hallpass_core::limits::{S3_IDLE_CHOSEN_S_MAX, S3_IDLE_CHOSEN_S_MIN};

use super::S3Command;
use crate::config::duration::Seconds;

/// Work with S3 stores: local paths, `alias/bucket/key`, `s3://bucket/key`.
#[derive(Debug, Args)]
pub(crate) struct S3Args {
    #[command(flatten)]
    pub(crate) flags: S3Flags,
    #[command(subcommand)]
    pub(crate) command: S3Command,
}

/// Flags of every verb; `--json` and `--quiet` are those of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct S3Flags {
    /// Say which rights the command needs, and do nothing else
    #[arg(long, global = true)]
    pub(crate) explain: bool,
    /// Keep an alias whose session token has expired
    #[arg(long, global = true)]
    pub(crate) no_prune: bool,
    /// Give up on a store that is silent for so long, 1s to 5m [default: 30s]
    #[arg(long, global = true, value_name = "DURATION")]
    pub(crate) timeout: Option<Patience>,
}

/// How long a store may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience(pub(crate) Duration);

impl FromStr for Patience {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Seconds(seconds) = text.parse().map_err(|error| format!("{error}"))?;
        match (S3_IDLE_CHOSEN_S_MIN..=S3_IDLE_CHOSEN_S_MAX).contains(&seconds) {
            true => Ok(Self(Duration::from_secs(seconds))),
            false => Err(format!("a store may be silent for {S3_IDLE_CHOSEN_S_MIN} to {S3_IDLE_CHOSEN_S_MAX} seconds")),
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::{S3_IDLE_CHOSEN_S_MAX, S3_IDLE_CHOSEN_S_MIN};

    use super::Patience;

    #[test]
    fn patience_has_an_end_and_a_beginning() {
        for seconds in [S3_IDLE_CHOSEN_S_MIN, S3_IDLE_CHOSEN_S_MAX] {
            assert!(format!("{seconds}s").parse::<Patience>().is_ok(), "{seconds}");
        }
        for text in
            [format!("{}", S3_IDLE_CHOSEN_S_MAX + 1), format!("{}", S3_IDLE_CHOSEN_S_MIN - 1), "soon".to_owned()]
        {
            assert!(text.parse::<Patience>().is_err(), "{text}");
        }
    }
}
