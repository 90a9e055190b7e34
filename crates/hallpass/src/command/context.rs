//! What every command is given. Nothing in it is read, opened or started before it is asked for.

use std::path::PathBuf;

use crate::cli::GlobalArgs;
use crate::environment;
use crate::error::{CommandError, ErrorKind};
use crate::output::Printer;

/// The global flags, the printer, and the way to everything that is opened on demand.
#[derive(Debug)]
pub(crate) struct Context {
    /// The global flags as given.
    pub(crate) global: GlobalArgs,
    /// Where output goes.
    pub(crate) printer: Printer,
}

impl Context {
    /// Takes what the command line said.
    pub(crate) fn new(global: GlobalArgs, printer: Printer) -> Self {
        Self { global, printer }
    }

    /// The folder of sessions, audit log and key: `--state-dir`, `HALLPASS_STATE_DIR`, `XDG_STATE_HOME/hallpass`,
    /// `~/.local/state/hallpass`. It need not exist.
    ///
    /// # Errors
    /// When none of them is known.
    pub(crate) fn state_dir(&self) -> Result<PathBuf, CommandError> {
        let set = |name| environment::os(name).map(PathBuf::from);
        self.global
            .state_dir
            .clone()
            .or_else(|| set(environment::HALLPASS_STATE_DIR))
            .or_else(|| set(environment::XDG_STATE_HOME).filter(|p| p.is_absolute()).map(|p| p.join("hallpass")))
            .or_else(|| set(environment::HOME).map(|p| p.join(".local/state/hallpass")))
            .ok_or_else(|| {
                CommandError::new(ErrorKind::Usage, "state_dir.unknown", "there is no home folder to keep state in")
                    .next("set HALLPASS_STATE_DIR, or pass `--state-dir DIR`")
            })
    }

    /// Starts tracing to stderr when `-v` or `HALLPASS_LOG` asks for it.
    ///
    /// # Errors
    /// When `HALLPASS_LOG` is not a filter.
    pub(crate) fn start_tracing(&self) -> Result<(), CommandError> {
        use tracing_subscriber::EnvFilter;
        let wanted = environment::text(environment::HALLPASS_LOG);
        let filter = match (&wanted, self.global.verbose) {
            (None, 0) => return Ok(()),
            (Some(filter), _) => filter.as_str(),
            (None, 1) => "warn,hallpass=info,hallpass_control=info,hallpass_dataplane=info,hallpass_providers=info",
            (None, _) => "info,hallpass=trace,hallpass_control=trace,hallpass_dataplane=trace,hallpass_providers=trace",
        };
        let filter = EnvFilter::try_new(filter).map_err(|e| {
            CommandError::usage("environment.log_filter", "HALLPASS_LOG is not a trace filter")
                .because(&e)
                .next("write it like `HALLPASS_LOG=hallpass=debug`")
        })?;
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
        // A second subscriber in one process happens only in tests, and the first serves as well.
        drop(tracing::subscriber::set_global_default(subscriber));
        Ok(())
    }
}
