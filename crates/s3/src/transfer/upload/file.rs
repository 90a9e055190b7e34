//! A file into an object.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::limits::{S3_PART_BYTES, S3_PART_BYTES_MAX, S3_SMALL_OBJECT_BYTES_MAX};
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use rustix::fs::OFlags;
use tokio::task::JoinSet;

use super::{Job, complete, give_up, goes_on, joined, stays};
use crate::client::object::hex_of;
use crate::client::payload::off_thread;
use crate::client::{Client, MultipartUpload, ObjectId, Part, Payload, PutOptions, Written};
use crate::error::{ErrorKind, S3Error};
use crate::transfer::memory::Buffers;
use crate::transfer::parts::{Gauge, Range, part_size, ranges};
use crate::transfer::state::{Begun, Identity, Memo, local};
use crate::transfer::{TransferOptions, end_parts, ending, unless_stopped};

/// Parts up to this size are held in memory while they are sent; larger ones are read as they are sent.
const HELD_BYTES: u64 = 2 * S3_PART_BYTES;
/// What a part that is read as it is sent holds.
const STREAMED_BYTES: u64 = 1024 * 1024;

/// Uploads a file: in one request up to 8 MiB, in parallel parts above. Goes on from where an interrupted upload of the
/// same file stopped, if that is remembered.
///
/// # Errors
/// [`S3Error`]; [`S3Error::Local`] of sort `Conflict` when the file changed meanwhile: then nothing was made of it.
pub async fn upload_file(
    client: &Client,
    path: &Path,
    to: &ObjectId,
    put: &PutOptions,
    options: &TransferOptions,
) -> Result<Written, S3Error> {
    let source = Source::open(client, path, options).await?;
    upload_source(client, source, to, put, options).await.map(|(written, _)| written)
}

/// [`upload_file`] of one that is open already, and the length of the file, bytes.
pub(crate) async fn upload_source(
    client: &Client,
    source: Source,
    to: &ObjectId,
    put: &PutOptions,
    options: &TransferOptions,
) -> Result<(Written, u64), S3Error> {
    let whole = whole(options);
    let size = source.identity.size;
    if let Some(progress) = &options.flow.progress {
        progress.total(size);
    }
    let written = if size <= whole {
        let put = PutOptions { flow: options.flow.clone(), ..put.clone() };
        unless_stopped(&options.stop, small(client, &source, to, &put)).await?
    } else {
        large(client, Arc::new(source), to, put, options).await?
    };
    if let Some(progress) = &options.flow.progress {
        progress.item();
    }
    Ok((written, size))
}

/// Files up to here are sent in one request, bytes.
fn whole(options: &TransferOptions) -> u64 {
    options.part_size.unwrap_or(S3_PART_BYTES).min(S3_PART_BYTES_MAX)
}

/// A file as it was when it was opened.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    file: Arc<File>,
    identity: Identity,
    /// All of a small one.
    whole: Option<Payload>,
}

impl Source {
    /// A small file is read at once: each call that may block costs more than such a file.
    pub(crate) async fn open(client: &Client, path: &Path, options: &TransferOptions) -> Result<Self, S3Error> {
        let (client, path, held) = (client.clone(), path.to_owned(), whole(options).min(S3_SMALL_OBJECT_BYTES_MAX));
        off_thread(move || Self::read_up_to(&client, path, held)).await
    }

    /// Opens a file; reads one of up to `held` bytes, and hashes it where the client's signature covers it. Blocks.
    pub(crate) fn read_up_to(client: &Client, path: PathBuf, held: u64) -> Result<Self, S3Error> {
        // A pipe would block the opening, and has no ranges.
        let file = File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(&path);
        let file = file.map_err(|e| local(&path, &e))?;
        let metadata = file.metadata().map_err(|e| local(&path, &e))?;
        if !metadata.is_file() {
            let suggestion = "upload a stream from the standard input";
            return Err(S3Error::usage_with(format!("`{}` is no file", path.display()), suggestion));
        }
        let identity = Identity::of(&metadata);
        let mut payload = None;
        if identity.size <= held {
            let mut whole = vec![0; usize::try_from(identity.size).unwrap_or(usize::MAX)];
            let read = file.read_exact_at(&mut whole, 0);
            let more = identity.size == 0 && holds_bytes(&file).map_err(|e| local(&path, &e))?;
            // One that became shorter has changed, and could not be read for that.
            same_still(&file, &path, &identity)?;
            if more || read.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::UnexpectedEof) {
                let why = format!("`{}` does not hold as many bytes as its length says", path.display());
                return Err(S3Error::usage_with(why, "upload it as a stream: `… | hallpass s3 cp - TARGET`"));
            }
            read.map_err(|e| local(&path, &e))?;
            let bytes = Bytes::from(whole);
            payload = Some(if client.hashes(identity.size) { Payload::hashed(bytes) } else { Payload::bytes(bytes) });
        }
        Ok(Self { path, file: Arc::new(file), identity, whole: payload })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Refuses a file that is not what it was.
    async fn unchanged(&self) -> Result<(), S3Error> {
        let (file, path, before) = (Arc::clone(&self.file), self.path.clone(), self.identity.clone());
        off_thread(move || same_still(&file, &path, &before)).await
    }

