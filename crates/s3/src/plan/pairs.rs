//! Two sides, side by side.

use std::cmp::Ordering;

use super::side::{Next, Side};
use super::{Found, Passed, Root, Select};
use crate::error::S3Error;

/// One name, and what each side has of it.
#[derive(Debug)]
pub struct Pair {
    /// Relative to both sides.
    pub name: String,
    /// On the first side.
    pub first: Has,
    /// On the second side.
    pub second: Has,
}

/// What a side has of a name.
#[derive(Debug)]
pub enum Has {
    /// Nothing.
    Nothing,
    /// This.
    This(Found),
    /// Something that is not meant.
    Passed(Passed),
}

/// Two sides, name by name. One listing a side.
#[derive(Debug)]
pub struct Pairs {
    first: Side,
    second: Side,
    ahead: Option<(Option<Next>, Option<Next>)>,
}

impl Pairs {
    /// Reads nothing yet. Names are chosen on both sides, times on the first alone: what is too old to be copied is
    /// there all the same. `tolerant`: what the first side cannot read is kept in [`Self::failed`].
    pub fn new(first: &Root, second: &Root, select: &Select, tolerant: bool) -> Self {
        let names = Select { newer_than: None, older_than: None, ..select.clone() };
        let (first, second) = (Side::new(first, select, tolerant), Side::new(second, &names, false));
        Self { first, second, ahead: None }
    }

    /// A second side that is no folder yet is an empty one.
    #[must_use]
    pub(super) fn second_or_empty(self) -> Self {
        Self { second: self.second.or_empty(), ..self }
    }

    /// What the first side could not read so far.
    pub fn failed(&mut self) -> Option<S3Error> {
        self.first.failed.pop()
    }

    /// True after the end when there is nothing at the first side's prefix.
    pub(super) fn first_is_nothing(&self) -> bool {
        self.first.is_nothing()
    }

    /// The next name; `None` at the end.
    ///
    /// # Errors
    /// What a side cannot read.
    pub async fn next(&mut self) -> Result<Option<Pair>, S3Error> {
        let (first, second) = match self.ahead.take() {
            Some(ahead) => ahead,
            None => (self.first.next().await?, self.second.next().await?),
        };
        let order = match (&first, &second) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(first), Some(second)) => first.name().cmp(second.name()),
        };
        let (first, second) = match order {
            Ordering::Less => {
                self.ahead = Some((self.first.next().await?, second));
                (first, None)
            }
            Ordering::Greater => {
                self.ahead = Some((first, self.second.next().await?));
                (None, second)
            }
            Ordering::Equal => (first, second),
        };
        let name = first.as_ref().or(second.as_ref()).map(|next| next.name().to_owned()).unwrap_or_default();
        Ok(Some(Pair { name, first: Has::of(first), second: Has::of(second) }))
    }
}

impl Has {
    fn of(next: Option<Next>) -> Self {
        match next {
            None => Self::Nothing,
            Some(Next::Found(found)) => Self::This(found),
            Some(Next::Passed(_, why)) => Self::Passed(why),
        }
    }
}
