//! How an alias is shown: never a secret, never a token.

use hallpass_s3::alias::{Alias, CredentialsSource, Entry, Origin};
use jiff::Timestamp;
use serde::Serialize;

use crate::output::time::relative;

/// What stands in the place of a session token.
const MASK: &str = "***REDACTED***";

/// `aliasInfo` of `schemas/output_v2.json`. What is not known is `null`, not absent.
#[derive(Debug, Serialize)]
pub(super) struct AliasInfo {
    name: String,
    kind: Option<&'static str>,
    endpoint: Option<String>,
    region: Option<String>,
    addressing: Option<&'static str>,
    session_token: Option<&'static str>,
    expires_at: Option<String>,
    remaining_s: Option<i64>,
    borrows_from: Option<String>,
    origin: &'static str,
    variable: Option<String>,
    shadowed: bool,
    broken: Option<String>,
}

impl AliasInfo {
    /// Of an entry of the registry.
    pub(super) fn of(entry: &Entry, now: Timestamp) -> Self {
        let info = match &entry.alias {
            Ok(alias) => Self::of_alias(alias, now),
            Err(error) => Self { broken: Some(error.to_string()), ..Self::empty(&entry.name) },
        };
        let variable = match &entry.origin {
            Origin::Environment(variable) => Some(variable.clone()),
            Origin::File | Origin::BuiltIn => None,
        };
        Self { origin: entry.origin.as_str(), variable, shadowed: entry.shadowed, ..info }
    }

    /// Of an alias in the file.
    pub(super) fn of_alias(alias: &Alias, now: Timestamp) -> Self {
        let expires_at = expiry(alias);
        Self {
            kind: Some(kind(alias)),
            endpoint: Some(alias.endpoint.clone()),
            region: Some(alias.region.clone()),
            addressing: Some(alias.addressing.as_str()),
            session_token: alias.session_token().map(|_| MASK),
            expires_at: expires_at.map(|at| at.to_string()),
            remaining_s: expires_at.map(|at| at.duration_since(now).as_secs().max(0)),
            borrows_from: borrows_from(alias),
            ..Self::empty(&alias.name)
        }
    }

    fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: None,
            endpoint: None,
            region: None,
            addressing: None,
            session_token: None,
            expires_at: None,
            remaining_s: None,
            borrows_from: None,
            origin: Origin::File.as_str(),
            variable: None,
            shadowed: false,
            broken: None,
        }
    }
}

/// The cells of a table row: name, kind, endpoint, region, token, expiry, origin, and what is wrong.
pub(super) fn row(entry: &Entry, now: Timestamp) -> Vec<String> {
    let dash = || "-".to_owned();
    let origin = match &entry.origin {
        Origin::Environment(variable) => variable.clone(),
        other => other.as_str().to_owned(),
    };
    let shadowed = if entry.shadowed { "shadowed" } else { "" };
    let alias = match &entry.alias {
        Ok(alias) => alias,
        Err(error) => {
            let broken = [shadowed, &format!("broken: {error}")].join(" ").trim().to_owned();
            return vec![entry.name.clone(), dash(), dash(), dash(), dash(), dash(), origin, broken];
        }
    };
    let expires = expiry(alias).map_or_else(dash, |at| match at <= now {
        true => format!("expired {}", relative(at, now)),
        false => relative(at, now),
    });
    vec![
        alias.name.clone(),
        kind(alias).to_owned(),
        alias.endpoint.clone(),
        alias.region.clone(),
        if alias.session_token().is_some() { "yes" } else { "no" }.to_owned(),
        expires,
        origin,
        shadowed.to_owned(),
    ]
}

/// One word for the sort of credentials.
pub(super) fn kind(alias: &Alias) -> &'static str {
    match &alias.credentials {
        CredentialsSource::Anonymous => "anonymous",
        CredentialsSource::Static(keys) if keys.session_token.is_some() => "temporary",
        CredentialsSource::Static(_) => "static",
        CredentialsSource::Session(_) => "session",
        CredentialsSource::Role(_) => "role",
        CredentialsSource::Profile(_) => "profile",
        CredentialsSource::Process(_) => "process",
        CredentialsSource::Chain => "chain",
    }
}

fn expiry(alias: &Alias) -> Option<Timestamp> {
    match &alias.credentials {
        CredentialsSource::Static(keys) => keys.expires_at,
        _ => None,
    }
}

/// What is asked for credentials: a session, role or profile by name. Never a command, which may hold a secret.
fn borrows_from(alias: &Alias) -> Option<String> {
    match &alias.credentials {
        CredentialsSource::Session(name) | CredentialsSource::Role(name) | CredentialsSource::Profile(name) => {
            Some(name.clone())
        }
        _ => None,
    }
}
