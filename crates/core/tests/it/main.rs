//! One binary for all integration tests of core: it links once.

mod audit;
mod sigv4;
