//! What `hallpass s3` owes to those who come from other tools: the traps that they know, the exit statuses, dead tokens on
//! every command, JSON that keeps to its schema, secrets that are shown nowhere.

mod canary;
mod envelope;
mod every;
mod expired;
mod statuses;
mod store;
mod tokens;
mod traps;
mod tree;
