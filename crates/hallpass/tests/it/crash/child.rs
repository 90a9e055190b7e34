//! The command that is lent a session: this test binary again, making requests as fast as it can.

use std::io::{Read, Write};
use std::net::TcpStream;

use hallpass_control::clock::SystemClock;
use hallpass_core::clock::Clock;
use hallpass_core::sigv4::{AmzDate, Parts, PathStyle, PayloadHash, Scope, Signer, SigningKey, sign};

use super::upstream::BUCKET;

/// Name of the test below, for `--exact`.
pub(crate) const NAME: &str = "crash::child::makes_requests_until_it_dies";
/// What each request's key begins with.
pub(crate) const PREFIX: &str = "CRASH_PREFIX";
/// How many requests each thread makes.
pub(crate) const REQUESTS: &str = "CRASH_REQUESTS";
/// How many threads make requests.
pub(crate) const THREADS: &str = "CRASH_THREADS";

/// Allowed by no policy here.
const QUERY: &str = "Action=GetAccessKeyInfo&AccessKeyId=AKIAIOSFODNN7EXAMPLE&Version=2011-06-15";

/// What the child heard of one request, as it prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) key: String,
    pub(crate) status: u16,
    /// The position that a refusal names.
    pub(crate) entry: Option<u64>,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("heard ")?.splitn(5, ' ');
        let (method, key) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (status, entry) = (words.next()?.parse().ok()?, words.next()?.parse().ok());
        Some(Self { method, key, status, entry, body: words.next()?.to_owned() })
    }
}

#[test]
#[ignore = "the command of the crash rounds, which start it"]
fn makes_requests_until_it_dies() {
    let number = |name| variable(name).parse::<u32>().expect("a number");
    say(&format!("\nchild {} {}\n", std::process::id(), variable("HALLPASS_SESSION_ID")));
    let threads: Vec<_> = (0..number(THREADS))
        .map(|thread| {
            let client = Client::new(format!("{}/{thread}", variable(PREFIX)));
            std::thread::spawn(move || client.play(number(REQUESTS)))
        })
        .collect();
    for thread in threads {
        thread.join().expect("the child's thread");
    }
}

#[expect(clippy::disallowed_methods, reason = "a child knows only what its environment says")]
fn variable(name: &str) -> String {
    std::env::var(name).expect("the rounds set it")
}

/// One write for one line: a child that is killed leaves whole lines.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("somebody reads");
}

struct Client {
    prefix: String,
    host: String,
    region: String,
    key: String,
    secret: String,
    token: String,
    socket: Option<TcpStream>,
}

impl Client {
    fn new(prefix: String) -> Self {
        let host = variable("AWS_ENDPOINT_URL").trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self {
            prefix,
            host,
            region: variable("AWS_REGION"),
            key: variable("AWS_ACCESS_KEY_ID"),
            secret: variable("AWS_SECRET_ACCESS_KEY"),
            token: variable("AWS_SESSION_TOKEN"),
            socket: None,
        }
    }

    /// Writes, reads back, and now and then tries what it may not do: in S3, and in a protocol whose operation stands
    /// in the body.
    fn play(mut self, requests: u32) {
        for number in 0..requests {
            let (method, of) = match number % 8 {
                1 | 5 => ("GET", number - 1),
                3 => ("DELETE", number),
                7 => ("POST", number),
                _ => ("PUT", number),
            };
            let key = format!("{}-{of}", self.prefix);
            match self.send(method, &key) {
                Ok((status, entry, body)) => {
                    let entry = entry.map_or_else(|| "-".to_owned(), |entry| entry.to_string());
                    say(&format!("heard {method} {key} {status} {entry} {body}\n"));
                }
                // The gate may close a connection; if it is gone, this child soon is too.
                Err(_) => self.socket = None,
            }
        }
    }

    fn send(&mut self, method: &str, key: &str) -> std::io::Result<(u16, Option<u64>, String)> {
        let query = method == "POST";
        let (service, path, body) = match method {
            "POST" => ("sts", "/".to_owned(), QUERY.as_bytes().to_vec()),
            "PUT" => ("s3", format!("/{BUCKET}/{key}"), vec![b'x'; 700]),
            _ => ("s3", format!("/{BUCKET}/{key}"), Vec::new()),
        };
        let length = body.len().to_string();
        let form = if query { "application/x-www-form-urlencoded" } else { "binary/octet-stream" };
        let headers =
            [("host", self.host.as_bytes()), ("content-length", length.as_bytes()), ("content-type", form.as_bytes())];
        let at = AmzDate::at(SystemClock.now()).expect("a date");
        let scope = Scope::new(at.date(), &self.region, service).expect("a scope");
        let signing_key = SigningKey::derive(&self.secret, scope);
        let signer = Signer {
            access_key_id: &self.key,
            key: &signing_key,
            token: Some(&self.token),
            at,
            payload: PayloadHash::of_body(&body),
            send_content_sha256: !query,
            path_style: if query { PathStyle::Normalised } else { PathStyle::S3 },
        };
        let signed = sign(&Parts { method, path: &path, query: "", headers: &headers }, &signer).expect("signed");
        let mut wire = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\ncontent-type: {form}\r\n",
            self.host
        );
        for (name, value) in signed.headers() {
            wire.push_str(&format!("{name}: {value}\r\n"));
        }
        wire.push_str("\r\n");
        let mut wire = wire.into_bytes();
        wire.extend_from_slice(&body);
        let mut socket = match self.socket.take() {
            Some(socket) => socket,
            None => TcpStream::connect(&self.host)?,
        };
        socket.write_all(&wire)?;
        let (head, body) = answer(&mut socket)?;
        let header = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        if header("connection").is_none_or(|how| how != "close") {
            self.socket = Some(socket);
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let said =
            if status >= 400 { String::from_utf8_lossy(&body).replace(['\r', '\n'], " ") } else { String::new() };
        Ok((status, header("x-hallpass-entry").and_then(|entry| entry.parse().ok()), said))
    }
}

/// Head and body of one answer.
fn answer(socket: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let body = &bytes[end + 4..];
            let complete = match length {
                Some(length) => body.len() >= length,
                None => !lower.contains("transfer-encoding: chunked") || body.ends_with(b"0\r\n\r\n"),
            };
            if complete {
                return Ok((head, body.to_vec()));
            }
        }
        match socket.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}
