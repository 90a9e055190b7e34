//! Test fixtures, as a dev-dependency only.
//!
//! | room | what it gives |
//! |---|---|
//! | [`servers`] | real AWS-like servers on loopback: MiniStack, which enforces, and moto, the second opinion; a stand-in that counts and streams |
//! | [`clients`] | real clients with exactly the environment given |
//! | [`signed`] | a client of a few lines, for children of tests and benches |
//! | [`connect_proxy`] | a company's proxy, which takes CONNECT |
//! | [`canary`] | secrets with a known value, and where they turn up |
//! | [`cpu`] | what a command costs |
//! | [`mod@store_conformance`] | what every store must do, as tests |
//! | [`store_fixtures`] | sessions, events and clocks for them |
//! | [`tls`] | the far end of TLS, with an authority of its own |
//! | [`environment`] | where `cargo xtask test` has installed all that |

pub mod canary;
pub mod clients;
pub mod connect_proxy;
pub mod cpu;
pub mod environment;
pub mod servers;
pub mod signed;
pub mod store_conformance;
pub mod store_fixtures;
pub mod tls;
