//! The admin API of a MinIO-compatible server: a stand-in of ours, because no such server can be had here. It is strict,
//! and written in another language on another library (`minio_admin.py`).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::keeper::{Recipe, Server, ServerError};

/// The administrator's key.
pub const KEY: &str = "ADMINKEY000000000042";
/// Its secret.
pub const SECRET: &str = "admin/secret+that+must+never+leave+00042";
/// A temporary key of the administrator.
pub const TEMPORARY_KEY: &str = "ASIAADMIN00000000042";
/// Its secret.
pub const TEMPORARY_SECRET: &str = "temporary/secret+that+must+never+leave+42";
/// Its token.
pub const TEMPORARY_TOKEN: &str = "token/of+the+administrator+that+must+never+leave==";

/// A running stand-in.
#[derive(Debug)]
pub struct MinioAdmin {
    server: Server,
}

impl MinioAdmin {
    /// Starts one.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start() -> Result<Self, ServerError> {
        let server = Server::start(&Recipe {
            name: "the admin API",
            entry: "minio_admin:main",
            arguments: |port| vec![port.to_string()],
            variables: |_| {
                vec![
                    ("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/src/servers").into()),
                    ("PYTHONDONTWRITEBYTECODE", "1".into()),
                    ("ADMIN_KEY", KEY.into()),
                    ("ADMIN_SECRET", SECRET.into()),
                    ("TEMPORARY_KEY", TEMPORARY_KEY.into()),
                    ("TEMPORARY_SECRET", TEMPORARY_SECRET.into()),
                    ("TEMPORARY_TOKEN", TEMPORARY_TOKEN.into()),
                ]
            },
            files: &[],
            health: "/test/ready",
        })?;
        Ok(Self { server })
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What it has understood so far: users with their secrets, groups, policies, accounts, runs.
    ///
    /// # Panics
    /// It does not answer.
    pub fn state(&self) -> Value {
        serde_json::from_str(&self.ask("/test/state")).expect("JSON")
    }

    /// From now on every key has expired.
    ///
    /// # Panics
    /// It does not answer.
    pub fn expire(&self) {
        self.ask("/test/kill");
    }

    fn ask(&self, path: &str) -> String {
        let address = self.server.url().trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&address).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("asks");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answers");
        text.split_once("\r\n\r\n").expect("a head and a body").1.to_owned()
    }
}
