//! Against a peer behind TLS whose authority only the caller knows.

use std::collections::BTreeMap;
use std::io::Write;

use hallpass_core::provider::ProviderError;
use hallpass_testkit::tls::acceptor;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Transport;
use crate::aws::AwsOptions;
use crate::aws::base::Base;

/// What an authority looks like that nobody can use.
const NO_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// A container credentials endpoint behind TLS.
struct Sealed {
    url: String,
    authority: String,
    _tasks: JoinSet<()>,
}

async fn sealed() -> Sealed {
    let (acceptor, authority) = acceptor(&["127.0.0.1"], &[]).expect("a far end");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("https://{}/credentials", listener.local_addr().expect("an address"));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let body =
                r#"{"AccessKeyId":"ASIAX","SecretAccessKey":"s","Token":"t","Expiration":"2039-01-01T00:00:00Z"}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    Sealed { url, authority, _tasks: tasks }
}

fn options(pairs: &[(&str, &str)]) -> AwsOptions {
    let environment: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    AwsOptions { environment, ..AwsOptions::default() }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

#[tokio::test]
async fn the_sign_in_trusts_the_callers_authorities_and_none_without_them() {
    let (peer, other) = (sealed().await, sealed().await);
    // An unusable one beside it, as in the bundles of old systems, takes nothing away.
    for (bundle, trusted) in [(format!("{NO_CERTIFICATE}{}", peer.authority), true), (other.authority.clone(), false)] {
        let bundle = file(&bundle);
        let path = bundle.path().to_str().expect("text");
        let base = Base::new(options(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &peer.url),
            ("AWS_CA_BUNDLE", path),
            ("HOME", "/nonexistent"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]));
        let found = base.credential().await;
        assert_eq!(found.is_ok_and(|credential| credential.access_key_id == "ASIAX"), trusted);
    }
}

#[tokio::test]
async fn a_bundle_that_cannot_be_used_is_said_and_ends_nothing_else() {
    let large = file("");
    large.as_file().set_len(hallpass_core::limits::CA_BUNDLE_BYTES_MAX + 1).expect("sized");
    let (empty, broken) = (file("no certificate\n"), file(NO_CERTIFICATE));
    let path = |file: &NamedTempFile| file.path().to_str().expect("text").to_owned();
    for (bundle, why) in [
        ("/nowhere/at/all".to_owned(), "No such file"),
        (path(&large), "more than"),
        (path(&empty), "no usable"),
        (path(&broken), "no usable"),
    ] {
        let base = Base::new(options(&[("AWS_CA_BUNDLE", &bundle), ("HOME", "/nonexistent")]));
        let Err(ProviderError::Invalid(said)) = base.credential().await else { panic!("{bundle} was taken") };
        assert!(said.contains("AWS_CA_BUNDLE") && said.contains(why), "{said}");
    }
    assert!(Transport::of(&options(&[("AWS_CA_BUNDLE", "")])).expect("unset").client().expect("no trouble").is_none());
}
