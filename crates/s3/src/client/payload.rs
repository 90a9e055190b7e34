//! The body of a request: bytes or a range of a file. It can always be sent again.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hallpass_core::sigv4::checksum::{Checksum, ChecksumAlgorithm};
use hyper::body::{Body, Frame, SizeHint};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tokio::time::Sleep;

use super::flow::{Flow, Transit};
use crate::error::{ErrorKind, S3Error};

/// Bytes that are hashed at once while a file is read.
const HASHED_AT_ONCE_BYTES: usize = 256 * 1024;

/// What is sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Payload {
    source: Source,
    /// Where it was worked out already.
    sha256: Option<[u8; 32]>,
}

#[derive(Debug, Clone)]
enum Source {
    Bytes(Bytes),
    File { file: Arc<File>, name: Arc<str>, offset: u64, length: u64 },
}

impl Payload {
    /// Nothing.
    pub fn empty() -> Self {
        Self::of(Source::Bytes(Bytes::new()))
    }

    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Source::Bytes(bytes.into()))
    }

    /// Bytes in memory that are hashed here and now, and not when they are sent.
    pub(crate) fn hashed(bytes: Bytes) -> Self {
        Self { sha256: Some(Sha256::digest(&bytes).into()), ..Self::bytes(bytes) }
    }

    fn of(source: Source) -> Self {
        Self { source, sha256: None }
    }

    /// `length` bytes of a file from `offset` on, read as they are sent. `name` is for errors.
    pub fn file(file: Arc<File>, name: &str, offset: u64, length: u64) -> Self {
        Self::of(Source::File { file, name: name.into(), offset, length })
    }

    /// Length, bytes.
    pub fn len(&self) -> u64 {
        match &self.source {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File { length, .. } => *length,
        }
    }

    /// True for no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of all bytes.
    pub(crate) async fn sha256(&self) -> Result<[u8; 32], S3Error> {
        if let Some(known) = self.sha256 {
            return Ok(known);
        }
        let mut hash = Sha256::new();
        match &self.source {
            Source::Bytes(bytes) => hash.update(bytes),
            Source::File { .. } => {
                let payload = self.clone();
                hash = off_thread(move || payload.pieces(|piece| hash.update(piece)).map(|()| hash)).await?;
            }
        }
        Ok(hash.finalize().into())
    }

    /// A checksum of all bytes, as its header has it; `None` for an algorithm that only stores know.
    pub(crate) async fn checksum(&self, algorithm: ChecksumAlgorithm) -> Result<Option<String>, S3Error> {
        let Some(mut checksum) = Checksum::new(algorithm) else { return Ok(None) };
        match &self.source {
            Source::Bytes(bytes) => checksum.update(bytes),
            Source::File { .. } => {
                let payload = self.clone();
                let read = move || payload.pieces(|piece| checksum.update(piece)).map(|()| checksum);
                checksum = off_thread(read).await?;
            }
        }
        Ok(Some(checksum.finish()))
    }

    fn pieces(&self, mut take: impl FnMut(&[u8])) -> Result<(), S3Error> {
        match &self.source {
            Source::Bytes(bytes) => take(bytes),
            Source::File { file, name, offset, length } => {
                let mut buffer = vec![0; HASHED_AT_ONCE_BYTES];
                let (mut at, end) = (*offset, offset + length);
                while at < end {
                    let piece = usize::try_from(end - at).unwrap_or(usize::MAX).min(HASHED_AT_ONCE_BYTES);
                    file.read_exact_at(&mut buffer[..piece], at).map_err(|e| unreadable(name, &e))?;
                    take(&buffer[..piece]);
                    at += piece as u64;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn upload(&self, flow: &Flow, transit: &Arc<Transit>) -> Upload {
        Upload { rest: self.source.clone(), next: Next::Idle, flow: flow.clone(), transit: Arc::clone(transit) }
    }
}

/// Runs what blocks where it may.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, S3Error> + Send + 'static,
) -> Result<T, S3Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(S3Error::Interrupted))
}

