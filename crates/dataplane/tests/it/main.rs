//! The gate on real sockets of 127.0.0.1: every security promise has a test here that fails without its guard.

mod authentication;
mod boto3;
mod budget;
mod checksums;
mod chunked;
mod client;
mod continuing;
mod credential;
mod cutting;
mod event_streams;
mod faults;
mod forwarding;
mod journal;
mod limits;
mod origin;
mod presign;
mod presigned;
mod proxy;
mod retries;
mod smuggling;
mod stalling;
mod store;
mod tls;
mod tunnel;
mod upstream;
mod world;
