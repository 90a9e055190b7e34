//! One binary for all integration tests of the S3 client: it links once.

mod chaos;
mod keys;
mod objects;
mod refusals;
mod seaweedfs;
mod transfers;
mod world;
