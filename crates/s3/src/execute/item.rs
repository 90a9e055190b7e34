//! One copy: up, down, inside a store.

use std::path::Path;
use std::sync::atomic::Ordering;

use crate::client::{Client, CopyOptions, GetOptions, ObjectHead, ObjectId, PutOptions, Written};
use crate::error::{ErrorKind, S3Error};
use crate::plan::{Passed, Place, Planned};
use crate::transfer::{self, Source, TransferOptions, local, unless_stopped};

use super::ahead::Read;
use super::input::Input;
use super::{Action, Carried, Done, Orders, place, property, relay, verify};
use crate::client::payload::off_thread;

/// Copies one thing, from `read` if its file was read already; removes its source where that was asked for, and not
/// before the copy is verified.
pub(super) async fn carry(
    planned: &Planned,
    action: Action,
    orders: &Orders,
    transfer: &TransferOptions,
    read: Read,
) -> Result<Carried, S3Error> {
    if unless_stopped(&transfer.stop, would_clobber(planned, orders)).await? {
        return Ok(Carried::Passed(Passed::Exists));
    }
    let copied = match (&planned.from, &planned.to) {
        (Place::Local(path), Place::Object(client, to)) => {
            upload(client, path, to, planned, orders, transfer, read).await
        }
        (Place::Stdio, Place::Object(client, to)) => {
            let input = Input::new(std::io::stdin()).map_err(|e| local(Path::new("-"), &e))?;
            stream(client, input, to, &put(&to.key, orders), transfer).await
        }
        (Place::Object(client, from), Place::Local(path)) => {
            download(client, from, path, planned, orders, transfer).await
        }
        (Place::Object(client, from), Place::Stdio) => {
            let out = place::stream(&std::io::stdout())?;
            let get = GetOptions::default();
            transfer::download_stream(client, from, out, &get, transfer).await.map(downloaded)
        }
        (Place::Object(client, from), Place::Object(other, to)) => match action {
            Action::Copy => inside(client, from, to, planned, orders, transfer).await,
            _ => relay::relay((client, from), (other, to), orders, transfer).await,
        },
        (Place::Local(_) | Place::Stdio, Place::Local(_) | Place::Stdio) => {
            Err(S3Error::usage("neither the source nor the target is in a store"))
        }
    };
    let done = match copied {
        Ok(done) => done,
        // Somebody else was faster: that is what was to be left alone.
        Err(error) if orders.no_clobber && error.code() == "PreconditionFailed" => {
            return Ok(Carried::Passed(Passed::Exists));
        }
        Err(error) => return Err(error),
    };
    if orders.remove_source {
        let verified = unless_stopped(&transfer.stop, verify::verified(planned, &done)).await?;
        place::remove(&planned.from, verified, planned.left.as_deref()).await?;
    }
    Ok(Carried::Done(done))
}

/// The target is there, and is to stay.
pub(super) async fn would_clobber(planned: &Planned, orders: &Orders) -> Result<bool, S3Error> {
    if !orders.no_clobber {
        return Ok(false);
    }
    match &planned.to {
        Place::Stdio => Ok(false),
        Place::Local(path) => {
            let path = path.clone();
            off_thread(move || Ok(path.symlink_metadata().is_ok())).await
        }
        Place::Object(client, object) => match client.head(object, &GetOptions::default()).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        },
    }
}

/// Two names of a store with the same keys: it copies by itself.
pub(super) fn is_one_store(a: &Client, b: &Client) -> bool {
    a.alias() == b.alias() && a.store() == b.store()
}

fn put(key: &str, orders: &Orders) -> PutOptions {
    PutOptions {
        properties: property::of_name(key, &orders.properties),
        if_absent: orders.no_clobber,
        checksum: orders.checksum,
        ..PutOptions::default()
    }
}

pub(super) fn done(written: Written, size: u64) -> Done {
    Done { size, verified: written.verified, etag: written.etag, version: written.version, resumed: 0 }
}

