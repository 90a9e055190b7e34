//! The S3 client behind `hallpass s3` and `hallpass alias`.
//!
//! | room | what it holds |
//! |---|---|
//! | [`alias`] | named stores: where they are, what signs for them, how long that lasts |
//! | [`client`] | one store: connections, signatures, retries, and the operations on buckets and objects |
//! | [`transfer`] | files and streams up and down: in parts, resumed, verified, slowed, stopped |
//! | [`plan`] | what a copy, a move or a mirror will do, before it does it |
//! | [`execute`] | a plan, carried out: many things at once, each reported |
//! | [`admin`] | users, groups, policies and the server itself, where it is compatible with MinIO |
//! | [`walk`] | keys below a prefix, page by page |
//! | [`filter`] | which of them are meant |
//! | [`usage`] | their sums, and their shape as a tree |
//! | [`removal`] | deletes along a walk |
//! | [`target`] | what a path on the command line means |
//! | [`anonymous`] | what everybody may do with a bucket, in one word |
//! | [`bucket_name`] | which names a new bucket may have |
//! | [`rights`] | what a command must be allowed to do |
//! | [`error`] | what a store can answer, by sort; never by the words of a message |
//!
//! The crate knows neither the terminal nor exit codes: it answers values and [`error::S3Error`]s.

pub mod admin;
pub mod alias;
pub mod anonymous;
pub mod bucket_name;
pub mod client;
pub mod error;
pub mod execute;
pub mod filter;
pub mod plan;
pub mod removal;
pub mod rights;
pub mod target;
pub mod transfer;
pub mod usage;
pub mod walk;
