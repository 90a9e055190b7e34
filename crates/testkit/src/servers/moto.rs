//! moto: the second opinion for the basics. It checks header signatures, and neither session policies nor expiry.

use super::keeper::{Recipe, Server, ServerError};

/// A running moto server.
#[derive(Debug)]
pub struct Moto {
    server: Server,
}

impl Moto {
    /// Starts one that checks no signatures, until a client posts to its `reset-auth`.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start() -> Result<Self, ServerError> {
        let server = Server::start(&Recipe {
            name: "moto",
            entry: "moto.server:main",
            arguments: |port| vec!["-H".into(), "127.0.0.1".into(), "-p".into(), port.to_string()],
            variables: |_| vec![("INITIAL_NO_AUTH_ACTION_COUNT", "1000000".into())],
            files: &[],
            health: "/moto-api/data.json",
        })?;
        Ok(Self { server })
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Its endpoint.
    pub fn url(&self) -> String {
        self.server.url()
    }
}