fn downloaded(got: transfer::Downloaded) -> Done {
    let (etag, version) = (got.head.etag, got.head.version);
    Done { size: got.head.size, verified: got.verified, etag, version, resumed: got.resumed }
}

async fn upload(
    client: &Client,
    path: &Path,
    to: &ObjectId,
    planned: &Planned,
    orders: &Orders,
    transfer: &TransferOptions,
    read: Read,
) -> Result<Done, S3Error> {
    let mut put = put(&to.key, orders);
    // What was found in a folder is a file, and nothing else of it is needed.
    if planned.left.is_none() || orders.preserve {
        let looked = path.to_owned();
        let look = move || looked_at(&looked).map_err(|e| local(&looked, &e));
        let (metadata, has_length) = off_thread(look).await?;
        if orders.preserve {
            property::keep(&metadata, &mut put.properties.metadata);
        }
        if !has_length && planned.left.is_none() {
            // Opening a pipe waits for whoever writes.
            let opened = path.to_owned();
            let opening = off_thread(move || std::fs::File::open(&opened).map_err(|e| local(&opened, &e)));
            let file = unless_stopped(&transfer.stop, opening).await?;
            let input = Input::new(file).map_err(|e| local(path, &e))?;
            return stream(client, input, to, &put, transfer).await;
        }
    }
    let source = match read {
        Some(read) => read?,
        None => Source::open(client, path, transfer).await?,
    };
    let (written, size) = transfer::upload_source(client, source, to, &put, transfer).await?;
    Ok(done(written, size))
}

/// What is there, and whether its length says how much there is to read: that of a pipe does not, and files of `/proc`
/// say that they are empty. Blocks.
fn looked_at(path: &Path) -> std::io::Result<(std::fs::Metadata, bool)> {
    let metadata = std::fs::metadata(path)?;
    let has_length = metadata.is_file() && (metadata.len() > 0 || !transfer::holds_bytes(&std::fs::File::open(path)?)?);
    Ok((metadata, has_length))
}

async fn stream(
    client: &Client,
    input: Input,
    to: &ObjectId,
    put: &PutOptions,
    transfer: &TransferOptions,
) -> Result<Done, S3Error> {
    let given = input.given();
    let written = transfer::upload_stream(client, input, to, put, transfer).await?;
    Ok(done(written, given.load(Ordering::Relaxed)))
}

async fn download(
    client: &Client,
    from: &ObjectId,
    path: &Path,
    planned: &Planned,
    orders: &Orders,
    transfer: &TransferOptions,
) -> Result<Done, S3Error> {
    place::prepare(path, planned.below.as_deref()).await?;
    let got = transfer::download(client, from, path, planned.size, &GetOptions::default(), transfer).await?;
    if orders.preserve || orders.times {
        property::restore(path, &got.head, orders.preserve).await?;
    }
    Ok(downloaded(got))
}

/// Inside a store: not a byte passes here.
async fn inside(
    client: &Client,
    from: &ObjectId,
    to: &ObjectId,
    planned: &Planned,
    orders: &Orders,
    transfer: &TransferOptions,
) -> Result<Done, S3Error> {
    let changes = orders.properties != Default::default();
    // What is replaced is replaced whole, so what stays must be known.
    let (head, properties) = match (planned.size, changes) {
        (Some(size), false) => (ObjectHead { size, etag: planned.etag.clone(), ..ObjectHead::default() }, None),
        (_, changes) => {
            let head = unless_stopped(&transfer.stop, client.head(from, &GetOptions::default())).await?;
            let merged = changes.then(|| property::merged(&head.properties, &orders.properties));
            (head, merged)
        }
    };
    let size = head.size;
    let if_match = head.etag.clone();
    // A listing says nothing of the properties that a copy in parts has to name.
    let head = (planned.size.is_none() || changes || size <= hallpass_core::limits::S3_PART_BYTES_MAX).then_some(head);
    let how = CopyOptions { properties, if_match };
    let written = transfer::copy(client, from, to, head, &how, transfer).await?;
    Ok(done(written, size))
}
