//! `schema_version` and `[[aliases]]`: the part of the user's file that `hallpass alias` reads and writes (crate
//! `hallpass-s3`). Here they are only known to exist. Never in a project's file: an alias says where data goes, and a
//! `credential_process` runs a program.

use super::narrow;
use super::origin::Origin;
use super::problem::Problem;
use super::section::Section;

/// Which of the keys the file has.
#[derive(Debug, Clone, Default)]
pub(super) struct AliasKeys(Vec<(&'static str, Origin)>);

impl AliasKeys {
    /// Looks for them.
    pub(super) fn read(top: &mut Section<'_>) -> Self {
        let found = ["schema_version", "aliases"].map(|key| Some((key, top.place_of(key)?)));
        Self(found.into_iter().flatten().collect())
    }

    /// A project may have neither.
    pub(super) fn check_project(&self, problems: &mut Vec<Problem>) {
        problems.extend(self.0.iter().map(|(key, origin)| narrow::forbidden(origin, key)));
    }
}
