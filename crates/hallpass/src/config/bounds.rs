//! `[bounds]`: limits on every session, whatever the command line says. Layers add up: the smaller number, the
//! values that all lists share, every denial.

use hallpass_core::delivery::Delivery;
use hallpass_core::permit::Bounds;

use super::Entry;
use super::duration::Ttl;
use super::origin::Located;
use super::problem::Problem;
use super::section::Section;

/// The section.
#[derive(Debug, Clone, Default)]
pub(crate) struct BoundsConfig {
    /// Longest life.
    pub(crate) ttl_max: Option<Located<Ttl>>,
    /// Roles that may be borrowed; `None` means any.
    pub(crate) allowed_roles: Option<Located<Vec<String>>>,
    /// Deliveries that may be used; `None` means any.
    pub(crate) allowed_deliveries: Option<Located<Vec<Delivery>>>,
    /// Action patterns that are always denied.
    pub(crate) deny: Option<Located<Vec<String>>>,
}

impl BoundsConfig {
    /// Reads the section.
    pub(crate) fn read(section: &mut Section<'_>) -> Self {
        Self {
            ttl_max: section.ttl("ttl_max"),
            allowed_roles: section.list("allowed_roles"),
            allowed_deliveries: section.list("allowed_deliveries"),
            deny: section.actions("deny"),
        }
    }

    /// The bounds of both. A project whose list shares nothing with the user's leaves nothing that could be lent;
    /// that is a problem, because an empty list means "any" further down.
    pub(crate) fn narrowed_by(self, project: Self, problems: &mut Vec<Problem>) -> Self {
        Self {
            ttl_max: match (self.ttl_max, project.ttl_max) {
                (Some(own), Some(theirs)) if theirs.value < own.value => Some(theirs),
                (own, theirs) => own.or(theirs),
            },
            allowed_roles: shared(self.allowed_roles, project.allowed_roles, "bounds.allowed_roles", problems),
            allowed_deliveries: shared(
                self.allowed_deliveries,
                project.allowed_deliveries,
                "bounds.allowed_deliveries",
                problems,
            ),
            deny: match (self.deny, project.deny) {
                (Some(mut own), Some(theirs)) => {
                    own.value.extend(theirs.value);
                    Some(own)
                }
                (own, theirs) => own.or(theirs),
            },
        }
    }

    /// What authorisation takes.
    pub(crate) fn to_core(&self) -> Bounds {
        Bounds {
            ttl_s_max: self.ttl_max.as_ref().map(|ttl| ttl.value.seconds()),
            roles: self.allowed_roles().to_vec(),
            deliveries: self.allowed_deliveries.as_ref().map(|all| all.value.clone()).unwrap_or_default(),
        }
    }

    /// Roles that may be borrowed; empty means any.
    pub(crate) fn allowed_roles(&self) -> &[String] {
        self.allowed_roles.as_ref().map_or(&[], |roles| &roles.value)
    }

    /// Action patterns that every session is denied.
    pub(crate) fn deny(&self) -> &[String] {
        self.deny.as_ref().map_or(&[], |deny| &deny.value)
    }

    /// Every value, for `config show`.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let deliveries = self.allowed_deliveries.as_ref().map(|all| {
            let names: Vec<&str> = all.value.iter().map(|kind| kind.as_str()).collect();
            names.join(", ")
        });
        let joined = |list: &Option<Located<Vec<String>>>| list.as_ref().map(|all| all.value.join(", "));
        vec![
            Entry::new(
                "bounds.ttl_max",
                self.ttl_max.as_ref().map(|ttl| format!("{}s", ttl.value.seconds())),
                self.ttl_max.as_ref().map(|v| &v.origin),
            ),
            Entry::new(
                "bounds.allowed_roles",
                joined(&self.allowed_roles),
                self.allowed_roles.as_ref().map(|v| &v.origin),
            ),
            Entry::new("bounds.allowed_deliveries", deliveries, self.allowed_deliveries.as_ref().map(|v| &v.origin)),
            Entry::new("bounds.deny", joined(&self.deny), self.deny.as_ref().map(|v| &v.origin)),
        ]
    }
}

fn shared<T: PartialEq>(
    own: Option<Located<Vec<T>>>,
    project: Option<Located<Vec<T>>>,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<Located<Vec<T>>> {
    let (own, mut project) = match (own, project) {
        (Some(own), Some(project)) => (own, project),
        (own, project) => return own.or(project),
    };
    project.value.retain(|value| own.value.contains(value));
    if project.value.is_empty() {
        let message = format!("`{key}` shares nothing with your own list, so nothing could be lent");
        problems.push(
            Problem::of(&project.origin, "config.project_excludes", message)
                .next("add one of the project's values to your own list, or pass `--no-project`"),
        );
        return Some(own);
    }
    Some(project)
}