    /// A failure with its reason: a file that became shorter could not be read for that.
    async fn why(&self, error: S3Error) -> S3Error {
        match error {
            S3Error::Local { .. } => self.unchanged().await.err().unwrap_or(error),
            other => other,
        }
    }

    fn payload(&self, range: Range) -> Payload {
        Payload::file(Arc::clone(&self.file), &self.name(), range.offset, range.length)
    }

    /// The bytes of a range, in a buffer that is used again.
    async fn read(&self, range: Range, buffers: &Buffers) -> Result<Payload, S3Error> {
        let (file, path, buffers) = (Arc::clone(&self.file), self.path.clone(), buffers.clone());
        let bytes = off_thread(move || {
            let length = usize::try_from(range.length).unwrap_or(usize::MAX);
            let mut lent = buffers.lend(length);
            file.read_exact_at(lent.as_mut(), range.offset).map_err(|e| local(&path, &e))?;
            Ok(lent.filled(length))
        });
        bytes.await.map(Payload::bytes)
    }
}

/// True for what has bytes, whatever length it has: files of `/proc` say that they are empty. Blocks.
pub(crate) fn holds_bytes(file: &File) -> std::io::Result<bool> {
    file.read_at(&mut [0], 0).map(|read| read > 0)
}

/// Refuses a file that is not what it was. Blocks.
fn same_still(file: &File, path: &Path, before: &Identity) -> Result<(), S3Error> {
    let now = Identity::of(&file.metadata().map_err(|e| local(path, &e))?);
    if now == *before {
        return Ok(());
    }
    let message = "it changed while it was uploaded: upload it again".to_owned();
    Err(S3Error::Local { path: path.display().to_string(), message, kind: ErrorKind::Conflict })
}

async fn small(client: &Client, source: &Source, to: &ObjectId, put: &PutOptions) -> Result<Written, S3Error> {
    if let Some(whole) = &source.whole {
        return client.put(to, whole.clone(), put).await;
    }
    let payload = source.payload(Range { number: 1, offset: 0, length: source.identity.size });
    source.unchanged().await?;
    let written = match client.put(to, payload, put).await {
        Ok(written) => written,
        Err(error) => return Err(source.why(error).await),
    };
    if !written.verified {
        source.unchanged().await?;
    }
    Ok(written)
}

async fn large(
    client: &Client,
    source: Arc<Source>,
    to: &ObjectId,
    put: &PutOptions,
    options: &TransferOptions,
) -> Result<Written, S3Error> {
    let memo = options.state.as_ref().map(|folder| Memo::of(folder, client, to, &source.path));
    let mut size = part_size(source.identity.size, options.part_size)?;
    let (upload, known) = match found(client, &source, to, memo.as_ref(), put, options).await? {
        Some((upload, known, begun)) => {
            size = begun.part_size;
            (upload, known)
        }
        None => {
            let checksum = put.checksum.or(client.checksum());
            let begin = client.create_multipart_with(to, &put.properties, checksum);
            (ending(&options.stop, begin).await?, HashMap::new())
        }
    };
    if let Some(memo) = &memo
        && let Err(error) = memo.write(&source.identity, size, &upload).await
    {
        tracing::warn!(%error, "this upload could not go on if it were interrupted");
    }
    let upload = Arc::new(upload);
    let job = Job { client: client.clone(), upload: Arc::clone(&upload), flow: options.flow.clone() };
    let mut tasks = JoinSet::new();
    let sending = parts(&job, &source, size, known, options, &mut tasks);
    let sent = unless_stopped(&options.stop, sending).await;
    // No part may arrive after the upload was given up.
    end_parts(&mut tasks).await;
    let made = match sent {
        Ok(parts) => match source.unchanged().await {
            Ok(()) => complete(client, &upload, parts, put, options).await,
            Err(changed) => Err(changed),
        },
        Err(error) => Err(source.why(error).await),
    };
    let over = match &made {
        Ok(_) => true,
        Err(error) if memo.is_some() && goes_on(error, options) && error.kind() != ErrorKind::Conflict => {
            stays(client, &upload, options, None);
            false
        }
        Err(_) => give_up(client, &upload, options).await,
    };
    if let (Some(memo), true) = (&memo, over) {
        memo.forget().await;
    }
    made
}

