//! One binary for every target: `HALLPASS_FUZZ=<target> fuzz [libFuzzer arguments]`. Started by `cargo xtask fuzz`.

#![no_main]

use std::sync::OnceLock;

use hallpass_fuzz::{TARGETS, Target, environment};
use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = environment::target();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    *TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("HALLPASS_FUZZ is one of {names:?}"))
}

fuzz_target!(|data: &[u8]| {
    (CHOSEN.get_or_init(chosen).run)(data);
});
