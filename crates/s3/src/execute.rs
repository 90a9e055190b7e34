//! A plan, carried out: many things at once, each reported, all of them stopped together.
//!
//! | file | what it knows |
//! |---|---|
//! | `ahead` | the next steps, with small files read already |
//! | `item` | one copy: up, down, inside a store |
//! | `input` | standard input |
//! | `relay` | from one store to another, through this machine |
//! | `place` | local folders and files: made, dated, removed; never through a link |
//! | `property` | content type by name, what `--preserve` keeps |
//! | `verify` | whether a copy is there, before its source is removed |
//! | `removal` | what a mirror removes |

mod ahead;
mod input;
mod item;
mod place;
mod property;
mod relay;
mod removal;
mod verify;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hallpass_core::limits::S3_SMALL_OBJECT_BYTES_MAX;
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use ahead::{Ahead, Read};

use crate::client::{Progress, Properties};
use crate::error::S3Error;
use crate::plan::{Passed, Place, Plan, Planned, Step};
use crate::transfer::{Gauge, TransferOptions};

/// What a large thing may hold beside others, bytes.
const LARGE_BYTES: u64 = 24 * 1024 * 1024;
/// The same for one that is alone; with everything else the process stays below 64 MiB.
const ALONE_BYTES: u64 = 40 * 1024 * 1024;
/// What all things in flight may hold together, bytes.
const MEMORY_BYTES: u64 = 2 * LARGE_BYTES;
/// What everything holds at least: connection, names, answers.
const LEAST_BYTES: u64 = 128 * 1024;

/// How a plan is carried out.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Rate, stop, part size, parts at once, resumption.
    pub transfer: TransferOptions,
    /// Things at once, instead of what turns out to be fastest.
    pub items: Option<usize>,
    /// Properties that are set; what is `None` comes from the source, or from the name.
    pub properties: Properties,
    /// The checksum that goes with uploads, instead of the client's.
    pub checksum: Option<ChecksumAlgorithm>,
    /// What the target has already stays.
    pub no_clobber: bool,
    /// A failure of one thing does not end the others.
    pub tolerant: bool,
    /// Modification time and mode of files are kept in user metadata, and restored from there.
    pub preserve: bool,
    /// Downloaded files get the time of their objects.
    pub times: bool,
    /// The source is removed once its copy is verified.
    pub remove_source: bool,
    /// Nothing is written.
    pub dry_run: bool,
}

/// What is done with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Into a store.
    Upload,
    /// Out of a store.
    Download,
    /// Inside a store.
    Copy,
    /// From one store to another, through this machine.
    Relay,
    /// Removed from the target.
    Remove,
}

impl Action {
    /// The word for `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Copy => "copy",
            Self::Relay => "relay",
            Self::Remove => "remove",
        }
    }

    fn of(planned: &Planned) -> Self {
        match (&planned.from, &planned.to) {
            (Place::Object(a, _), Place::Object(b, _)) if item::is_one_store(a, b) => Self::Copy,
            (Place::Object(..), Place::Object(..)) => Self::Relay,
            (_, Place::Object(..)) => Self::Upload,
            (_, Place::Local(_) | Place::Stdio) => Self::Download,
        }
    }
}

/// One thing that was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Length, bytes.
    pub size: u64,
    /// A checksum of the whole was compared.
    pub verified: bool,
    /// The new object's, with its quotes; of a download: the source's.
    pub etag: Option<String>,
    /// The new object's version.
    pub version: Option<String>,
    /// Bytes that an interrupted transfer had left.
    pub resumed: u64,
}

/// What became of one thing.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was copied, and its source removed where that was asked for.
    Done(Action, Place, Place, Done),
    /// It would be: the dry run. Size, where it is known.
    Planned(Action, Place, Place, Option<u64>),
    /// It was left out: its name, and why.
    Passed(String, Passed),
    /// It was removed from the target.
    Removed(Place),
    /// It would be.
    WouldRemove(Place),
    /// It failed: what it was, if it had got so far.
    Failed(Option<(Action, Place, Place)>, S3Error),
}

/// Hears what becomes of each thing, in the order in which they end.
pub trait Hear {
    /// # Errors
    /// Whatever makes it useless to go on.
    fn hear(&mut self, outcome: &Outcome) -> Result<(), S3Error>;
}

/// What became of all.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Things that were copied, or would be.
    pub copied: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
    /// Things that were removed from the target, or would be.
    pub removed: u64,
    /// Things that were left out, by reason.
    pub passed: BTreeMap<Passed, u64>,
    /// Things that failed.
    pub failed: u64,
    /// The first failure, and whether others are of another sort.
    pub first_failure: Option<(S3Error, bool)>,
    /// What ended it before its end.
    pub ended_by: Option<S3Error>,
}

