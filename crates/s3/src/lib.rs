//! The S3 client behind `hallpass s3` and `hallpass alias`.
//!
//! | room | what it holds |
//! |---|---|
//! | [`alias`] | named stores: where they are, what signs for them, how long that lasts |
//! | [`client`] | one store: connections, signatures, retries, and the operations on buckets and objects |
//! | [`plan`] | what a transfer will do, before it does it |
//! | [`error`] | what a store can answer, by sort; never by the words of a message |
//! | [`transfer`] | files and streams up and down: in parts, resumed, verified, slowed, stopped |
//!
//! The crate knows neither the terminal nor exit codes: it answers values and [`error::S3Error`]s.

pub mod alias;
pub mod client;
pub mod error;
pub mod plan;
pub mod transfer;
