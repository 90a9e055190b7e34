//! `[profiles.<name>]`: named policies for `--profile`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Entry;
use super::bounds::BoundsConfig;
use super::duration::Ttl;
use super::narrow;
use super::origin::Located;
use super::problem::Problem;
use super::section::Section;
use super::session::SessionConfig;

/// A named policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProfileConfig {
    /// Allowed action patterns.
    pub(crate) allow: Option<Located<Vec<String>>>,
    /// Denied action patterns.
    pub(crate) deny: Option<Located<Vec<String>>>,
    /// Resource patterns.
    pub(crate) resources: Option<Located<Vec<String>>>,
    /// File of an IAM policy document; relative paths start from the folder of the configuration file.
    pub(crate) policy: Option<Located<PathBuf>>,
    /// Allow only what reads.
    pub(crate) read_only: Option<Located<bool>>,
    /// Life.
    pub(crate) ttl: Option<Located<Ttl>>,
    /// Role to borrow.
    pub(crate) role: Option<Located<String>>,
}

/// Every profile, by name.
pub(crate) type Profiles = BTreeMap<String, Located<ProfileConfig>>;

impl ProfileConfig {
    /// Reads one profile.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        let policy = section.text("policy").map(|text| {
            let folder = text.origin.folder();
            text.map(|text| folder.map_or_else(|| PathBuf::from(&text), |folder| folder.join(&text)))
        });
        Self {
            allow: section.actions("allow"),
            deny: section.actions("deny"),
            resources: section.resources("resources"),
            policy,
            read_only: section.flag("read_only"),
            ttl: section.ttl("ttl"),
            role: section.text("role"),
        }
    }

    /// Allowed action patterns.
    pub(crate) fn allow(&self) -> &[String] {
        self.allow.as_ref().map_or(&[], |all| &all.value)
    }

    /// Denied action patterns.
    pub(crate) fn deny(&self) -> &[String] {
        self.deny.as_ref().map_or(&[], |all| &all.value)
    }

    /// Resource patterns.
    pub(crate) fn resources(&self) -> &[String] {
        self.resources.as_ref().map_or(&[], |all| &all.value)
    }

    /// Allow only what reads.
    pub(crate) fn read_only(&self) -> bool {
        self.read_only.as_ref().is_some_and(|flag| flag.value)
    }

    /// Every value, for `config show`.
    pub(crate) fn entries(&self, name: &str) -> Vec<Entry> {
        let key = |key: &str| format!("profiles.{name}.{key}");
        let list = |field: &str, value: &Option<Located<Vec<String>>>| {
            let located = value.as_ref()?;
            Some(Entry::new(key(field), Some(located.value.join(", ")), Some(&located.origin)))
        };
        let text = |field: &str, value: Option<(String, &super::Origin)>| {
            value.map(|(text, origin)| Entry::new(key(field), Some(text), Some(origin)))
        };
        let all = [
            list("allow", &self.allow),
            list("deny", &self.deny),
            list("resources", &self.resources),
            text("policy", self.policy.as_ref().map(|v| (v.value.display().to_string(), &v.origin))),
            text("read_only", self.read_only.as_ref().map(|v| (v.value.to_string(), &v.origin))),
            text("ttl", self.ttl.as_ref().map(|v| (format!("{}s", v.value.seconds()), &v.origin))),
            text("role", self.role.as_ref().map(|v| (v.value.clone(), &v.origin))),
        ];
        all.into_iter().flatten().collect()
    }
}

/// Adds a project's profiles to the user's: new names only, no longer life, no role that the user does not list.
pub(crate) fn with_project(
    mut own: Profiles,
    project: Profiles,
    session: &SessionConfig,
    bounds: &BoundsConfig,
    problems: &mut Vec<Problem>,
) -> Profiles {
    for (name, profile) in project {
        if let Some(mine) = own.get(&name) {
            let message = format!("the profile `{name}` is already defined at {}", mine.origin);
            problems.push(
                Problem::of(&profile.origin, "config.project_may_not_set", message)
                    .next("rename one of them, or pass `--no-project`"),
            );
            continue;
        }
        if let Some(ttl) = &profile.value.ttl {
            narrow::ttl(ttl, session.ttl(), &format!("profiles.{name}.ttl"), problems);
        }
        if let Some(role) = &profile.value.role {
            narrow::role(role, session.role(), bounds.allowed_roles(), &format!("profiles.{name}.role"), problems);
        }
        own.insert(name, profile);
    }
    own
}
