//! Transfers: files and streams up and down, in parts where that is faster, resumed, verified, slowed and stopped.
//!
//! | file | what it knows |
//! |---|---|
//! | [`mod@upload`] | a file, or a stream of unknown length, into an object |
//! | [`mod@download`] | an object into a file or a stream |
//! | [`mod@copy`] | an object into another, inside the store |
//! | [`mod@relay`] | an object of one store into another store |
//! | `parts` | how large, how many at once |
//! | `sums` | checksums of parts, put together |
//! | `ranges`, `partial` | the file of a download, and what comes into it in parallel |
//! | `state` | what is remembered of an upload that was interrupted |
//! | `leftovers` | what stays in the store unfinished, and is said |
//! | `memory` | buffers, used again |

pub mod copy;
pub mod download;
mod leftovers;
mod memory;
mod partial;
mod parts;
mod ranges;
pub mod relay;
mod state;
mod sums;
pub mod upload;

use std::path::PathBuf;
use std::time::Duration;

use hallpass_core::limits::{S3_STOP_GRACE_S_MAX, S3_STOP_PARTS_S_MAX, S3_TRANSFER_MEMORY_BYTES_MAX};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::Flow;
use crate::error::S3Error;

pub use copy::copy;
pub use download::{Downloaded, download, download_stream};
pub use leftovers::{Leftover, Leftovers};
pub use relay::relay;
pub(crate) use upload::{Source, holds_bytes, upload_source};
pub use upload::{upload_file, upload_stream};

pub(crate) use partial::is_unfinished;
pub(crate) use parts::{Gauge, part_size};
pub(crate) use state::local;

/// How to transfer.
#[derive(Debug, Clone, Default)]
pub struct TransferOptions {
    /// How fast, and who hears of it.
    pub flow: Flow,
    /// Stops the transfer: what is half done is cleaned up, or remembered where [`Self::resume`] says so, before the
    /// call returns [`S3Error::Interrupted`].
    pub stop: CancellationToken,
    /// Bytes of a part, instead of what fits the size.
    pub part_size: Option<u64>,
    /// Parts in flight, instead of what turns out to be fastest.
    pub concurrency: Option<usize>,
    /// What is half done stays when the transfer fails or is stopped, and the next one goes on from there. An upload
    /// that finds one of its own goes on from there in any case.
    pub resume: bool,
    /// The folder in which interrupted uploads are remembered; `None`: none is.
    pub state: Option<PathBuf>,
    /// A downloaded file is on the disk, not in a cache, before the call returns. Where its source is removed next, that
    /// is needed; elsewhere it is what a copy on this machine does not do either, and half of the time of 1 GiB.
    pub durable: bool,
    /// Bytes that the parts in flight may hold together; `None`: [`S3_TRANSFER_MEMORY_BYTES_MAX`].
    pub memory: Option<u64>,
    /// Hears of uploads that stay in the store unfinished.
    pub leftovers: Leftovers,
}

impl TransferOptions {
    /// Bytes that the parts in flight may hold together.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.unwrap_or(S3_TRANSFER_MEMORY_BYTES_MAX).min(S3_TRANSFER_MEMORY_BYTES_MAX)
    }
}

/// Runs `work` until it ends or the person says stop.
pub(crate) async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, S3Error>>,
) -> Result<T, S3Error> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(S3Error::Interrupted),
        done = work => done,
    }
}

/// Ends the parts of an upload that goes no further. Those in flight may end first, for a little while: a store that is
/// cut off within one may keep it all the same, after the upload was given up, for which AWS advises to wait as well
/// (S3 API reference, `AbortMultipartUpload`).
async fn end_parts<T: 'static>(parts: &mut JoinSet<T>) {
    let all = async { while parts.join_next().await.is_some() {} };
    drop(tokio::time::timeout(Duration::from_secs(S3_STOP_PARTS_S_MAX), all).await);
    parts.shutdown().await;
}

/// [`unless_stopped`] for what leaves something behind if it is dropped: after a stop it may still end for a little while.
async fn ending<T>(stop: &CancellationToken, work: impl Future<Output = Result<T, S3Error>>) -> Result<T, S3Error> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        done = work.as_mut() => done,
        () = stop.cancelled() => {
            let grace = Duration::from_secs(S3_STOP_GRACE_S_MAX);
            tokio::time::timeout(grace, work).await.unwrap_or(Err(S3Error::Interrupted))
        }
    }
}
