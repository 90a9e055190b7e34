//! Bytes in flight.
//!
//! | room | what it does |
//! |---|---|
//! | [`gate`] | verify → resolve → decide → record → sign → stream → settle, for every request of a child |
//!
//! Nothing here decides what a session may do (that is `core`), and nothing here remembers (that is `control`):
//! a [`gate::Journal`] and a [`hallpass_core::credential::CredentialSource`] are handed in.

pub mod gate;

/// The tables that the gate resolves with, for rules of core that are asked without a request.
pub use hallpass_catalog::CATALOG;
