//! Providers: each turns a permit into a real short-lived credential. One file each, one line in [`catalog`].
//!
//! This is the only crate that knows a cloud SDK, and no SDK type crosses a provider file's edge.

pub mod aws;
pub mod catalog;
pub mod s3;
