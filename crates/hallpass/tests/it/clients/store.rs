//! s3s-fs in this process: a store that checks signatures and body hashes, and knows one key.

use std::net::{SocketAddr, TcpListener};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Its only key.
pub(super) const KEY: &str = "STRICTKEY00000000042";
/// The key's secret.
pub(super) const SECRET: &str = "strict/secret+that+must+never+leave+0042";

/// A running store; ends when dropped.
pub(super) struct Strict {
    address: SocketAddr,
    _folder: TempDir,
    _runtime: Runtime,
}

impl Strict {
    /// Starts one with a bucket in it.
    pub(super) fn start(bucket: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(bucket)).expect("a bucket");
        let files = s3s_fs::FileSystem::new(folder.path()).expect("a store");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let runtime = Runtime::new().expect("a runtime");
        #[expect(clippy::disallowed_methods, reason = "the server's tasks end with its runtime")]
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    drop(http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
                });
            }
        });
        Self { address, _folder: folder, _runtime: runtime }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
