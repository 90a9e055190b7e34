//! A denial in the shape that the child's SDK reads, so that it shows the reason and does not try again.
//! Sources: the Smithy specifications of the AWS protocols, "Error responses" (Amazon S3 API), "Common errors" (IAM,
//! EC2 API references). Only 503 answers are for trying again: SDKs retry them, and none of the other codes.

mod code;

use super::Protocol;
use super::catalog::Catalog;
use crate::denial::Denial;
use code::Fault;

/// How an answer must look, known from the request's head even when nothing else is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// Protocol; `None` answers as S3 does.
    pub protocol: Option<Protocol>,
    /// The request was a HEAD: the answer has no body.
    pub head: bool,
    /// The client reads `x-amzn-query-error` (it sent `x-amzn-query-mode: true`).
    pub query_mode: bool,
}

impl Shape {
    /// Guesses from a head that may be unsigned or malformed; never fails. Header names in lower case.
    pub fn guess(catalog: Catalog, method: &str, path: &str, headers: &[(&str, &[u8])]) -> Self {
        let header = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| *name == wanted);
            found.and_then(|(_, value)| str::from_utf8(value).ok())
        };
        let query_mode = header("x-amzn-query-mode").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let content_type = header("content-type").unwrap_or_default().to_ascii_lowercase();
        let service = header("authorization").and_then(scope_service);
        let protocol = if header("smithy-protocol").is_some() || path.starts_with("/service/") && service != Some("s3")
        {
            Some(Protocol::RpcV2Cbor)
        } else if content_type.starts_with("application/x-amz-json-1.1") {
            Some(Protocol::Json11)
        } else if content_type.starts_with("application/x-amz-json-") || header("x-amz-target").is_some() {
            Some(Protocol::Json10)
        } else {
            by_service(catalog, service, &content_type)
        };
        Self { protocol, head: method == "HEAD", query_mode }
    }
}

fn by_service(catalog: Catalog, service: Option<&str>, content_type: &str) -> Option<Protocol> {
    let apis = service.map(catalog.signing_as).unwrap_or_default();
    let speaks = |protocol| apis.iter().any(|api| api.speaks(protocol));
    let form = content_type.starts_with("application/x-www-form-urlencoded");
    match service {
        Some("s3" | "s3express") => Some(Protocol::S3),
        Some(_) if speaks(Protocol::Ec2) => Some(Protocol::Ec2),
        Some(_) if speaks(Protocol::Query) && (form || !speaks(Protocol::RestJson)) => Some(Protocol::Query),
        Some(_) if speaks(Protocol::RestJson) => Some(Protocol::RestJson),
        Some(_) if speaks(Protocol::Json11) => Some(Protocol::Json11),
        Some(_) if speaks(Protocol::RestXml) => Some(Protocol::RestXml),
        None if form => Some(Protocol::Query),
        None => None,
        Some(_) => Some(Protocol::RestJson),
    }
}

/// The service of `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn scope_service(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split([',', ' ']).next()?.split('/').nth(3)
}

/// The answer to a refused request. `content-length` and `date` are left to the HTTP layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for HEAD.
    pub body: Vec<u8>,
}

/// Gives a denial the protocol's own error shape. The message is [`Denial::message`], escaped; characters that the
/// shape cannot carry become `?`. `request_id` is kept to visible ASCII.
pub fn refusal(shape: Shape, denial: &Denial, request_id: &str) -> Refusal {
    let protocol = shape.protocol.unwrap_or(Protocol::S3);
    let fault = Fault::of(denial.code, protocol);
    let id: String = request_id.chars().filter(char::is_ascii_graphic).collect();
    let message = denial.message();
    let (content_type, body) = match protocol {
        Protocol::S3 => ("application/xml", s3(&fault, &message, &id)),
        Protocol::Query | Protocol::RestXml => ("text/xml", query(&fault, &message, &id)),
        Protocol::Ec2 => ("text/xml;charset=UTF-8", ec2(&fault, &message, &id)),
        Protocol::Json10 => ("application/x-amz-json-1.0", json(&fault, &message)),
        Protocol::Json11 => ("application/x-amz-json-1.1", json(&fault, &message)),
        Protocol::RestJson => ("application/json", json(&fault, &message)),
        Protocol::RpcV2Cbor => ("application/cbor", cbor(&fault, &message)),
    };
    let id_header = if protocol == Protocol::S3 { "x-amz-request-id" } else { "x-amzn-requestid" };
    let mut headers = vec![(id_header, id), ("x-hallpass-reason", denial.code.as_str().to_owned())];
    match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => {
            headers.push(("x-amzn-errortype", fault.code.to_owned()));
        }
        Protocol::RpcV2Cbor => headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned())),
        Protocol::S3 | Protocol::Query | Protocol::Ec2 | Protocol::RestXml => {}
    }
    let is_compatible = matches!(protocol, Protocol::Json10 | Protocol::Json11 | Protocol::RpcV2Cbor);
    if shape.query_mode && is_compatible {
        let code = Fault::of(denial.code, Protocol::Query).code;
        headers.push(("x-amzn-query-error", format!("{code};{}", fault.side())));
    }
    if shape.head {
        return Refusal { status: fault.status, headers, body: Vec::new() };
    }
    headers.push(("content-type", content_type.to_owned()));
    Refusal { status: fault.status, headers, body }
}

fn s3(fault: &Fault, message: &str, id: &str) -> Vec<u8> {
    let (code, message, id) = (fault.code, escaped(message), escaped(id));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>{id}</RequestId><HostId>hallpass</HostId></Error>"
    )
    .into_bytes()
}

fn query(fault: &Fault, message: &str, id: &str) -> Vec<u8> {
    let (side, code, message, id) = (fault.side(), fault.code, escaped(message), escaped(id));
    format!(
        "<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>"
    )
    .into_bytes()
}

fn ec2(fault: &Fault, message: &str, id: &str) -> Vec<u8> {
    let (code, message, id) = (fault.code, escaped(message), escaped(id));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
    )
    .into_bytes()
}

fn json(fault: &Fault, message: &str) -> Vec<u8> {
    serde_json::json!({ "__type": fault.code, "message": message }).to_string().into_bytes()
}

/// A map of two texts (RFC 8949, major types 5 and 3).
fn cbor(fault: &Fault, message: &str) -> Vec<u8> {
    let mut out = vec![0xa2];
    for text in ["__type", fault.code, "message", message] {
        match text.len() {
            length @ 0..=23 => out.push(0x60 | u8::try_from(length).unwrap_or(0)),
            length => {
                out.push(0x7a);
                out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            }
        }
        out.extend(text.as_bytes());
    }
    out
}

/// Character data of XML 1.0, which has no way to write most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
