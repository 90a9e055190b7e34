//! How much is moved.

/// `HALLPASS_BENCH_S3_MIB` makes the large object smaller, for a quick look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Bytes of the large object.
    pub(super) large: u64,
    /// Small objects, 16 KiB each.
    pub(super) small: u64,
    /// Keys that are listed.
    pub(super) listed: u64,
}

/// Bytes of a small object.
pub(super) const SMALL_BYTES: u64 = 16 * 1024;

impl Sizes {
    #[expect(clippy::disallowed_methods, reason = "a bench has no `environment.rs`")]
    pub(super) fn new() -> Self {
        let asked = std::env::var("HALLPASS_BENCH_S3_MIB").ok().and_then(|text| text.parse::<u64>().ok());
        Self { large: asked.unwrap_or(1_024) << 20, small: 2_000, listed: 100_000 }
    }

    /// Bytes of a key; `None`: there is no such object.
    pub(super) fn of(self, key: &str) -> Option<u64> {
        // A folder is no object: a client that asks so, as rclone does, would take it for all there is.
        match key.split_once('/') {
            None if key == "large" => Some(self.large),
            Some(("small", _)) => Some(SMALL_BYTES),
            Some(("list", _)) => Some(1),
            _ => None,
        }
    }

    /// Keys in a folder.
    pub(super) fn keys(self, folder: &str) -> u64 {
        match folder {
            "small" => self.small,
            "list" => self.listed,
            _ => 0,
        }
    }
}
