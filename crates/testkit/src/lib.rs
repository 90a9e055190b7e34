//! Test fixtures, as a dev-dependency only.
//!
//! | room | what it gives |
//! |---|---|
//! | [`servers`] | real AWS-like servers on loopback: MiniStack, which enforces, and moto, the second opinion |
//! | [`clients`] | real clients with exactly the environment given |
//! | [`canary`] | secrets with a known value, and where they turn up |
//! | [`cpu`] | what a command costs |
//! | [`environment`] | where `cargo xtask test` has installed all that |

pub mod canary;
pub mod clients;
pub mod cpu;
pub mod environment;
pub mod servers;
