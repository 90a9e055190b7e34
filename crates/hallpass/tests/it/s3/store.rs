//! Stores on loopback, and a world with an alias for one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::alias_schema::{fits, schema};
use crate::cli_world::{Said, World, said};

pub(super) const KEY: &str = "AKIDOFTHETESTS000042";
pub(super) const SECRET: &str = "secret-of-the-tests-000000000000000000042";

/// s3s-fs in this process: it verifies signatures, body hashes and checksums.
pub(super) struct Store {
    address: SocketAddr,
    _folder: TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Store {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).expect("a store"));
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("one");
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    drop(http1::Builder::new().serve_connection(TokioIo::new(socket), service).await);
                });
            }
        });
        Self { address, _folder: folder, _runtime: runtime }
    }

    /// A world whose alias `m` is this store.
    pub(super) fn world(&self) -> Shop {
        Shop::new(&format!("http://{}", self.address), KEY, SECRET)
    }
}

/// A world with the alias `m`.
pub(super) struct Shop {
    pub(super) world: World,
    variable: String,
}

impl Shop {
    pub(super) fn new(url: &str, key: &str, secret: &str) -> Self {
        let host = url.strip_prefix("http://").expect("plain HTTP");
        let secret = secret.replace('/', "%2F");
        Self { world: World::new(), variable: format!("http://{key}:{secret}@{host}") }
    }

    pub(super) fn say_with(&self, args: &[&str], stdin: &[u8]) -> Said {
        let mut command = self.world.command(&[&["s3"], args].concat());
        command.env("HALLPASS_HOST_m", &self.variable);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        // A command that does not read stdin closes it.
        drop(child.stdin.take().expect("stdin").write_all(stdin));
        said(child.wait_with_output().expect("ends"))
    }

    pub(super) fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.world.command(&[&["s3"], args].concat());
        command.env("HALLPASS_HOST_m", &self.variable);
        command
    }

    pub(super) fn say(&self, args: &[&str]) -> Said {
        self.say_with(args, b"")
    }

    pub(super) fn ok(&self, args: &[&str]) -> String {
        let said = self.say(args);
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        said.out
    }

    pub(super) fn refused(&self, args: &[&str], code: i32) -> Said {
        let said = self.say(args);
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        said
    }

    /// Writes objects whose content is their key.
    pub(super) fn put(&self, keys: &[&str]) {
        for key in keys {
            let said = self.say_with(&["pipe", &format!("m/{key}")], key.as_bytes());
            assert_eq!(said.code, 0, "{key}: {said:?}");
        }
    }

    /// Every line of `--json`, each of which keeps to the schema.
    pub(super) fn json(&self, args: &[&str]) -> Vec<Value> {
        let said = self.say(&[args, &["--json"]].concat());
        assert_eq!(said.code, 0, "{args:?}: {said:?}");
        lines(&said.out)
    }

    /// The `data` of the one line of `--json`.
    pub(super) fn data(&self, args: &[&str]) -> Value {
        let all = self.json(args);
        assert_eq!(all.len(), 1, "{args:?}: {all:?}");
        all[0]["data"].clone()
    }
}

/// JSON lines that keep to the schema.
pub(super) fn lines(text: &str) -> Vec<Value> {
    let schema = schema();
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).expect("JSON");
            assert!(fits(&schema, &schema, &value), "{value:#}");
            let defined =
                value.get("data").is_none() || schema["$defs"].get(value["type"].as_str().expect("a type")).is_some();
            assert!(defined, "no schema: {value}");
            value
        })
        .collect()
}

/// A store that gives every request the answer that `answer` makes of its head.
pub(super) struct Puppet {
    pub(super) address: SocketAddr,
    pub(super) requests: Arc<AtomicU64>,
}

impl Puppet {
    pub(super) fn start(answer: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::<AtomicU64>::default();
        let (answer, count) = (Arc::new(answer), Arc::clone(&requests));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (answer, count) = (Arc::clone(&answer), Arc::clone(&count));
                std::thread::spawn(move || serve(&socket, &*answer, &count));
            }
        });
        Self { address, requests }
    }

    /// Refuses everything with this code; a HEAD has no body, as with real stores.
    pub(super) fn refusing(status: u16, code: &'static str) -> Self {
        Self::start(move |_| {
            (status, format!("<Error><Code>{code}</Code><Message>The words of the store.</Message></Error>"))
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(socket: &TcpStream, answer: &dyn Fn(&str) -> (u16, String), count: &AtomicU64) {
    let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let named = |name: &str| {
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        let length = named("content-length:").unwrap_or(0);
        drop(std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()));
        count.fetch_add(1, Ordering::SeqCst);
        let (status, body) = answer(&head);
        let shown = if head.starts_with("HEAD ") { "" } else { body.as_str() };
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/xml\r\ncontent-length: {}\r\n\r\n{shown}",
            body.len()
        );
        if (&mut &*socket).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
