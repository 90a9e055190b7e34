//! How many operations a commit waits for, and for how long.
//!
//! A commit costs more than ten entries do, so under load it pays to let requests gather. As many as came together last
//! time are likely to come together again, in about the same time: they are waited for, and nobody else. Every so often
//! the writer waits for whoever comes in twice that time, because load that has grown shows in no other way.

use std::time::{Duration, Instant};

use hallpass_core::limits::{STORE_COMPANY_LOOK, STORE_COMPANY_MAX, STORE_COMPANY_US_MAX};

/// What the last commits had.
#[derive(Debug, Default)]
pub(super) struct Company {
    /// Operations in the last one.
    last: usize,
    /// How long they took to come, from the commit before on.
    interval: Duration,
    taken_at: Option<Instant>,
    /// Commits until the next one that looks for more.
    turns: u32,
}

impl Company {
    /// So many operations are worth a short wait. Who comes alone, as before, is served at once.
    pub(super) fn wanted(&self) -> usize {
        match self.last {
            0 | 1 => 1,
            _ if self.turns == 0 => STORE_COMPANY_MAX,
            last => last.min(STORE_COMPANY_MAX),
        }
    }

    /// The end of the wait of an operation that has come at `now`.
    pub(super) fn until(&self, now: Instant) -> Instant {
        let most = now + Duration::from_micros(STORE_COMPANY_US_MAX);
        self.taken_at.map_or(now, |taken_at| most.min(taken_at + 2 * self.interval))
    }

    /// A commit begins, with so many.
    pub(super) fn took(&mut self, operations: usize, now: Instant) {
        let looked_in_vain = self.turns == 0 && operations <= self.last;
        self.turns = self.turns.checked_sub(1).unwrap_or(STORE_COMPANY_LOOK);
        if let Some(before) = self.taken_at.replace(now)
            && !looked_in_vain
        {
            self.interval = now - before;
        }
        self.last = operations;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use hallpass_core::limits::{STORE_COMPANY_LOOK, STORE_COMPANY_MAX, STORE_COMPANY_US_MAX};

    use super::Company;

    const STEP: Duration = Duration::from_micros(100);

    /// After commits of so many operations each, [`STEP`] apart.
    fn after(commits: &[usize]) -> (Company, Instant) {
        let mut company = Company::default();
        let mut now = Instant::now();
        for operations in commits {
            now += STEP;
            company.took(*operations, now);
        }
        (company, now)
    }

    #[test]
    fn who_comes_alone_is_served_at_once() {
        for commits in [[].as_slice(), &[1], &[0], &[9, 1], &[1; 100]] {
            assert_eq!(after(commits).0.wanted(), 1, "{commits:?}");
        }
    }

    #[test]
    fn as_many_as_came_before_are_waited_for_and_never_more_than_enough() {
        assert_eq!(after(&[9, 4]).0.wanted(), 4);
        assert_eq!(after(&[4, 9]).0.wanted(), 9);
        assert_eq!(after(&[9, 10 * STORE_COMPANY_MAX]).0.wanted(), STORE_COMPANY_MAX);
    }

    #[test]
    fn a_wait_takes_twice_the_usual_time_and_never_longer_than_the_limit() {
        let most = Duration::from_micros(STORE_COMPANY_US_MAX);
        let (company, then) = after(&[4, 4]);
        assert_eq!(company.until(then), then + 2 * STEP);
        assert_eq!(company.until(then + STEP), then + 2 * STEP);
        let (mut company, then) = after(&[4]);
        company.took(4, then + Duration::from_secs(9));
        assert_eq!(company.until(then + Duration::from_secs(10)), then + Duration::from_secs(10) + most);
        assert_eq!(after(&[]).0.until(then), then);
    }

    #[test]
    fn now_and_then_it_looks_for_more_and_what_it_finds_in_vain_changes_nothing() {
        let turns = usize::try_from(STORE_COMPANY_LOOK).expect("fits");
        let (mut company, then) = after(&vec![4; turns + 1]);
        assert_eq!(company.wanted(), STORE_COMPANY_MAX);
        company.took(4, then + 2 * STEP);
        assert_eq!((company.wanted(), company.interval), (4, STEP));
        let (mut company, then) = after(&vec![4; turns + 1]);
        company.took(7, then + 2 * STEP);
        assert_eq!((company.wanted(), company.interval), (7, 2 * STEP));
    }
}
