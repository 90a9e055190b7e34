//! From one store to another, through this machine, with its properties.

use hallpass_core::limits::S3_PART_BYTES;

use super::item::done;
use super::property::merged;
use super::{Done, Orders};
use crate::client::{Client, GetOptions, ObjectId, PutOptions};
use crate::error::S3Error;
use crate::transfer::{self, TransferOptions, part_size, unless_stopped};

/// Copies an object. The new one is made only if the bytes of the old one came whole and as they were promised.
pub(super) async fn relay(
    (source, from): (&Client, &ObjectId),
    (target, to): (&Client, &ObjectId),
    orders: &Orders,
    options: &TransferOptions,
) -> Result<Done, S3Error> {
    let head = unless_stopped(&options.stop, source.head(from, &GetOptions::default())).await?;
    // How the other store encrypts and keeps it is not the first one's business.
    let mut kept = head.properties.clone();
    (kept.encryption, kept.encryption_key, kept.storage_class) = (None, None, None);
    let put = PutOptions {
        properties: merged(&kept, &orders.properties),
        if_absent: orders.no_clobber,
        checksum: orders.checksum,
        ..PutOptions::default()
    };
    // A stream does not say how many parts it will have.
    let size = part_size(head.size, options.part_size)?;
    let part_size = (size > S3_PART_BYTES).then_some(size).or(options.part_size);
    let options = TransferOptions { part_size, ..options.clone() };
    let written = transfer::relay((source, from), (target, to), Some(head.size), &put, &options).await?;
    Ok(done(written, head.size))
}