impl Report {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done(_, _, _, done) => {
                self.copied += 1;
                self.bytes += done.size;
            }
            Outcome::Planned(_, _, _, size) => {
                self.copied += 1;
                self.bytes += size.unwrap_or(0);
            }
            Outcome::Passed(_, why) => *self.passed.entry(*why).or_default() += 1,
            Outcome::Removed(_) | Outcome::WouldRemove(_) => self.removed += 1,
            Outcome::Failed(_, error) => {
                self.failed += 1;
                match &mut self.first_failure {
                    Some((first, mixed)) => *mixed |= first.kind() != error.kind(),
                    none => *none = Some((error.clone(), false)),
                }
            }
        }
    }
}

/// Asked before a mirror removes so many things: may it?
pub type Confirm<'a> = &'a mut dyn FnMut(usize) -> Result<(), S3Error>;

/// Carries a plan out.
pub async fn execute(plan: &mut Plan, orders: &Orders, hear: &mut dyn Hear, confirm: Confirm<'_>) -> Report {
    // What is in flight is stopped by the first failure, and by the person.
    let person = orders.transfer.stop.clone();
    let stop = person.child_token();
    let transfer = TransferOptions { stop: stop.clone(), ..orders.transfer.clone() };
    let orders = Arc::new(Orders { transfer, ..orders.clone() });
    let mut running = Running {
        report: Report::default(),
        tasks: JoinSet::new(),
        ahead: Ahead::default(),
        gauge: Gauge::of_items(orders.items),
        memory: Arc::new(Semaphore::new(kib(MEMORY_BYTES))),
        orders,
        stop,
        hear,
    };
    let ended = running.all(plan).await;
    if ended.is_err() {
        running.stop.cancel();
    }
    running.drain().await;
    let ended = match (ended, plan.as_mirror()) {
        (Ok(()), Some(mirror)) => running.removals(mirror, confirm).await,
        (ended, _) => ended,
    };
    let mut report = running.report;
    report.ended_by = match ended {
        // The failure of one thing that ended the rest is told as that.
        Err(S3Error::Interrupted) if !person.is_cancelled() => None,
        Err(error) => Some(error),
        Ok(()) => None,
    };
    report
}

/// What one task answers.
type Answer = (Action, Place, Place, Result<Carried, S3Error>);

/// How one copy ended well.
#[derive(Debug)]
pub(crate) enum Carried {
    Done(Done),
    Passed(Passed),
}

struct Running<'a> {
    report: Report,
    tasks: JoinSet<Answer>,
    ahead: Ahead,
    gauge: Gauge,
    memory: Arc<Semaphore>,
    orders: Arc<Orders>,
    stop: CancellationToken,
    hear: &'a mut dyn Hear,
}

impl fmt::Debug for Running<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("report", &self.report).finish_non_exhaustive()
    }
}

