//! A store stand-in that counts, remembers which keys signed, and can send without end. It checks no signatures: that
//! the gate's are right is shown elsewhere, against stores that do.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hallpass_core::clock::Clock;

/// A stand-in that is forgotten ends after this many connections.
const CONNECTIONS_MAX: usize = 100_000;
/// No connection lives longer.
const LIFE: Duration = Duration::from_secs(120);
/// What AssumeRole lends.
pub const LENT_KEY: &str = "ASIALENT000000000042";
/// Its secret.
pub const LENT_SECRET: &str = "lent-secret-of-the-role-session-0000042";
/// Its token.
pub const LENT_TOKEN: &str = "lent-token-of-the-role-session-00000042";
/// The length that `/lent/stream` announces.
const STREAM_BYTES: u64 = 1 << 30;

#[derive(Debug, Default)]
struct Seen {
    requests: AtomicU64,
    sent: AtomicU64,
    keys: Mutex<BTreeSet<String>>,
    stop: AtomicBool,
}

/// A running upstream; ends when dropped.
#[derive(Debug)]
pub struct Standin {
    address: SocketAddr,
    seen: Arc<Seen>,
}

impl Standin {
    /// Starts one on loopback.
    ///
    /// # Panics
    /// There is no port left.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().take(CONNECTIONS_MAX) {
                let seen = Arc::clone(&shared);
                if seen.stop.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    std::thread::spawn(move || drop(serve(stream, &seen)));
                }
            }
        });
        Self { address, seen }
    }

    /// Its address, `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests that arrived.
    pub fn requests(&self) -> u64 {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// Bytes of bodies that were sent.
    pub fn sent(&self) -> u64 {
        self.seen.sent.load(Ordering::SeqCst)
    }

    /// Access key ids that signed.
    ///
    /// # Panics
    /// A connection's thread has panicked.
    pub fn keys(&self) -> BTreeSet<String> {
        self.seen.keys.lock().expect("not poisoned").clone()
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.seen.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut stream: TcpStream, seen: &Seen) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        seen.requests.fetch_add(1, Ordering::SeqCst);
        let key = head.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or("none");
        seen.keys.lock().expect("not poisoned").insert(key.to_owned());
        let length =
            head.to_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        if String::from_utf8_lossy(&body).contains("Action=AssumeRole") {
            stream.write_all(assumed().as_bytes())?;
            continue;
        }
        if head.contains("/lent/stream") {
            return endless(&mut stream, seen);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-amz-request-id: R1\r\n\r\nalpha")?;
        seen.sent.fetch_add(5, Ordering::SeqCst);
    }
}

/// STS's answer (STS API Reference, AssumeRole).
fn assumed() -> String {
    let expires = jiff::Timestamp::from_second(hallpass_control::clock::SystemClock.now().as_second() + 3_600);
    let expires = expires.expect("a time").strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
         <AssumedRoleId>AROA1:s</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/agent/s</Arn>\
         </AssumedRoleUser><Credentials><AccessKeyId>{LENT_KEY}</AccessKeyId>\
         <SecretAccessKey>{LENT_SECRET}</SecretAccessKey><SessionToken>{LENT_TOKEN}</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata>\
         <RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"
    );
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn endless(stream: &mut TcpStream, seen: &Seen) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {STREAM_BYTES}\r\nx-amz-request-id: R2\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let block = [b'x'; 64 * 1024];
    let begun = Instant::now();
    while begun.elapsed() < LIFE && !seen.stop.load(Ordering::SeqCst) {
        stream.write_all(&block)?;
        seen.sent.fetch_add(block.len() as u64, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