fn unreadable(name: &str, error: &io::Error) -> S3Error {
    let message = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it became shorter while it was read".to_owned(),
        _ => error.to_string(),
    };
    S3Error::Local { path: name.to_owned(), message, kind: ErrorKind::General }
}

/// One sending of a payload.
#[derive(Debug)]
pub(crate) struct Upload {
    rest: Source,
    next: Next,
    flow: Flow,
    transit: Arc<Transit>,
}

#[derive(Debug)]
enum Next {
    Idle,
    Reading(JoinHandle<io::Result<Bytes>>),
    Waiting(Pin<Box<Sleep>>, Bytes),
    Ready(Bytes),
}

impl Upload {
    /// Begins the next piece; `None` at the end.
    fn begin(&mut self) -> Option<Next> {
        let step = self.flow.step();
        match &mut self.rest {
            Source::Bytes(bytes) if bytes.is_empty() => None,
            Source::Bytes(bytes) => {
                let piece = bytes.split_to(bytes.len().min(usize::try_from(step).unwrap_or(usize::MAX)));
                Some(Self::paid(&self.flow, piece))
            }
            Source::File { length: 0, .. } => None,
            Source::File { file, offset, length, .. } => {
                let piece = step.min(*length);
                let (file, at) = (Arc::clone(file), *offset);
                (*offset, *length) = (*offset + piece, *length - piece);
                Some(Next::Reading(tokio::task::spawn_blocking(move || {
                    let mut buffer = vec![0; usize::try_from(piece).unwrap_or(0)];
                    file.read_exact_at(&mut buffer, at).map(|()| Bytes::from(buffer))
                })))
            }
        }
    }

    fn paid(flow: &Flow, piece: Bytes) -> Next {
        let wait = flow.limit.as_ref().map(|limit| limit.take(piece.len() as u64)).filter(|wait| !wait.is_zero());
        match wait {
            None => Next::Ready(piece),
            Some(wait) => Next::Waiting(Box::pin(tokio::time::sleep(wait)), piece),
        }
    }

    fn failed(&self, error: &io::Error) -> io::Error {
        let name = match &self.rest {
            Source::File { name, .. } => name,
            Source::Bytes(_) => "memory",
        };
        if let S3Error::Local { path, message, .. } = unreadable(name, error) {
            self.transit.fail(path, message);
        }
        io::Error::other("the source cannot be read")
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        loop {
            match &mut this.next {
                Next::Idle => match this.begin() {
                    None => return Poll::Ready(None),
                    Some(next) => this.next = next,
                },
                Next::Reading(reading) => {
                    let read = ready!(Pin::new(reading).poll(cx)).unwrap_or_else(|e| Err(io::Error::other(e)));
                    this.next = match read {
                        Ok(piece) => Self::paid(&this.flow, piece),
                        Err(error) => return Poll::Ready(Some(Err(this.failed(&error)))),
                    };
                }
                Next::Waiting(sleep, piece) => {
                    this.transit.slow(true);
                    ready!(sleep.as_mut().poll(cx));
                    this.transit.slow(false);
                    this.next = Next::Ready(std::mem::take(piece));
                }
                Next::Ready(piece) => {
                    let piece = std::mem::take(piece);
                    this.next = Next::Idle;
                    this.transit.add(piece.len() as u64);
                    this.flow.moved(piece.len() as u64);
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.next, Next::Idle) && self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        let waiting = match &self.next {
            Next::Waiting(_, piece) | Next::Ready(piece) => piece.len() as u64,
            Next::Idle => 0,
            // The length is asked for before the first byte is read.
            Next::Reading(_) => return SizeHint::default(),
        };
        let rest = match &self.rest {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File { length, .. } => *length,
        };
        SizeHint::with_exact(rest + waiting)
    }
}
