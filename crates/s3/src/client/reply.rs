//! A good answer.

use bytes::Bytes;
use hallpass_core::limits::S3_DOCUMENT_BYTES_MAX;
use http::HeaderMap;

use super::body::Body;
use super::xml::Element;
use crate::error::{Answer, ErrorKind, S3Error};

/// An answer of 200 to 299.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// The same, read to its end.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Reply {
    pub(crate) async fn whole(self) -> Result<Whole, S3Error> {
        Ok(Whole { headers: self.headers, bytes: self.body.collect(S3_DOCUMENT_BYTES_MAX).await? })
    }
}

impl Whole {
    /// The document, whose root must have this name.
    pub(crate) fn document(&self, root: &str) -> Result<Element, S3Error> {
        Element::parse(&self.bytes).filter(|found| found.name == root).ok_or_else(|| not_a_document(root))
    }

    /// The same, where some stores call the root otherwise.
    pub(crate) fn document_or(&self, root: &str, other: &str) -> Result<Element, S3Error> {
        self.document(root).or_else(|error| self.document(other).map_err(|_| error))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        text_of(&self.headers, name)
    }
}

/// A header's value, where it is text.
pub(crate) fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| str::from_utf8(value.as_bytes()).ok())
}

fn not_a_document(root: &str) -> S3Error {
    S3Error::Store(
        ErrorKind::General,
        Answer {
            code: "UnexpectedAnswer".to_owned(),
            message: format!("the store's answer is no `{root}` document: is the endpoint an S3 store?"),
            status: None,
            retryable: false,
        },
    )
}
