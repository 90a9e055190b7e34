//! Readers that the product shows to nobody, compiled from its own files under the names of their homes: the binary's
//! settings, and the tables of the catalogue. What they say to their homes' other rooms ends in [`rooms`].

#![forbid(unsafe_code)]

pub mod settings;
pub mod tables;

mod rooms;

// The product's files, compiled in below, use them.
use {clap as _, hallpass_catalog as _, http as _, jiff as _, strsim as _, thiserror as _};

// As the product's files name the crates and modules around them.
extern crate self as hallpass_control;
extern crate self as hallpass_dataplane;
pub use rooms::{error, gate, outward, store};

use binary::{config, environment};
use catalogue::{host, read, table};
mod output {
    pub(crate) use crate::binary::output::time;
}

#[expect(dead_code, unused_imports, reason = "the binary uses the rest")]
#[path = "../../../crates/hallpass/src"]
mod binary {
    pub(crate) mod config;
    pub(crate) mod environment;
    pub(crate) mod output {
        pub(crate) mod time;
    }
}
#[expect(dead_code, reason = "the catalogue uses the rest")]
#[path = "../../../crates/catalog/src"]
mod catalogue {
    pub(crate) mod host;
    pub(crate) mod read;
    pub(crate) mod table;
}
#[expect(dead_code, reason = "the gate uses the rest")]
#[path = "../../../crates/dataplane/src/gate/upstreams.rs"]
mod upstreams;
