//! `hallpass run`: lends a command a session, keeps it, and takes it back.

#[macro_use]
pub(crate) mod fail_points;
pub(crate) mod args;
mod banner;
mod children;
mod dry_run;
pub(crate) mod issue;
mod live;
mod nested;
mod passing;
pub(crate) mod policy;
mod refusals;
mod routes;
mod said;
pub(crate) mod shadow;
pub(crate) mod wish;

use std::ffi::OsStr;
use std::sync::mpsc;
use std::time::Duration;

use hallpass_control::Store;
use hallpass_core::budget::Warning;
use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::limits::{GATE_THREADS_MAX, KILL_GRACE_S, KILL_GRACE_S_MAX};
use hallpass_core::provider::Provider;
use hallpass_dataplane::gate::Closed;
use hallpass_providers::aws::AwsProvider;
use hallpass_providers::s3::S3Provider;
use tokio::runtime::Runtime;
use uuid::Uuid;

pub(crate) use args::RunArgs;
pub(crate) use issue::this_user;
use live::{Live, Opening};
use wish::Wish;

use crate::command::Context;
use crate::command::policy::spelling;
use crate::config::duration::Seconds;
use crate::config::session::OnExpiry;
use crate::deliver::environment::set;
use crate::deliver::place::Root;
use crate::deliver::via::Via;
use crate::environment::HALLPASS_STATE_DIR;
use crate::error::{CommandError, ErrorKind, ExitStatus};
use crate::output::{Paint, clean};
use crate::scrub::{Scrubbed, scrub};
use crate::supervise::spawn::{Start, find, spawn};
use crate::supervise::{Cause, Happening, Outcome, Rules, Terminal, listen, supervise};

/// Runs the command.
pub(crate) fn run(context: &Context, args: RunArgs) -> Result<ExitStatus, CommandError> {
    let (session, status) = run_in_session(context, &args)?;
    if let Some(session) = session.filter(|_| args.shadow) {
        shadow::report(context, session);
    }
    Ok(status)
}

/// Runs the command, and says in which session; there is none when it was a `--dry-run`.
///
/// # Errors
/// Whatever stood in the way of starting the command.
pub(crate) fn run_in_session(
    context: &Context,
    args: &RunArgs,
) -> Result<(Option<SessionId>, ExitStatus), CommandError> {
    launch(context, args).map_err(|error| match error.kind() {
        // These say more than "not started".
        ErrorKind::Denied | ErrorKind::Unsupported => error,
        _ => error.before_child(),
    })
}

/// Everything up to the start of the command, then [`keep`]. No error comes from here once the command runs.
fn launch(context: &Context, args: &RunArgs) -> Result<(Option<SessionId>, ExitStatus), CommandError> {
    let grace = grace(args.grace)?;
    fail_points::arm();
    let scrubbed = scrub()?;
    let original = &scrubbed.original;
    let config = context.config()?;
    let mut wish = Wish::new(&args.lend, args.delivery, config, original)?;
    if args.shadow {
        shadow::tries_out(&mut wish, args.ceiling.as_deref())?;
    }
    spelling::warn(context.printer, &wish.policy);
    let via = way(args.via, wish.delivery)?;
    let asked = passing::Asked { names: &args.passthrough, via: args.via, delivery: wish.delivery };
    let (via, passthrough) = passing::passthrough(context.printer, &asked, via, original)?;
    nested::check(
        original,
        nested::Inner {
            role: args.lend.role.as_deref(),
            aws_profile: args.lend.aws_profile.as_deref(),
            endpoint: args.lend.endpoint.as_deref(),
            delivery: wish.delivery,
        },
    )?;
    let program = args.command.first().map_or_else(|| OsStr::new(""), |program| program.as_os_str());
    find(program, original.get(OsStr::new("PATH")).map(|path| path.as_os_str()))?;
    let aws = AwsProvider::new(wish.aws.clone(), context.clock());
    let store_keys = S3Provider::new(wish.aws.clone(), context.clock());
    let provider: &dyn Provider = if wish.store.is_some() { &store_keys } else { &aws };
    let mut session = wish.session(new_id()?, context.now(), &args.command, original);
    args.cap(&mut session, &config.run, wish.store.is_some())?;
    if args.dry_run {
        return Ok((None, dry_run::show(context.printer, &wish, &session, original)?));
    }
    let store = context.store()?;
    let root = Root::open(&context.state_dir()?)?;
    let runtime = runtime()?;
    let strict = args.strict || config.session.strict();
    let (sender, inbox) = mpsc::channel::<Happening>();
    let live = runtime.block_on(async {
        sweep(&root, &*store).await;
        if session.region.is_none() {
            session.region = aws.region().await;
        }
        let clock = context.clock();
        let (happenings, passthrough) = (sender.clone(), &passthrough);
        let opening =
            Opening { wish: &wish, session, original, via, passthrough, store, clock, root: &root, happenings };
        let mut live = Live::open(opening, provider).await?;
        if let Some(folder) = context.named_state_dir() {
            set(&mut live.lent.variables, HALLPASS_STATE_DIR, std::path::absolute(folder)?);
        }
        let checked = banner::self_check(context.printer, &live.findings, strict);
        let activated = match checked {
            Ok(()) => live.activate().await,
            refused => refused,
        };
        match activated {
            Ok(()) => Ok(live),
            Err(error) => {
                live.abandon(&error).await;
                Err(error)
            }
        }
    })?;
    banner::show(context.printer, &live.session, &live.issued, &live.lent);
    let on_expiry = args.on_expiry.unwrap_or_else(|| config.session.on_expiry());
    let id = live.session.id.clone();
    let status = keep(context, Keep { args, scrubbed: &scrubbed, runtime, grace, on_expiry, sender, inbox }, live)?;
    Ok((Some(id), status))
}

