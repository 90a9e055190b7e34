//! The next steps of a plan, with small files read already: to hand a file to a thread that may block costs more than to
//! read it, so they are handed over together.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hallpass_core::limits::S3_READ_AHEAD_BYTES_MAX;
use tokio::task::JoinHandle;

use super::Orders;
use crate::client::Client;
use crate::error::S3Error;
use crate::plan::{Place, Plan, Planned, Step};
use crate::transfer::Source;

/// Steps that are taken from the plan together.
const STEPS: usize = 16;
/// A disk that takes longer for a batch is slow: what is left of it is read in parallel, each by its own step.
const READ_TIME: Duration = Duration::from_millis(2);

/// A file that was read ahead; `None`: it was not.
pub(super) type Read = Option<Result<Source, S3Error>>;

/// A batch whose files are being read, for each step that is marked so.
#[derive(Debug)]
struct Batch {
    steps: Vec<(Step, bool)>,
    reading: Option<JoinHandle<VecDeque<Read>>>,
}

/// What comes next.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    ready: VecDeque<(Step, Read)>,
    next: Option<Batch>,
    /// The plan gave this instead of a step, after all those that are here.
    failed: Option<S3Error>,
    ended: bool,
}

impl Ahead {
    /// The next step; `None` at the end.
    ///
    /// # Errors
    /// What ends the plan, after the steps before it.
    pub(super) async fn next(&mut self, plan: &mut Plan, orders: &Orders) -> Result<Option<(Step, Read)>, S3Error> {
        if self.ready.is_empty() {
            let batch = match self.next.take() {
                Some(batch) => batch,
                None => self.batch(plan, orders).await,
            };
            // While these are sent, the next are read.
            if batch.reading.is_some() {
                self.next = Some(self.batch(plan, orders).await);
            }
            let mut read = match batch.reading {
                Some(reading) => reading.await.unwrap_or_default(),
                None => VecDeque::new(),
            };
            let with = |(step, is_read)| (step, if is_read { read.pop_front().flatten() } else { None });
            self.ready = batch.steps.into_iter().map(with).collect();
        }
        match (self.ready.pop_front(), self.failed.take()) {
            (Some(next), failed) => {
                self.failed = failed;
                Ok(Some(next))
            }
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }

    /// Steps that were taken from the plan and were not given yet.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        let next = self.next.iter().flat_map(|batch| batch.steps.iter().map(|(step, _)| step));
        self.ready.iter().map(|(step, _)| step).chain(next)
    }

    /// One step, or some whose files are read from now on.
    async fn batch(&mut self, plan: &mut Plan, orders: &Orders) -> Batch {
        let (mut steps, mut files) = (Vec::new(), Vec::new());
        while !self.ended && steps.len() < STEPS {
            match plan.next().await {
                Ok(Some(step)) => {
                    let file = file(&step, orders);
                    steps.push((step, file.is_some()));
                    let Some(file) = file else { break };
                    files.push(file);
                }
                Ok(None) => self.ended = true,
                Err(error) => (self.ended, self.failed) = (true, Some(error)),
            }
        }
        let reading = (files.len() > 1).then(|| tokio::task::spawn_blocking(move || read(files)));
        Batch { steps, reading }
    }
}

/// The file that is read ahead for a step, and who sends it.
fn file(step: &Step, orders: &Orders) -> Option<(Client, PathBuf)> {
    let Step::Copy(planned) = step else { return None };
    let Planned { from: Place::Local(path), to: Place::Object(client, _), size: Some(size), left: Some(_), .. } =
        &**planned
    else {
        return None;
    };
    let small = *size <= S3_READ_AHEAD_BYTES_MAX && orders.transfer.part_size.is_none_or(|part| *size <= part);
    // What decides, or what is removed afterwards, is looked at in its turn.
    let plain = !orders.dry_run && !orders.no_clobber && !orders.remove_source;
    (small && plain).then(|| (client.clone(), path.clone()))
}

/// Blocks.
fn read(files: Vec<(Client, PathBuf)>) -> VecDeque<Read> {
    let begun = Instant::now();
    let in_time = |(client, path): (Client, PathBuf)| {
        (begun.elapsed() < READ_TIME).then(|| Source::read_up_to(&client, path, S3_READ_AHEAD_BYTES_MAX))
    };
    files.into_iter().map(in_time).collect()
}
