//! Aliases in variables: `HALLPASS_HOST_<NAME>=https://ACCESS_KEY:SECRET_KEY[:TOKEN]@host[:port][?session_token=TOKEN]`,
//! and the same under the prefixes of MinIO's `mc` and rustfs's `rc`.

use std::ffi::{OsStr, OsString};

use hallpass_core::secret::Secret;

use super::{Addressing, Alias, CredentialsSource, check_name, entry, normalise_endpoint};
use crate::error::S3Error;

/// The prefixes, strongest first.
pub const PREFIXES: [&str; 3] = ["HALLPASS_HOST_", "MC_HOST_", "RC_HOST_"];

/// A variable that names an alias, understood or not.
#[derive(Debug, Clone)]
pub struct Named {
    /// The alias.
    pub name: String,
    /// The variable.
    pub variable: String,
    /// The alias, or why there is none.
    pub alias: Result<Alias, S3Error>,
}

/// Every alias in `variables`, strongest prefix first, then by name. A variable that is set to nothing is none.
pub fn parse(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Named> {
    let mut found = Vec::new();
    for (variable, value) in variables {
        let Some(variable) = variable.to_str().map(str::to_owned).filter(|_| !value.is_empty()) else { continue };
        let Some((strength, name)) =
            PREFIXES.iter().enumerate().find_map(|(n, prefix)| Some((n, variable.strip_prefix(prefix)?.to_owned())))
        else {
            continue;
        };
        let alias = check_name(&name).and_then(|()| one(&name, &value));
        found.push((strength, Named { name, variable, alias }));
    }
    found.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.name.cmp(&y.name)));
    found.into_iter().map(|(_, named)| named).collect()
}

/// No message repeats any part of the value: whatever is wrong with it, it may be a secret.
fn one(name: &str, value: &OsStr) -> Result<Alias, S3Error> {
    let Some(text) = value.to_str() else { return wrong("is not text", "write it in ASCII") };
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return wrong("holds a space or a control character", "write it as `%20` and the like, or remove it");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return wrong("does not begin with https:// or http://", "begin it with https:// or http://");
    };
    // Keys may hold `/` and `?`, hosts may not hold `@`: so the last `@` ends the keys.
    let (keys, place) = match rest.rsplit_once('@') {
        Some((keys, place)) => (Some(keys), place),
        None => (None, rest),
    };
    let (host, query) = match place.split_once('?') {
        Some((host, query)) => (host, Some(query)),
        None => (place, None),
    };
    let Ok(endpoint) = normalise_endpoint(&format!("{scheme}://{host}")) else {
        return wrong(
            "does not end with a host, or with a host and a port",
            "write it like `https://ACCESS_KEY:SECRET_KEY@host:9000`; in the keys `@` is `%40`",
        );
    };
    let alias = Alias {
        name: name.to_owned(),
        endpoint,
        region: entry::REGION_WITHOUT_ANY.to_owned(),
        addressing: Addressing::Auto,
        credentials: credentials(keys, query)?,
    };
    alias.check()?;
    Ok(alias)
}

fn credentials(keys: Option<&str>, query: Option<&str>) -> Result<CredentialsSource, S3Error> {
    let from_query = query.map(token_of).transpose()?;
    let Some(keys) = keys else {
        return match from_query {
            None => Ok(CredentialsSource::Anonymous),
            Some(_) => wrong("has a session token but no keys", "write `ACCESS_KEY:SECRET_KEY@` before the host"),
        };
    };
    let parts: Vec<&str> = keys.split(':').collect();
    let (key, secret, token) = match parts.as_slice() {
        [key, secret] => (*key, *secret, None),
        [key, secret, token] => (*key, *secret, Some(*token)),
        [_] => return wrong("has an access key but no secret key", "write `ACCESS_KEY:SECRET_KEY@` before the host"),
        _ => return wrong("has more than three parts before the `@`", "write a `:` inside a key as `%3A`"),
    };
    let token = token.filter(|token| !token.is_empty()).map(decoded).transpose()?;
    let token = match (token, from_query) {
        (Some(a), Some(b)) if a != b => return wrong("has two different session tokens", "keep one of them"),
        (a, b) => a.or(b),
    };
    let key = decoded(key)?;
    entry::keys(Some(key), Some(Secret::new(decoded(secret)?)), token.map(Secret::new), None)
}

fn token_of(query: &str) -> Result<String, S3Error> {
    match query.split_once('=') {
        Some(("session_token", token)) if !token.contains('&') && !token.is_empty() => decoded(token),
        _ => wrong("has something else than `session_token=…` after the `?`", "keep only `?session_token=…`"),
    }
}

/// Percent-decoding (RFC 3986, section 2.1). A `+` is a `+`: nobody has spaces in keys, and many have plus signs.
fn decoded(text: &str) -> Result<String, S3Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let byte = after
            .get(..2)
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let (Some(byte), Some(after)) = (byte, after.get(2..)) else {
            return wrong("has a `%` without two hexadecimal digits after it", "write a `%` in a key as `%25`");
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).or_else(|_| wrong("is not UTF-8 once decoded", "encode the keys again"))
}

fn wrong<T>(message: &str, next: &str) -> Result<T, S3Error> {
    Err(S3Error::usage_with(message, next))
}

#[cfg(test)]
mod tests;
