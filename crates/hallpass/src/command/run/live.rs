//! A live session: opened, kept while its command runs, closed truthfully.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use hallpass_control::store::Transition;
use hallpass_control::{Keeper, Store, lifecycle};
use hallpass_core::clock::Clock;
use hallpass_core::id::SessionId;
use hallpass_core::limits::SETTLE_GRACE_S_MAX;
use hallpass_core::provider::{Issued, Provider};
use hallpass_core::session::{Session, SessionEvent};
use hallpass_dataplane::gate::{
    CallerIdentity, Closed, GateConfig, Journal, JournalError, Limits, Notice, Notify, Passthrough, Placeholder,
};
use tokio_util::task::TaskTracker;

use super::children::{Family, registry};
use super::issue::{failed, issue, issued_event, this_user};
use super::refusals::Refusals;
use super::routes;
use super::wish::Wish;
use crate::control_socket;
use crate::control_socket::server::{ControlSocket, Desk};
use crate::deliver::environment::Variables;
use crate::deliver::place::{Place, Root};
use crate::deliver::presigned::Presigning;
use crate::deliver::self_check::{self, Finding, Look};
use crate::deliver::via::Via;
use crate::deliver::{Handover, Lent, deliver};
use crate::error::CommandError;
use crate::supervise::{Cause, Happening, Outcome};

/// What opening needs.
pub(crate) struct Opening<'a> {
    /// What is asked for.
    pub(crate) wish: &'a Wish,
    /// The session to be.
    pub(crate) session: Session,
    /// The caller's environment.
    pub(crate) original: &'a Variables,
    /// By which way its requests reach the gate.
    pub(crate) via: Via,
    /// Hosts that the proxy leaves alone.
    pub(crate) passthrough: &'a Passthrough,
    /// Where it is recorded.
    pub(crate) store: Arc<dyn Store>,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where private files go.
    pub(crate) root: &'a Root,
    /// Who is told what the gate says about its account.
    pub(crate) happenings: Sender<Happening>,
}

/// A session that has been lent.
pub(crate) struct Live {
    /// The session.
    pub(crate) session: Session,
    /// What was issued.
    pub(crate) issued: Issued,
    /// How it was handed over.
    pub(crate) lent: Lent,
    /// What else is within the child's reach.
    pub(crate) findings: Vec<Finding>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    place: Place,
    tasks: TaskTracker,
}

impl Live {
    /// Records, issues and hands over. The session stays pending until [`Self::activate`].
    ///
    /// # Errors
    /// Whatever stands in the way; the record says `failed` then.
    pub(crate) async fn open(opening: Opening<'_>, provider: &dyn Provider) -> Result<Self, CommandError> {
        let Opening { wish, session, original, via, passthrough, store, clock, root, happenings } = opening;
        let limits = Limits { caps: session.caps()?, priced: wish.store.is_none(), notify: notify(happenings) };
        let socket = root.path_of(&session.id).join(control_socket::FILE);
        let keeper = Keeper::this_process(socket, this_user())?;
        let issued = issue(wish, &session, Some(keeper.clone()), provider, &*store, &clock).await?;
        let tasks = TaskTracker::new();
        let handed_over = async {
            let place = root.place(&session.id)?;
            let gate = |placeholder| {
                let (session, bounds, keeper) = (session.clone(), wish.bounds.clone(), keeper.clone());
                let family = Family { session, bounds, keeper, store: Arc::clone(&store), clock: Arc::clone(&clock) };
                gate_config(placeholder, wish, family, &issued, original, limits.clone())
            };
            let handover = Handover {
                session: &session,
                issued: &issued,
                original,
                place: &place,
                clock: Arc::clone(&clock),
                via,
                passthrough,
                tasks: &tasks,
                gate: &gate,
            };
            let lent = deliver(&handover).await?;
            fail_point!("run::delivered");
            Ok((place, lent))
        };
        match handed_over.await {
            Ok((place, lent)) => {
                let findings = look(&lent, original, &place);
                Ok(Self { session, issued, lent, findings, store, clock, place, tasks })
            }
            Err(error) => {
                failed(&*store, &session, &clock, &error).await;
                Err(error)
            }
        }
    }

    /// The session becomes active: from here on requests may pass.
    ///
    /// # Errors
    /// When it was taken back meanwhile, or the store fails.
    pub(crate) async fn activate(&self) -> Result<(), CommandError> {
        let placeholder = self.lent.placeholder.then(|| self.lent.access_key_id.clone());
        let event = issued_event(&self.issued, placeholder, self.lent.revocation).await?;
        let (id, key) = (&self.session.id, self.lent.access_key_id.clone());
        lifecycle::activate(&*self.store, id, self.clock.now(), event, key, self.lent.revocation).await?;
        fail_point!("run::activated");
        Ok(())
    }

