//! XML bodies, against a second reader (`roxmltree`): answers of STS, whose credential must never be another than a
//! plain parser sees, and the bodies of S3 requests that name or widen what is asked for.

use std::collections::BTreeSet;

use hallpass_catalog::CATALOG;
use hallpass_core::resolve::{self, Caller, Partition, Request, Resolved, Upstream};
use hallpass_core::sts::{Answer, Handed, Mint};
use jiff::Timestamp;
use roxmltree::{Document, Node};

use crate::input;

/// The four calls whose answers are read.
const MINTS: [Mint; 4] =
    [Mint::AssumeRole, Mint::GetFederationToken, Mint::GetScopedCredentials, Mint::GetSessionToken];
/// What the child gets instead.
const HANDED: Handed<'_> = Handed {
    access_key_id: "ASIAHALLPASSFUZZING0",
    secret_access_key: "a placeholder's <secret> & more",
    session_token: "hallpass-placeholder.fuzz",
    expires_at: Timestamp::UNIX_EPOCH,
    request_id: "fuzz",
};

/// A line with the reader's name (`AssumeRole`, `delete`, `create`, `restore` …), then the body.
pub fn run(data: &[u8]) {
    let Some((name, body)) = input::line(data) else { return };
    let name = String::from_utf8_lossy(name);
    match MINTS.iter().find(|mint| mint.as_str() == name) {
        Some(mint) => answer(*mint, body),
        None => request(&name, body),
    }
}

fn answer(mint: Mint, body: &[u8]) {
    let Ok(read) = Answer::read(mint, body) else { return };
    let text = str::from_utf8(body).expect("read as text");
    let second = second(text);
    let root = format!("{0}Response/{0}Result/Credentials/", mint.as_str());
    let member = |name: &str| first(&second, &format!("{root}{name}"));
    assert_eq!(member("AccessKeyId").as_deref(), Some(read.credential.access_key_id.as_str()));
    assert_eq!(member("SecretAccessKey").as_deref(), Some(read.credential.secret_access_key.expose()));
    let token = read.credential.session_token.as_ref().expect("an answer has a token");
    assert_eq!(member("SessionToken").as_deref(), Some(token.expose()));

    let given = read.with_placeholder(mint, &HANDED);
    let again = Answer::read(mint, given.as_bytes()).expect("what is written reads back");
    assert_eq!(again.credential.access_key_id, HANDED.access_key_id);
    assert_eq!(again.credential.secret_access_key.expose(), HANDED.secret_access_key);
    let written = self::second(&given);
    assert_eq!(first(&written, &format!("{root}SecretAccessKey")).as_deref(), Some(HANDED.secret_access_key));
    if again.identity.is_some() {
        assert_eq!(again.identity, read.identity, "the identity changed on its way");
    }
}

fn request(name: &str, body: &[u8]) {
    let (method, path, query) = match name {
        "delete" => ("POST", "/bucket", "delete"),
        "create" => ("PUT", "/bucket", ""),
        "restore" => ("POST", "/bucket/key", "restore"),
        _ => return,
    };
    let Ok(resolved) = resolved(method, path, query, body) else { return };
    if body.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let text = str::from_utf8(body).expect("read as text");
    let document = parsed(text);
    match name {
        "delete" => assert_eq!(doomed(&document), touched(&resolved), "other keys are deleted than were decided on"),
        "create" if elements(&document).contains("Tags") => {
            assert!(resolved.accesses.len() > 1, "tags are set, and nothing is asked for them");
        }
        _ => assert!(!elements(&document).contains("OutputLocation"), "another bucket is written to"),
    }
}

fn resolved(method: &str, path: &str, query: &str, body: &[u8]) -> Result<Resolved, Box<dyn std::error::Error>> {
    let headers = [("host", b"s3.eu-west-1.amazonaws.com".as_slice()), ("content-type", b"application/xml")];
    let request = Request {
        catalog: CATALOG,
        method,
        path,
        query,
        headers: &headers,
        service: "s3",
        region: "eu-west-1",
        caller: Caller { partition: Partition::by_name("aws"), account: Some("123456789012"), ..Caller::default() },
        upstream: Upstream::Aws,
        at: None,
        allow_unmapped: &[],
        secure_transport: true,
        now: Timestamp::from_second(1_795_000_000).expect("a time"),
    };
    resolve::with_body(&request, body).map_err(|denial| format!("{denial:?}").into())
}

/// The keys that were decided on.
fn touched(resolved: &Resolved) -> BTreeSet<String> {
    let arns = resolved.accesses.iter().map(|access| access.resource.shown());
    arns.map(|arn| arn.strip_prefix("arn:aws:s3:::bucket/").expect("a key").to_owned()).collect()
}

/// The keys that another parser reads.
fn doomed(document: &Document<'_>) -> BTreeSet<String> {
    let objects = document.root_element().children().filter(|node| node.has_tag_name_of("Object"));
    let keys = objects.filter_map(|object| object.children().find(|node| node.has_tag_name_of("Key")));
    keys.map(|key| key.descendants().filter_map(|node| node.is_text().then(|| node.text()).flatten()).collect())
        .collect()
}

fn elements<'a>(document: &'a Document<'_>) -> BTreeSet<&'a str> {
    document.descendants().filter(Node::is_element).map(|node| node.tag_name().name()).collect()
}

/// What we read must be a document to others too.
fn parsed(text: &str) -> Document<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Document::parse(text).unwrap_or_else(|error| panic!("we read it, and another parser does not: {error}"))
}

/// Every text with its path, as another parser has them.
fn second(text: &str) -> Vec<(String, String)> {
    let document = parsed(text);
    let texts = document.descendants().filter(Node::is_text);
    let path = |node: Node<'_, '_>| {
        let mut names: Vec<String> =
            node.ancestors().filter(Node::is_element).map(|parent| parent.tag_name().name().to_owned()).collect();
        names.reverse();
        names.join("/")
    };
    texts.map(|node| (path(node), node.text().unwrap_or_default().to_owned())).collect()
}

fn first(texts: &[(String, String)], path: &str) -> Option<String> {
    texts.iter().find(|(known, _)| known == path).map(|(_, text)| text.trim().to_owned())
}

/// By local name: the namespace is the root's.
trait Named {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}
