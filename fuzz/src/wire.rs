//! The bytes of a child's connection: where each request's head ends, and how its body is delimited.
//!
//! The gate's own file is compiled in here: it needs nothing of the gate, and the gate shows it to nobody.

use std::pin::Pin;
use std::task::{Context, Waker};

// The gate's file, compiled in below, searches with it.
use memchr as _;
use tokio::io::{AsyncRead, ReadBuf};
use watched::{Fault, Framing, Tap, Verdicts};

use crate::input;

#[expect(dead_code, reason = "the gate uses the rest")]
#[path = "../../crates/dataplane/src/gate/wire.rs"]
mod watched;

/// What a stream without a further head is answered with.
const UNJUDGED: &str = "the request's head was not understood";

/// A whole connection.
pub fn run(data: &[u8]) {
    let whole = judged(data, data.len().max(1));
    let cut = input::choice(data) % 17 + 1;
    assert_eq!(judged(data, cut), whole, "one judgement, however the bytes arrive ({cut} at a time)");
    if let Some(Ok(framing)) = whole.first() {
        first(data, *framing);
    }
}

/// The judgement on the first head, against a second reading of its lines.
fn first(data: &[u8], framing: Framing) {
    let start = data.iter().position(|b| !b"\r\n".contains(b)).unwrap_or(0);
    let data = &data[start..];
    let end = data.windows(4).position(|four| four == b"\r\n\r\n").expect("an accepted head ends in CRLF CRLF");
    let head = String::from_utf8_lossy(&data[..end]).to_ascii_lowercase();
    assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "an accepted head has one kind of line");
    let values = |wanted: &str| -> Vec<String> {
        let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(name, _)| *name == wanted).map(|(_, value)| value.trim().to_owned()).collect()
    };
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    match framing {
        Framing::None => assert!(lengths.is_empty() && codings.is_empty(), "{head:?}"),
        Framing::Length(bytes) => {
            assert_eq!(lengths.len(), 1, "{head:?}");
            assert_eq!(lengths[0].parse(), Ok(bytes), "{head:?}");
            assert!(codings.is_empty(), "{head:?}");
        }
        Framing::Chunked => {
            assert_eq!(codings, ["chunked"], "{head:?}");
            assert!(lengths.is_empty(), "{head:?}");
        }
    }
}

/// The verdicts on a stream that arrives in reads of `size` bytes.
fn judged(data: &[u8], size: usize) -> Vec<Result<Framing, Fault>> {
    let verdicts = Verdicts::default();
    let mut tap = Tap::new(data, verdicts.clone());
    let mut cx = Context::from_waker(Waker::noop());
    let mut room = vec![0; size];
    loop {
        let mut buffer = ReadBuf::new(&mut room);
        assert!(Pin::new(&mut tap).poll_read(&mut cx, &mut buffer).is_ready(), "a slice is always ready");
        if buffer.filled().is_empty() {
            break;
        }
    }
    let mut all = Vec::new();
    loop {
        match verdicts.next() {
            Err(Fault::Malformed(UNJUDGED)) => return all,
            verdict => all.push(verdict),
        }
    }
}
