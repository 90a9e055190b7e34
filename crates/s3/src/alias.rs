//! Aliases: named stores.
//!
//! They come from three places ([`Registry`]): variables (`HALLPASS_HOST_<NAME>`), the user's own configuration file
//! ([`AliasFile`]), and the one that is always there (`aws`).

mod credentials;
mod endpoint;
mod entry;
mod file;
mod import;
mod lock;
mod migrations;
mod model;
mod name;
mod registry;
mod variable;

pub use credentials::{Credentials, CredentialsSource, Fixed, StaticCredentials};
pub use endpoint::normalise as normalise_endpoint;
pub use entry::{is_printable_ascii, to_toml};
pub use file::{AliasFile, Change, Stored, StoredAlias};
pub use import::{export, import};
pub use migrations::SCHEMA_VERSION;
pub use model::{Addressing, Alias};
pub use name::{BUILT_IN, RESERVED, check as check_name};
pub use registry::{Entry, Origin, Registry};
pub use variable::{Named, PREFIXES, parse as parse_variable};
