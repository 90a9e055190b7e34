//! One binary for all integration tests of control: it links once, and starts itself again where a test needs a
//! process of its own.

mod children;
mod conformance;
mod crash;
mod faults;
mod guards;
mod import;
mod lifecycle;
mod limits;
mod migration;
mod model;
mod proof;
mod support;
mod tamper;
