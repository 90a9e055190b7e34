//! One file per verb. Each has `XArgs`, whose doc comments are the help, and one function.

pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod config;
mod context;
pub(crate) mod credential_process;
pub(crate) mod demo;
pub(crate) mod demo_child;
pub(crate) mod doctor;
pub(crate) mod learn;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod presign;
pub(crate) mod run;
pub(crate) mod s3;
pub(crate) mod session;
pub(crate) mod shim;
pub(crate) mod since;
pub(crate) mod tag;
pub(crate) mod why;

pub(crate) use context::Context;
