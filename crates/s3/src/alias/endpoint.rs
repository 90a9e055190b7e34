//! Where a store is: `scheme://host[:port]`, in one spelling.

use std::net::{Ipv4Addr, Ipv6Addr};

use hallpass_core::limits::ENDPOINT_HOST_BYTES_MAX;

use crate::error::S3Error;

/// The URL in lower case, without default port and final slash. What a person may have meant otherwise (a path, a
/// query, a user, a name outside ASCII) is refused and not guessed.
///
/// # Errors
/// What is wrong. A URL that may hold a secret is not repeated.
pub fn normalise(url: &str) -> Result<String, S3Error> {
    let refused = |why: &str, next: &str| Err(S3Error::usage_with(format!("the URL {why}"), next.to_owned()));
    if url.contains('@') {
        return refused(
            "holds a user or a password",
            "leave them out: keys are arguments of their own, or come from stdin, a file or a variable",
        );
    }
    if let Some(c) = url.chars().find(|c| c.is_control() || c.is_whitespace()) {
        return refused(&format!("holds the character U+{:04X}", u32::from(c)), "remove it");
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        let host = url.trim_matches('/');
        let host = if host.is_empty() { "s3.example.com" } else { host };
        return refused(&format!("`{url}` has no scheme"), &format!("write it like `https://{host}`"));
    };
    let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => ("http", 80),
        "https" => ("https", 443),
        other => return refused(&format!("has the scheme `{other}`"), "begin it with https:// or http://"),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if let Some(c) = authority.chars().find(|c| matches!(c, '/' | '?' | '#' | '\\')) {
        return refused(
            &format!("goes on after the host (`{c}`)"),
            "name only scheme, host and port; a bucket belongs into the path of a command, as in `alias/bucket`",
        );
    }
    let (host, port) = split(authority)?;
    let host = check_host(host)?;
    Ok(match port {
        Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

fn split(authority: &str) -> Result<(&str, Option<u16>), S3Error> {
    let end = if authority.starts_with('[') { authority.find(']').map(|at| at + 1) } else { authority.find(':') };
    let (host, port) = authority.split_at(end.unwrap_or(authority.len()));
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, None)),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            Ok(port) if port > 0 => Ok((host, Some(port))),
            _ => Err(bad_port(digits)),
        },
        _ => Err(bad_port(port.trim_start_matches(':'))),
    }
}

fn bad_port(port: &str) -> S3Error {
    S3Error::usage_with(format!("the URL has the port `{port}`"), "give a number from 1 to 65535, or leave it out")
}

fn check_host(host: &str) -> Result<String, S3Error> {
    let refused = |why: String, next: &str| Err(S3Error::usage_with(why, next.to_owned()));
    if host.is_empty() {
        return refused("the URL names no host".to_owned(), "write it like `https://s3.example.com`");
    }
    if let Some(inner) = host.strip_prefix('[') {
        return match inner.strip_suffix(']').and_then(|text| text.parse::<Ipv6Addr>().ok()) {
            Some(address) => Ok(format!("[{address}]")),
            None => refused(format!("`{host}` is not an IPv6 address"), "write it like `http://[::1]:9000`"),
        };
    }
    if !host.is_ascii() {
        return refused(
            format!("the host `{host}` has characters outside ASCII, and look-alikes are not told apart"),
            "write its ASCII form, which begins with `xn--`",
        );
    }
    let host = host.to_ascii_lowercase();
    let legal = |label: &str| {
        let bytes = label.as_bytes();
        let inner = bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (1..=63).contains(&bytes.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    if host.len() > ENDPOINT_HOST_BYTES_MAX || !host.split('.').all(legal) {
        return refused(format!("`{host}` is not a host name"), "write it like `https://s3.example.com`");
    }
    // `127.1` and `0x7f.1` are addresses to some and names to others.
    let numeric = host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()));
    if numeric && host.parse::<Ipv4Addr>().is_err() && (host.contains('.') || host.parse::<u64>().is_ok()) {
        return refused(format!("`{host}` is not an IPv4 address"), "write all four numbers, as in `127.0.0.1`");
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use hallpass_core::limits::ENDPOINT_HOST_BYTES_MAX;

    use super::normalise;

    #[test]
    fn one_store_has_one_spelling() {
        for (written, kept) in [
            ("https://S3.Example.com/", "https://s3.example.com"),
            ("HTTPS://s3.example.com:443", "https://s3.example.com"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://[0:0::1]:9000", "http://[::1]:9000"),
            ("http://minio", "http://minio"),
            ("http://store_1.local:80", "http://store_1.local"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("https://123abc.example.com", "https://123abc.example.com"),
        ] {
            assert_eq!(normalise(written).as_deref(), Ok(kept), "{written}");
        }
    }

    #[test]
    fn what_to_write_instead_is_a_url_that_works() {
        for (text, instead) in [("", "s3.example.com"), ("//h", "h"), ("h:9000", "h:9000"), ("h/", "h")] {
            let said = normalise(text).expect_err("no scheme");
            assert_eq!(said.suggestion(), Some(format!("write it like `https://{instead}`").as_str()), "{text}");
            assert!(normalise(&format!("https://{instead}")).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_store_is_refused_and_a_password_is_not_repeated() {
        let long = format!("https://{}.example", "a.".repeat(ENDPOINT_HOST_BYTES_MAX / 2));
        for bad in [
            "",
            "s3.example.com",
            "ftp://x",
            "https://",
            "https://host/bucket",
            "https://host?x=1",
            "https://host#f",
            "https://host:0",
            "https://host:70000",
            "https://host:+80",
            "https://host:",
            "https://host:8a",
            "https://a..b",
            "https://host.",
            "https://-a.b",
            "https://h st",
            "https://bücher.example",
            "http://[::1",
            "http://[::g]",
            "http://127.1",
            "http://0x7f.1",
            "http://1.2.3.256",
            "http://2130706433",
            "https://a%2fb",
            "https://host\\x",
            "https://host\t",
            &long,
        ] {
            assert!(normalise(bad).is_err(), "{bad}");
        }
        let said = normalise("https://key:hunter2@host").expect_err("refused");
        assert!(!format!("{said} {said:?}").contains("hunter2"), "{said:?}");
    }
}