    /// Begins to listen for `session kill`. Call it inside the runtime.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub(crate) fn listen(&self, supervisor: Sender<Happening>, grace: Duration) -> Result<ControlSocket, CommandError> {
        let desk = Desk {
            session: self.session.id.clone(),
            access: self.lent.access.switch(),
            presigning: self
                .lent
                .access
                .presigner()
                .map(|p| Presigning { presigner: p, region: self.session.region.clone() }),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            supervisor,
            grace,
        };
        Ok(ControlSocket::bind(&self.place.path().join(control_socket::FILE), desk)?)
    }

    /// The child could not be started after all.
    pub(crate) async fn abandon(self, error: &CommandError) {
        self.lent.access.switch().refuse(Closed::Completed);
        failed(&*self.store, &self.session, &self.clock, error).await;
        self.lent.access.shutdown(Duration::ZERO).await;
    }

    /// Records the expiry of a session whose command may run on without it.
    pub(crate) async fn expire(&self) {
        let change = Transition::new(self.session.id.clone(), SessionEvent::Expire, self.clock.now(), EXPIRED);
        if let Err(error) = lifecycle::end(&*self.store, change).await {
            tracing::warn!(%error, "the expiry could not be recorded; the next start repairs it");
        }
    }

    /// Access ends, what is in flight is settled, and the record says how it was. A record that says `revoked` stays.
    /// Gives what was refused meanwhile.
    ///
    /// # Errors
    /// When the end could not be recorded; the next start repairs that.
    pub(crate) async fn close(
        self,
        outcome: &Outcome,
        control: ControlSocket,
        inbox: Receiver<Happening>,
    ) -> Result<Option<Refusals>, CommandError> {
        self.lent.access.switch().refuse(Closed::Completed);
        let why;
        let (event, reason) = match outcome.cause {
            Cause::Exited => (SessionEvent::Complete, "the command ended"),
            Cause::Told => (SessionEvent::Complete, "hallpass was told to end, and ended the command"),
            Cause::Expired => (SessionEvent::Expire, EXPIRED),
            Cause::Killed => (SessionEvent::Revoke, "taken back"),
            Cause::Exhausted(exceeded) => {
                why = exceeded.reason();
                (SessionEvent::ExhaustBudget, why.as_str())
            }
            Cause::Lost => (SessionEvent::Fail, "its processes could not be watched any more"),
        };
        // A kill that arrives from here on finds no supervisor, and nothing left to end.
        drop(inbox);
        control.finish().await;
        self.lent.access.shutdown(Duration::from_secs(SETTLE_GRACE_S_MAX)).await;
        let change = Transition {
            exit_code: outcome.code.map(i32::from),
            ..Transition::new(self.session.id.clone(), event, self.clock.now(), reason)
        };
        // Before the record: a repair removes the folders of those whose end it records. The transaction of the end
        // signs the checkpoint that covers it.
        self.tasks.close();
        drop(self.place);
        let ended = lifecycle::end(&*self.store, change).await;
        fail_point!("run::ended");
        match ended {
            Ok(record) => Ok(Refusals::of(&*self.store, &record).await),
            // Somebody ended the record before: what it says then is the truth.
            Err(hallpass_control::StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

const EXPIRED: &str = "its time was over";

fn gate_config(
    placeholder: Placeholder,
    wish: &Wish,
    family: Family,
    issued: &Issued,
    original: &Variables,
    limits: Limits,
) -> Result<GateConfig, CommandError> {
    let session = &family.session;
    Ok(GateConfig {
        session: session.id.clone(),
        placeholder,
        policy: session.policy.clone(),
        expires_at: session.expires_at,
        source: Arc::clone(&issued.source),
        clock: Arc::clone(&family.clock),
        journal: journal(&family.store, &session.id),
        upstreams: match wish.store.as_deref() {
            Some(url) => routes::store(url)?,
            None => routes::upstreams(original, wish.aws.endpoint_url.as_deref(), &wish.upstreams)?,
        }
        .through(routes::outward(original)),
        caller: caller(wish, session, issued),
        region: session.region.clone(),
        allow_unmapped: wish.allow_unmapped.clone(),
        extra_roots: routes::extra_roots(original)?,
        limits,
        children: Some(registry(family)),
    })
}

/// Whom the real credential stands for; what a role was assumed with is known, because it was asked for here.
fn caller(wish: &Wish, session: &Session, issued: &Issued) -> CallerIdentity {
    let mut known = routes::caller(issued.identity.as_deref(), session.region.as_deref());
    if wish.role.is_empty() {
        if let Some(account) = issued.account.as_ref().filter(|_| known.account.is_empty()) {
            known.account.clone_from(account);
        }
        return known;
    }
    CallerIdentity {
        role: Some(wish.role.clone()),
        tags: session.tags.clone().into_iter().collect(),
        source_identity: wish.aws.source_identity.clone(),
        ..known
    }
}

fn notify(happenings: Sender<Happening>) -> Notify {
    Notify::new(move |notice| {
        let happening = match notice {
            Notice::Warned(warning) => Happening::Warned(warning),
            Notice::Exhausted(exceeded) => Happening::Exhausted(exceeded),
        };
        // When nobody supervises any more there is nothing left to end.
        let _ = happenings.send(happening);
    })
}

/// The way to the log for the requests of one session.
pub(super) fn journal(store: &Arc<dyn Store>, session: &SessionId) -> Journal {
    let (recorder, of) = (Arc::clone(store), session.clone());
    let (settler, later_of) = (Arc::clone(store), session.clone());
    let record = move |event| -> hallpass_core::provider::BoxFuture<'static, Result<u64, JournalError>> {
        let (store, session) = (Arc::clone(&recorder), of.clone());
        Box::pin(async move {
            let position = store.append(Some(&session), event).await;
            position.map(|position| position.0).map_err(|error| JournalError(error.to_string()))
        })
    };
    Journal::new(record, move |event| settler.append_later(Some(&later_of), event))
}

fn look(lent: &Lent, original: &Variables, place: &Place) -> Vec<Finding> {
    // Everything that was added to the parent's environment is ours to give.
    let given = lent.variables.iter().filter(|(name, value)| original.get(*name) != Some(value));
    let values: Vec<&str> = given.filter_map(|(_, value)| value.to_str()).collect();
    let ancestors = self_check::ancestors();
    self_check::check(&Look {
        child: &lent.variables,
        original,
        place: place.path(),
        lent: &values,
        system: std::path::Path::new("/"),
        ancestors: &ancestors,
    })
}
