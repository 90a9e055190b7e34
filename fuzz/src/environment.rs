//! The only place of the fuzzer that reads the environment.

/// The target that was asked for: `HALLPASS_FUZZ`, empty when it is not set.
pub fn target() -> String {
    std::env::var("HALLPASS_FUZZ").unwrap_or_default()
}
