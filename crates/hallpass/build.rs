//! How the binary is linked.
//!
//! On Linux with glibc it is linked for a fixed address, as the Go tools of this field are. Every `run` starts it
//! twice (itself and the shim), and at a random address the loader rewrites 31,000 pointers on 118 pages each time: a
//! sixth of all the CPU time of `run -- true` (`cargo xtask bench start`).
//! Stack, heap, libraries and mappings stay at random addresses. Packagers who want the image there too set
//! `HALLPASS_PIE=1`.

#[expect(clippy::disallowed_methods, reason = "a build script is told by its environment")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=HALLPASS_PIE");
    let set = |name: &str| std::env::var(name).unwrap_or_default();
    let glibc = set("CARGO_CFG_TARGET_OS") == "linux" && set("CARGO_CFG_TARGET_ENV") == "gnu";
    if glibc && set("HALLPASS_PIE") != "1" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
