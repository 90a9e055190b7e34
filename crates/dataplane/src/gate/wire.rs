//! Watches the bytes that the child sends, and judges the framing of every request head.
//!
//! The HTTP library is lenient where request smuggling lives: it drops a `Content-Length` beside a
//! `Transfer-Encoding`, merges equal lengths, takes a bare line feed. Its view of a request no longer shows that.
//! So the bytes are judged as they pass, by a reader that changes none of them: RFC 9112 sections 2.2, 5.1, 6.1, 6.3.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hallpass_core::limits::REQUEST_HEAD_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How the body of a request is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    None,
    /// This many bytes.
    Length(u64),
    /// By `Transfer-Encoding: chunked`. The connection ends after it, so no head follows that we must find.
    Chunked,
}

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Ambiguous or malformed; the text says how.
    Malformed(&'static str),
    /// Longer than [`REQUEST_HEAD_BYTES_MAX`].
    TooLarge,
}

type Verdict = Result<Framing, Fault>;

/// The verdicts on heads that have passed, oldest first: the n-th is for the n-th request of the connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdicts(Arc<Mutex<VecDeque<Verdict>>>);

impl Verdicts {
    /// The verdict on the request that is now being served.
    pub(super) fn next(&self) -> Verdict {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        next.unwrap_or(Err(Fault::Malformed("the request's head was not understood")))
    }

    fn push(&self, verdict: Verdict) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(verdict);
    }
}

/// A socket of the child, with its bytes watched.
#[derive(Debug)]
pub(super) struct Tap<T> {
    io: T,
    reader: Reader,
}

impl<T> Tap<T> {
    pub(super) fn new(io: T, verdicts: Verdicts) -> Self {
        Self { io, reader: Reader { state: State::Head, head: Vec::new(), verdicts } }
    }

    pub(super) fn into_inner(self) -> T {
        self.io
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.reader.feed(buf.filled().get(before..).unwrap_or_default());
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Within a head, or before one.
    Head,
    /// Within a body of known length: this much is still to come.
    Body(u64),
    /// Nothing that follows is looked at: a fault or a chunked body ends the connection.
    Over,
}

#[derive(Debug)]
struct Reader {
    state: State,
    /// The part of a head that came in an earlier read. Empty for most requests: a head comes in one read.
    head: Vec<u8>,
    verdicts: Verdicts,
}

impl Reader {
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.state {
                State::Over => return,
                State::Body(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(here..).unwrap_or_default();
                    self.state = match left - here as u64 {
                        0 => State::Head,
                        more => State::Body(more),
                    };
                }
                State::Head if self.head.is_empty() => match head_len(bytes) {
                    Some(len) => {
                        self.judge(bytes.get(..len).unwrap_or_default());
                        bytes = bytes.get(len..).unwrap_or_default();
                    }
                    None => return self.keep(bytes),
                },
                State::Head => {
                    let had = self.head.len();
                    self.head.extend_from_slice(bytes);
                    match head_len(&self.head) {
                        Some(len) => {
                            let head = std::mem::take(&mut self.head);
                            self.judge(head.get(..len).unwrap_or_default());
                            bytes = bytes.get(len.saturating_sub(had)..).unwrap_or_default();
                        }
                        None => return self.limit(),
                    }
                }
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.head.extend_from_slice(bytes);
        self.limit();
    }

    fn limit(&mut self) {
        if self.head.len() > REQUEST_HEAD_BYTES_MAX {
            self.head = Vec::new();
            self.verdict(Err(Fault::TooLarge));
        }
    }

    fn judge(&mut self, head: &[u8]) {
        if head.len() > REQUEST_HEAD_BYTES_MAX {
            self.verdict(Err(Fault::TooLarge));
        } else {
            self.verdict(framing(head).map_err(Fault::Malformed));
        }
    }

