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
//! | `memory` | buffers, used again |

pub mod copy;
pub mod download;
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

use hallpass_core::limits::S3_STOP_GRACE_S_MAX;
use tokio_util::sync::CancellationToken;

use crate::client::Flow;
use crate::error::S3Error;

pub use copy::copy;
pub use download::{Downloaded, download, download_stream};
pub use relay::relay;
pub use upload::{upload_file, upload_stream};

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
    /// A downloaded file is on the disk, not in a cache, before the call returns. Files of more than one part always
    /// are.
    pub durable: bool,
}

/// Runs `work` until it ends or the person says stop.
async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, S3Error>>,
) -> Result<T, S3Error> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(S3Error::Interrupted),
        done = work => done,
    }
}

/// The same for what leaves something behind if it is dropped: after a stop it may still end for a little while.
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
