//! The S3 client behind `hallpass s3` and `hallpass alias`.
//!
//! | room | what it holds |
//! |---|---|
//! | [`alias`] | named stores: where they are, what signs for them, how long that lasts |
//! | [`bucket_name`] | which names a new bucket may have |
//! | [`client`] | one store: connections, signatures, retries, and the operations on buckets and objects |
//! | [`error`] | what a store can answer, by sort; never by the words of a message |
//! | [`execute`] | a plan, carried out: many things at once, each reported |
//! | [`plan`] | what a transfer will do, before it does it |
//! | [`rights`] | what a command must be allowed to do |
//! | [`target`] | what a path on the command line means: local, remote, stdin |
//! | [`transfer`] | files and streams up and down: in parts, resumed, verified, slowed, stopped |
//! | [`walk`] | keys below a prefix, page by page |
//!
//! The crate knows neither the terminal nor exit codes: it answers values and [`error::S3Error`]s.

pub mod alias;
pub mod bucket_name;
pub mod client;
pub mod error;
pub mod execute;
pub mod plan;
pub mod rights;
pub mod target;
pub mod transfer;
pub mod walk;
