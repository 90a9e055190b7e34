//! Reads an input as what a target wants.

/// A request as text: `METHOD path?query`, headers, an empty line, the body. Lines end in CRLF or LF.
#[derive(Debug)]
pub struct Plain<'a> {
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The query without its `?`.
    pub query: &'a str,
    /// The headers, in order.
    pub headers: Vec<(&'a str, &'a [u8])>,
    /// The body.
    pub body: &'a [u8],
}

/// Splits a request as loosely as can be: what is legal is for the code under test to say.
pub fn request(data: &[u8]) -> Option<Plain<'_>> {
    let (first, mut rest) = line(data)?;
    let (method, target) = std::str::from_utf8(first).ok()?.split_once(' ')?;
    let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = Vec::new();
    while let Some((header, after)) = line(rest) {
        rest = after;
        if header.is_empty() {
            break;
        }
        let colon = header.iter().position(|b| *b == b':')?;
        let name = std::str::from_utf8(&header[..colon]).ok()?;
        headers.push((name, header[colon + 1..].trim_ascii()));
    }
    Some(Plain { method, path, query, headers, body: rest })
}

/// The first line, and what follows it; `None` at the end.
pub fn line(data: &[u8]) -> Option<(&[u8], &[u8])> {
    if data.is_empty() {
        return None;
    }
    let end = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let line = &data[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), data.get(end + 1..).unwrap_or_default()))
}

/// A number that follows from the input alone, to choose by.
pub fn choice(data: &[u8]) -> usize {
    data.iter().fold(0x9e37_79b9_usize, |hash, byte| (hash ^ usize::from(*byte)).wrapping_mul(0x0100_0193)) >> 7
}