    fn verdict(&mut self, verdict: Verdict) {
        self.state = match verdict {
            Ok(Framing::None | Framing::Length(0)) => State::Head,
            Ok(Framing::Length(bytes)) => State::Body(bytes),
            Ok(Framing::Chunked) | Err(_) => State::Over,
        };
        self.verdicts.push(verdict);
    }
}

/// Length of the head at the beginning of `bytes`, through the empty line that ends it. Empty lines before the
/// request line belong to it (RFC 9112 section 2.2). A line may end in a bare line feed here, because that is how
/// the HTTP library splits; [`framing`] refuses it.
fn head_len(bytes: &[u8]) -> Option<usize> {
    let mut begun = false;
    let mut from = 0;
    while let Some(end) = memchr::memchr(b'\n', bytes.get(from..)?) {
        let line = bytes.get(from..from + end)?;
        from += end + 1;
        match line {
            b"" | b"\r" if begun => return Some(from),
            b"" | b"\r" => {}
            _ => begun = true,
        }
    }
    None
}

/// The framing that a complete head declares, if it declares exactly one.
fn framing(head: &[u8]) -> Result<Framing, &'static str> {
    let mut length = None;
    let mut chunked = false;
    let mut lines = 0_usize;
    for line in head.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r\n").ok_or("a line ends in a bare line feed")?;
        if memchr::memchr2(b'\r', 0, line).is_some() {
            return Err("a line holds a carriage return or a NUL");
        }
        if line.is_empty() {
            continue;
        }
        lines += 1;
        if lines == 1 {
            continue;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err("a header is folded over several lines");
        }
        let colon = memchr::memchr(b':', line).ok_or("a header has no colon")?;
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.is_empty() || name.ends_with(b" ") || name.ends_with(b"\t") {
            return Err("a header has no name, or a space behind it");
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if length.replace(digits(value)?).is_some() {
                return Err("there is more than one Content-Length");
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err("Transfer-Encoding is not exactly `chunked`");
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (None, false) => Ok(Framing::None),
        (Some(bytes), false) => Ok(Framing::Length(bytes)),
        (None, true) => Ok(Framing::Chunked),
        (Some(_), true) => Err("there are both Content-Length and Transfer-Encoding"),
    }
}

fn digits(value: &[u8]) -> Result<u64, &'static str> {
    let fault = "Content-Length is not a number";
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(fault);
    }
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or(fault)
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::REQUEST_HEAD_BYTES_MAX;

    use super::{Fault, Framing, Reader, State, Verdict, Verdicts};

    /// The verdicts on a stream that arrives in reads of `size` bytes.
    fn judged(stream: &[u8], size: usize) -> Vec<Verdict> {
        let verdicts = Verdicts::default();
        let mut reader = Reader { state: State::Head, head: Vec::new(), verdicts: verdicts.clone() };
        for read in stream.chunks(size) {
            reader.feed(read);
        }
        verdicts.0.lock().expect("no panic").drain(..).collect()
    }

    fn same_for_every_read_size(stream: &[u8]) -> Vec<Verdict> {
        let whole = judged(stream, stream.len());
        for size in 1..stream.len() {
            assert_eq!(judged(stream, size), whole, "reads of {size} bytes");
        }
        whole
    }

    #[test]
    fn heads_are_found_behind_bodies_however_the_bytes_arrive() {
        let stream = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n\
            PUT /x HTTP/1.1\r\nContent-Length: 7\r\n\r\nGET /\r\n\
            \r\nPUT /y HTTP/1.1\r\ncontent-length:0\r\n\r\n\
            PUT /z HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nbad\r\n\r\n";
        let expected = vec![Ok(Framing::None), Ok(Framing::Length(7)), Ok(Framing::Length(0)), Ok(Framing::Chunked)];
        assert_eq!(same_for_every_read_size(stream), expected);
    }

    #[test]
    fn every_ambiguous_framing_is_a_fault() {
        for headers in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 0x5\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length : 5\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: \x0bchunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "X: y\nTransfer-Encoding: chunked\r\n",
            "X: y\r\n Transfer-Encoding: chunked\r\n",
            "X: y\rTransfer-Encoding: chunked\r\n",
            "X: a\0b\r\n",
            ": empty\r\n",
            "no colon\r\n",
        ] {
            let stream = format!("PUT / HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
            let verdicts = same_for_every_read_size(stream.as_bytes());
            assert!(matches!(verdicts[..], [Err(Fault::Malformed(_))]), "{headers:?}: {verdicts:?}");
        }
    }

    #[test]
    fn a_head_past_the_limit_is_a_fault_before_it_ends() {
        let endless = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &vec![b'a'; REQUEST_HEAD_BYTES_MAX]].concat();
        assert_eq!(judged(&endless, 4096), [Err(Fault::TooLarge)]);
        let ended = [endless.as_slice(), b"\r\n\r\n"].concat();
        assert_eq!(judged(&ended, ended.len()), [Err(Fault::TooLarge)]);
    }
}
