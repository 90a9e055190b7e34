//! One binary for all integration tests of core: it links once.

mod audit;
mod resolve;
mod sigv4;
