//! One binary for all integration tests of the S3 client: it links once.

mod admin;
mod ahead;
mod chaos;
mod keys;
mod limits;
mod objects;
mod ranges;
mod refusals;
mod seaweedfs;
mod tls;
mod transfers;
mod versions;
mod world;