/// What [`keep`] obeys.
struct Keep<'a> {
    args: &'a RunArgs,
    scrubbed: &'a Scrubbed,
    runtime: Runtime,
    grace: Duration,
    on_expiry: OnExpiry,
    sender: mpsc::Sender<Happening>,
    inbox: mpsc::Receiver<Happening>,
}

/// Starts the command, stays with it, and closes the session.
fn keep(context: &Context, keep: Keep<'_>, live: Live) -> Result<ExitStatus, CommandError> {
    let Keep { args, scrubbed, runtime, grace, on_expiry, sender, inbox } = keep;
    let terminal = Terminal::open();
    let own_group = !terminal.as_ref().is_some_and(Terminal::is_ours);
    let guard = runtime.enter();
    let control = live.listen(sender.clone(), grace);
    drop(guard);
    let start =
        Start { command: &args.command, environment: &live.lent.variables, own_group, core_limit: scrubbed.core_limit };
    let started = control.and_then(|control| {
        listen(sender)?;
        Ok((control, spawn(&start)?))
    });
    let (control, mut child) = match started {
        Ok(started) => started,
        Err(error) => {
            runtime.block_on(live.abandon(&error));
            return Err(error);
        }
    };
    fail_point!("run::spawned");
    let access = live.lent.access.switch();
    let mut at_expiry = || {
        access.refuse(Closed::Expired);
        let terminate = on_expiry == OnExpiry::Terminate;
        if !terminate {
            runtime.block_on(live.expire());
            context.printer.warn("the session's time is over: every request of the command is refused from now on");
        }
        terminate
    };
    let printer = context.printer;
    let mut warn = |warning: Warning| printer.warn(clean::line(&banner::used(&warning)));
    let rules = Rules {
        grace,
        expires_at: live.session.expires_at,
        clock: context.clock(),
        at_expiry: &mut at_expiry,
        warn: &mut warn,
        terminal: terminal.as_ref(),
        own_group,
    };
    let outcome = supervise(&child, &inbox, rules).unwrap_or_else(|error| {
        // Without a view of the processes nothing may be lent any more. What can be ended is ended.
        context.printer.warn(format_args!("the command can no longer be watched ({error}): its session ends here"));
        drop(child.kill());
        Outcome { code: None, cause: Cause::Lost, stuck: 0 }
    });
    let closed = runtime.block_on(live.close(&outcome, control, inbox));
    runtime.shutdown_timeout(Duration::from_millis(100));
    match closed {
        Ok(refusals) => {
            let by_itself = matches!(outcome.cause, Cause::Exited | Cause::Told);
            if let Some(refusals) = refusals.filter(|_| by_itself) {
                printer.say(printer.paint_talk(Paint::Dim, clean::line(&refusals.sentence())));
            }
        }
        Err(error) => printer.error(&error),
    }
    Ok(farewell(context, outcome))
}

