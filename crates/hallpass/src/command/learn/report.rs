//! What was learned, for people and as JSON.

use std::collections::BTreeSet;

use hallpass_core::id::SessionId;
use hallpass_core::learn::{Failed, Fit, Learned, Refused, Widening};
use hallpass_core::policy::PolicyDocument;
use serde::Serialize;

use crate::error::{CommandError, ExitStatus};
use crate::output::count::counted;
use crate::output::{Paint, Printer, SCHEMA_VERSION, clean};

/// Most names that one line lists; JSON lists all.
const NAMES_SHOWN: usize = 5;
/// Most characters of a name that one line shows; an S3 key may have 1,024.
const NAME_CHARS_SHOWN: usize = 120;

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    sessions: &'a [SessionId],
    #[serde(flatten)]
    learned: &'a Learned,
    session_policy: Option<Fit>,
}

/// The policy as a file holds it.
///
/// # Errors
/// When it cannot be JSON, which is a bug of ours.
pub(super) fn policy_text(policy: &PolicyDocument) -> Result<String, CommandError> {
    let text = serde_json::to_string_pretty(policy).map_err(|error| {
        let message = "the policy cannot be written";
        CommandError::new(crate::error::ErrorKind::General, "internal", message).because(&error)
    })?;
    Ok(clean::json(text))
}

/// The report on stderr; on stdout the policy, if it is wanted there, or all of it as JSON.
///
/// # Errors
/// When nobody reads stdout.
pub(super) fn show(
    printer: Printer,
    learned: &Learned,
    sessions: &[SessionId],
    status: ExitStatus,
    policy_too: bool,
) -> Result<(), CommandError> {
    let fit = learned.fit();
    for line in lines(learned, fit.as_ref()).into_iter().chain(cut_short(status)) {
        let painted = if line.starts_with("  ") {
            printer.paint_talk(Paint::Dim, clean::line(&line))
        } else {
            clean::line(&line)
        };
        printer.say(painted);
    }
    if printer.is_json() {
        return printer.json(&Report { schema_version: SCHEMA_VERSION, sessions, learned, session_policy: fit });
    }
    match &learned.policy {
        Some(policy) if policy_too => printer.data(policy_text(policy)?),
        _ => Ok(()),
    }
}

/// A command that failed may have stopped before it had asked for everything.
fn cut_short(status: ExitStatus) -> Option<String> {
    let code = status.code();
    (code != 0)
        .then(|| format!("the command ended with {code}: what it would have asked for after that is not in the policy"))
}

/// What a policy that was tried out would have refused.
pub(crate) fn would_deny(learned: &Learned, session: &str) -> Vec<String> {
    let of = counted(learned.requests, "request", "requests");
    let count: u64 = learned.would_deny.iter().map(|refused| refused.count).sum();
    if count == 0 {
        return vec![format!("hallpass: shadow: the policy would have refused none of {of}")];
    }
    let mut lines = vec![format!("hallpass: shadow: the policy would have refused {count} of {of}")];
    lines.extend(learned.would_deny.iter().map(refused));
    lines.push(format!("  `hallpass learn --from {session} --merge FILE` makes a policy that allows them too"));
    lines
}

fn lines(learned: &Learned, fit: Option<&Fit>) -> Vec<String> {
    let statements = learned.policy.as_ref().and_then(|policy| policy.to_allows().ok()).unwrap_or_default().len();
    let mut of = counted(learned.requests, "request", "requests");
    if learned.presigned > 0 {
        of = format!("{of} and {}", counted(learned.presigned, "presigned URL", "presigned URLs"));
    }
    let mut lines = vec![match &learned.policy {
        Some(_) => format!("hallpass: learned {} from {of}", counted(statements, "statement", "statements")),
        None => format!("hallpass: nothing was learned from {of}"),
    }];
    lines.extend(fit.into_iter().flat_map(size));
    let mut section = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            lines.push(title.to_owned());
            lines.extend(items);
        }
    };
    section("made wider than what was asked for:", learned.widenings.iter().map(widening).collect());
    section(
        "granted by name, although they hand out credentials or power:",
        learned.escapes.iter().map(|action| format!("  {action}")).collect(),
    );
    section(
        "granted on `*`, because their requests do not say what they touch:",
        names(&learned.unnamed).into_iter().map(|text| format!("  {text}")).collect(),
    );
    section(
        "granted on patterns, because their requests do not tell the whole ARN:",
        names(&learned.patterns)
            .into_iter()
            .map(|text| format!("  {text}"))
            .chain(any_account(&learned.patterns))
            .collect(),
    );
    section("denied by the cloud (granted only with `--include-failed`):", learned.failed.iter().map(failed).collect());
    section(
        "refused by the gate, and not learned:",
        learned.refused.iter().map(refused).chain(to_learn_escapes(&learned.refused)).collect(),
    );
    section(
        "would have been refused by the policy that was tried out:",
        learned.would_deny.iter().map(refused).collect(),
    );
    section(
        "not granted, because no policy can name them:",
        learned.unwritable.iter().map(|resource| format!("  {resource}")).collect(),
    );
    if learned.partial > 0 {
        let many = counted(learned.partial, "request", "requests");
        lines.push(format!("{many} touched more than the log holds: what is missing is not granted"));
    }
    if learned.unanswered > 0 {
        let many = counted(learned.unanswered, "request", "requests");
        lines.push(format!("the outcome of {many} is not known: what they asked for is granted"));
    }
    lines
}

