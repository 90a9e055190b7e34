//! Against a peer of our own: no public emulator has the call. What it answers is what the announcement says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hallpass_core::clock::{Clock, ManualClock};
use hallpass_core::delivery::Delivery;
use hallpass_core::id::SessionId;
use hallpass_core::limits::{SCOPED_CREDENTIALS_TIMEOUT_S, STS_ANSWER_BYTES_MAX};
use hallpass_core::permit::{Bounds, authorize};
use hallpass_core::policy::{ScopedPolicy, parse_actions};
use hallpass_core::provider::{EnforcedBy, Issued, Provider, ProviderError};
use hallpass_core::session::Session;
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::aws::{AwsOptions, AwsProvider};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Answers every request with the same bytes, and remembers the last one.
struct Peer {
    url: String,
    seen: Arc<Mutex<String>>,
    _tasks: JoinSet<()>,
}

impl Peer {
    async fn answering(status: u16, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(String::new()));
        let remembered = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut buffer = [0; 8192];
                while !complete(&request) {
                    match socket.read(&mut buffer).await {
                        Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                        _ => break,
                    }
                }
                *remembered.lock().expect("no panic") = String::from_utf8_lossy(&request).into_owned();
                let head =
                    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = socket.write_all(head.as_bytes()).await;
                let _ = socket.write_all(body.as_bytes()).await;
            }
        });
        Self { url, seen, _tasks: tasks }
    }

    fn seen(&self) -> String {
        self.seen.lock().expect("no panic").clone()
    }
}

fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("content-length:").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer() -> String {
    "<GetScopedCredentialsResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetScopedCredentialsResult>\
     <Credentials><AccessKeyId>ASIASCOPED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t\
     </SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials><ScopedSession><Arn>\
     arn:aws:sts::111122223333:assumed-role/r/s</Arn><ScopedSessionId>i</ScopedSessionId></ScopedSession>\
     <NewMember><Inner>1</Inner></NewMember></GetScopedCredentialsResult><ResponseMetadata><RequestId>r</RequestId>\
     </ResponseMetadata></GetScopedCredentialsResponse>"
        .to_owned()
}

async fn issue(url: &str, token: Option<&str>, delivery: Delivery, allow: &str) -> Result<Issued, ProviderError> {
    let mut environment: BTreeMap<String, String> = [
        ("AWS_ACCESS_KEY_ID", "ASIABASE"),
        ("AWS_SECRET_ACCESS_KEY", "base-secret"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment.extend(token.map(|token| ("AWS_SESSION_TOKEN".to_owned(), token.to_owned())));
    let clock = Arc::new(ManualClock::new(NOW));
    let provider =
        AwsProvider::new(AwsOptions { environment, ..AwsOptions::default() }, Arc::clone(&clock) as Arc<dyn Clock>);
    let policy = ScopedPolicy {
        actions: parse_actions(allow).expect("parses"),
        resources: vec!["*".into()],
        ..ScopedPolicy::default()
    };
    let (id, ttl) = (SessionId::new("a").expect("id"), SignedDuration::from_secs(60));
    let session = Session { delivery, ..Session::new(id, NOW, ttl, None, policy, String::new(), vec![]) };
    provider.issue(authorize(&session, &Bounds::default(), NOW).expect("permitted")).await
}

#[tokio::test]
async fn a_temporary_base_is_narrowed_by_the_cloud_too_and_new_members_do_not_matter() {
    let peer = Peer::answering(200, answer()).await;
    let issued = issue(&peer.url, Some("base-token"), Delivery::Proxy, "s3:GetObject").await.expect("issued");
    assert_eq!(issued.enforced_by, EnforcedBy::GateAndCloud);
    assert_eq!((issued.access_key_id.as_str(), issued.not_narrowed), ("ASIASCOPED", None));
    assert_eq!(issued.identity.as_deref(), Some("arn:aws:sts::111122223333:assumed-role/r/s"));
    let seen = peer.seen();
    assert!(seen.contains("Action=GetScopedCredentials&Version=2011-06-15&DurationSeconds=60&Policy="), "{seen}");
    assert!(seen.contains("s3%3AGetObject"), "{seen}");
    assert!(seen.contains("Credential=ASIABASE/19700101/eu-west-1/sts/aws4_request"), "{seen}");
    assert!(seen.contains("base-token") && !seen.contains("base-secret"), "{seen}");
}

#[tokio::test]
async fn where_sts_does_not_know_the_call_the_base_is_lent_and_the_reason_is_said() {
    let unknown =
        "<ErrorResponse><Error><Code>InvalidAction</Code><Message>no such call</Message></Error></ErrorResponse>";
    let large = format!("<A>{}</A>", "x".repeat(STS_ANSWER_BYTES_MAX));
    for (status, body, why) in [
        (400, unknown.to_owned(), "InvalidAction: no such call"),
        (403, unknown.replace("no such call", "&apos;a&apos; &lt;&amp;lt;"), "InvalidAction: 'a' <&lt;"),
        (501, String::new(), "HTTP 501"),
        (200, "<html>".to_owned(), "NoCredentials"),
        (200, large, "too large"),
    ] {
        let peer = Peer::answering(status, body).await;
        let issued = issue(&peer.url, Some("t"), Delivery::Proxy, "s3:GetObject").await.expect("issued");
        assert_eq!((issued.enforced_by, issued.access_key_id.as_str()), (EnforcedBy::Gate, "ASIABASE"));
        let said = issued.not_narrowed.expect("a reason");
        assert!(said.contains(why), "{said}");
    }
    const { assert!(SCOPED_CREDENTIALS_TIMEOUT_S <= 5) };
}

#[tokio::test]
async fn long_term_keys_are_not_asked_for() {
    let peer = Peer::answering(200, answer()).await;
    let issued = issue(&peer.url, None, Delivery::Proxy, "s3:GetObject").await.expect("issued");
    assert_eq!(issued.enforced_by, EnforcedBy::Gate);
    assert!(issued.not_narrowed.expect("a reason").contains("long-term keys"));
    assert_eq!(peer.seen(), "");
}

#[tokio::test]
async fn what_leaves_is_narrowed_exactly_or_not_at_all() {
    let peer = Peer::answering(200, answer()).await;
    let exact = issue(&peer.url, Some("t"), Delivery::Env, "s3:GetObject").await.expect("issued");
    assert_eq!(exact.enforced_by, EnforcedBy::GateAndCloud);
    let wider = issue(&peer.url, Some("t"), Delivery::Env, "*").await.expect("issued");
    assert_eq!(wider.enforced_by, EnforcedBy::Gate, "the delivery refuses it then");
}
