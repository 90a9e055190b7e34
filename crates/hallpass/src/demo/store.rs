//! An S3 server in this process that really verifies SigV4 (`s3s` over a folder): the demo's cloud.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use hallpass_core::limits::DEMO_CONNECTIONS_MAX;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The bucket of the story.
pub(crate) const BUCKET: &str = "demo";
/// The prefix that the session may read.
pub(crate) const PREFIX: &str = "reports/";
/// A small object inside the prefix.
pub(crate) const REPORT: &str = "reports/january.csv";
/// A large object inside the prefix: sparse, so that it costs no disk.
pub(crate) const BIG: &str = "reports/archive.bin";
/// Size of [`BIG`].
pub(crate) const BIG_BYTES: u64 = 64 * 1024 * 1024;
/// An object outside the prefix.
pub(crate) const SECRET: &str = "payroll/salaries.csv";

/// A running store; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct DemoStore {
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl DemoStore {
    /// Fills `root` with the story's objects and serves it on a free loopback port, to this key pair only.
    pub(crate) fn start(root: &Path, access_key_id: &str, secret_access_key: &str) -> io::Result<Self> {
        fill(root)?;
        let files = FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(access_key_id, secret_access_key));
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn_on(serve(listener, service), runtime.handle());
        tasks.detach_all();
        Ok(Self { address, runtime: Some(runtime) })
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for DemoStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn fill(root: &Path) -> io::Result<()> {
    let bucket = root.join(BUCKET);
    fs::create_dir_all(bucket.join(PREFIX))?;
    fs::create_dir_all(bucket.join("payroll"))?;
    fs::write(bucket.join(REPORT), "month,revenue\n2026-01,1204\n")?;
    fs::write(bucket.join(SECRET), "name,salary\nsomebody,1\n")?;
    fs::File::create(bucket.join(BIG))?.set_len(BIG_BYTES)
}

async fn serve(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        while connections.len() >= DEMO_CONNECTIONS_MAX {
            connections.join_next().await;
        }
        let service = service.clone();
        connections.spawn(async move {
            // A client that goes away in the middle of an answer is part of the story.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use hallpass_core::limits::DEMO_CONNECTIONS_MAX;

    use super::DemoStore;

    #[test]
    fn a_connection_past_the_limit_waits_until_another_ends() {
        let folder = tempfile::tempdir().expect("folder");
        let store = DemoStore::start(folder.path(), "AKIADEMO", "secret").expect("starts");
        let connect = || TcpStream::connect(store.address).expect("connects");
        let mut silent: Vec<TcpStream> = (0..DEMO_CONNECTIONS_MAX).map(|_| connect()).collect();
        let mut late = connect();
        late.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").expect("writes");
        let mut first = [0];
        late.set_read_timeout(Some(Duration::from_millis(300))).expect("sets");
        let waiting = late.read(&mut first).expect_err("nobody answers");
        assert!(matches!(waiting.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waiting}");
        silent.clear();
        late.set_read_timeout(Some(Duration::from_secs(30))).expect("sets");
        assert_eq!(late.read(&mut first).expect("answers"), 1);
    }
}
