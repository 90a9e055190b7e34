//! All of one side, in order, without ever holding all of it.

use std::collections::VecDeque;
use std::path::PathBuf;

use hallpass_core::limits::S3_PLAN_AHEAD_MAX;

use super::walk::{Step, Walk};
use super::{Found, Passed, Root, Select};
use crate::client::payload::off_thread;
use crate::client::{ListOptions, Listing};
use crate::error::{Answer, ErrorKind, S3Error};

/// Files that are looked at in one go on a thread that may block.
const LOOKED_AT_ONCE: usize = 512;

/// One thing of a side, or the end of all.
#[derive(Debug)]
pub(crate) enum Next {
    Found(Found),
    /// It is there, but it is not meant: its name.
    Passed(String, Passed),
}

impl Next {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Found(found) => &found.name,
            Self::Passed(name, _) => name,
        }
    }
}

/// A side that is read. Sides of up to [`S3_PLAN_AHEAD_MAX`] things are sorted here, whatever their order; larger ones
/// must come in the order of the bytes of their keys, as the S3 API has it.
#[derive(Debug)]
pub(crate) struct Side {
    source: Source,
    select: Select,
    ahead: VecDeque<Next>,
    ended: bool,
    primed: bool,
    last: Option<String>,
    /// What could not be read, where the caller wants to go on.
    pub(crate) failed: Vec<S3Error>,
    tolerant: bool,
    /// There is something, meant or not.
    any: bool,
    /// A prefix that stands for a folder; the bucket itself is there although nothing is in it.
    named: bool,
    /// A folder that is not there is an empty one.
    may_be_missing: bool,
}

#[derive(Debug)]
enum Source {
    /// Not begun.
    Folder(PathBuf),
    Walk(Option<Walk>),
    Listing {
        listing: Box<Listing>,
        prefix: usize,
    },
}

impl Side {
    /// Reads nothing yet. `tolerant`: what cannot be read is kept in [`Self::failed`], and the rest goes on.
    pub(crate) fn new(root: &Root, select: &Select, tolerant: bool) -> Self {
        let source = match root {
            Root::Local(path) => Source::Folder(path.clone()),
            Root::Remote { client, bucket, prefix } => {
                let options = ListOptions { prefix: prefix.clone(), ..ListOptions::default() };
                Source::Listing { listing: Box::new(client.list(bucket, options)), prefix: prefix.len() }
            }
        };
        Self {
            source,
            select: select.clone(),
            ahead: VecDeque::new(),
            ended: false,
            primed: false,
            last: None,
            failed: Vec::new(),
            tolerant,
            any: false,
            named: matches!(root, Root::Remote { prefix, .. } if !prefix.is_empty()),
            may_be_missing: false,
        }
    }

    /// A folder that is not there is an empty one: it will be made.
    pub(crate) fn or_empty(self) -> Self {
        Self { may_be_missing: true, ..self }
    }

    /// After the end: there was nothing at all at the prefix.
    pub(crate) fn is_nothing(&self) -> bool {
        self.named && !self.any
    }

    /// The next thing; `None` at the end.
    ///
    /// # Errors
    /// What cannot be read; a store that lists more than can be sorted here, and in no order.
    pub(crate) async fn next(&mut self) -> Result<Option<Next>, S3Error> {
        if !std::mem::replace(&mut self.primed, true) {
            while !self.ended && self.ahead.len() < S3_PLAN_AHEAD_MAX {
                self.more().await?;
            }
            if self.ended {
                self.ahead.make_contiguous().sort_by(|a, b| a.name().cmp(b.name()));
            }
        }
        while self.ahead.is_empty() && !self.ended {
            self.more().await?;
        }
        let Some(next) = self.ahead.pop_front() else { return Ok(None) };
        if self.last.as_deref().is_some_and(|last| last >= next.name()) {
            return Err(unordered());
        }
        self.last = Some(next.name().to_owned());
        Ok(Some(next))
    }

