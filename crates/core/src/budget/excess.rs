//! What calls in flight may cost beyond what they have reserved. Calls whose cost is known only afterwards are let
//! through together only as long as all of them but the one that may differ most fit in the worst case: so whatever
//! comes, a budget is passed by the difference of one call.

use std::collections::BTreeMap;

/// The possible differences of all calls in flight. 0 is not kept.
#[derive(Debug, Default)]
pub(super) struct Excess {
    sum: u128,
    /// How many calls in flight have this difference.
    each: BTreeMap<u64, u32>,
}

impl Excess {
    pub(super) fn add(&mut self, excess: u64) {
        if excess > 0 {
            self.sum += u128::from(excess);
            *self.each.entry(excess).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, excess: u64) {
        if let Some(count) = self.each.get_mut(&excess) {
            self.sum -= u128::from(excess);
            *count -= 1;
            if *count == 0 {
                self.each.remove(&excess);
            }
        }
    }

    /// The sum of all with `more` among them, without the largest.
    pub(super) fn besides_the_largest(&self, more: u64) -> u64 {
        let largest = self.each.last_key_value().map_or(0, |(excess, _)| *excess).max(more);
        u64::try_from(self.sum + u128::from(more) - u128::from(largest)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Excess;

    #[test]
    fn one_difference_is_free_and_all_others_count() {
        let mut excess = Excess::default();
        assert_eq!(excess.besides_the_largest(u64::MAX), 0, "alone it is the largest");
        for each in [5, 0, 9, 9] {
            excess.add(each);
        }
        assert_eq!((excess.besides_the_largest(0), excess.besides_the_largest(20)), (14, 23));
        excess.remove(9);
        excess.remove(7);
        assert_eq!((excess.besides_the_largest(0), excess.besides_the_largest(1)), (5, 6));
        excess.remove(9);
        excess.remove(5);
        assert_eq!(excess.besides_the_largest(3), 0);
        excess.add(u64::MAX);
        excess.add(u64::MAX);
        excess.add(u64::MAX);
        assert_eq!(excess.besides_the_largest(0), u64::MAX, "it saturates");
    }
}
