//! Work on a large body in a thread of its own, beside the connection's: while one hashes, the other moves bytes. What
//! goes on is what the work lets go on, no earlier than if it were done in place.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hallpass_core::denial::{Denial, DenialCode};
use hallpass_core::limits::UPLOAD_AHEAD_BYTES_MAX;
use hyper::body::{Body, Incoming};

use super::super::body::data_of;
use super::buffers::{BUFFER_BYTES, Buffers};
use super::work::Work;

/// Threads that there are now, in the whole process.
static BEGUN: AtomicUsize = AtomicUsize::new(0);
/// How many there may be: beyond one for each core they would only take turns. None where there is one core.
static MOST: LazyLock<usize> = LazyLock::new(|| {
    std::thread::available_parallelism().map_or(0, |cores| if cores.get() > 1 { cores.get() } else { 0 })
});

/// A body whose work is done aside. The thread ends with it.
#[derive(Debug)]
pub(super) struct Aside {
    exchange: Arc<Exchange>,
    /// The child's body has ended.
    ended: bool,
}

/// What comes together before the other side is woken, bytes: waking a thread costs as much as hashing some 20 KiB.
const TOGETHER_BYTES: usize = UPLOAD_AHEAD_BYTES_MAX / 2;

#[derive(Debug, Default)]
struct Exchange {
    buffers: Buffers,
    state: Mutex<State>,
    /// Told when there is work, or no more of it.
    came: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Nothing more comes.
    ended: bool,
    /// Nobody takes the result any more.
    abandoned: bool,
    /// The thread waits for work.
    idle: bool,
    ready: VecDeque<Bytes>,
    ready_bytes: usize,
    /// Set last: what became of the work.
    outcome: Option<Result<(), Denial>>,
    /// Set while the connection's side waits.
    task: Option<Waker>,
}

/// What the connection's side can do next.
enum Turn {
    Send(Bytes),
    Over(Result<(), Denial>),
    Read,
    Wait,
}

impl Aside {
    /// Moves the work to a thread; gives it back where none is to be had, and it is to be done in place.
    pub(super) fn begin(work: Work) -> Result<Self, Work> {
        let Some(place) = Place::take() else { return Err(work) };
        let exchange = Arc::<Exchange>::default();
        // Left there when no thread begins, which would drop it otherwise.
        let handed = Arc::new(Mutex::new(Some(work)));
        let (theirs, taken) = (Arc::clone(&exchange), Arc::clone(&handed));
        let run = move || {
            let _place = place;
            let finishing = Finishing(theirs);
            let work = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(work) = work {
                finishing.0.run(work);
            }
        };
        match std::thread::Builder::new().name("gate-upload".into()).spawn(run) {
            Ok(_) => Ok(Self { exchange, ended: false }),
            Err(error) => {
                tracing::debug!(%error, "no thread for a large body");
                let work = handed.lock().unwrap_or_else(PoisonError::into_inner).take();
                work.map_or_else(|| Ok(Self { exchange, ended: false }), Err)
            }
        }
    }

