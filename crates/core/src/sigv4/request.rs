//! What is signed: the parts of a request, borrowed exactly as they are on the wire.

use std::fmt;

use super::error::VerifyError;

/// The parts of an HTTP request that a signature covers, as on the wire. Nothing here is decoded or trusted.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The method, upper case.
    pub method: &'a str,
    /// The path as received: percent-encoded, without the query.
    pub path: &'a str,
    /// The query as received, without the `?`; empty when there is none.
    pub query: &'a str,
    /// Every header in the order received: lower-case names, values as bytes. `host` must be among them.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Parts<'a> {
    /// The first value of a header. `name` is lower case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }
}

impl fmt::Debug for Parts<'_> {
    /// Header values and the query may hold signatures and tokens, so only names are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Parts")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// How a service makes the canonical path. The switches are those of AWS's endpoint rules
/// (`disableNormalizePath`, `disableDoubleEncoding`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStyle {
    /// The S3 family: the key is byte-exact (`//`, `.` and `..` stay), percent-encoded once.
    S3,
    /// Every other service: dot segments and empty segments removed, the encoded path is encoded again.
    Normalised,
    /// A service whose endpoint rules say `disableDoubleEncoding` only: normalised, encoded once.
    NormalisedOnce,
}

impl PathStyle {
    /// The style of a signing name. The S3 family is `s3`, `s3-object-lambda`, `s3-outposts` and `s3express`.
    pub fn for_service(signing_name: &str) -> Self {
        match signing_name {
            "s3" | "s3-object-lambda" | "s3-outposts" | "s3express" => Self::S3,
            _ => Self::Normalised,
        }
    }
}

/// Refuses a header list that two readers could read differently.
///
/// # Errors
/// [`VerifyError::DuplicateHeader`] when a header that decides who asks, what is asked or where the body ends occurs
/// twice; [`VerifyError::Header`] when a name is not a lower-case HTTP token or a value holds a control character
/// other than the tab.
pub fn refuse_duplicates(headers: &[(&str, &[u8])]) -> Result<(), VerifyError> {
    let mut seen = 0_u16;
    for (name, value) in headers {
        if name.is_empty() || !name.bytes().all(is_lower_case_token) {
            return Err(VerifyError::Header(printable(name)));
        }
        // No early exit, so that the compiler looks at many bytes at once: tokens are long.
        if value.iter().fold(false, |found, b| found | (*b < b' ' && *b != b'\t') | (*b == 0x7f)) {
            return Err(VerifyError::Header((*name).to_owned()));
        }
        if let Some((bit, once)) = once(name) {
            if seen & bit != 0 {
                return Err(VerifyError::DuplicateHeader(once));
            }
            seen |= bit;
        }
    }
    Ok(())
}

/// The headers that may occur once, each with its bit.
fn once(name: &str) -> Option<(u16, &'static str)> {
    let (index, name) = match name {
        "host" => (0, "host"),
        "authorization" => (1, "authorization"),
        "content-length" => (2, "content-length"),
        "transfer-encoding" => (3, "transfer-encoding"),
        "content-type" => (4, "content-type"),
        "x-amz-date" => (5, "x-amz-date"),
        "x-amz-content-sha256" => (6, "x-amz-content-sha256"),
        "x-amz-security-token" => (7, "x-amz-security-token"),
        "x-amz-target" => (8, "x-amz-target"),
        "x-amz-decoded-content-length" => (9, "x-amz-decoded-content-length"),
        "x-amz-trailer" => (10, "x-amz-trailer"),
        _ => return None,
    };
    Some((1 << index, name))
}

/// A token of RFC 9110, 5.6.2, without upper case letters. A table, because every byte of every name passes here.
pub(crate) fn is_lower_case_token(b: u8) -> bool {
    const LEGAL: [bool; 256] = {
        let legal = b"abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
        let mut table = [false; 256];
        let mut i = 0;
        while i < legal.len() {
            table[legal[i] as usize] = true;
            i += 1;
        }
        table
    };
    LEGAL[usize::from(b)]
}

/// User input for an error message: short and without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
