//! What a project's file may not do. It comes with the repository, so whoever can push can write it: it narrows, and
//! nothing else.
//!
//! | key | in a project's file |
//! |---|---|
//! | `session.ttl`, `profiles.*.ttl` | shorter than the user's own, or than the default |
//! | `session.role`, `profiles.*.role` | only the user's own role, or one on the user's `bounds.allowed_roles` |
//! | `session.delivery` | only `proxy` |
//! | `session.on_expiry` | only `terminate` |
//! | `session.strict` | only `true` |
//! | `session.region` | free |
//! | `session.tags` | never: tags can open doors |
//! | `bounds.*` | adds to the user's: the smaller number, the shared values, every denial |
//! | `profiles.*` | new names only |
//! | `store.*`, `aws.*`, `s3.*`, `aliases`, `schema_version` | never |

use super::duration::Ttl;
use super::origin::{Located, Origin};
use super::problem::Problem;
use crate::output::time::span;

/// A key that a project may not set at all.
pub(crate) fn forbidden(origin: &Origin, key: &str) -> Problem {
    let message =
        format!("`{key}` may stand only in your own configuration: a project's file can narrow, nothing else");
    Problem::of(origin, "config.project_may_not_set", message)
        .next(format!("remove `{key}` from the project's file, or pass `--no-project`"))
}

/// A value that would widen.
pub(crate) fn widens(origin: &Origin, key: &str, asked: &str, most: &str) -> Problem {
    let message = format!("`{key}` = `{asked}` would widen: a project's file may say at most `{most}`");
    Problem::of(origin, "config.project_widens", message)
        .next(format!("set `{key}` in your own configuration, say it on the command line, or pass `--no-project`"))
}

/// A life longer than `most_s` seconds.
pub(crate) fn ttl(asked: &Located<Ttl>, most_s: u64, key: &str, problems: &mut Vec<Problem>) {
    if asked.value.seconds() > most_s {
        problems.push(widens(&asked.origin, key, &asked.value.to_string(), &span(most_s)));
    }
}

/// A role that the user neither uses nor lists.
pub(crate) fn role(
    asked: &Located<String>,
    own: Option<&str>,
    allowed: &[String],
    key: &str,
    problems: &mut Vec<Problem>,
) {
    if own == Some(asked.value.as_str()) || allowed.contains(&asked.value) {
        return;
    }
    let message = format!("`{key}` names a role that your own `bounds.allowed_roles` does not list");
    problems.push(
        Problem::of(&asked.origin, "config.project_widens", message)
            .next("add it to `bounds.allowed_roles` in your own configuration, pass `--role`, or `--no-project`"),
    );
}
