//! How two sides differ, name by name.

use super::compare::{Compare, Difference, difference};
use super::pairs::{Has, Pairs};
use super::{Found, Root, Select};
use crate::error::S3Error;

/// One name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Differing {
    /// Both sides have the same.
    Same(Found),
    /// The second side does not have it.
    OnlyFirst(Found),
    /// The first side does not have it.
    OnlySecond(Found),
    /// Both have it, and it is not the same.
    Different(Found, Found, Difference),
}

/// Two sides that are compared. Nothing is written.
#[derive(Debug)]
pub struct Differ {
    first: Root,
    second: Root,
    compare: Compare,
    pairs: Pairs,
}

impl Differ {
    /// Reads nothing yet.
    pub fn new(first: Root, second: Root, select: &Select, compare: Compare) -> Self {
        let pairs = Pairs::new(&first, &second, select, false);
        Self { first, second, compare, pairs }
    }

    /// The next name; `None` at the end. What is not meant is left out.
    ///
    /// # Errors
    /// What a side cannot read.
    pub async fn next(&mut self) -> Result<Option<Differing>, S3Error> {
        while let Some(pair) = self.pairs.next().await? {
            return Ok(Some(match (pair.first, pair.second) {
                (Has::This(found), Has::Nothing) => Differing::OnlyFirst(found),
                (Has::Nothing, Has::This(found)) => Differing::OnlySecond(found),
                (Has::This(first), Has::This(second)) => match self.difference(&first, &second).await? {
                    None => Differing::Same(first),
                    Some(why) => Differing::Different(first, second, why),
                },
                _ => continue,
            }));
        }
        Ok(None)
    }

    /// The same whichever side is named first: a file that was uploaded after it was last written is the same.
    async fn difference(&self, first: &Found, second: &Found) -> Result<Option<Difference>, S3Error> {
        let (first, second) = ((&self.first, first), (&self.second, second));
        let (first, second) = if second.0.local().is_some() { (second, first) } else { (first, second) };
        difference(first, second, self.compare).await
    }
}