    /// Reads some more; sets [`Self::ended`] at the end.
    async fn more(&mut self) -> Result<(), S3Error> {
        if let Source::Folder(path) = &self.source {
            let (path, symlinks) = (path.clone(), self.select.symlinks);
            self.source = match off_thread(move || Walk::new(&path, symlinks)).await {
                Err(error) if self.may_be_missing && error.kind() == ErrorKind::NotFound => Source::Walk(None),
                walk => Source::Walk(Some(walk?)),
            };
        }
        match &mut self.source {
            Source::Folder(_) => {}
            Source::Walk(walk) => {
                let Some(mut walking) = walk.take() else {
                    self.ended = true;
                    return Ok(());
                };
                let looked = off_thread(move || {
                    let steps: Vec<Step> = std::iter::from_fn(|| walking.next()).take(LOOKED_AT_ONCE).collect();
                    Ok((walking, steps))
                });
                let (walking, steps) = looked.await?;
                if steps.len() == LOOKED_AT_ONCE {
                    *walk = Some(walking);
                } else {
                    self.ended = true;
                }
                for step in steps {
                    self.take(step)?;
                }
            }
            Source::Listing { listing, prefix } => {
                let prefix = *prefix;
                let Some(page) = listing.next().await? else {
                    self.ended = true;
                    return Ok(());
                };
                self.any |= !page.objects.is_empty();
                for listed in page.objects {
                    let Some(name) = listed.key.get(prefix..).filter(|name| !name.is_empty()) else { continue };
                    if self.select.names(name) {
                        let found = Found {
                            name: name.to_owned(),
                            size: listed.size,
                            modified: listed.last_modified,
                            etag: listed.etag,
                        };
                        self.ahead.push_back(self.timed(found));
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), S3Error> {
        match step {
            Step::File(found) if self.select.names(&found.name) => {
                let timed = self.timed(found);
                self.ahead.push_back(timed);
            }
            Step::Passed(name, passed) if self.select.names(&name) => self.ahead.push_back(Next::Passed(name, passed)),
            Step::File(_) | Step::Passed(..) => {}
            Step::Failed(error) if self.tolerant => self.failed.push(error),
            Step::Failed(error) => return Err(error),
        }
        Ok(())
    }

    fn timed(&self, found: Found) -> Next {
        if self.select.times(found.modified) { Next::Found(found) } else { Next::Passed(found.name, Passed::Time) }
    }
}

fn unordered() -> S3Error {
    S3Error::Store(
        ErrorKind::Unsupported,
        Answer {
            code: "UnorderedListing".to_owned(),
            message: format!(
                "the store lists a key twice, or more than {S3_PLAN_AHEAD_MAX} keys and not in order: \
                 take it prefix by prefix"
            ),
            status: None,
            retryable: false,
        },
    )
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_PLAN_AHEAD_MAX;

    use super::{Next, Side};
    use crate::plan::{Found, Root, Select};

    /// A side whose names came in this order, and have all come.
    fn side(names: &[&str], more_than_can_be_sorted: bool) -> Side {
        let mut side = Side::new(&Root::Local("/nowhere".into()), &Select::default(), false);
        let found = |name: &&str| Next::Found(Found { name: (*name).to_owned(), ..Found::default() });
        side.ahead = names.iter().map(found).collect();
        side.ended = true;
        side.primed = more_than_can_be_sorted;
        side
    }

    #[tokio::test]
    async fn a_side_is_sorted_where_it_can_be_and_refused_where_it_cannot() {
        let mut small = side(&["b", "a"], false);
        assert_eq!(small.next().await.expect("sorted").expect("some").name(), "a");
        let mut large = side(&["b", "a"], true);
        assert_eq!(large.next().await.expect("the first").expect("some").name(), "b");
        let error = large.next().await.expect_err("out of order");
        assert!(error.to_string().contains(&S3_PLAN_AHEAD_MAX.to_string()), "{error}");
        let mut twice = side(&["a", "a"], false);
        twice.next().await.expect("the first");
        assert!(twice.next().await.is_err(), "one name twice");
    }
}
