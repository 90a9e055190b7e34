//! What waits for the writer: operations that somebody awaits, bounded by back-pressure, and outcomes that nobody
//! awaits, bounded by number.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hallpass_core::audit::Event;
use hallpass_core::id::SessionId;
use hallpass_core::limits::{STORE_BATCH_MAX, STORE_LATER_DELAY_MS_MAX, STORE_LATER_MAX, STORE_QUEUE_MAX};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::company::Company;
use super::operation::{Answer, Operation};
use super::reply::{Teller, reply};
use crate::store::StoreError;

/// How long an outcome waits for company.
const LATER_DELAY: Duration = Duration::from_millis(STORE_LATER_DELAY_MS_MAX);

/// An operation and who awaits it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) operation: Operation,
    pub(super) answer: Teller,
    _room: OwnedSemaphorePermit,
}

/// An entry that nobody awaits.
#[derive(Debug)]
pub(super) struct Later {
    pub(super) session: Option<SessionId>,
    pub(super) event: Event,
}

/// What the writer does next.
#[derive(Debug)]
pub(super) enum Work {
    /// These, in one transaction; the outcomes come first.
    Batch(Vec<Job>, Vec<Later>),
    /// Nothing came for the given time.
    Idle,
    /// Nothing will come any more but these outcomes.
    Closed(Vec<Later>),
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    room: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    later: Vec<Later>,
    /// When the oldest of `later` came.
    later_since: Option<Instant>,
    /// What went wrong with outcomes since the last flush.
    trouble: Option<StoreError>,
    dropped: u64,
    closed: bool,
    /// The writer sleeps, and nobody has called it yet: calling it is a system call.
    asleep: bool,
    /// It sleeps for a short time only, after which it looks for outcomes.
    dozes: bool,
    /// What is waited for before a commit.
    company: Company,
    /// The writer waits for company: whoever comes last calls it.
    awaits_company: bool,
    /// Something waits that is no entry of a request, and is committed at once.
    urgent: bool,
}

impl State {
    /// Whether a commit is worth a short wait.
    fn wants_company(&self) -> bool {
        let wanted = self.company.wanted();
        wanted > 1 && !self.urgent && !self.closed && self.jobs.len() < wanted
    }
}

impl Queue {
    pub(super) fn new() -> Self {
        let room = Arc::new(Semaphore::new(STORE_QUEUE_MAX));
        Self { state: Mutex::default(), wake: Condvar::new(), room }
    }

