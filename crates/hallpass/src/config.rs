//! Settings: one small struct per concern, read once, each value with the place it came from.
//!
//! Strongest first: flag, variable, project (`hallpass.toml`, nearest upward), user (`config.toml`), default. A
//! project's file may only narrow; the rules stand in [`narrow`].

mod aliases;
pub(crate) mod aws;
pub(crate) mod bounds;
pub(crate) mod duration;
mod file;
mod narrow;
mod origin;
mod problem;
pub(crate) mod profiles;
pub(crate) mod run;
mod s3;
mod section;
pub(crate) mod session;
pub(crate) mod store;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use aliases::AliasKeys;
use aws::AwsConfig;
use bounds::BoundsConfig;
pub(crate) use file::project_file;
use file::{Owner, Source};
pub(crate) use origin::{Located, Origin};
pub(crate) use problem::{Place, Problem, Problems};
use profiles::{ProfileConfig, Profiles};
use run::RunConfig;
use s3::S3Config;
use section::Section;
use session::SessionConfig;
use store::StoreConfig;

/// The settings in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// What `run` takes when the command line does not say.
    pub(crate) session: SessionConfig,
    /// What a session may use up.
    pub(crate) run: RunConfig,
    /// Limits on every session.
    pub(crate) bounds: BoundsConfig,
    /// Named policies.
    pub(crate) profiles: Profiles,
    /// How sessions and the audit log are kept.
    pub(crate) store: StoreConfig,
    /// How the base identity signs in.
    pub(crate) aws: AwsConfig,
    /// The S3-compatible store to lend.
    pub(crate) s3: S3Config,
    aliases: AliasKeys,
}

/// One value in force, for `config show`.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `session.ttl`.
    pub(crate) key: String,
    /// The value as text; `None` when it is not set and has no default.
    pub(crate) value: Option<String>,
    /// Who said it.
    pub(crate) origin: Origin,
}

impl Entry {
    fn new(key: impl Into<String>, value: Option<String>, origin: Option<&Origin>) -> Self {
        Self { key: key.into(), value, origin: origin.cloned().unwrap_or(Origin::Default) }
    }
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// The user's file. It need not exist unless somebody named it.
    pub(crate) user: Option<PathBuf>,
    /// True when a flag or a variable named the user's file.
    pub(crate) user_is_named: bool,
    /// The project's file, if one was found.
    pub(crate) project: Option<PathBuf>,
    /// Owner of the working folder: in somebody's tree, that person's project file is obeyed.
    pub(crate) folder_uid: Option<u32>,
}

impl Config {
    /// Reads every layer and puts them together.
    ///
    /// # Errors
    /// Every [`Problem`] of every layer.
    pub(crate) fn load(files: &Files, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let user = match &files.user {
            Some(path) if files.user_is_named || path.symlink_metadata().is_ok() => {
                Self::file(Owner::User, path, None, &mut problems)
            }
            _ => Self::default(),
        };
        let project = match &files.project {
            Some(path) => Self::file(Owner::Project, path, files.folder_uid, &mut problems),
            None => Self::default(),
        };
        let mut config = user.narrowed_by(project, &mut problems);
        config.session = SessionConfig::from_environment(variable, &mut problems).over(config.session);
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// Every value in force.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut all = self.session.entries();
        all.extend(self.run.entries());
        all.extend(self.bounds.entries());
        for (name, profile) in &self.profiles {
            all.extend(profile.value.entries(name));
        }
        all.extend(self.store.entries());
        all.extend(self.aws.entries());
        all.extend(self.s3.entries());
        all
    }

    fn file(owner: Owner, path: &Path, also: Option<u32>, problems: &mut Vec<Problem>) -> Self {
        match Source::read(owner, path, also) {
            Ok(source) => Self::parse(&source, problems),
            Err(problem) => {
                problems.push(problem);
                Self::default()
            }
        }
    }

    fn parse(source: &Source, problems: &mut Vec<Problem>) -> Self {
        let table = match DeTable::parse(source.text()) {
            Ok(table) => table,
            Err(error) => {
                let at = source.position(error.span().map_or(0, |span| span.start));
                problems.push(Problem::at(at, "config.syntax", error.message().to_owned()));
                return Self::default();
            }
        };
        let mut top = Section::new(source, "", table.get_ref());
        let config = Self {
            session: top.section("session", SessionConfig::read).unwrap_or_default(),
            run: top.section("run", RunConfig::read).unwrap_or_default(),
            bounds: top.section("bounds", BoundsConfig::read).unwrap_or_default(),
            profiles: top.named("profiles", ProfileConfig::read).unwrap_or_default(),
            store: top.section("store", StoreConfig::read).unwrap_or_default(),
            aws: top.section("aws", AwsConfig::read).unwrap_or_default(),
            s3: top.section("s3", S3Config::read).unwrap_or_default(),
            aliases: AliasKeys::read(&mut top),
        };
        problems.extend(top.finish());
        config
    }

    /// The user's settings with a project's on top, as far as it may.
    fn narrowed_by(self, project: Self, problems: &mut Vec<Problem>) -> Self {
        project.session.check_project(&self.session, self.bounds.allowed_roles(), problems);
        project.run.check_project(problems);
        project.store.check_project(problems);
        project.aws.check_project(problems);
        project.s3.check_project(problems);
        project.aliases.check_project(problems);
        let profiles = profiles::with_project(self.profiles, project.profiles, &self.session, &self.bounds, problems);
        Self {
            session: project.session.over(self.session),
            run: self.run.narrowed_by(project.run),
            bounds: self.bounds.narrowed_by(project.bounds, problems),
            profiles,
            store: self.store,
            aws: self.aws,
            s3: self.s3,
            aliases: self.aliases,
        }
    }
}

#[cfg(test)]
mod tests;
