//! SeaweedFS: an S3-compatible store that is not AWS. It checks header signatures, and has no sessions of its own.

use super::keeper::{Recipe, Server, ServerError};

/// Its only key.
pub const KEY: &str = "STOREKEY000000000042";
/// The key's secret.
pub const SECRET: &str = "store/secret+that+must+never+leave+00042";

/// A running SeaweedFS: master, volume, filer and S3 gateway in one process.
#[derive(Debug)]
pub struct Seaweedfs {
    server: Server,
}

impl Seaweedfs {
    /// Starts one with [`KEY`] as its administrator.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start() -> Result<Self, ServerError> {
        let server = Server::start(&Recipe {
            name: "SeaweedFS",
            entry: "program:weed",
            arguments,
            variables: |_| vec![("AWS_ACCESS_KEY_ID", KEY.into()), ("AWS_SECRET_ACCESS_KEY", SECRET.into())],
            health: "/healthz",
        })?;
        Ok(Self { server })
    }

    /// Its S3 endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

/// Everything on loopback, on ports just below the gateway's; another process that has one of them costs a new try.
fn arguments(port: u16) -> Vec<String> {
    let flags = [
        "-s3.port",
        "-s3.port.grpc",
        "-master.port",
        "-master.port.grpc",
        "-volume.port",
        "-volume.port.grpc",
        "-filer.port",
        "-filer.port.grpc",
    ];
    let mut all: Vec<String> =
        ["server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=32", "-master.volumeSizeLimitMB=16"]
            .map(str::to_owned)
            .to_vec();
    all.extend(["-filer", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0"].map(str::to_owned));
    all.extend((0..).zip(flags).map(|(below, flag)| format!("{flag}={}", port.saturating_sub(below))));
    all
}
