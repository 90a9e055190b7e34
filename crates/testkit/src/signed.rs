//! A client of a few lines that signs with whatever keys its environment holds: for children of tests and benches.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use hallpass_control::clock::SystemClock;
use hallpass_core::clock::Clock;
use hallpass_core::sigv4::{self, AmzDate, Parts, PathStyle, PayloadHash, Scope, Signer, SigningKey};

/// How a client reads its environment.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Gets a path of the store at `AWS_ENDPOINT_URL`. The status and, when refused, the reason header; `unreachable` and
/// the error where no answer came.
pub fn get(variables: Variables<'_>, path: &str) -> String {
    let stream = match send(variables, path) {
        Ok(stream) => stream,
        Err(error) => return format!("unreachable {error}"),
    };
    let mut text = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut text).is_ok_and(|read| read > 2) {}
    let status = text.split(' ').nth(1).unwrap_or("none").to_owned();
    let reason =
        text.lines().find_map(|line| line.to_lowercase().strip_prefix("x-hallpass-reason: ").map(str::to_owned));
    format!("{status} {}", reason.unwrap_or_default()).trim().to_owned()
}

/// Sends a signed GET on a connection of its own, and gives the connection to read the answer from.
///
/// # Errors
/// A variable is missing, the path cannot be signed, or the connection fails.
pub fn send(variables: Variables<'_>, path: &str) -> io::Result<TcpStream> {
    let need = |name: &str| variables(name).ok_or_else(|| io::Error::other(format!("{name} is not set")));
    let endpoint = need("AWS_ENDPOINT_URL")?;
    let host = endpoint.trim_start_matches("http://").to_owned();
    let at = AmzDate::at(SystemClock.now()).ok_or_else(|| io::Error::other("no date"))?;
    let region = need("AWS_REGION")?;
    let key = SigningKey::derive(
        &need("AWS_SECRET_ACCESS_KEY")?,
        Scope::new(at.date(), &region, "s3").ok_or_else(|| io::Error::other("no scope"))?,
    );
    let (id, token) = (need("AWS_ACCESS_KEY_ID")?, variables("AWS_SESSION_TOKEN"));
    let signer = Signer {
        access_key_id: &id,
        key: &key,
        token: token.as_deref(),
        at,
        payload: PayloadHash::of_body(b""),
        send_content_sha256: true,
        path_style: PathStyle::S3,
    };
    let headers: [(&str, &[u8]); 1] = [("host", host.as_bytes())];
    let parts = Parts { method: "GET", path, query: "", headers: &headers };
    let signed = sigv4::sign(&parts, &signer).map_err(io::Error::other)?;
    let mut head = format!("GET {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", signed.path);
    for (name, value) in signed.headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(&host)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    Ok(stream)
}
