//! Decides and remembers: session lifecycle, store, audit log.
//!
//! | room | what it does |
//! |---|---|
//! | [`store`] | the seam to the database and its SQLite implementation; each method is one transaction |
//! | [`lifecycle`] | create → activate → end, and the repair of what a killed process left behind |
//! | [`audit`] | verifies, proves and exports the log, read-only and in constant memory |
//! | [`keys`] | the Ed25519 key that signs checkpoints |
//! | [`keeper`] | which process answers for a session, and whether it is still alive |
//! | [`authority`] | the key of everything that changes what a session may do |
//! | [`import`] | reads the session files of the tools that came before |
//! | [`clock`] | the only place that reads the real clock |

mod anchor;
pub mod audit;
pub mod authority;
pub mod clock;
pub mod failpoint;
pub mod files;
pub mod import;
pub mod keeper;
pub mod keys;
pub mod lifecycle;
pub mod store;

pub use keeper::Keeper;
pub use store::{Store, StoreError, StoreOptions, connect};
