//! Taking back what left the gate: a deny on the role that names this one session, where that is permitted.
//!
//! Source: IAM User Guide, "Revoking IAM role temporary security credentials" and "IAM identifiers": `aws:userid` of
//! a role session is `<role id>:<session name>`, and our session name is unique.

use hallpass_core::limits::{REVOCATION_ROUNDS_MAX, ROLE_POLICY_CHARS_MAX};
use hallpass_core::provider::{ProviderError, Revoked};
use hallpass_core::session::{Revocation, Session};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::base::Base;
use super::error::translate;
use super::request::session_name;

/// The inline policy that holds our denies; one per role, shared by every revocation.
const POLICY_NAME: &str = "HallpassRevokedSessions";

pub(crate) async fn revoke(base: &Base, session: &Session, now: Timestamp) -> Result<Revoked, ProviderError> {
    let Some(role) = session.role_arn.rsplit('/').next().filter(|_| session.role_arn.contains(":role/")) else {
        return Ok(on_expiry(session, "no role was borrowed, so there is nothing to attach a deny to"));
    };
    let client = aws_sdk_iam::Client::new(base.sdk().await?);
    let name = session_name(session.id.as_str());
    // Two revocations may read and write the same document at once: look whether ours is there, else write again.
    for _ in 0..REVOCATION_ROUNDS_MAX {
        let held = match current(&client, role).await {
            Ok(held) => held,
            Err(ProviderError::Refused { code, .. }) => {
                return Ok(on_expiry(session, &format!("reading the policy of role `{role}` was refused ({code})")));
            }
            Err(error) => return Err(error),
        };
        if held.as_deref().is_some_and(|document| document.contains(&name)) {
            return Ok(denied(role));
        }
        let document = with_deny(held.as_deref(), &name, session.expires_at, now)?;
        if !fits(&document) {
            return Ok(on_expiry(session, &format!("the policies of role `{role}` have no room for another deny")));
        }
        let put = client.put_role_policy().role_name(role).policy_name(POLICY_NAME).policy_document(document);
        match put.send().await.map_err(|error| translate("iam:PutRolePolicy", "IAM", &error)) {
            Ok(_) => {}
            Err(ProviderError::Refused { code, .. }) => {
                return Ok(on_expiry(session, &format!("attaching a deny to role `{role}` was refused ({code})")));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(on_expiry(session, &format!("a deny was written to role `{role}` but could not be read back")))
}

fn fits(document: &str) -> bool {
    document.chars().count() <= ROLE_POLICY_CHARS_MAX
}

fn denied(role: &str) -> Revoked {
    Revoked {
        reach: Revocation::RoleWide,
        detail: format!(
            "a deny that names this session is attached to role `{role}` (policy `{POLICY_NAME}`); AWS applies it \
             within seconds, without a guarantee; connections that are already open stay open"
        ),
    }
}

fn on_expiry(session: &Session, why: &str) -> Revoked {
    Revoked {
        reach: Revocation::OnExpiry,
        detail: format!("{why}; the credential works until it expires, at the latest {}", session.expires_at),
    }
}

/// The document that is there now, if there is one.
async fn current(client: &aws_sdk_iam::Client, role: &str) -> Result<Option<String>, ProviderError> {
    let call = client.get_role_policy().role_name(role).policy_name(POLICY_NAME).send().await;
    match call.map_err(|error| translate("iam:GetRolePolicy", "IAM", &error)) {
        Ok(found) => Ok(Some(percent_decoded(found.policy_document()))),
        Err(ProviderError::Refused { code, .. }) if code == "NoSuchEntity" => Ok(None),
        Err(error) => Err(error),
    }
}

/// IAM returns documents URL-encoded (RFC 3986).
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(hex.unwrap_or(byte));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Adds a deny for one session; denies of sessions that have expired meanwhile are dropped.
fn with_deny(held: Option<&str>, name: &str, expires_at: Timestamp, now: Timestamp) -> Result<String, ProviderError> {
    let mut statements = held.map_or(Ok(Vec::new()), statements_of)?;
    statements.retain(|statement| {
        let until = statement.get("Sid").and_then(Value::as_str).and_then(|sid| sid.strip_prefix("Until"));
        until.and_then(|text| text.split('x').next()?.parse().ok()).is_none_or(|end: i64| end > now.as_second())
    });
    // Sids of one document must differ; several sessions may end in the same second.
    let sid = format!("Until{}x{}", expires_at.as_second().max(0), name.replace(|c: char| !c.is_alphanumeric(), ""));
    statements.push(json!({
        "Sid": sid,
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringLike": {"aws:userid": format!("*:{name}")}}
    }));
    Ok(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
}

/// The statements that are there. A document that is not ours to understand is never overwritten.
fn statements_of(text: &str) -> Result<Vec<Value>, ProviderError> {
    let document: Option<Value> = serde_json::from_str(text).ok();
    match document.as_ref().and_then(|document| document.get("Statement")) {
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(one @ Value::Object(_)) => Ok(vec![one.clone()]),
        _ => Err(ProviderError::Invalid(format!(
            "the role's policy `{POLICY_NAME}` is not a policy document: repair or delete it, then revoke again"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use hallpass_core::limits::{REVOCATION_ROUNDS_MAX, ROLE_POLICY_CHARS_MAX};

    use super::{fits, percent_decoded, with_deny};

    #[test]
    fn a_deny_names_one_session_and_keeps_the_others_that_still_live() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("time");
        let hour = SignedDuration::from_secs(3_600);
        let first = with_deny(None, "hallpass-a", now + hour, now).expect("first");
        let both = with_deny(Some(&first), "hallpass-b", now + hour, now).expect("both");
        assert!(both.contains("*:hallpass-a") && both.contains("*:hallpass-b"), "{both}");
        let later = with_deny(Some(&both), "hallpass-c", now + hour + hour, now + hour).expect("later");
        assert!(!later.contains("hallpass-a") && later.contains("hallpass-c"), "{later}");
        let parsed: serde_json::Value = serde_json::from_str(&both).expect("json");
        let sids: Vec<_> = parsed["Statement"].as_array().expect("list").iter().map(|s| s["Sid"].to_string()).collect();
        assert_ne!(sids[0], sids[1]);
    }

    #[test]
    fn a_document_that_is_not_understood_is_never_overwritten() {
        for broken in ["", "{", "[]", "{\"Statement\": 3}"] {
            assert!(with_deny(Some(broken), "hallpass-a", Timestamp::MAX, Timestamp::MIN).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_role_without_room_for_another_deny_is_not_written_to() {
        assert!(fits(&"x".repeat(ROLE_POLICY_CHARS_MAX)));
        assert!(!fits(&"x".repeat(ROLE_POLICY_CHARS_MAX + 1)));
        // One round only reads: what was written last must have been seen.
        const { assert!(REVOCATION_ROUNDS_MAX >= 2) };
    }

    #[test]
    fn the_documents_of_iam_are_decoded_and_broken_escapes_stay() {
        assert_eq!(percent_decoded("%7B%22a%22%3A1%7D"), "{\"a\":1}");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%zz"), "%zz");
    }
}
