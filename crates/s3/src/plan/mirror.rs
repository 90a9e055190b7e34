//! Two sides → what is copied, what is the same, what is removed.

use std::path::Path;

use hallpass_core::limits::S3_REMOVED_MAX;

use super::compare::{Compare, difference};
use super::copies::planned;
use super::name::Beside;
use super::pairs::{Has, Pair, Pairs};
use super::{Passed, Place, Root, Select, Step, wrong};
use crate::error::S3Error;

/// What is to be mirrored.
#[derive(Debug, Clone)]
pub struct MirrorRequest {
    /// What the target shall become.
    pub from: Root,
    /// What is changed.
    pub to: Root,
    /// What of it; what is not meant stays as it is.
    pub select: Select,
    /// When two things are the same.
    pub compare: Compare,
    /// Remove from the target what the source does not have.
    pub remove: bool,
    /// Even if the source is empty.
    pub force: bool,
    /// At most so many removals; more: none.
    pub max_delete: Option<usize>,
    /// What cannot be part of the plan is told, and the rest goes on.
    pub tolerant: bool,
}

/// The plan of a mirror.
#[derive(Debug)]
pub struct Mirror {
    request: MirrorRequest,
    pairs: Pairs,
    beside: Beside,
    /// Names of the target that the source does not have.
    extra: Vec<String>,
    /// Names of links and folders that were passed: what lies behind them is unknown.
    shielded: Vec<String>,
    /// Something of the source could not be read.
    failed: bool,
    /// The source has something.
    any: bool,
}

impl Mirror {
    /// Reads nothing yet.
    ///
    /// # Errors
    /// When one side is inside of the other, or neither is in a store.
    pub fn new(request: MirrorRequest) -> Result<Self, S3Error> {
        if request.from.local().is_some() && request.to.local().is_some() {
            return Err(wrong("no_store", "neither side is in a store", "use `rsync` or `cp` for local folders"));
        }
        if request.from.holds(&request.to) || request.to.holds(&request.from) {
            return Err(wrong("target_in_source", "one side is inside of the other", "choose another target"));
        }
        let pairs = Pairs::new(&request.from, &request.to, &request.select, request.tolerant).second_or_empty();
        Ok(Self {
            request,
            pairs,
            beside: Beside::default(),
            extra: Vec::new(),
            shielded: Vec::new(),
            failed: false,
            any: false,
        })
    }

    /// The next step; `None` at the end.
    pub(super) async fn step(&mut self) -> Result<Option<Step>, S3Error> {
        loop {
            if let Some(error) = self.pairs.failed() {
                self.failed = true;
                return Ok(Some(Step::Failed(error)));
            }
            let Some(pair) = self.pairs.next().await? else {
                if let Some(error) = self.pairs.failed() {
                    self.failed = true;
                    return Ok(Some(Step::Failed(error)));
                }
                return self.ended().map(|()| None);
            };
            match self.judged(pair).await {
                Ok(None) => {}
                Ok(Some(step)) => return Ok(Some(step)),
                Err(error) if self.request.tolerant => {
                    self.failed = true;
                    return Ok(Some(Step::Failed(error)));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What is done about one name; `None`: nothing now.
    async fn judged(&mut self, pair: Pair) -> Result<Option<Step>, S3Error> {
        let Pair { name, first, second } = pair;
        let found = match first {
            Has::Nothing => {
                if let (Has::This(_), true) = (second, self.request.remove) {
                    self.extra.push(name);
                    bounded(self.extra.len())?;
                }
                return Ok(None);
            }
            Has::Passed(why) => {
                self.any = true;
                if matches!(why, Passed::Symlink | Passed::Special) {
                    self.shielded.push(format!("{name}/"));
                }
                return Ok(Some(Step::Passed(name, why)));
            }
            Has::This(found) => found,
        };
        self.any = true;
        if self.request.to.local().is_some() {
            self.beside.check(&name)?;
            if name.ends_with('/') && found.size == 0 {
                return Ok(Some(Step::Passed(name, Passed::Marker)));
            }
        }
        if let Has::This(other) = &second
            && difference((&self.request.from, &found), (&self.request.to, other), self.request.compare)
                .await?
                .is_none()
        {
            return Ok(Some(Step::Passed(name, Passed::Identical)));
        }
        planned(&self.request.from, &self.request.to, &found).map(Some)
    }

    /// The target, if it is a local folder.
    pub(crate) fn target_folder(&self) -> Option<&Path> {
        self.request.to.local()
    }

    /// Both sides have been read.
    fn ended(&self) -> Result<(), S3Error> {
        if !self.any && self.request.remove && !self.request.force && !self.extra.is_empty() {
            let message = match self.extra.len() {
                1 => "the source is empty, and the one thing of the target would be removed".to_owned(),
                many => format!("the source is empty, and {many} things of the target would be removed"),
            };
            return Err(wrong("empty_source", message, "check the source; pass `--force` if that is meant"));
        }
        if !self.any && self.pairs.first_is_nothing() && !self.request.force {
            return Err(super::copies::nothing(&self.request.from));
        }
        Ok(())
    }

    /// What is removed, once everything is copied. `done`: it was copied without a failure.
    ///
    /// # Errors
    /// When nothing may be removed: something of the source could not be read or copied, or it is more than was allowed.
    pub fn removals(&mut self, done: bool) -> Result<Vec<Place>, S3Error> {
        let shielded = |name: &String| self.shielded.iter().any(|folder| name.starts_with(folder.as_str()));
        let names: Vec<&String> = self.extra.iter().filter(|name| !shielded(name)).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        if !done || self.failed {
            let message = "nothing was removed, because not everything could be copied";
            return Err(wrong("removal_refused", message, "remove the cause, then mirror again"));
        }
        if let Some(most) = self.request.max_delete.filter(|most| names.len() > *most) {
            let extra = match names.len() {
                1 => "one thing is".to_owned(),
                many => format!("{many} things are"),
            };
            let message = format!("nothing was removed: {extra} not in the source, and `--max-delete` is {most}");
            return Err(wrong("max_delete", message, "look at them with `--dry-run`, then raise `--max-delete`"));
        }
        names.into_iter().map(|name| self.request.to.existing(name)).collect()
    }
}

fn bounded(removals: usize) -> Result<(), S3Error> {
    if removals <= S3_REMOVED_MAX {
        return Ok(());
    }
    let message = format!("more than {S3_REMOVED_MAX} things of the target are not in the source");
    Err(wrong("too_many_removals", message, "mirror it folder by folder, or without `--remove`"))
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::S3_REMOVED_MAX;

    use super::bounded;

    #[test]
    fn one_mirror_removes_so_many_things_and_no_more() {
        assert!(bounded(S3_REMOVED_MAX).is_ok());
        assert_eq!(bounded(S3_REMOVED_MAX + 1).expect_err("too many").code(), "too_many_removals");
    }
}