    /// Waits for room, hands an operation over and waits for the answer. When the caller goes away, the operation is
    /// done all the same.
    pub(super) async fn submit(&self, operation: Operation) -> Result<Answer, StoreError> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, told) = reply();
        let call = {
            let mut state = self.lock();
            if state.closed {
                return Err(StoreError::Closed);
            }
            state.urgent |= !matches!(operation, Operation::Append(..));
            state.jobs.push_back(Job { operation, answer, _room: room });
            std::mem::take(&mut state.asleep) || state.awaits_company && !state.wants_company()
        };
        if call {
            self.wake.notify_one();
        }
        told.await
    }

    /// Hands over an entry that nobody awaits. Past the bound it is dropped, and counted.
    pub(super) fn submit_later(&self, later: Later) {
        let mut state = self.lock();
        if state.closed || state.later.len() >= STORE_LATER_MAX {
            state.dropped += 1;
            return;
        }
        state.later.push(later);
        let first = state.later_since.is_none();
        state.later_since.get_or_insert_with(Instant::now);
        let call = first && !state.dozes && std::mem::take(&mut state.asleep);
        drop(state);
        if call {
            self.wake.notify_one();
        }
    }

    /// The next work, or [`Work::Idle`] after `idle`.
    pub(super) fn take(&self, idle: Option<Duration>) -> Work {
        let begun = Instant::now();
        let idle_at = idle.map(|idle| begun + idle);
        let mut doze = Some(begun + LATER_DELAY);
        let mut state = self.lock();
        let company_until = state.company.until(begun);
        loop {
            let now = Instant::now();
            if now < company_until && state.wants_company() {
                state.awaits_company = true;
                state = self.sleep(state, Some(company_until - now));
                state.awaits_company = false;
                continue;
            }
            let ripe = state.later_since.map(|since| since + LATER_DELAY);
            if !state.jobs.is_empty() || ripe.is_some_and(|ripe| ripe <= now) {
                let jobs = state.jobs.len().min(STORE_BATCH_MAX);
                state.company.took(jobs, now);
                state.urgent = jobs < state.jobs.len();
                state.later_since = None;
                return Work::Batch(state.jobs.drain(..jobs).collect(), std::mem::take(&mut state.later));
            }
            if state.closed {
                return Work::Closed(std::mem::take(&mut state.later));
            }
            let until = ripe.or(idle_at);
            if until.is_some_and(|until| until <= now) {
                return Work::Idle;
            }
            // An outcome is likely to come soon, and need not call: this looks for it by itself, once.
            doze = doze.filter(|doze| ripe.is_none() && *doze > now);
            state.asleep = true;
            state.dozes = doze.is_some();
            let until = until.into_iter().chain(doze).min();
            state = self.sleep(state, until.map(|until| until - now));
            (state.asleep, state.dozes) = (false, false);
        }
    }

    fn sleep<'q>(&'q self, state: MutexGuard<'q, State>, time: Option<Duration>) -> MutexGuard<'q, State> {
        match time {
            None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                let waited = self.wake.wait_timeout(state, time);
                waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state)
            }
        }
    }

    /// Puts outcomes back that could not be written, before the newer ones.
    pub(super) fn put_back(&self, mut later: Vec<Later>, trouble: &StoreError) {
        let mut state = self.lock();
        state.trouble.get_or_insert_with(|| trouble.clone());
        later.append(&mut state.later);
        let surplus = later.len().saturating_sub(STORE_LATER_MAX);
        later.truncate(STORE_LATER_MAX);
        state.dropped += surplus as u64;
        state.later = later;
    }

    /// Remembers what was wrong with one outcome.
    pub(super) fn remember(&self, trouble: &StoreError) {
        self.lock().trouble.get_or_insert_with(|| trouble.clone());
    }

    /// What went wrong with outcomes since the last call.
    pub(super) fn trouble(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        let dropped = std::mem::take(&mut state.dropped);
        match state.trouble.take() {
            Some(trouble) => Err(trouble),
            None if dropped > 0 => Err(StoreError::Dropped(dropped)),
            None => Ok(()),
        }
    }

    /// Nothing is accepted any more; what waits is still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    /// The writer is gone: whoever waits is told.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.jobs.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while it holds the lock, and every state in between is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Job, Queue, Work, reply};
    use crate::store::sqlite::operation::Operation;

    fn fill(queue: &Queue, jobs: usize) {
        let mut state = queue.lock();
        for _ in 0..jobs {
            let (answer, _) = reply();
            let room = queue.room.clone().try_acquire_owned().expect("room");
            state.jobs.push_back(Job { operation: Operation::Flush, answer, _room: room });
        }
    }

    /// Five came together before, within this time.
    fn five_came(within: Duration) -> Queue {
        let queue = Queue::new();
        let now = Instant::now();
        for at in [now.checked_sub(within).expect("in range"), now] {
            queue.lock().company.took(5, at);
        }
        queue
    }

    #[test]
    fn who_waited_for_company_that_never_came_is_served() {
        let queue = five_came(Duration::from_micros(50));
        fill(&queue, 1);
        assert!(queue.lock().wants_company());
        assert!(matches!(queue.take(None), Work::Batch(jobs, _) if jobs.len() == 1));
    }

    #[test]
    fn neither_an_end_nor_what_is_no_entry_of_a_request_waits_for_anybody() {
        let queue = five_came(Duration::from_secs(1));
        fill(&queue, 4);
        assert!(queue.lock().wants_company());
        queue.lock().urgent = true;
        assert!(!queue.lock().wants_company());
        queue.lock().urgent = false;
        fill(&queue, 1);
        assert!(!queue.lock().wants_company(), "all are here");
        let queue = five_came(Duration::from_secs(1));
        fill(&queue, 1);
        queue.close();
        assert!(!queue.lock().wants_company());
    }

    #[test]
    fn an_outcome_is_taken_by_itself_whether_the_writer_dozes_or_sleeps() {
        for pause in [Duration::ZERO, 3 * super::LATER_DELAY] {
            let queue = Queue::new();
            let taken = std::thread::scope(|scope| {
                let taking = scope.spawn(|| queue.take(None));
                std::thread::sleep(pause);
                let event = hallpass_core::audit::Event::SessionActivated { pid: 1 };
                queue.submit_later(super::Later { session: None, event });
                taking.join().expect("no panic")
            });
            assert!(matches!(taken, Work::Batch(jobs, later) if jobs.is_empty() && later.len() == 1));
        }
    }

    #[tokio::test]
    async fn a_change_of_state_is_urgent_and_an_entry_is_not() {
        let queue = Queue::new();
        let entry = Operation::Append(None, Box::new(hallpass_core::audit::Event::SessionActivated { pid: 1 }));
        for (operation, urgent) in [(entry, false), (Operation::Checkpoint, true)] {
            let waited = tokio::time::timeout(Duration::from_millis(1), queue.submit(operation)).await;
            assert!(waited.is_err(), "nobody answers");
            assert_eq!(queue.lock().urgent, urgent);
        }
        assert!(matches!(queue.take(None), Work::Batch(jobs, _) if jobs.len() == 2));
        assert!(!queue.lock().urgent);
    }
}
