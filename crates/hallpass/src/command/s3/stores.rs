//! The stores that one command talks to: paths become clients, failures become the command's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use hallpass_core::clock::Clock;
use hallpass_s3::alias::{Alias, CredentialsSource, Registry};
use hallpass_s3::client::proxy::Proxy;
use hallpass_s3::client::{Client, ClientOptions};
use hallpass_s3::error::{ErrorKind, S3Error};
use hallpass_s3::plan::{Root, Spot};
use hallpass_s3::rights::{Rights, by_actions};
use hallpass_s3::target::{Remote, Surroundings, Target, Use};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::args::S3Flags;
use super::borrow;
use super::boundary::Boundary;
use super::which::Here;
use crate::alias::{credentials, failure, registry};
use crate::command::Context;
use crate::environment;
use crate::error::{CommandError, ExitStatus};
use crate::output::{Printer, clean, envelope};

/// What went wrong on the way: in the store, or on our side of it.
#[derive(Debug)]
pub(crate) enum Failed {
    /// In the store; the boundary has not seen it yet.
    Store(S3Error),
    /// On our side.
    Command(Box<CommandError>),
}

impl From<S3Error> for Failed {
    fn from(error: S3Error) -> Self {
        Self::Store(error)
    }
}

impl From<CommandError> for Failed {
    fn from(error: CommandError) -> Self {
        Self::Command(Box::new(error))
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        CommandError::from(error).into()
    }
}

/// Aliases, clients and the runtime of one process: a batch uses the same connections throughout.
#[derive(Debug)]
pub(crate) struct Stores<'a> {
    /// The command's surroundings.
    pub(crate) context: &'a Context,
    flags: S3Flags,
    registry: Registry,
    runtime: Worker,
    clients: RefCell<HashMap<String, Client>>,
    mode: Mode,
}

/// How the commands of this process come by their rights.
#[derive(Debug)]
enum Mode {
    /// The one command runs again inside a session, if its alias borrows.
    Alone,
    /// The lines of a batch, whose rights are settled.
    Batch,
    /// The lines are only asked what they need: alias and rights.
    Reading(RefCell<Vec<(String, Rights)>>),
}

impl<'a> Stores<'a> {
    /// Reads the aliases. Connects to nothing.
    ///
    /// # Errors
    /// When the user's file cannot be read.
    pub(crate) fn new(context: &'a Context, flags: &S3Flags) -> Result<Self, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (registry, runtime, clients) = (registry(context)?, Worker(Some(runtime)), RefCell::default());
        Ok(Self { context, flags: flags.clone(), registry, runtime, clients, mode: Mode::Alone })
    }

    /// For several commands in one process: a role cannot be borrowed for each of them.
    pub(crate) fn in_batch(self) -> Self {
        Self { mode: Mode::Batch, ..self }
    }