impl Running<'_> {
    async fn all(&mut self, plan: &mut Plan) -> Result<(), S3Error> {
        let mut next = self.pulled(plan).await?;
        // What is planned already is announced at once, and what is found later as it is found.
        let taken = next.iter().map(|(step, _)| step).chain(self.ahead.steps()).map(copied);
        let (mut announced, bytes) = taken.fold(plan.ahead(), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        self.announce(announced, bytes);
        let mut first = true;
        while let Some((step, read)) = next {
            let (items, bytes) = copied(&step);
            if announced >= items {
                announced -= items;
            } else {
                self.announce(items, bytes);
            }
            next = self.pulled(plan).await?;
            match step {
                Step::Passed(name, why) => self.told(Outcome::Passed(name, why))?,
                Step::Failed(error) => self.failed(None, error)?,
                Step::Copy(planned) if self.orders.dry_run => self.dry(*planned).await?,
                Step::Copy(planned) => {
                    let alone = std::mem::take(&mut first) && next.is_none();
                    self.begin(*planned, alone, read).await?;
                }
            }
        }
        while let Some(answer) = self.tasks.join_next().await {
            self.ended(answer)?;
        }
        Ok(())
    }

    fn announce(&self, items: u64, bytes: u64) {
        if let Some(progress) = &self.orders.transfer.flow.progress {
            progress.planned(items);
            progress.total(bytes);
        }
    }

    async fn pulled(&mut self, plan: &mut Plan) -> Result<Option<(Step, Read)>, S3Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(S3Error::Interrupted),
            step = self.ahead.next(plan, &self.orders) => step,
        }
    }

    async fn dry(&mut self, planned: Planned) -> Result<(), S3Error> {
        let action = Action::of(&planned);
        let outcome = match item::would_clobber(&planned, &self.orders).await {
            Ok(true) => Outcome::Passed(planned.to.to_string(), Passed::Exists),
            Ok(false) => Outcome::Planned(action, planned.from, planned.to, planned.size),
            Err(error) => return self.failed(Some((action, planned.from, planned.to)), error),
        };
        self.told(outcome)
    }

    /// Starts one copy, as soon as there is room for it.
    async fn begin(&mut self, planned: Planned, alone: bool, read: Read) -> Result<(), S3Error> {
        let action = Action::of(&planned);
        let memory = if alone { ALONE_BYTES } else { held(action, planned.size) };
        let permit = self.room(memory).await?;
        let mut transfer = TransferOptions { memory: Some(memory), ..self.orders.transfer.clone() };
        if planned.size.is_some() {
            transfer.flow.progress = transfer.flow.progress.map(|told| Arc::new(Announced(told)) as Arc<dyn Progress>);
        }
        let orders = Arc::clone(&self.orders);
        self.tasks.spawn(async move {
            let carried = Box::pin(item::carry(&planned, action, &orders, &transfer, read)).await;
            drop(permit);
            (action, planned.from, planned.to, carried)
        });
        Ok(())
    }

    /// Waits until one more may be in flight.
    async fn room(&mut self, memory: u64) -> Result<OwnedSemaphorePermit, S3Error> {
        loop {
            if self.tasks.len() < self.gauge.limit() {
                let wanted = u32::try_from(kib(memory)).unwrap_or(u32::MAX);
                if let Ok(permit) = Arc::clone(&self.memory).try_acquire_many_owned(wanted) {
                    return Ok(permit);
                }
            }
            match self.tasks.join_next().await {
                Some(answer) => self.ended(answer)?,
                // Nothing holds any memory, and it does not fit: it never will.
                None => return Err(S3Error::usage("a part is larger than the memory for all of them")),
            }
        }
    }

    fn ended(&mut self, answer: Result<Answer, tokio::task::JoinError>) -> Result<(), S3Error> {
        let Ok((action, from, to, carried)) = answer else { return Err(S3Error::Interrupted) };
        match carried {
            Ok(Carried::Done(done)) => {
                self.gauge.done(done.size + LEAST_BYTES);
                self.told(Outcome::Done(action, from, to, done))
            }
            Ok(Carried::Passed(why)) => self.told(Outcome::Passed(to.to_string(), why)),
            Err(S3Error::Interrupted) => Err(S3Error::Interrupted),
            Err(error) => self.failed(Some((action, from, to)), error),
        }
    }

    fn told(&mut self, outcome: Outcome) -> Result<(), S3Error> {
        self.report.add(&outcome);
        self.hear.hear(&outcome)
    }

    /// A failure of one thing; it ends the others unless the caller wants to go on. Keys that are over end all.
    fn failed(&mut self, what: Option<(Action, Place, Place)>, error: S3Error) -> Result<(), S3Error> {
        let goes_on = self.orders.tolerant && !matches!(error, S3Error::TokenExpired(_));
        self.told(Outcome::Failed(what, error))?;
        if goes_on {
            return Ok(());
        }
        self.stop.cancel();
        Err(S3Error::Interrupted)
    }

    /// What is still in flight ends: it was told to stop, or it is done.
    async fn drain(&mut self) {
        while let Some(answer) = self.tasks.join_next().await {
            if let Err(error) = self.ended(answer) {
                tracing::debug!(%error, "one of those that were stopped");
            }
        }
    }
}

/// How many copies a step is, and their bytes.
fn copied(step: &Step) -> (u64, u64) {
    match step {
        Step::Copy(planned) => (1, planned.size.unwrap_or(0)),
        Step::Passed(..) | Step::Failed(_) => (0, 0),
    }
}

/// The progress of something whose size was announced already.
#[derive(Debug)]
struct Announced(Arc<dyn Progress>);

impl Progress for Announced {
    fn moved(&self, bytes: i64) {
        self.0.moved(bytes);
    }

    fn item(&self) {
        self.0.item();
    }
}

/// Memory of one thing beside others.
fn held(action: Action, size: Option<u64>) -> u64 {
    match (action, size) {
        (Action::Copy | Action::Remove, _) => LEAST_BYTES,
        (_, Some(size)) if size <= S3_SMALL_OBJECT_BYTES_MAX => LEAST_BYTES + size,
        _ => LARGE_BYTES,
    }
}

fn kib(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(1024)).unwrap_or(usize::MAX)
}
