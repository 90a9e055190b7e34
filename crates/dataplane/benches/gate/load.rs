//! The load generator: one thread, requests signed beforehand, answers only counted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hallpass_core::sigv4::AmzDate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::request::{self, Put};
use crate::server::Server;

/// What a round of small requests showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) per_s: f64,
    /// Processor time of the server, per request.
    pub(crate) cpu_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// What one large body showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transfer {
    pub(crate) mb_per_s: f64,
    pub(crate) cpu_ms_per_gb: f64,
}

/// Which way a large body goes, and how it is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Down,
    Unsigned,
    Signed,
    Chunked,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Down, Self::Unsigned, Self::Signed, Self::Chunked];

    /// By its name in lower case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| format!("{way:?}").eq_ignore_ascii_case(name))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Unsigned => "up, UNSIGNED-PAYLOAD",
            Self::Signed => "up, signed hash",
            Self::Chunked => "up, aws-chunked",
        }
    }
}

/// The time of signing. One for a whole run, which is shorter than a signature lives.
pub(crate) fn now() -> AmzDate {
    #[expect(clippy::disallowed_methods, reason = "the clients sign with the time of day")]
    AmzDate::at(jiff::Timestamp::now()).expect("a date")
}

/// As many small requests as are answered within `time`, on this many connections.
pub(crate) fn small(server: &Server, connections: usize, time: Duration) -> Outcome {
    let host = server.address.to_string();
    let request = request::get(&host, request::SMALL, request::SMALL_QUERY, now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let (mut taken, before, began) = local.block_on(&runtime, async {
        let mut sockets = Vec::new();
        for _ in 0..connections {
            let mut socket = tokio::net::TcpStream::connect(server.address).await.expect("connects");
            socket.set_nodelay(true).expect("no delay");
            // The first request opens the upstream connection, and is not measured.
            asked(&mut socket, &request, server.name).await;
            sockets.push(socket);
        }
        let (before, began) = (server.cpu_ns(), Instant::now());
        let until = began + time;
        let tasks: Vec<_> = sockets
            .into_iter()
            .map(|mut socket| {
                let request = request.clone();
                let name = server.name;
                tokio::task::spawn_local(async move {
                    let mut taken = Vec::with_capacity(16_384);
                    let mut at = Instant::now();
                    while at < until {
                        asked(&mut socket, &request, name).await;
                        let now = Instant::now();
                        taken.push(u32::try_from((now - at).as_nanos()).unwrap_or(u32::MAX));
                        at = now;
                    }
                    taken
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.expect("no panic"));
        }
        (all, before, began)
    });
    // The upstream's threads end with their connections, and take what they cost along.
    let cpu_ns = server.cpu_ns().checked_sub(before).map_or(f64::NAN, |ns| ns as f64);
    let lasted = began.elapsed();
    taken.sort_unstable();
    let count = taken.len() as f64;
    let percentile = |share: f64| f64::from(taken[((count * share) as usize).min(taken.len() - 1)]) / 1e3;
    Outcome {
        per_s: count / lasted.as_secs_f64(),
        cpu_us: cpu_ns / 1e3 / count,
        p50_us: percentile(0.5),
        p99_us: percentile(0.99),
    }
}

async fn asked(socket: &mut tokio::net::TcpStream, request: &[u8], name: &str) {
    socket.write_all(request).await.expect("sent");
    let mut buffer = [0_u8; 4_096];
    let (mut have, mut want) = (0, usize::MAX);
    while have < want {
        let read = socket.read(&mut buffer[have..]).await.expect("an answer");
        assert!(read > 0, "{name} closed: {}", String::from_utf8_lossy(&buffer[..have]));
        have += read;
        if want == usize::MAX {
            want = whole(&buffer[..have], name).unwrap_or(usize::MAX);
        }
    }
}

/// Length of the answer, once its head is there.
fn whole(bytes: &[u8], name: &str) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "{name}: {}", String::from_utf8_lossy(bytes));
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).expect("a length");
    Some(end + length.trim().parse::<usize>().expect("a number"))
}

/// One large body.
pub(crate) fn transfer(server: &Server, way: Way, bytes: usize) -> Transfer {
    static BODY: OnceLock<Arc<[u8]>> = OnceLock::new();
    let body = BODY.get_or_init(|| vec![7; bytes].into());
    let host = server.address.to_string();
    let (head, body) = match way {
        Way::Down => (request::get(&host, request::LARGE, "", now()), Arc::default()),
        Way::Unsigned => request::put(&host, now(), Put::Unsigned, body),
        Way::Signed => request::put(&host, now(), Put::Signed, body),
        Way::Chunked => request::put(&host, now(), Put::Chunked, body),
    };
    let mut socket = TcpStream::connect(server.address).expect("connects");
    let (before, began) = (server.cpu_ns(), Instant::now());
    socket.write_all(&head).and_then(|()| socket.write_all(&body)).expect("sent");
    let mut buffer = vec![0_u8; 256 << 10];
    let (mut kept, mut have, mut want) = (Vec::new(), 0, usize::MAX);
    while have < want {
        let read = socket.read(&mut buffer).expect("an answer");
        assert!(read > 0, "{} closed after {have} bytes", server.name);
        have += read;
        if want == usize::MAX {
            kept.extend_from_slice(&buffer[..read]);
            want = whole(&kept, server.name).unwrap_or(usize::MAX);
        }
    }
    let lasted = began.elapsed().as_secs_f64();
    let cpu_ns = server.cpu_ns().saturating_sub(before);
    Transfer { mb_per_s: bytes as f64 / 1e6 / lasted, cpu_ms_per_gb: cpu_ns as f64 / 1e6 / (bytes as f64 / 1e9) }
}