fn size(fit: &Fit) -> Vec<String> {
    let mut lines = vec![format!("session policy: {} of {} characters", fit.chars, fit.chars_max)];
    if fit.is_whole() {
        return lines;
    }
    let longest: Vec<String> = fit.longest.iter().map(|(text, chars)| format!("{} ({chars})", short(text))).collect();
    lines.push("  too large for a role; without `--role` the gate enforces it all the same".to_owned());
    lines.push(format!("  longest: {}", longest.join(", ")));
    lines.push("  shorten it with `--generalise keys` or `ids`, or with wildcards of your own".to_owned());
    if !fit.parts.is_empty() {
        let many = fit.parts.len();
        lines.push(format!("  or split it over {many} sessions: see `parts` in `--json`"));
    }
    lines
}

/// The gate knows an account from the role that is lent.
fn any_account(patterns: &[String]) -> Option<String> {
    let any = patterns.iter().any(|pattern| pattern.split(':').nth(4) == Some("*"));
    any.then(|| {
        "  `*` stands for the account: with `--role`, or with AWS_ACCOUNT_ID beside the keys, it is known".to_owned()
    })
}

/// How a wide ceiling takes in what no wildcard means.
fn to_learn_escapes(refused: &[Refused]) -> Option<String> {
    let escapes: BTreeSet<&str> = refused.iter().filter(|one| one.escape).map(|one| one.what.as_str()).collect();
    let named: Vec<&str> = escapes.into_iter().collect();
    (!named.is_empty()).then(|| format!("  to learn what hands out credentials: `--ceiling '*,{}'`", named.join(",")))
}

fn widening(widening: &Widening) -> String {
    let from = names(&widening.from).unwrap_or_default();
    format!("  {} on {}, for {from}", widening.action, widening.to)
}

fn failed(failed: &Failed) -> String {
    format!("  {} on {}: {}{}", failed.action, short(&failed.resource), failed.code, times(failed.count))
}

fn refused(refused: &Refused) -> String {
    let on = refused.resource.as_ref().map(|resource| format!(" on {}", short(resource))).unwrap_or_default();
    format!("  {}{on}: {}{}", refused.what, refused.reason, times(refused.count))
}

fn times(count: u64) -> String {
    if count > 1 { format!(" ({count} times)") } else { String::new() }
}

/// A long name's beginning; JSON has all of it.
fn short(text: &str) -> String {
    match text.char_indices().nth(NAME_CHARS_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// The first few, and how many more.
fn names(all: &[String]) -> Option<String> {
    let shown: Vec<String> = all.iter().take(NAMES_SHOWN).map(|name| short(name)).collect();
    let shown = shown.join(", ");
    match all.len().saturating_sub(NAMES_SHOWN) {
        _ if all.is_empty() => None,
        0 => Some(shown),
        more => Some(format!("{shown} and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME_CHARS_SHOWN, names, short};

    #[test]
    fn a_long_name_is_cut_between_characters_and_says_so() {
        let name = "ü".repeat(NAME_CHARS_SHOWN);
        assert_eq!(short(&name), name);
        assert_eq!(short(&format!("{name}x")), format!("{name}…"));
    }

    #[test]
    fn a_long_list_says_how_much_it_leaves_out() {
        let all: Vec<String> = (0..8).map(|n| n.to_string()).collect();
        assert_eq!(names(&all).as_deref(), Some("0, 1, 2, 3, 4 and 3 more"));
        assert_eq!(names(&all[..5]).as_deref(), Some("0, 1, 2, 3, 4"));
        assert_eq!(names(&[]), None);
    }
}