    /// The next bytes that may go on.
    pub(super) fn next(
        &mut self,
        incoming: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Denial>>> {
        loop {
            let turn = self.turn();
            let full = matches!(turn, Turn::Wait) && !self.ended;
            let read = match turn {
                Turn::Send(bytes) => return Poll::Ready(Some(Ok(bytes))),
                Turn::Over(outcome) => return Poll::Ready(outcome.err().map(Err)),
                Turn::Read => Pin::new(&mut *incoming).poll_frame(cx).map(|frame| frame.map(data_of)),
                Turn::Wait => Poll::Pending,
            };
            match read {
                Poll::Ready(Some(Ok(bytes))) => self.exchange.give(&bytes),
                Poll::Ready(Some(Err(denial))) => return Poll::Ready(Some(Err(denial))),
                Poll::Ready(None) => {
                    self.ended = true;
                    self.exchange.tell(|state| state.ended = true);
                }
                Poll::Pending if self.exchange.wait(cx.waker(), full) => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }

    fn turn(&self) -> Turn {
        let mut state = self.exchange.lock();
        if let Some(bytes) = state.ready.pop_front() {
            state.ready_bytes -= bytes.len();
            return Turn::Send(bytes);
        }
        if let Some(outcome) = &state.outcome {
            return Turn::Over(outcome.clone());
        }
        if self.ended || state.waiting_bytes >= UPLOAD_AHEAD_BYTES_MAX { Turn::Wait } else { Turn::Read }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.exchange.tell(|state| state.abandoned = true);
    }
}

impl Exchange {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, mut bytes: &[u8]) {
        let mut state = self.lock();
        state.waiting_bytes += bytes.len();
        while !bytes.is_empty() {
            let room = state.waiting.back().map_or(0, |last| BUFFER_BYTES.saturating_sub(last.len()));
            if room == 0 {
                state.waiting.push_back(self.buffers.take());
                continue;
            }
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            state.waiting.back_mut().into_iter().for_each(|last| last.extend_from_slice(now));
            bytes = rest;
        }
        if state.waiting_bytes >= TOGETHER_BYTES {
            self.wake(state);
        }
    }

    /// Whether there is nothing to do until `task` is woken. The thread does what there is. `full`: it is room that is
    /// waited for, and there may be some by now.
    fn wait(&self, task: &Waker, full: bool) -> bool {
        let mut state = self.lock();
        let room = full && state.waiting_bytes < UPLOAD_AHEAD_BYTES_MAX;
        if room || !state.ready.is_empty() || state.outcome.is_some() {
            return false;
        }
        if !state.task.as_ref().is_some_and(|known| known.will_wake(task)) {
            state.task = Some(task.clone());
        }
        if !state.waiting.is_empty() {
            self.wake(state);
        }
        true
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if std::mem::take(&mut state.idle) {
            drop(state);
            self.came.notify_one();
        }
    }

    /// Until the body has ended, was wrong, or is wanted by nobody.
    fn run(&self, mut work: Work) {
        let mut ready = VecDeque::new();
        while let Some(bytes) = self.take() {
            let outcome = match bytes {
                Some(bytes) => work.feed(bytes, &mut ready).err().map(Err),
                None => Some(work.finish(&mut ready)),
            };
            let over = outcome.is_some();
            self.hand_over(&mut ready, outcome);
            if over {
                return;
            }
        }
    }

    /// The next bytes, or `Some(None)` at their end; `None` when nobody wants them worked on.
    #[expect(clippy::option_option, reason = "bytes, their end, or nobody who wants them")]
    fn take(&self) -> Option<Option<Bytes>> {
        let mut state = self.lock();
        loop {
            if state.abandoned {
                return None;
            }
            if let Some(bytes) = state.waiting.pop_front() {
                let before = state.waiting_bytes;
                state.waiting_bytes -= bytes.len();
                let room = before > TOGETHER_BYTES && state.waiting_bytes <= TOGETHER_BYTES;
                let task = if room { state.task.take() } else { None };
                drop(state);
                task.into_iter().for_each(Waker::wake);
                return Some(Some(self.buffers.lend(bytes)));
            }
            if state.ended {
                return Some(None);
            }
            if let Some(task) = state.task.take() {
                drop(state);
                task.wake();
                state = self.lock();
                continue;
            }
            state.idle = true;
            state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle = false;
        }
    }

    fn hand_over(&self, ready: &mut VecDeque<Bytes>, outcome: Option<Result<(), Denial>>) {
        let mut state = self.lock();
        state.ready_bytes += ready.iter().map(Bytes::len).sum::<usize>();
        state.ready.append(ready);
        state.outcome = outcome;
        let enough = state.ready_bytes >= TOGETHER_BYTES || state.outcome.is_some();
        let task = if enough { state.task.take() } else { None };
        drop(state);
        task.into_iter().for_each(Waker::wake);
    }
}

/// However the thread ends, nobody waits for it in vain.
struct Finishing(Arc<Exchange>);

impl Drop for Finishing {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let broken = || Err(Denial::new(DenialCode::BodyMismatch, "the body could not be verified"));
        state.outcome.get_or_insert_with(broken);
        let task = state.task.take();
        drop(state);
        task.into_iter().for_each(Waker::wake);
    }
}

/// One of the threads that there may be.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let free = |begun: usize| (begun < *MOST).then_some(begun + 1);
        BEGUN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        BEGUN.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Waker;

    use hallpass_core::limits::UPLOAD_AHEAD_BYTES_MAX;

    use super::{Aside, BUFFER_BYTES, Exchange, Finishing, Turn};

    fn without_a_thread() -> (Aside, Arc<Exchange>) {
        let exchange = Arc::<Exchange>::default();
        (Aside { exchange: Arc::clone(&exchange), ended: false }, exchange)
    }

    #[test]
    fn no_more_is_read_than_may_wait() {
        let (aside, exchange) = without_a_thread();
        exchange.give(&vec![7; UPLOAD_AHEAD_BYTES_MAX - 1]);
        assert!(matches!(aside.turn(), Turn::Read));
        exchange.give(b"7");
        assert!(matches!(aside.turn(), Turn::Wait));
        assert_eq!(exchange.take().flatten().map(|bytes| bytes.len()), Some(BUFFER_BYTES));
        assert!(matches!(aside.turn(), Turn::Read));
    }

    #[test]
    fn who_waits_for_room_does_not_wait_when_there_is_some_by_now() {
        let (_aside, exchange) = without_a_thread();
        exchange.give(&vec![7; UPLOAD_AHEAD_BYTES_MAX]);
        assert!(exchange.wait(Waker::noop(), true));
        while exchange.lock().waiting_bytes > 0 {
            exchange.take();
        }
        assert!(!exchange.wait(Waker::noop(), true), "nobody would wake it");
        assert!(exchange.wait(Waker::noop(), false), "more comes from the command, which wakes it");
    }

    #[test]
    fn a_thread_that_ends_before_its_work_lets_nothing_pass_for_complete() {
        let (aside, exchange) = without_a_thread();
        drop(Finishing(exchange));
        assert!(matches!(aside.turn(), Turn::Over(Err(_))));
    }

    #[test]
    fn a_body_that_nobody_wants_any_more_ends_its_thread() {
        let (aside, exchange) = without_a_thread();
        exchange.give(b"7");
        drop(aside);
        assert!(exchange.take().is_none());
    }
}
