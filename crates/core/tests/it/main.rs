//! One binary for all integration tests of core: it links once.

mod audit;
mod budget;
mod learn;
mod policy;
mod prices;
mod resolve;
mod sigv4;
