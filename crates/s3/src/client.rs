//! One store: connections, signatures, retries, and the operations on buckets and objects.
//!
//! | file | what it knows |
//! |---|---|
//! | [`mod@object`] | get, head, put, copy, delete |
//! | [`list`] | pages of keys and versions |
//! | [`bucket`] | buckets |
//! | [`multipart`] | uploads in parts |
//! | [`batch`] | deletes of up to 1,000 keys |
//! | [`mod@presign`] | links that carry their own signature |
//! | [`settings`] | versions, tags, locks, CORS, lifecycle, policies |
//! | `run` | one request: sent, judged, sent again where that can help |
//! | `failure`, `xml` | what a refusal says |
//! | `elsewhere` | requests that are about neither a bucket nor an object |
//! | `signing`, `call`, `endpoint` | from a call to a signed request |
//! | [`payload`], [`mod@body`], [`flow`] | bytes out, bytes in, how fast |
//! | `wire`, `tls`, [`proxy`] | connections |

pub mod batch;
pub mod body;
pub mod bucket;
mod call;
mod elsewhere;
mod endpoint;
mod failure;
pub mod flow;
pub mod list;
pub mod multipart;
pub mod object;
pub mod payload;
pub mod presign;
pub mod proxy;
mod reply;
mod run;
pub mod settings;
mod signing;
mod tls;
mod wire;
mod xml;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::clock::Clock;
use hallpass_core::limits::{S3_ATTEMPTS_MAX, S3_BUCKET_REGIONS_MAX, S3_IDLE_S_MAX};
use hallpass_core::sigv4::KeyCache;
use hallpass_core::sigv4::checksum::ChecksumAlgorithm;
use jiff::{SignedDuration, Timestamp};

use crate::alias::{Alias, Credentials};
use crate::error::S3Error;
use endpoint::Endpoint;
use proxy::Proxy;
use tls::Tls;
use wire::Pool;

pub use batch::{BatchDeleted, Doomed};
pub use body::Body;
pub use bucket::{Bucket, CreateBucketOptions};
pub use flow::{Flow, Progress, RateLimit};
pub use list::{ListOptions, Listed, ListedVersion, Listing, Page, VersionListing, VersionPage};
pub use multipart::{CompleteOptions, ListedPart, ListedUpload, MultipartUpload, Part, UploadListing};
pub use object::{CopyOptions, Deleted, Download, GetOptions, ObjectHead, ObjectId, Properties, PutOptions, Written};
pub use payload::Payload;
pub use presign::{Form, FormOptions, Presigned};

/// A client of one store. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

/// How the signature covers bodies (`x-amz-content-sha256`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PayloadSigning {
    /// Over TLS, and above 1 MiB on loopback, by their checksum header alone; over plain HTTP every byte.
    #[default]
    Auto,
    /// Every byte.
    Always,
    /// Never the bytes themselves.
    Never,
}

/// Which checksum goes with what is uploaded, and is asked for with what is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checksums {
    /// CRC-64/NVME for AWS, CRC-32 for everyone else; a store that gives none back is held to its MD5 ETags.
    #[default]
    Auto,
    /// None: for stores that refuse them or whose answers are wrong.
    Off,
    /// This one.
    Always(ChecksumAlgorithm),
}

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Tells the time for signatures.
    pub clock: Arc<dyn Clock>,
    /// See there.
    pub payload_signing: PayloadSigning,
    /// See there.
    pub checksums: Checksums,
    /// The proxy for https.
    pub proxy: Proxy,
    /// More certificate authorities, PEM: the file of `AWS_CA_BUNDLE` or `SSL_CERT_FILE`.
    pub extra_roots: Option<Vec<u8>>,
    /// A store that sends and takes nothing for so long is given up.
    pub idle: Duration,
    /// Times that one request is sent, where sending again can help; at least 1, at most [`S3_ATTEMPTS_MAX`].
    pub attempts: u32,
}

impl ClientOptions {
    /// The defaults: no proxy, no more authorities.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (payload_signing, checksums) = (PayloadSigning::default(), Checksums::default());
        let (idle, attempts) = (Duration::from_secs(S3_IDLE_S_MAX), S3_ATTEMPTS_MAX);
        Self { clock, payload_signing, checksums, proxy: Proxy::default(), extra_roots: None, idle, attempts }
    }
}

