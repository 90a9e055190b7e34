//! MiniStack with `AUTH=true`: it enforces signatures, identity and session policies, expiry and revocation, and
//! answers in each protocol's own shape. It does not check body hashes, and its root key passes with any secret,
//! so nothing about signatures may be tested with that key.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::keeper::{Recipe, Server, ServerError};
use crate::clients;

/// Keys of an IAM user.
#[derive(Debug, Clone)]
pub struct User {
    /// Access key id.
    pub key: String,
    /// Secret access key.
    pub secret: String,
}

/// A running MiniStack with users, roles and things in it.
#[derive(Debug)]
pub struct Ministack {
    server: Server,
    /// The account number.
    pub account: String,
    /// May assume [`Ministack::role`] and [`Ministack::narrow_role`], and nothing else.
    pub lender: User,
    /// May do everything in his own name.
    pub owner: User,
    /// A role that may do everything: what narrows a session of it is not the role.
    pub role: String,
    /// A role that may only list buckets.
    pub narrow_role: String,
    /// A queue.
    pub queue: String,
}

/// A bucket, with `reports/a.txt` (`alpha`) and `private/b.txt` (`beta`) in it.
pub const BUCKET: &str = "lent";
/// Another bucket with the same objects, which tests do not lend.
pub const OTHER_BUCKET: &str = "other";
/// A table with the item `one` under its key `id`.
pub const TABLE: &str = "things";

impl Ministack {
    /// Starts one and furnishes it.
    ///
    /// # Errors
    /// See [`ServerError`].
    ///
    /// # Panics
    /// It runs but cannot be furnished.
    pub fn start() -> Result<Self, ServerError> {
        let server = Server::start(&Recipe {
            name: "MiniStack",
            entry: "ministack.app:main",
            arguments: |_| Vec::new(),
            variables: |port| {
                vec![
                    ("AUTH", "true".into()),
                    // Its default is every interface of the machine.
                    ("BIND_HOST", "127.0.0.1".into()),
                    ("GATEWAY_PORT", port.to_string()),
                    ("IOT_MTLS_ENABLED", "0".into()),
                    ("SFTP_ENABLED", "0".into()),
                    ("LOG_LEVEL", "WARNING".into()),
                ]
            },
            files: &[],
            health: "/_ministack/health",
        })?;
        let made = furnish(&server);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let user = |name: &str| User { key: text(&made[name]["key"]), secret: text(&made[name]["secret"]) };
        Ok(Self {
            account: text(&made["account"]),
            lender: user("lender"),
            owner: user("owner"),
            role: text(&made["roles"][0]),
            narrow_role: text(&made["roles"][1]),
            queue: text(&made["queue"]),
            server,
        })
    }

    /// One server for all tests of a binary. It ends with the process, because its standard input does.
    ///
    /// # Panics
    /// It does not start; its log is in the message.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Ministack> = OnceLock::new();
        SHARED.get_or_init(|| {
            let started = Self::start();
            let why = started.as_ref().err().map(ToString::to_string).unwrap_or_default();
            assert!(started.is_ok(), "{why}");
            started.expect("asserted above")
        })
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A client that speaks to it directly as `user`, past the gate.
    pub fn client_as(&self, user: &User, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = clients::bare(program);
        command.envs(clients::identity(&self.url(), &user.key, &user.secret, None));
        command
    }
}

fn furnish(server: &Server) -> Value {
    let mut command = clients::bare(clients::python());
    command.args(["-c", include_str!("ministack.py")]).arg(server.url());
    let outcome = clients::run(&mut command);
    assert!(outcome.status.success(), "{}\n--- server ---\n{}", outcome.shown(), server.log_end());
    let printed = outcome.stdout;
    let made = serde_json::from_str(&printed);
    assert!(made.is_ok(), "not JSON: {printed}");
    made.expect("asserted above")
}
