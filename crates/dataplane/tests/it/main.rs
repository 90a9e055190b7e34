//! The gate on real sockets of 127.0.0.1: every security promise has a test here that fails without its guard.

mod authentication;
mod chunked;
mod client;
mod credential;
mod cutting;
mod faults;
mod forwarding;
mod journal;
mod limits;
mod matrix;
mod origin;
mod presign;
mod presigned;
mod proxy;
mod smuggling;
mod store;
mod tls;
mod tunnel;
mod upstream;
mod world;