/// Says on stderr what the exit status alone would not, and gives the status.
fn farewell(context: &Context, outcome: Outcome) -> ExitStatus {
    if outcome.stuck > 0 {
        let stuck = outcome.stuck;
        context
            .printer
            .warn(format_args!("{stuck} processes of the command hang in the kernel and could not be ended"));
    }
    let code = outcome.code.map_or(ExitStatus::Failure, ExitStatus::Child);
    match outcome.cause {
        Cause::Exited | Cause::Told | Cause::Lost => code,
        Cause::Expired => {
            context.printer.warn("the session's time is over, and the command was ended");
            ExitStatus::TimedOut
        }
        Cause::Killed => {
            context.printer.warn("the session was taken back, and the command was ended");
            code
        }
        Cause::Exhausted(exceeded) => {
            let reason = exceeded.reason();
            context.printer.warn(format_args!("{}, and the command was ended", clean::line(&reason)));
            ExitStatus::BudgetExceeded
        }
    }
}

/// The way into the gate, where there is one.
fn way(asked: Option<Via>, delivery: Delivery) -> Result<Via, CommandError> {
    match (asked, delivery) {
        (None, _) => Ok(Via::default()),
        (Some(via), Delivery::Proxy) => Ok(via),
        (Some(via), other) => {
            let message =
                format!("`--via {}` needs the gate, and delivery `{}` has none", via.as_str(), other.as_str());
            Err(CommandError::usage("run.via", message).next("leave out `--via`, or use `--delivery proxy`"))
        }
    }
}

fn grace(asked: Option<Seconds>) -> Result<Duration, CommandError> {
    let seconds = asked.map_or(KILL_GRACE_S, |Seconds(seconds)| seconds);
    if seconds > KILL_GRACE_S_MAX {
        let message = format!("`--grace` may be {KILL_GRACE_S_MAX} seconds at most, not {seconds}");
        return Err(CommandError::usage("run.grace", message));
    }
    Ok(Duration::from_secs(seconds))
}

/// A fresh session id.
pub(crate) fn new_id() -> Result<SessionId, CommandError> {
    Ok(SessionId::new(Uuid::new_v4().to_string())?)
}

/// Threads that serve the gate's connections, each begun when there is one for it.
pub(crate) fn gate_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(GATE_THREADS_MAX)
}

/// One thread for all that is not a request; the main thread stays with the command.
fn runtime() -> Result<Runtime, CommandError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(1).thread_name("gate").enable_all().build()?)
}

/// Removes the private folders of sessions that have ended without tidying up.
pub(crate) async fn sweep(root: &Root, store: &dyn Store) {
    let sessions = match root.sessions() {
        Ok(sessions) => sessions,
        Err(error) => return tracing::warn!(%error, "leftover folders could not be listed"),
    };
    for id in sessions {
        let over = match store.session(&id).await {
            Ok(Some(record)) => {
                record.session.status.is_final() && !record.keeper.is_some_and(|keeper| keeper.is_alive())
            }
            Ok(None) => true,
            Err(_) => false,
        };
        if over && let Err(error) = root.remove(&id) {
            tracing::warn!(%error, session = %id, "a leftover folder could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hallpass_core::limits::{GATE_THREADS_MAX, KILL_GRACE_S, KILL_GRACE_S_MAX};

    use super::{Delivery, Via, gate_threads, grace, way};
    use crate::config::duration::Seconds;

    #[test]
    fn a_way_into_the_gate_is_refused_where_there_is_no_gate() {
        assert_eq!(way(None, Delivery::Env).ok(), Some(Via::Both));
        assert_eq!(way(Some(Via::Endpoint), Delivery::Proxy).ok(), Some(Via::Endpoint));
        for delivery in Delivery::ALL.into_iter().filter(|d| *d != Delivery::Proxy) {
            assert!(way(Some(Via::Proxy), delivery).is_err());
        }
    }

    #[test]
    fn a_grace_past_the_limit_is_refused() {
        assert_eq!(grace(None).ok(), Some(Duration::from_secs(KILL_GRACE_S)));
        assert!(grace(Some(Seconds(KILL_GRACE_S_MAX))).is_ok());
        assert!(grace(Some(Seconds(KILL_GRACE_S_MAX + 1))).is_err());
    }

    #[test]
    fn a_gate_has_no_more_threads_than_the_limit() {
        assert!((1..=GATE_THREADS_MAX).contains(&gate_threads()));
    }
}
