//! The answer of STS, taken apart, and the one that the child gets in its place.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::XML_NAMESPACE;
use super::call::Mint;
use crate::credential::Credential;
use crate::resolve::xml::{self, Event};
use crate::secret::Secret;

/// What STS answered. Members that are not known are left out: they might carry what must not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The real credential; it stays with us.
    pub credential: Credential,
    /// ARN of the session's identity, where the answer names it.
    pub identity: Option<String>,
    /// `AssumedRoleId`, `FederatedUserId` or `ScopedSessionId`.
    identity_id: Option<String>,
    /// Percent of the room for packed policies and tags that is used.
    packed_policy_size: Option<u32>,
    source_identity: Option<String>,
}

/// What the child is handed instead of a credential.
#[derive(Debug, Clone, Copy)]
pub struct Handed<'a> {
    /// The placeholder's access key id.
    pub access_key_id: &'a str,
    /// The placeholder's secret key.
    pub secret_access_key: &'a str,
    /// The placeholder's session token.
    pub session_token: &'a str,
    /// When the child session ends.
    pub expires_at: Timestamp,
    /// For support: the request id.
    pub request_id: &'a str,
}

impl Answer {
    /// Reads the body of a successful answer.
    ///
    /// # Errors
    /// What is missing or cannot be read; never a part of the body.
    pub fn read(mint: Mint, body: &[u8]) -> Result<Self, &'static str> {
        let events = xml::events(body).map_err(|_| "it is not a plain XML document")?;
        let root = format!("{0}Response/{0}Result/", mint.as_str());
        let mut members = members(&events, &root);
        let mut take = |name: &str| {
            let at = members.iter().position(|(path, _)| path == name)?;
            Some(members.swap_remove(at).1).filter(|text| !text.is_empty())
        };
        let credential = Credential {
            access_key_id: take("Credentials/AccessKeyId").ok_or("it has no access key id")?,
            secret_access_key: Secret::new(take("Credentials/SecretAccessKey").ok_or("it has no secret key")?),
            session_token: Some(Secret::new(take("Credentials/SessionToken").ok_or("it has no session token")?)),
            expires_at: Some(
                take("Credentials/Expiration").and_then(|text| text.parse().ok()).ok_or("it has no time of expiry")?,
            ),
        };
        let (user, id) = user(mint);
        Ok(Self {
            credential,
            identity: take(&format!("{user}/Arn")),
            identity_id: take(&format!("{user}/{id}")),
            packed_policy_size: take("PackedPolicySize").and_then(|text| text.parse().ok()),
            source_identity: take("SourceIdentity"),
        })
    }

    /// The same answer with the placeholder in it, as STS writes it.
    pub fn with_placeholder(&self, mint: Mint, handed: &Handed<'_>) -> String {
        let name = mint.as_str();
        let mut xml = format!("<{name}Response xmlns=\"{XML_NAMESPACE}\"><{name}Result><Credentials>");
        element(&mut xml, "AccessKeyId", handed.access_key_id);
        element(&mut xml, "SecretAccessKey", handed.secret_access_key);
        element(&mut xml, "SessionToken", handed.session_token);
        element(&mut xml, "Expiration", &handed.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        xml.push_str("</Credentials>");
        let (user, id) = user(mint);
        if let (Some(arn), Some(identity_id)) = (&self.identity, &self.identity_id)
            && !user.is_empty()
        {
            // Writing to a `String` cannot fail.
            let _ = write!(xml, "<{user}>");
            element(&mut xml, id, identity_id);
            element(&mut xml, "Arn", arn);
            let _ = write!(xml, "</{user}>");
        }
        if let Some(percent) = self.packed_policy_size {
            element(&mut xml, "PackedPolicySize", &percent.to_string());
        }
        if let Some(source_identity) = &self.source_identity {
            element(&mut xml, "SourceIdentity", source_identity);
        }
        let _ = write!(xml, "</{name}Result><ResponseMetadata>");
        element(&mut xml, "RequestId", handed.request_id);
        let _ = write!(xml, "</ResponseMetadata></{name}Response>");
        xml
    }
}

