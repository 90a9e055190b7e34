//! The S3 client behind `hallpass s3` and `hallpass alias`.
//!
//! | room | what it holds |
//! |---|---|
//! | [`alias`] | named stores: where they are, what signs for them, how long that lasts |
//! | [`bucket_name`] | which names a new bucket may have |
//! | [`error`] | what a store can answer, by sort; never by the words of a message |
//! | [`rights`] | what a command must be allowed to do |
//! | [`target`] | what a path on the command line means: local, remote, stdin |
//!
//! The crate knows neither the terminal nor exit codes: it answers values and [`error::S3Error`]s.

pub mod alias;
pub mod bucket_name;
pub mod error;
pub mod rights;
pub mod target;
