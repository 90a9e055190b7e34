//! `--dry-run`: what would be lent. Nothing is issued, recorded or run.

use std::ffi::OsString;

use hallpass_core::limits::SESSION_POLICY_CHARS_MAX;
use hallpass_core::permit;
use hallpass_core::provider::EnforcedBy;
use hallpass_core::session::Session;
use serde_json::json;

use super::wish::Wish;
use super::{banner, routes};
use crate::deliver::environment::Variables;
use crate::deliver::{ambient, may_leave};
use crate::error::{CommandError, ExitStatus};
use crate::output::time::span;
use crate::output::{Printer, SCHEMA_VERSION, clean};

/// Prints the session that would be made, as data.
///
/// # Errors
/// What would have stopped the session from being made.
pub(crate) fn show(
    printer: Printer,
    wish: &Wish,
    session: &Session,
    original: &Variables,
) -> Result<ExitStatus, CommandError> {
    // The evidence is dropped here: nothing is issued against it.
    drop(permit::authorize(session, &wish.bounds, session.created_at)?);
    if wish.is_gate_alone(original) {
        may_leave(session.delivery, EnforcedBy::Gate)?;
    }
    let partition = routes::caller(None, session.region.as_deref()).partition;
    let compiled = (!session.role_arn.is_empty()).then(|| session.policy.compile(&partition)).transpose();
    let compiled = compiled?;
    let chars = compiled.as_ref().and_then(|c| c.json.as_ref()).map(|json| json.chars().count());
    let removed = removed(original);
    if printer.is_json() {
        let body = json!({
            "schema_version": SCHEMA_VERSION,
            "session": session,
            "session_policy": compiled.as_ref().and_then(|c| c.json.as_deref()),
            "session_policy_chars": chars,
            "session_policy_chars_max": SESSION_POLICY_CHARS_MAX,
            "variables_removed": removed.iter().map(|(name, why)| json!({"name": name, "reason": why})).collect::<Vec<_>>(),
        });
        printer.json(&body)?;
        return Ok(ExitStatus::Success);
    }
    let policy = serde_json::to_string(&session.policy).unwrap_or_default();
    let enforced = if session.role_arn.is_empty() { "the gate alone" } else { "the gate and the cloud" };
    let size =
        chars.map_or_else(|| "none is sent".to_owned(), |n| format!("{n} of {SESSION_POLICY_CHARS_MAX} characters"));
    let role = if session.role_arn.is_empty() { "none: your own identity" } else { &session.role_arn };
    let lines = [
        format!("role            {role}"),
        format!("life            {}", span(session.ttl_seconds)),
        format!("region          {}", session.region.as_deref().unwrap_or("as your profile says")),
        format!("delivery        {}", session.delivery.as_str()),
        format!("at most         {}", banner::caps(session).unwrap_or_else(|| "no caps".to_owned())),
        format!("revocation      {}", session.revocation.as_str()),
        format!("enforced by     {enforced}"),
        format!("policy          {policy}"),
        format!("session policy  {size}"),
        format!("removed         {}", if removed.is_empty() { "nothing" } else { "these variables of yours" }),
    ];
    let removed = removed.iter().map(|(name, why)| format!("  {name:<38} {why}"));
    for line in lines.into_iter().chain(removed) {
        printer.data(clean::line(&line))?;
    }
    Ok(ExitStatus::Success)
}

/// Names of the caller's variables that the command would not get as they are, and why.
fn removed(original: &Variables) -> Vec<(String, &'static str)> {
    let taken = |name: &OsString| Some((name.to_string_lossy().into_owned(), ambient::rule_for(name)?.reason));
    original.keys().filter_map(taken).collect()
}