    /// For commands that do nothing but say what they would need.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub(crate) fn reading(&self) -> Result<Self, CommandError> {
        Ok(Self { mode: Mode::Reading(RefCell::default()), ..Self::new(self.context, &self.flags)? })
    }

    /// What the commands so far would need, by alias.
    pub(crate) fn needs(&self) -> Vec<(String, Rights)> {
        match &self.mode {
            Mode::Reading(needs) => needs.take(),
            Mode::Alone | Mode::Batch => Vec::new(),
        }
    }

    /// The command line asks for rights, and for nothing to be done.
    pub(crate) fn explains(&self) -> bool {
        self.flags.explain
    }

    /// Some alias borrows a role for what it does, and we are not in a session already.
    pub(crate) fn may_borrow(&self) -> bool {
        let borrows = |alias: &Alias| matches!(alias.credentials, CredentialsSource::Role(_));
        !credentials::is_inside() && self.registry.entries().iter().any(|e| e.alias.as_ref().is_ok_and(borrows))
    }

    /// Where output goes.
    pub(crate) fn printer(&self) -> Printer {
        self.context.printer
    }

    /// What `path` means: here, in a store, or a stream.
    ///
    /// # Errors
    /// For what is ambiguous or nothing.
    pub(crate) fn target(&self, path: &OsStr, used: Use) -> Result<Target, CommandError> {
        Target::parse(path, used, &Here(&self.registry)).map_err(failure::of)
    }

    /// The same, ready to be asked.
    ///
    /// # Errors
    /// Those of [`Self::client`].
    pub(crate) fn spot(&self, target: &Target) -> Result<Spot, CommandError> {
        Ok(match target {
            Target::Stdio => Spot::Stdio,
            Target::Local(path) => Spot::Local(path.clone()),
            Target::Remote(remote) => Spot::Remote {
                client: self.client(remote).map_err(failure::of)?,
                bucket: remote.bucket.clone(),
                key: remote.key.clone(),
            },
        })
    }

    /// A folder of this machine or a prefix of a bucket, ready to be listed.
    ///
    /// # Errors
    /// Those of [`Self::client`]; for a stream, for a file, and for a store as a whole.
    pub(crate) fn root(&self, target: &Target) -> Result<Root, CommandError> {
        let refused = |code, message: &str, next: &str| Err(CommandError::usage(code, message).next(next));
        match self.spot(target)? {
            Spot::Stdio => {
                refused("s3.stream_is_no_folder", "a stream is no folder", "name a folder or `alias/bucket`")
            }
            Spot::Remote { bucket, .. } if bucket.is_empty() => {
                refused("s3.no_bucket", "a store as a whole is no folder", "write it like `alias/bucket`")
            }
            Spot::Remote { client, bucket, key } => Ok(Root::Remote { client, bucket, prefix: key }),
            Spot::Local(path) if path.exists() && !path.is_dir() => {
                let shown = clean::line(&path.to_string_lossy());
                Err(CommandError::usage("s3.not_a_folder", format!("`{shown}` is a file, and a folder is needed"))
                    .next("name the folder that it is in, or copy it with `hallpass s3 cp`"))
            }
            Spot::Local(path) => Ok(Root::Local(path)),
        }
    }

    /// The place in a store that `path` names. The command has no use for local paths, so none is looked for.
    ///
    /// # Errors
    /// For what names no store.
    pub(crate) fn remote(&self, path: &OsStr) -> Result<Remote, CommandError> {
        let shown = clean::line(&path.to_string_lossy());
        let local = || {
            CommandError::usage("s3.local_path", format!("`{shown}` is a local path, and a place in a store is needed"))
                .next("write it like `alias/bucket/key`; see `hallpass alias list`")
        };
        match Target::parse(path, Use::Source, &OnlyStores(&self.registry)) {
            Ok(Target::Remote(remote)) => Ok(remote),
            Ok(Target::Stdio | Target::Local(_)) => Err(local()),
            Err(error) if error.code() == "path_not_found" => {
                let first = shown.split(['/', ':']).next().unwrap_or_default();
                Err(failure::of(self.registry.not_found(first)))
            }
            Err(error) => Err(failure::of(error)),
        }
    }

    /// The same, and it must be a bucket or something in one.
    ///
    /// # Errors
    /// Those of [`Self::remote`]; for a store as a whole.
    pub(crate) fn in_bucket(&self, path: &OsStr) -> Result<Remote, CommandError> {
        let remote = self.remote(path)?;
        if remote.bucket.is_empty() {
            return Err(CommandError::usage("s3.no_bucket", format!("`{}` names no bucket", remote.alias))
                .next(format!("write it like `{}/bucket`", remote.alias)));
        }
        Ok(remote)
    }

    /// The same, and it must be a bucket and nothing in it.
    ///
    /// # Errors
    /// Those of [`Self::in_bucket`]; for a key.
    pub(crate) fn bucket(&self, path: &OsStr) -> Result<Remote, CommandError> {
        let remote = self.in_bucket(path)?;
        if !remote.key.is_empty() {
            let named = format!("{}/{}", remote.alias, remote.bucket);
            let shown = clean::line(&remote.key);
            return Err(CommandError::usage("s3.not_a_bucket", format!("`{named}/{shown}` is a key, not a bucket"))
                .next(format!("write `{named}`")));
        }
        Ok(remote)
    }

    /// The same, and it must be an object.
    ///
    /// # Errors
    /// Those of [`Self::in_bucket`]; for a bucket.
    pub(crate) fn object(&self, path: &OsStr) -> Result<Remote, CommandError> {
        let remote = self.in_bucket(path)?;
        if remote.key.is_empty() {
            let named = format!("{}/{}", remote.alias, remote.bucket);
            return Err(CommandError::usage("s3.not_an_object", format!("`{named}` is a bucket, not an object"))
                .next(format!("write it like `{named}/key`")));
        }
        Ok(remote)
    }

    /// Says what the command needs, or has it done with exactly that: `Some` when there is nothing left to do.
    ///
    /// # Errors
    /// When a role cannot be borrowed.
    pub(crate) fn settled(&self, needs: &[(&Remote, Rights)]) -> Result<Option<ExitStatus>, CommandError> {
        if let Mode::Reading(read) = &self.mode {
            read.borrow_mut().extend(needs.iter().map(|(remote, rights)| (remote.alias.clone(), rights.clone())));
            return Ok(Some(ExitStatus::Success));
        }
        if self.flags.explain {
            let all = needs.iter().fold(Rights::default(), |all, (_, rights)| all.and(rights.clone()));
            self.explain(&all)?;
            return Ok(Some(ExitStatus::Success));
        }
        if matches!(self.mode, Mode::Batch) || credentials::is_inside() {
            return Ok(None);
        }
        for (remote, _) in needs {
            let Ok(alias) = self.registry.find(&remote.alias) else { continue };
            let CredentialsSource::Role(role) = &alias.credentials else { continue };
            let of_alias = needs.iter().filter(|(other, _)| other.alias == remote.alias);
            let rights = by_actions(of_alias.map(|(_, rights)| rights.clone()));
            return borrow::again_inside(self.context, alias, role, &rights).map(Some);
        }
        Ok(None)
    }

    /// An alias by its name.
    ///
    /// # Errors
    /// When there is none, or it is broken.
    pub(crate) fn alias(&self, name: &str) -> Result<&Alias, S3Error> {
        self.registry.find(name)
    }

    /// The client of an alias, made at the first call.
    ///
    /// # Errors
    /// When there is no such alias or nothing to sign with.
    pub(crate) fn client(&self, remote: &Remote) -> Result<Client, S3Error> {
        if let Some(client) = self.clients.borrow().get(&remote.alias) {
            return Ok(client.clone());
        }
        let ready = credentials::ready(self.context, self.registry.find(&remote.alias)?)?;
        let client = Client::new(&ready.alias, ready.credentials, self.options()?)?;
        self.clients.borrow_mut().insert(remote.alias.clone(), client.clone());
        Ok(client)
    }

    /// How clients of this command behave.
    ///
    /// # Errors
    /// Those of [`options`].
    pub(crate) fn options(&self) -> Result<ClientOptions, S3Error> {
        let default = options(self.context.clock())?;
        Ok(ClientOptions { idle: self.flags.timeout.map_or(default.idle, |patience| patience.0), ..default })
    }

    /// Runs the work to its end. An alias whose token turns out to be dead is removed here.
    ///
    /// # Errors
    /// The work's.
    pub(crate) fn run<T>(&self, work: impl Future<Output = Result<T, Failed>>) -> Result<T, CommandError> {
        self.runtime.runtime()?.block_on(work).map_err(|failed| match failed {
            Failed::Command(error) => *error,
            Failed::Store(error) => self.failed(error),
        })
    }

    /// A store's failure as the command's.
    pub(crate) fn failed(&self, error: S3Error) -> CommandError {
        let entry = match &error {
            S3Error::TokenExpired(alias) => self.registry.entry(alias),
            _ => None,
        };
        match entry {
            Some(entry) => Boundary::new(self.context, entry, self.flags.no_prune).failed(error),
            None => failure::of(error),
        }
    }

    /// Says what is needed.
    ///
    /// # Errors
    /// When nobody can hear it.
    pub(crate) fn explain(&self, rights: &Rights) -> Result<(), CommandError> {
        #[derive(Serialize)]
        struct Explained<'a> {
            actions: &'a [&'static str],
            resources: &'a [String],
        }
        let printer = self.printer();
        if printer.is_json() {
            let data = Explained { actions: &rights.actions, resources: &rights.resources };
            return envelope::success(printer, "s3_explain", &data);
        }
        rights.actions.iter().try_for_each(|action| printer.data(format_args!("action    {action}")))?;
        rights
            .resources
            .iter()
            .try_for_each(|resource| printer.data(format_args!("resource  {}", clean::line(resource))))
    }
}

