//! An object's bytes on stdout.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use hallpass_s3::client::{Client, GetOptions, ObjectId};
use hallpass_s3::transfer::{TransferOptions, download_stream};
use tokio::io::AsyncWrite;

use super::stores::{Failed, Stores};
use crate::error::CommandError;

impl Stores<'_> {
    /// Writes an object, or a range of it, up to so many lines. A reader that goes away ends it without an error of the
    /// store's.
    ///
    /// # Errors
    /// The store's; [`crate::error::ErrorKind::BrokenPipe`] when nobody reads any more.
    pub(super) async fn print_object(
        &self,
        client: &Client,
        object: &ObjectId,
        get: &GetOptions,
        lines: Option<u64>,
    ) -> Result<(), Failed> {
        // Not through the line buffer: the bytes need not be text.
        let to = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut out = Out { to, lines, failed: None };
        if lines == Some(0) {
            return Ok(());
        }
        let from_start = get.range.as_ref().is_some_and(|range| *range.start() == 0);
        match download_stream(client, object, &mut out, get, &TransferOptions::default()).await {
            Ok(_) => Ok(()),
            Err(_) if out.lines == Some(0) => Ok(()),
            // The first bytes of an object without any.
            Err(error) if from_start && error.code() == "InvalidRange" => Ok(()),
            Err(error) => Err(match out.failed.take() {
                Some(failed) => CommandError::from(failed).into(),
                None => error.into(),
            }),
        }
    }
}

/// Stdout, until so many lines are written. Writes at once: nothing else is to be done meanwhile.
struct Out {
    to: File,
    lines: Option<u64>,
    failed: Option<io::Error>,
}

impl Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = &mut self.lines else {
            self.to.write_all(bytes)?;
            return Ok(bytes.len());
        };
        let mut end = bytes.len();
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            *left -= 1;
            if *left == 0 {
                end = at + 1;
                break;
            }
        }
        let is_enough = *left == 0;
        self.to.write_all(&bytes[..end])?;
        if is_enough {
            self.to.flush()?;
            return Err(io::Error::other("enough"));
        }
        Ok(bytes.len())
    }
}

impl AsyncWrite for Out {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = self.write(bytes);
        Poll::Ready(done.map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        }))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = self.to.flush();
        Poll::Ready(done.map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        }))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
