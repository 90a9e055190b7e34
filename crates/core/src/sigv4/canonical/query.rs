//! The canonical query, which is also the query that is sent.
//!
//! A `+` on the wire is a plus and is written `%2B`, never a space. RFC 3986 says so, every AWS SDK sends a space as
//! `%20` and a plus as `%2B`, and servers disagree about a raw `+`; sending `%2B` leaves nothing to disagree about.
//! A client that meant a space and signed `%20` is refused, not reinterpreted.

use std::borrow::Cow;

use super::{escaped_byte, is_unreserved, push_escaped};
use crate::limits::QUERY_PARAMETERS_MAX;
use crate::sigv4::error::VerifyError;

/// Names and values re-encoded, sorted by encoded name and then encoded value, `name=` for a bare name.
///
/// # Errors
/// [`VerifyError::Query`] when a `%` is not followed by two hex digits or a control byte is there,
/// [`VerifyError::QueryTooLong`].
pub fn canonical(raw: &str) -> Result<String, VerifyError> {
    let mut encoded: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs(raw)? {
        encoded.push((encode(name)?, encode(value)?));
    }
    encoded.sort_unstable();
    let mut out = String::with_capacity(raw.len() + 8);
    for (name, value) in &encoded {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
    Ok(out)
}

/// The raw pairs in the order received. Empty pieces (`&&`) carry nothing and are dropped.
///
/// # Errors
/// [`VerifyError::QueryTooLong`] past [`QUERY_PARAMETERS_MAX`].
pub(crate) fn pairs(raw: &str) -> Result<impl Iterator<Item = (&str, &str)>, VerifyError> {
    if raw.bytes().filter(|b| *b == b'&').count() >= QUERY_PARAMETERS_MAX {
        return Err(VerifyError::QueryTooLong);
    }
    Ok(raw.split('&').filter(|piece| !piece.is_empty()).map(|piece| piece.split_once('=').unwrap_or((piece, ""))))
}

/// The bytes that a name or value stands for.
pub(crate) fn decode(raw: &str) -> Result<Cow<'_, [u8]>, VerifyError> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw.as_bytes()));
    }
    let raw = raw.as_bytes();
    let mut out = Vec::with_capacity(raw.len());
    let mut i = 0;
    while i < raw.len() {
        let (b, width) = byte_at(raw, i)?;
        out.push(b);
        i += width;
    }
    Ok(Cow::Owned(out))
}

fn encode(raw: &str) -> Result<String, VerifyError> {
    let raw = raw.as_bytes();
    let mut out = String::with_capacity(raw.len() + 8);
    let mut i = 0;
    while i < raw.len() {
        let (b, width) = byte_at(raw, i)?;
        if is_unreserved(b) {
            out.push(char::from(b))
        } else {
            push_escaped(&mut out, b)
        }
        i += width;
    }
    Ok(out)
}

fn byte_at(raw: &[u8], i: usize) -> Result<(u8, usize), VerifyError> {
    match raw[i] {
        b'%' => {
            escaped_byte(raw, i).map(|b| (b, 3)).ok_or(VerifyError::Query("a `%` is not followed by two hex digits"))
        }
        b if b.is_ascii_control() => Err(VerifyError::Query("it holds a control character")),
        b => Ok((b, 1)),
    }
}