/// A runtime that does not wait, at its end, for a thread that is reading a stdin where nothing comes.
#[derive(Debug)]
struct Worker(Option<Runtime>);

impl Worker {
    fn runtime(&self) -> Result<&Runtime, CommandError> {
        self.0.as_ref().ok_or_else(|| CommandError::from(std::io::Error::other("the runtime has ended")))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Nothing local is ever meant.
struct OnlyStores<'a>(&'a Registry);

impl Surroundings for OnlyStores<'_> {
    fn exists(&self, _path: &Path) -> bool {
        false
    }

    fn is_alias(&self, name: &str) -> bool {
        self.0.entry(name).is_some()
    }
}

/// How clients of every store behave: proxy and certificate authorities as the variables say.
///
/// # Errors
/// For a proxy that is none, and a file of authorities that cannot be read.
pub(crate) fn options(clock: Arc<dyn Clock>) -> Result<ClientOptions, S3Error> {
    // In the order of curl and Python, and of `hallpass run`.
    let either = |lower, upper| environment::text(lower).or_else(|| environment::text(upper));
    let https = either("https_proxy", environment::HTTPS_PROXY);
    let direct = either("no_proxy", environment::NO_PROXY);
    let proxy = Proxy::new(https.as_deref(), direct.as_deref())?;
    let roots = environment::os(environment::AWS_CA_BUNDLE).or_else(|| environment::os(environment::SSL_CERT_FILE));
    let extra_roots = roots
        .map(|path| {
            std::fs::read(&path).map_err(|error| S3Error::Local {
                path: path.to_string_lossy().into_owned(),
                message: error.to_string(),
                kind: ErrorKind::Usage,
            })
        })
        .transpose()?;
    Ok(ClientOptions { proxy, extra_roots, ..ClientOptions::new(clock) })
}