/// An upload of this file that was interrupted, and the parts that the store has. One of another state of the file is
/// given up.
///
/// # Errors
/// The store does not say which parts it has.
async fn found(
    client: &Client,
    source: &Source,
    to: &ObjectId,
    memo: Option<&Memo>,
    put: &PutOptions,
    options: &TransferOptions,
) -> Result<Option<(MultipartUpload, HashMap<u32, Part>, Begun)>, S3Error> {
    let Some(memo) = memo else { return Ok(None) };
    let Some(begun) = memo.read().await else { return Ok(None) };
    let checksum = put.checksum.or(client.checksum());
    let named = checksum.map(|algorithm| format!("{algorithm:?}")).unwrap_or_default();
    let same = begun.checksum == named;
    let upload = MultipartUpload { object: to.clone(), id: begun.upload_id.clone(), checksum, whole: begun.whole };
    let fits = ranges(begun.source.size, begun.part_size).count() <= hallpass_core::limits::S3_PART_NUMBER_MAX as usize;
    if !same || begun.source != source.identity || begun.part_size == 0 || !fits {
        give_up(client, &upload, options).await;
        return Ok(None);
    }
    match client.list_parts(&upload).await {
        Ok(parts) => {
            let parts = parts.into_iter().map(|listed| (listed.part.number, listed.part)).collect();
            Ok(Some((upload, parts, begun)))
        }
        // Somebody ended it.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // Beginning anew would leave it behind.
        Err(error) => Err(error),
    }
}

/// Sends all parts, as many at once as is fastest.
async fn parts(
    job: &Job,
    source: &Arc<Source>,
    size: u64,
    mut known: HashMap<u32, Part>,
    options: &TransferOptions,
    tasks: &mut JoinSet<Result<Part, S3Error>>,
) -> Result<Vec<Part>, S3Error> {
    let mut gauge = Gauge::new(options, if size <= HELD_BYTES { size } else { STREAMED_BYTES });
    let buffers = Buffers::default();
    let mut waiting = ranges(source.identity.size, size);
    let mut parts = Vec::new();
    loop {
        while tasks.len() < gauge.limit()
            && let Some(range) = waiting.next()
        {
            let known = known.remove(&range.number).filter(|part| part.size == range.length);
            tasks.spawn(part(job.clone(), Arc::clone(source), buffers.clone(), range, known));
        }
        let Some(done) = tasks.join_next().await else { return Ok(parts) };
        let done = joined(done)?;
        gauge.done(done.size);
        parts.push(done);
    }
}

/// Sends one part, unless the store has it.
async fn part(
    job: Job,
    source: Arc<Source>,
    buffers: Buffers,
    range: Range,
    known: Option<Part>,
) -> Result<Part, S3Error> {
    let held = range.length <= HELD_BYTES;
    let payload = if held { source.read(range, &buffers).await? } else { source.payload(range) };
    if let Some(known) = known
        && let Some(part) = same(&payload, job.upload.checksum, known).await?
    {
        job.flow.moved(range.length);
        return Ok(part);
    }
    job.client.upload_part(&job.upload, range.number, payload, &job.flow).await
}

/// The part that the store has, if its bytes are these; its checksum, if it tells, or its MD5 says so.
async fn same(payload: &Payload, algorithm: Option<ChecksumAlgorithm>, known: Part) -> Result<Option<Part>, S3Error> {
    let sum = match algorithm {
        Some(algorithm) => payload.checksum(algorithm).await?,
        None => None,
    };
    let equal = match (&sum, &known.checksum) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => {
            let md5 = payload.checksum(ChecksumAlgorithm::Md5).await?;
            md5.as_deref().and_then(hex_of).is_some_and(|md5| md5 == known.etag.trim_matches('"'))
        }
    };
    Ok(equal.then_some(Part { checksum: sum, ..known }))
}
