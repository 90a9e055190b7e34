//! The answer to one operation, and the waking of those who wait for one.
//!
//! Waking a task of another thread is a system call, and a commit answers many tasks of few threads. So the writer wakes
//! one task of each thread, and that one wakes its neighbours, which costs a thread nothing within itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use super::operation::Answer;
use crate::store::StoreError;

type Outcome = Result<Answer, StoreError>;

/// Both ends of one answer.
pub(super) fn reply() -> (Teller, Told) {
    let slot = Arc::<Slot>::default();
    (Teller(Some(Arc::clone(&slot))), Told(slot))
}

#[derive(Debug, Default)]
struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    /// Who waits, and the thread that it last ran on.
    waiting: Option<(ThreadId, Waker)>,
    /// Those of the same thread, whom this one is to wake.
    neighbours: Vec<Waker>,
    /// Nobody will look here any more.
    over: bool,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics while it holds the lock, and every state in between is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, outcome: Outcome) -> Option<(ThreadId, Waker)> {
        let mut state = self.lock();
        state.outcome = Some(outcome);
        state.waiting.take()
    }

    /// Leaves neighbours to be woken; gives them back when nobody will look here any more.
    fn entrust(&self, neighbours: Vec<Waker>) -> Vec<Waker> {
        let mut state = self.lock();
        if state.over {
            return neighbours;
        }
        state.neighbours = neighbours;
        Vec::new()
    }

    fn end(&self) {
        let neighbours = {
            let mut state = self.lock();
            state.over = true;
            std::mem::take(&mut state.neighbours)
        };
        neighbours.into_iter().for_each(Waker::wake);
    }
}

/// The end that answers. Dropped without an answer it says that the store is closed.
#[derive(Debug)]
pub(super) struct Teller(Option<Arc<Slot>>);

impl Teller {
    /// Answers, and wakes whoever waits.
    pub(super) fn tell(self, outcome: Outcome) {
        tell_all([(self, outcome)]);
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if let Some((_, waker)) = self.0.take().and_then(|slot| slot.put(Err(StoreError::Closed))) {
            waker.wake();
        }
    }
}

/// Answers all of them, and only then wakes: one of each thread, and through it the others.
pub(super) fn tell_all(answers: impl IntoIterator<Item = (Teller, Outcome)>) {
    let mut threads: Vec<(ThreadId, Arc<Slot>, Waker, Vec<Waker>)> = Vec::new();
    for (mut teller, outcome) in answers {
        let Some(slot) = teller.0.take() else { continue };
        let Some((thread, waker)) = slot.put(outcome) else { continue };
        match threads.iter_mut().find(|(known, ..)| *known == thread) {
            Some((.., neighbours)) => neighbours.push(waker),
            None => threads.push((thread, slot, waker, Vec::new())),
        }
    }
    for (_, first, waker, neighbours) in threads {
        let rest = first.entrust(neighbours);
        waker.wake();
        rest.into_iter().for_each(Waker::wake);
    }
}

/// The end that waits.
#[derive(Debug)]
pub(super) struct Told(Arc<Slot>);

impl Future for Told {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = {
            let mut state = self.0.lock();
            if state.outcome.is_none() {
                state.waiting = Some((thread::current().id(), cx.waker().clone()));
            }
            state.outcome.take()
        };
        match outcome {
            Some(outcome) => {
                self.0.end();
                Poll::Ready(outcome)
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use super::{Told, reply, tell_all};
    use crate::store::StoreError;
    use crate::store::sqlite::operation::Answer;

    #[derive(Debug, Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll(told: &mut Told, calls: &Arc<Calls>) -> Poll<Result<Answer, StoreError>> {
        let waker = Waker::from(Arc::clone(calls));
        std::future::Future::poll(pin!(told), &mut Context::from_waker(&waker))
    }

    fn count(calls: &[Arc<Calls>]) -> Vec<usize> {
        calls.iter().map(|calls| calls.0.load(Ordering::SeqCst)).collect()
    }

    /// Three who wait on this thread, in the order in which they are answered.
    fn waiting() -> (Vec<super::Teller>, Vec<Told>, [Arc<Calls>; 3]) {
        let (tellers, mut told): (Vec<_>, Vec<_>) = (0..3).map(|_| reply()).unzip();
        let calls = [(); 3].map(|()| Arc::<Calls>::default());
        for (told, calls) in told.iter_mut().zip(&calls) {
            assert!(poll(told, calls).is_pending());
        }
        (tellers, told, calls)
    }

    fn done(tellers: Vec<super::Teller>) {
        tell_all(tellers.into_iter().map(|teller| (teller, Ok(Answer::Done))));
    }

    #[test]
    fn one_of_a_thread_is_woken_and_wakes_its_neighbours() {
        let (tellers, mut told, calls) = waiting();
        done(tellers);
        assert_eq!(count(&calls), [1, 0, 0]);
        assert!(matches!(poll(&mut told[0], &calls[0]), Poll::Ready(Ok(Answer::Done))));
        assert_eq!(count(&calls), [1, 1, 1]);
        assert!(matches!(poll(&mut told[2], &calls[2]), Poll::Ready(Ok(Answer::Done))));
    }

    #[test]
    fn who_goes_away_before_it_looks_wakes_its_neighbours_all_the_same() {
        let (tellers, mut told, calls) = waiting();
        done(tellers);
        drop(told.remove(0));
        assert_eq!(count(&calls), [1, 1, 1]);
    }

    #[test]
    fn who_has_gone_away_is_trusted_with_nobody() {
        let (mut tellers, mut told, calls) = waiting();
        // It was still waiting when it was answered, and gone when it was to be woken.
        let slot = tellers[0].0.clone().expect("not told yet");
        drop(told.remove(0));
        slot.lock().waiting = Some((std::thread::current().id(), Waker::from(Arc::clone(&calls[0]))));
        done(std::mem::take(&mut tellers));
        assert_eq!(count(&calls)[1..], [1, 1]);
    }

    #[test]
    fn each_thread_is_called_by_itself() {
        let (mut tellers, _told, calls) = waiting();
        let (teller, mut other) = reply();
        let there = Arc::<Calls>::default();
        let (other, there) = std::thread::spawn(move || {
            assert!(poll(&mut other, &there).is_pending());
            (other, there)
        })
        .join()
        .expect("no panic");
        tellers.push(teller);
        done(tellers);
        assert_eq!(count(&calls), [1, 0, 0]);
        assert_eq!(count(&[there]), [1]);
        drop(other);
    }

    #[test]
    fn a_teller_that_dies_says_that_the_store_is_closed() {
        let (mut tellers, mut told, calls) = waiting();
        drop(tellers.remove(1));
        assert_eq!(count(&calls), [0, 1, 0]);
        assert!(matches!(poll(&mut told[1], &calls[1]), Poll::Ready(Err(StoreError::Closed))));
    }
}
