//! What is said on stderr before the command starts.

use hallpass_core::budget::price::PRICES_AS_OF;
use hallpass_core::budget::{Cap, Warning};
use hallpass_core::provider::{EnforcedBy, Issued};
use hallpass_core::session::Session;
use jiff::Timestamp;

use crate::command::policy::words;
use crate::deliver::Lent;
use crate::deliver::self_check::{Finding, Grade};
use crate::error::{CommandError, ErrorKind};
use crate::output::time::span;
use crate::output::{Paint, Printer, clean};

/// The hardening that is in force: placeholder and gate, no features of the operating system.
const HARDENING: &str = "basic";
/// Names the call in the words of a provider that asked for it in vain.
const GET_SCOPED_CREDENTIALS: &str = "sts:GetScopedCredentials";
/// Begins what a gate of ours says.
const BY_A_GATE: &str = ": hallpass: ";
/// More of a scope than this does not help anybody who reads it in passing.
const SCOPE_CHARS_MAX: usize = 160;

/// The banner: what is lent, who enforces it, until when, and how it can be taken back.
pub(crate) fn show(printer: Printer, session: &Session, issued: &Issued, lent: &Lent) {
    let enforced = match (session.delivery.exposes_real_credential(), issued.enforced_by) {
        (false, EnforcedBy::Gate) => "the gate alone (no role: your own identity signs)",
        (false, EnforcedBy::GateAndCloud) if session.role_arn.is_empty() => {
            "the gate and the cloud (no role: STS narrows your own identity)"
        }
        (false, EnforcedBy::GateAndCloud) => "the gate and the cloud",
        (true, _) => "the cloud alone (the real credential leaves)",
    };
    let left = u64::try_from(session.expires_at.duration_since(session.created_at).as_secs()).unwrap_or(0);
    let dim = |text: String| printer.say(printer.paint_talk(Paint::Dim, clean::lines(&text)));
    dim(format!("hallpass: session {} for {}, {}", session.short_id(), span(left), scope(session)));
    dim(format!(
        "hallpass: enforced by {enforced} · revocation {} · delivery {} · hardening {HARDENING}",
        lent.revocation.as_str(),
        session.delivery.as_str(),
    ));
    if let Some(caps) = caps(session) {
        let prices = session.budget.map(|_| format!("; prices of {PRICES_AS_OF}")).unwrap_or_default();
        dim(format!("hallpass: at most {caps}{prices}"));
    }
    if session.policy.shadow.is_some() {
        printer
            .warn("shadow: the policy is tried out and protects nothing; what it would refuse is recorded, and passes");
    }
    // Only what was asked and refused is news: long-term keys never could, and an outer gate does not.
    let refused = issued.not_narrowed.as_ref().filter(|why| why.contains(GET_SCOPED_CREDENTIALS));
    if let Some(why) = refused.filter(|why| !why.contains(BY_A_GATE)) {
        dim(format!("hallpass: the cloud does not narrow your own identity: {why}"));
    }
    let outlives = lent.exposed.as_ref().and_then(|c| c.expires_at).filter(|at| *at > session.expires_at);
    if let Some(at) = outlives {
        printer.warn(format_args!("the credential that leaves works until {}, longer than the session", seconds(at)));
    }
}

/// How much of a cap is used.
pub(crate) fn used(warning: &Warning) -> String {
    let Warning { cap, percent, used, limit } = *warning;
    format!("{percent} % of the session's {cap} is used: {} of {}", cap.shown(used), cap.shown(limit))
}

/// The caps in words; `None` when there is none.
pub(crate) fn caps(session: &Session) -> Option<String> {
    let caps = session.caps().ok()?;
    let shown = |cap: Cap| caps.limit(cap).map(|limit| cap.shown(limit));
    let all: Vec<String> = Cap::ALL.into_iter().filter_map(shown).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn scope(session: &Session) -> String {
    let resources = session.policy.resources.join(", ");
    let on = if resources.is_empty() || resources == "*" { String::new() } else { format!(" on {resources}") };
    let whole = format!("{}{on}", words::allowed(&session.policy));
    match whole.char_indices().nth(SCOPE_CHARS_MAX) {
        Some((end, _)) => format!("{} …", &whole[..end]),
        None => whole,
    }
}

/// A time without its fraction.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Lists what is within the child's reach; refuses when `strict`.
///
/// # Errors
/// With `strict`, when there is anything.
pub(crate) fn self_check(printer: Printer, findings: &[Finding], strict: bool) -> Result<(), CommandError> {
    if findings.is_empty() {
        return Ok(());
    }
    let line = |finding: &Finding| format!("{}: {}; {}", finding.grade.as_str(), finding.what, finding.next);
    if strict {
        let message = "another identity is within the command's reach, and `--strict` does not allow that";
        let refused = CommandError::new(ErrorKind::General, "run.strict", message);
        let refused = findings.iter().fold(refused, |error, finding| error.cause(line(finding)));
        return Err(refused.next("move what is listed out of reach, or leave out `--strict`"));
    }
    let resolves = findings.iter().filter(|f| f.grade == Grade::Resolves).count();
    if resolves > 0 {
        printer.warn(format_args!("the command's tools would find {resolves} other identities by themselves"));
    } else {
        let many = if findings.len() == 1 { "identity" } else { "identities" };
        printer.warn(format_args!("{} other {many} could be read by the command if it looked", findings.len()));
    }
    for finding in findings {
        printer.say(printer.paint_talk(Paint::Dim, format_args!("  {}", clean::lines(&line(finding)))));
    }
    Ok(())
}