/// The member that says whose session it is, and its id's name.
fn user(mint: Mint) -> (&'static str, &'static str) {
    match mint {
        Mint::AssumeRole => ("AssumedRoleUser", "AssumedRoleId"),
        Mint::GetFederationToken => ("FederatedUser", "FederatedUserId"),
        Mint::GetScopedCredentials => ("ScopedSession", "ScopedSessionId"),
        Mint::GetSessionToken => ("", ""),
    }
}

/// Every text under `root`, by its path.
fn members(events: &[Event], root: &str) -> Vec<(String, String)> {
    let mut path: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for event in events {
        match event {
            Event::Start(name) => path.push(name),
            Event::End => _ = path.pop(),
            Event::Text(text) => {
                let whole = path.join("/");
                found.extend(whole.strip_prefix(root).map(|name| (name.to_owned(), text.trim().to_owned())));
            }
        }
    }
    found
}

fn element(xml: &mut String, name: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // Writing to a `String` cannot fail.
    let _ = write!(xml, "<{name}>{escaped}</{name}>");
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Answer, Handed};
    use crate::sts::Mint;

    const REAL: &str = "ASIAREALREALREAL0001";

    fn answer(mint: Mint, rest: &str) -> String {
        let name = mint.as_str();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n \
             <{name}Result><Credentials><AccessKeyId>{REAL}</AccessKeyId><SecretAccessKey>real/secret+1</SecretAccessKey>\
             <SessionToken>real-token==</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials>{rest}\
             </{name}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{name}Response>"
        )
    }

    fn handed() -> Handed<'static> {
        Handed {
            access_key_id: "ASIAHALLPASSAAAAAAAA",
            secret_access_key: "ours",
            session_token: "hallpass-placeholder.x",
            expires_at: Timestamp::UNIX_EPOCH,
            request_id: "id",
        }
    }

    #[test]
    fn nothing_real_is_in_the_answer_that_the_child_gets() {
        let rest = "<AssumedRoleUser><AssumedRoleId>AROA:a&amp;b</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/s</Arn>\
                    </AssumedRoleUser><PackedPolicySize>6</PackedPolicySize><SourceIdentity>me</SourceIdentity>\
                    <Surprise>real-token==</Surprise>";
        let read = Answer::read(Mint::AssumeRole, answer(Mint::AssumeRole, rest).as_bytes()).expect("reads");
        assert_eq!(read.credential.access_key_id, REAL);
        let given = read.with_placeholder(Mint::AssumeRole, &handed());
        for real in [REAL, "real/secret", "real-token", "Surprise", "2026-01-01"] {
            assert!(!given.contains(real), "{given}");
        }
        for kept in [
            "<AssumedRoleId>AROA:a&amp;b</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/r/s</Arn>",
            "<PackedPolicySize>6</PackedPolicySize><SourceIdentity>me</SourceIdentity>",
            "<Expiration>1970-01-01T00:00:00Z</Expiration>",
            "<RequestId>id</RequestId>",
        ] {
            assert!(given.contains(kept), "{kept} is missing in {given}");
        }
        assert!(Answer::read(Mint::AssumeRole, given.as_bytes()).is_ok(), "it does not read back");
    }

    #[test]
    fn members_that_are_new_to_us_do_not_break_the_reading() {
        let rest = "<ScopedSession><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><ScopedSessionId>i</ScopedSessionId><New>1\
                    </New></ScopedSession><SessionTokenUtilization>3</SessionTokenUtilization>";
        let read = Answer::read(Mint::GetScopedCredentials, answer(Mint::GetScopedCredentials, rest).as_bytes());
        let given = read.expect("reads").with_placeholder(Mint::GetScopedCredentials, &handed());
        assert!(given.contains("<ScopedSession><ScopedSessionId>i</ScopedSessionId><Arn>"), "{given}");
    }

    #[test]
    fn an_answer_without_a_part_of_the_credential_is_no_answer() {
        let whole = answer(Mint::GetSessionToken, "");
        assert!(Answer::read(Mint::GetSessionToken, whole.as_bytes()).is_ok());
        for part in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] {
            let broken = whole.replace(part, "Other");
            assert!(Answer::read(Mint::GetSessionToken, broken.as_bytes()).is_err(), "{part}");
        }
        assert!(Answer::read(Mint::AssumeRole, whole.as_bytes()).is_err(), "the answer of another call");
        assert!(Answer::read(Mint::AssumeRole, b"{}").is_err());
    }
}
