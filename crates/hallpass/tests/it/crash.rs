//! Nothing is lost, whenever `hallpass` dies: what reached the upstream stands in the log, the log verifies, and the
//! next start repairs the record and marks as unknown what nobody knows any more.
//!
//! SIGKILL keeps the page cache, so it cannot show a missing `fsync`; [`durability`] asserts the settings instead.
//! HALLPASS_CRASH_ROUNDS (300) and HALLPASS_CRASH_SEED (random, printed) steer the random rounds.

mod check;
mod child;
mod durability;
mod faults;
mod mutants;
mod points;
mod rounds;
mod upstream;
mod world;
