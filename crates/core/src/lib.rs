//! The rules of Hallpass, pure: no I/O, no clock, no environment, no randomness.
//!
//! | room | what it decides |
//! |---|---|
//! | [`session`] | what a session is, and which state may follow which |
//! | [`policy`] | what a session may do: syntax, IAM evaluation, compilation to a session policy |
//! | [`sigv4`] | the one canonicaliser: verifies what came in, signs what goes out |
//! | [`resolve`] | HTTP request → service, operation, IAM actions, resources, condition keys |
//! | [`budget`] | what a session may use up, and what a request is estimated to cost |
//! | [`learn`] | what a session asked for → the least policy that allows it |
//! | [`audit`] | the typed events, their bytes, the hash chain and the Merkle tree |
//! | [`permit`] | the evidence that authorisation said yes; without it no credential is issued |
//! | [`http_proxy`] | how the caller's own proxy is read, and asked for a tunnel |
//! | [`no_proxy`] | which hosts are reached without the caller's proxy |
//! | [`limits`] | every limit of the product, named |
//!
//! Time and randomness come in as arguments, so every rule here can be tested at any instant.

pub mod agent;
pub mod audit;
pub mod budget;
pub mod clock;
pub mod credential;
pub mod delivery;
pub mod denial;
pub mod http_proxy;
pub mod id;
pub mod learn;
pub mod limits;
pub mod no_proxy;
pub mod permit;
pub mod policy;
pub mod provider;
pub mod resolve;
pub mod secret;
pub mod session;
pub mod sigv4;
pub mod sts;
