//! Stores on loopback, and clients for them.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hallpass_control::clock::SystemClock;
use hallpass_core::secret::Secret;
use hallpass_s3::alias::{Addressing, Alias, Credentials, CredentialsSource, StaticCredentials};
use hallpass_s3::client::{Client, ClientOptions};
use hallpass_s3::error::S3Error;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub(crate) const KEY: &str = "AKIDFORTESTS00000042";
pub(crate) const SECRET: &str = "secret/of+the+tests/00000000000000000042";

/// Keys, with or without a token, that can be renewed so many times.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) token: Option<&'static str>,
    pub(crate) renewals: AtomicU32,
    pub(crate) renewed: AtomicU32,
}

impl Keys {
    pub(crate) fn fixed() -> Arc<Self> {
        Arc::new(Self { token: None, renewals: AtomicU32::new(0), renewed: AtomicU32::new(0) })
    }

    pub(crate) fn session(renewals: u32) -> Arc<Self> {
        let token = Some("session-token-of-the-tests/+==");
        Arc::new(Self { token, renewals: AtomicU32::new(renewals), renewed: AtomicU32::new(0) })
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, S3Error>> + Send + 'a>>;

impl Credentials for Keys {
    fn current(&self) -> Answer<'_, Option<StaticCredentials>> {
        let renewed = self.renewed.load(Ordering::SeqCst);
        let token = self.token.map(|token| Secret::new(format!("{token}{renewed}")));
        Box::pin(async move {
            Ok(Some(StaticCredentials {
                access_key_id: KEY.to_owned(),
                secret_access_key: Secret::new(SECRET),
                session_token: token,
                expires_at: None,
            }))
        })
    }

    fn renew(&self, _refused: &str) -> Answer<'_, bool> {
        let left = self.renewals.load(Ordering::SeqCst);
        Box::pin(async move {
            if left == 0 {
                return Ok(false);
            }
            self.renewals.fetch_sub(1, Ordering::SeqCst);
            self.renewed.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        })
    }
}

pub(crate) fn options() -> ClientOptions {
    ClientOptions::new(Arc::new(SystemClock))
}

pub(crate) fn client(url: &str, credentials: Arc<dyn Credentials>) -> Client {
    client_with(url, credentials, options())
}

pub(crate) fn client_with(url: &str, credentials: Arc<dyn Credentials>, options: ClientOptions) -> Client {
    let alias = Alias {
        name: "work".to_owned(),
        endpoint: url.to_owned(),
        region: "us-east-1".to_owned(),
        addressing: Addressing::Auto,
        credentials: CredentialsSource::Anonymous,
    };
    Client::new(&alias, credentials, options).expect("a client")
}

/// s3s-fs in this process: it verifies signatures, body hashes and checksums.
pub(crate) struct Store {
    address: SocketAddr,
    _folder: TempDir,
    _tasks: JoinSet<()>,
}

impl Store {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).expect("a store"));
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    drop(http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
                });
            }
        });
        Self { address, _folder: folder, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.url(), Keys::fixed())
    }
}

/// A key and its secret, forever.
#[derive(Debug)]
struct Fixed(StaticCredentials);

impl Credentials for Fixed {
    fn current(&self) -> Answer<'_, Option<StaticCredentials>> {
        Box::pin(async { Ok(Some(self.0.clone())) })
    }

    fn renew(&self, _refused: &str) -> Answer<'_, bool> {
        Box::pin(async { Ok(false) })
    }
}

/// A client with these keys.
pub(crate) fn client_of(url: &str, key: &str, secret: &str) -> Client {
    let keys = StaticCredentials {
        access_key_id: key.to_owned(),
        secret_access_key: Secret::new(secret),
        session_token: None,
        expires_at: None,
    };
    client(url, Arc::new(Fixed(keys)))
}
