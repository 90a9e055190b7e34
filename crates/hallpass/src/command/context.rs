//! What every command is given. Nothing in it is read, opened or started before it is asked for.

use std::cell::OnceCell;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use hallpass_control::clock::SystemClock;
use hallpass_control::lifecycle::{self, Repaired};
use hallpass_control::{Keeper, Store, StoreOptions, connect, files};
use hallpass_core::clock::Clock;
use jiff::Timestamp;

use crate::cli::GlobalArgs;
use crate::config::{self, Config};
use crate::deliver::place::Root;
use crate::environment;
use crate::error::{CommandError, ErrorKind};
use crate::output::{Paint, Printer, clean};

/// The global flags, the printer, and the way to everything that is opened on demand.
#[derive(Debug)]
pub(crate) struct Context {
    /// The global flags as given.
    pub(crate) global: GlobalArgs,
    /// Where output goes.
    pub(crate) printer: Printer,
    config: OnceCell<Config>,
}

impl Context {
    /// Takes what the command line said.
    pub(crate) fn new(global: GlobalArgs, printer: Printer) -> Self {
        Self { global, printer, config: OnceCell::new() }
    }

    /// The settings in force; read at the first call.
    ///
    /// # Errors
    /// Everything that is wrong with a file or a variable, with file, line and column.
    pub(crate) fn config(&self) -> Result<&Config, CommandError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = Config::load(&self.config_files(), &environment::text)?;
        Ok(self.config.get_or_init(|| config))
    }

    /// Where the settings are looked for: `--config`, `HALLPASS_CONFIG`, `XDG_CONFIG_HOME/hallpass/config.toml`,
    /// `~/.config/hallpass/config.toml`; and the nearest `hallpass.toml` upward, unless `--no-project`.
    pub(crate) fn config_files(&self) -> config::Files {
        let set = |name| environment::os(name).map(PathBuf::from);
        let named = self.global.config.clone().or_else(|| set(environment::HALLPASS_CONFIG));
        let user_is_named = named.is_some();
        let user = named
            .or_else(|| set(environment::XDG_CONFIG_HOME).filter(|p| p.is_absolute()).map(|p| p.join("hallpass")))
            .or_else(|| set(environment::HOME).map(|p| p.join(".config/hallpass")))
            .map(|path| if user_is_named { path } else { path.join("config.toml") });
        let folder = std::env::current_dir().ok().filter(|_| !self.global.no_project);
        let project = folder.as_deref().and_then(config::project_file);
        let folder_uid = folder.and_then(|folder| folder.metadata().ok()).map(|meta| meta.uid());
        config::Files { user, user_is_named, project, folder_uid }
    }

    /// The folder of sessions, audit log and key: `--state-dir`, `HALLPASS_STATE_DIR`, `XDG_STATE_HOME/hallpass`,
    /// `~/.local/state/hallpass`. It need not exist.
    ///
    /// # Errors
    /// When none of them is known.
    pub(crate) fn state_dir(&self) -> Result<PathBuf, CommandError> {
        let set = |name| environment::os(name).map(PathBuf::from);
        self.named_state_dir()
            .or_else(|| set(environment::XDG_STATE_HOME).filter(|p| p.is_absolute()).map(|p| p.join("hallpass")))
            .or_else(|| set(environment::HOME).map(|p| p.join(".local/state/hallpass")))
            .ok_or_else(|| {
                CommandError::new(ErrorKind::Usage, "state_dir.unknown", "there is no home folder to keep state in")
                    .next("set HALLPASS_STATE_DIR, or pass `--state-dir DIR`")
            })
    }

    /// The state folder that the flag or the variable names, so that a command inside the session finds it too.
    pub(crate) fn named_state_dir(&self) -> Option<PathBuf> {
        let named = self.global.state_dir.clone();
        named.or_else(|| environment::os(environment::HALLPASS_STATE_DIR).map(PathBuf::from))
    }

    /// The real clock.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// True when there is a store, readable or not.
    ///
    /// # Errors
    /// When no state folder is known, or when what stands there cannot be looked into.
    pub(crate) fn has_store(&self) -> Result<bool, CommandError> {
        self.has_state_file(files::DATABASE)
    }

    /// True when the state folder has something of this name.
    ///
    /// # Errors
    /// When that cannot be told.
    pub(crate) fn has_state_file(&self, name: &str) -> Result<bool, CommandError> {
        let dir = self.state_dir()?;
        match dir.join(name).symlink_metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => {
                let message = format!("the state folder `{}` cannot be looked into: {error}", dir.display());
                Err(CommandError::new(ErrorKind::Usage, "state_dir.unusable", message)
                    .next("name a folder of your own with `--state-dir` or HALLPASS_STATE_DIR"))
            }
        }
    }

    /// Opens the store, makes it where there is none, and repairs what killed processes left behind. For commands
    /// that change something.
    ///
    /// # Errors
    /// When the store cannot be opened or repaired.
    pub(crate) fn store(&self) -> Result<Arc<dyn Store>, CommandError> {
        let store = self.open(true)?;
        self.repair(&*store)?;
        Ok(store)
    }

    /// Opens the store for a command that only reads; `None` where there is none, so that asking makes nothing.
    /// A repair that fails (a full disk) is no reason not to answer.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub(crate) fn store_to_read(&self) -> Result<Option<Arc<dyn Store>>, CommandError> {
        if !self.has_store()? {
            return Ok(None);
        }
        let store = self.store_unrepaired()?;
        if let Err(error) = self.repair(&*store) {
            self.printer.warn(format_args!("what a killed process left could not be repaired ({error})"));
        }
        Ok(Some(store))
    }

    /// Opens the store for a command that takes access back. A mistake in the configuration must not stand in the
    /// way of that, so the default durability then does.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub(crate) fn store_for_kill(&self) -> Result<Arc<dyn Store>, CommandError> {
        let mut options = StoreOptions::new(self.state_dir()?, self.clock());
        match self.config() {
            Ok(config) => options.durability = config.store.durability().into(),
            Err(error) => self.printer.warn(clean::lines(&error.to_string())),
        }
        Ok(connect(options)?)
    }

    /// Opens the store as it is.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn store_unrepaired(&self) -> Result<Arc<dyn Store>, CommandError> {
        self.open(false)
    }

    fn open(&self, writes: bool) -> Result<Arc<dyn Store>, CommandError> {
        let mut options = StoreOptions { writes, ..StoreOptions::new(self.state_dir()?, self.clock()) };
        options.durability = self.config()?.store.durability().into();
        Ok(connect(options)?)
    }

    /// Ends the records of sessions whose keeper is gone, and removes the private folders that they left behind.
    ///
    /// # Errors
    /// An outage of the store.
    pub(crate) fn repair(&self, store: &dyn Store) -> Result<Repaired, CommandError> {
        let repaired = self.block_on(lifecycle::repair(store, self.now(), &Keeper::is_alive))??;
        if !repaired.ended.is_empty() {
            self.remove_leftovers(&repaired);
        }
        for record in &repaired.ended {
            self.printer.say(self.printer.paint_talk(
                Paint::Dim,
                format_args!(
                    "note: session {} is now {}: its keeper is gone",
                    record.session.short_id(),
                    record.session.status
                ),
            ));
        }
        Ok(repaired)
    }

    /// A file that was handed over must not outlast its session until the next `run`.
    fn remove_leftovers(&self, repaired: &Repaired) {
        let root = self.state_dir().and_then(|dir| Ok(Root::open(&dir)?));
        let mut ids = repaired.ended.iter().map(|record| &record.session.id);
        let removed = root.and_then(|root| Ok(ids.try_for_each(|id| root.remove(id))?));
        if let Err(error) = removed {
            tracing::warn!(%error, "a leftover folder could not be removed; the next `run` tries again");
        }
    }

    /// Runs a future on this thread. For commands without a gate: no worker threads, no reactor.
    ///
    /// # Errors
    /// When no runtime can be made.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(runtime.block_on(future))
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
            (None, _) => "info,hallpass=debug,hallpass_control=debug,hallpass_dataplane=debug,hallpass_providers=debug",
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
