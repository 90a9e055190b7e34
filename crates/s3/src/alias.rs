//! Aliases: named stores.

mod credentials;
mod model;

pub use credentials::{Credentials, CredentialsSource, StaticCredentials};
pub use model::{Addressing, Alias};
