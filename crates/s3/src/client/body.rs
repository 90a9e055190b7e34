//! The body of an answer, read as a stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Incoming};

use super::flow::Flow;
use super::wire::{Pool, Wire};
use crate::error::{Answer, ErrorKind, S3Error};

/// A stream of bytes. A connection whose stream is read to its end is used again; one that is dropped before is closed.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    wire: Option<Box<Wire>>,
    pool: Arc<Pool>,
    flow: Flow,
    idle: Duration,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, wire: Box<Wire>, pool: &Arc<Pool>, flow: Flow, idle: Duration) -> Self {
        let mut body = Self { incoming, wire: Some(wire), pool: Arc::clone(pool), flow, idle };
        if body.incoming.is_end_stream() {
            body.release();
        }
        body
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`S3Error::Store`] of sort `Network`, retryable: the connection broke, the body is shorter than announced, or
    /// nothing came for as long as the client's options allow.
    pub async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            if self.wire.is_none() {
                return Ok(None);
            }
            let frame = match tokio::time::timeout(self.idle, self.frame()).await {
                Ok(frame) => frame,
                Err(_) => {
                    self.wire = None;
                    return Err(silent(self.idle));
                }
            };
            match frame {
                None => self.release(),
                Some(Err(error)) => {
                    self.wire = None;
                    return Err(broken(&error));
                }
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    if self.incoming.is_end_stream() {
                        self.release();
                    }
                    if let Some(limit) = &self.flow.limit {
                        tokio::time::sleep(limit.take(bytes.len() as u64)).await;
                    }
                    self.flow.moved(bytes.len() as u64);
                    return Ok(Some(bytes));
                }
            }
        }
    }

    /// All bytes.
    ///
    /// # Errors
    /// Those of [`Self::next`]; [`S3Error::Store`] for more than `limit` bytes.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, S3Error> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let mut all = None;
        let mut length = first.len();
        while let Some(bytes) = self.next().await? {
            length += bytes.len();
            if length > limit {
                break;
            }
            all.get_or_insert_with(|| BytesMut::from(&first[..])).extend_from_slice(&bytes);
        }
        if length > limit {
            return Err(S3Error::Store(
                ErrorKind::General,
                Answer {
                    code: "TooLarge".to_owned(),
                    message: format!("the store's answer has more than {limit} bytes"),
                    status: None,
                    retryable: false,
                },
            ));
        }
        Ok(all.map_or(first, BytesMut::freeze))
    }

    async fn frame(&mut self) -> Option<Result<hyper::body::Frame<Bytes>, hyper::Error>> {
        let Self { incoming, wire, .. } = self;
        poll_fn(|cx| {
            if let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) {
                return Poll::Ready(frame);
            }
            if let Some(wire) = wire {
                wire.drive(cx);
            }
            Pin::new(&mut *incoming).poll_frame(cx)
        })
        .await
    }

    fn release(&mut self) {
        if let Some(wire) = self.wire.take() {
            self.pool.keep(wire);
        }
    }
}

/// Nothing came for so long.
pub(crate) fn silent(idle: Duration) -> S3Error {
    network("timeout", format!("the store has been silent for {} s", idle.as_secs()))
}

pub(crate) fn broken(error: &hyper::Error) -> S3Error {
    if error.is_parse() || error.is_parse_too_large() {
        return network("protocol", format!("the store does not speak HTTP as it should: {error}"));
    }
    network("connection", format!("the connection to the store broke: {error}"))
}

/// A failure on the way that may pass.
pub(crate) fn network(code: &str, message: String) -> S3Error {
    let message = crate::error::text::cleaned(&message);
    S3Error::Store(ErrorKind::Network, Answer { code: code.to_owned(), message, status: None, retryable: true })
}