pub(crate) struct Inner {
    alias: String,
    endpoint: Endpoint,
    region: String,
    credentials: Arc<dyn Credentials>,
    options: ClientOptions,
    keys: KeyCache,
    tls: Tls,
    pool: Arc<Pool>,
    /// What our clock must be corrected by, seconds.
    skew_s: AtomicI64,
    /// Buckets that are not where the alias says.
    regions: Mutex<HashMap<String, String>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("alias", &self.0.alias)
            .field("endpoint", &self.0.endpoint)
            .field("region", &self.0.region)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for the store of `alias`. Connects to nothing yet. `credentials` sign, whatever the alias holds.
    ///
    /// # Errors
    /// [`S3Error::Usage`] when the endpoint is no URL of a store or the extra roots are not PEM.
    pub fn new(alias: &Alias, credentials: Arc<dyn Credentials>, options: ClientOptions) -> Result<Self, S3Error> {
        tracing::debug!(?alias, "a client");
        Ok(Self(Arc::new(Inner {
            alias: alias.name.clone(),
            endpoint: Endpoint::parse(&alias.endpoint, alias.addressing)?,
            region: alias.region.clone(),
            credentials,
            keys: KeyCache::new(),
            tls: Tls::new(options.extra_roots.as_deref())?,
            pool: Arc::default(),
            skew_s: AtomicI64::new(0),
            regions: Mutex::default(),
            options,
        })))
    }

    /// The alias's name.
    pub fn alias(&self) -> &str {
        &self.0.alias
    }

    /// The region that requests are signed for, unless a bucket turns out to be elsewhere.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// True for AWS itself.
    pub(crate) fn is_aws(&self) -> bool {
        self.0.endpoint.is_aws()
    }

    /// Which store this is, for what is remembered about it.
    pub(crate) fn store(&self) -> String {
        self.0.endpoint.shown()
    }

    /// The checksum that goes with uploads.
    pub(crate) fn checksum(&self) -> Option<ChecksumAlgorithm> {
        match self.0.options.checksums {
            Checksums::Auto if self.0.endpoint.is_aws() => Some(ChecksumAlgorithm::Crc64Nvme),
            Checksums::Auto => Some(ChecksumAlgorithm::Crc32),
            Checksums::Off => None,
            Checksums::Always(algorithm) => Some(algorithm),
        }
    }

    /// Whether what a store says about its bytes is compared with ours.
    pub(crate) fn verifies(&self) -> bool {
        self.0.options.checksums != Checksums::Off
    }

    /// Whether the signature covers every byte of a body of this length.
    pub(crate) fn hashes(&self, length: u64) -> bool {
        self.0.hashes(length)
    }
}

impl Inner {
    /// The time as the store sees it.
    fn now(&self) -> Timestamp {
        let now = self.options.clock.now();
        now.checked_add(SignedDuration::from_secs(self.skew_s.load(Ordering::Relaxed))).unwrap_or(now)
    }

    fn region_of(&self, bucket: &str) -> Option<String> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    fn remember_region(&self, bucket: &str, region: &str) {
        note_region(&mut self.regions.lock().unwrap_or_else(PoisonError::into_inner), bucket, region);
    }
}

/// Learned again when it is asked for, so a full memory is simply emptied.
fn note_region(regions: &mut HashMap<String, String>, bucket: &str, region: &str) {
    if regions.len() >= S3_BUCKET_REGIONS_MAX {
        regions.clear();
    }
    regions.insert(bucket.to_owned(), region.to_owned());
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use hallpass_core::limits::S3_BUCKET_REGIONS_MAX;

    use super::note_region;

    #[test]
    fn the_regions_of_buckets_never_grow_past_their_limit() {
        let mut regions = HashMap::new();
        for n in 0..=S3_BUCKET_REGIONS_MAX {
            note_region(&mut regions, &format!("b{n}"), "eu-west-1");
            assert!(regions.len() <= S3_BUCKET_REGIONS_MAX);
        }
        assert_eq!(regions.len(), 1, "emptied when it was full");
    }
}
