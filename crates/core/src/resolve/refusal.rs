//! A denial in the shape that the child's SDK reads.

use super::Protocol;
use crate::denial::Denial;

/// How an answer must look, known from the request's head even when nothing else is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// Protocol; `None` answers as S3 does.
    pub protocol: Option<Protocol>,
    /// The request was a HEAD: the answer has no body.
    pub head: bool,
    /// The client reads `x-amzn-query-error` (it sent `x-amzn-query-mode: true`).
    pub query_mode: bool,
}

impl Shape {
    /// Guesses from a head that may be unsigned or malformed; never fails. Header names in lower case.
    pub fn guess(method: &str, _path: &str, _headers: &[(&str, &[u8])]) -> Self {
        Self { protocol: None, head: method == "HEAD", query_mode: false }
    }
}

/// The answer to a refused request. `content-length` is left to the HTTP layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for HEAD.
    pub body: Vec<u8>,
}

/// Gives a denial the protocol's own error shape. The message is [`Denial::message`], escaped.
///
/// Only codes that a retry can cure (audit, credential, upstream) get a status that SDKs retry.
/// Source: the AWS "common errors" pages, and botocore's parsers for the shapes.
pub fn refusal(_shape: Shape, denial: &Denial, request_id: &str) -> Refusal {
    let headers =
        vec![("x-amz-request-id", request_id.to_owned()), ("x-hallpass-reason", denial.code.as_str().to_owned())];
    Refusal { status: 403, headers, body: denial.message().into_bytes() }
}
