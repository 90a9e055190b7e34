//! The path as it is sent and as it is signed.
//!
//! Both are made here from what was received, so the policy, the signature and the upstream see one path:
//! for the S3 family the two are equal; for all other services the signed form is the sent form encoded once more.

use std::borrow::Cow;

use super::{escaped_byte, is_unreserved, push_escaped};
use crate::sigv4::error::VerifyError;
use crate::sigv4::request::PathStyle;

/// One path in its two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    /// What goes into the request line.
    pub sent: String,
    signed: Option<String>,
}

impl CanonicalPath {
    /// Makes both forms.
    ///
    /// S3: every byte of the key survives; the escapes are rewritten in the one canonical spelling, and an escaped
    /// slash (`%2F`) becomes the slash that it means, as S3 itself reads it. Others: dot segments and empty segments
    /// are removed (RFC 3986, 5.2.4) and escapes stay as they are.
    ///
    /// # Errors
    /// [`VerifyError::Path`] for what two readers could read differently: a path that does not begin with `/`,
    /// a `%` without two hex digits, `%00`, raw control characters, `?`, `#`, and, outside S3, an escaped dot segment.
    pub fn new(raw: &str, style: PathStyle) -> Result<Self, VerifyError> {
        check(raw)?;
        match style {
            PathStyle::S3 => Ok(Self { sent: spelled(raw, false), signed: None }),
            PathStyle::Normalised => {
                let sent = normalised(&on_the_wire(raw))?;
                let signed = encoded_again(&sent);
                Ok(Self { sent, signed: Some(signed) })
            }
            PathStyle::NormalisedOnce => Ok(Self { sent: normalised(&spelled(raw, true))?, signed: None }),
        }
    }

    /// What goes into the canonical request.
    pub fn signed(&self) -> &str {
        self.signed.as_deref().unwrap_or(&self.sent)
    }
}

fn check(raw: &str) -> Result<(), VerifyError> {
    let bytes = raw.as_bytes();
    if bytes.first().is_some_and(|b| *b != b'/') {
        return Err(VerifyError::Path("it does not begin with `/`"));
    }
    for (i, b) in bytes.iter().enumerate() {
        match b {
            b'%' => match escaped_byte(bytes, i) {
                None => return Err(VerifyError::Path("a `%` is not followed by two hex digits")),
                Some(0) => return Err(VerifyError::Path("it holds `%00`")),
                Some(_) => {}
            },
            b'?' | b'#' => return Err(VerifyError::Path("it holds a `?` or `#` that is not escaped")),
            b if b.is_ascii_control() => return Err(VerifyError::Path("it holds a control character")),
            _ => {}
        }
    }
    Ok(())
}

/// Every byte decoded and encoded again, so that each has one spelling. An escaped slash becomes a slash, or stays
/// escaped where `keep_slash` says that it is data and not a separator.
fn spelled(raw: &str, keep_slash: bool) -> String {
    let bytes = raw.as_bytes();
    let mut out = String::with_capacity(bytes.len() + 8);
    let mut i = 0;
    while i < bytes.len() {
        let (b, width) = if bytes[i] == b'%' { (escaped_byte(bytes, i).unwrap_or(b'%'), 3) } else { (bytes[i], 1) };
        if is_unreserved(b) || (b == b'/' && (width == 1 || !keep_slash)) {
            out.push(char::from(b));
        } else {
            push_escaped(&mut out, b);
        }
        i += width;
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// Bytes that may not stand in a request line are escaped; everything else stays.
fn on_the_wire(raw: &str) -> Cow<'_, str> {
    let legal = |b: u8| is_unreserved(b) || b"/%!$&'()*+,;=:@".contains(&b);
    if raw.bytes().all(legal) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len() + 16);
    for b in raw.bytes() {
        if legal(b) { out.push(char::from(b)) } else { push_escaped(&mut out, b) }
    }
    Cow::Owned(out)
}

fn normalised(path: &str) -> Result<String, VerifyError> {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ if is_escaped_dots(segment) => return Err(VerifyError::Path("it holds an escaped dot segment")),
            _ => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    let directory = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    if directory || out.is_empty() {
        out.push('/');
    }
    Ok(out)
}

/// `%2e`, `.%2E` and so on: a server that decodes before it routes would climb.
fn is_escaped_dots(segment: &str) -> bool {
    segment.contains('%') && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn encoded_again(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    for b in path.bytes() {
        if is_unreserved(b) || b == b'/' { out.push(char::from(b)) } else { push_escaped(&mut out, b) }
    }
    out
}
