//! SeaweedFS: an S3-compatible store that is not AWS. It checks header signatures. With its STS it also makes sessions,
//! and refuses those that are over, tampered with or of another store; the code is `InvalidAccessKeyId` each time.

use super::keeper::{Recipe, Server, ServerError};
use crate::clients;

/// Its only key.
pub const KEY: &str = "STOREKEY000000000042";
/// The key's secret.
pub const SECRET: &str = "store/secret+that+must+never+leave+00042";

/// The role that [`KEY`] may assume where there is an STS; it may do everything in the store.
pub const ROLE: &str = "arn:aws:iam::000000000000:role/lent";
/// What signs session tokens, in base64; stands in [`IAM`].
const SIGNING_KEY: &str = "dGhlLXNpZ25pbmcta2V5LW9mLXRoZS10ZXN0cy0wMDAwNDI=";

const IDENTITIES: &str = r#"{"identities": [{"name": "owner", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
  "credentials": [{"accessKey": "STOREKEY000000000042", "secretKey": "store/secret+that+must+never+leave+00042"}],
  "policyNames": ["everything"]}]}"#;

const IAM: &str = r#"{
  "sts": {"tokenDuration": "1h", "maxSessionLength": "12h", "issuer": "tests",
    "signingKey": "dGhlLXNpZ25pbmcta2V5LW9mLXRoZS10ZXN0cy0wMDAwNDI="},
  "policy": {"defaultEffect": "Deny", "storeType": "memory"},
  "roleStore": {"storeType": "memory"},
  "roles": [{"roleName": "lent", "roleArn": "arn:aws:iam::000000000000:role/lent", "attachedPolicies": ["everything"],
    "trustPolicy": {"Version": "2012-10-17",
      "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]}]}}],
  "policies": [{"name": "everything", "document": {"Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": ["*"]}]}}]}"#;

/// Keys of a session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Access key id.
    pub key: String,
    /// Secret access key.
    pub secret: String,
    /// Session token.
    pub token: String,
}

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
            files: &[],
            health: "/healthz",
        })?;
        Ok(Self { server })
    }

    /// Starts one with an STS: [`KEY`] is its administrator and may assume [`ROLE`].
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn with_sts() -> Result<Self, ServerError> {
        let server = Server::start(&Recipe {
            name: "SeaweedFS",
            entry: "program:weed",
            arguments: |port| {
                let own = ["-s3.config=identities.json", "-s3.iam.config=iam.json", "-s3.iam.readOnly=false"];
                arguments(port).into_iter().chain(own.map(str::to_owned)).collect()
            },
            variables: |_| Vec::new(),
            files: &[("identities.json", IDENTITIES), ("iam.json", IAM)],
            health: "/healthz",
        })?;
        Ok(Self { server })
    }

    /// A session of [`ROLE`], of 15 minutes, as any client of its STS gets one.
    ///
    /// # Panics
    /// The store refuses; what it said is in the message.
    pub fn session(&self) -> Session {
        let made = script(&["session", &self.url(), KEY, SECRET, ROLE]);
        let [key, secret, token] = serde_json::from_str(&made).expect("three texts");
        Session { key, secret, token }
    }

    /// Its S3 endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

impl Session {
    /// The same session as it will be in 15 minutes: its token, signed by the store's key, says that it is over.
    ///
    /// # Panics
    /// The token is not a JWT.
    #[must_use]
    pub fn expired(&self) -> Self {
        let token = script(&["expired", &self.token, SIGNING_KEY]).trim_end().to_owned();
        Self { token, ..self.clone() }
    }
}

fn script(arguments: &[&str]) -> String {
    let mut command = clients::bare(clients::python());
    clients::run(command.args(["-c", include_str!("seaweedfs.py")]).args(arguments)).succeeded()
}

/// Everything on loopback, on the gateway's port and those above it.
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
        ["server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=128", "-master.volumeSizeLimitMB=16"]
            .map(str::to_owned)
            .to_vec();
    all.extend(["-filer", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0"].map(str::to_owned));
    all.extend((port..).zip(flags).map(|(port, flag)| format!("{flag}={port}")));
    all
}
