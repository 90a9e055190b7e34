//! Listings, page by page: no listing is ever held whole.

use hallpass_core::limits::S3_EMPTY_PAGES_MAX;
use http::Method;
use jiff::Timestamp;

use super::Client;
use super::call::Call;
use super::xml::{Element, percent_decoded};
use crate::error::{Answer, ErrorKind, S3Error, text};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Only keys that begin so.
    pub prefix: String,
    /// Keys that have this after the prefix are told as one common prefix.
    pub delimiter: Option<String>,
    /// Only keys after this one.
    pub start_after: Option<String>,
    /// Keys a page, at most; 1,000 is the most that stores give.
    pub page: Option<u32>,
    /// Who owns each, too.
    pub owner: bool,
}

/// One key of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// Length, bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: Option<String>,
    /// When it was written.
    pub last_modified: Option<Timestamp>,
    /// `STANDARD`, `GLACIER` …
    pub storage_class: Option<String>,
    /// Who owns it, if that was asked for.
    pub owner: Option<String>,
}

/// One version of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedVersion {
    /// The object; a marker has neither size nor ETag.
    pub object: Listed,
    /// Its version; `null` in a bucket that did not keep them then.
    pub version: String,
    /// It is the current one.
    pub latest: bool,
    /// It is a delete marker.
    pub marker: bool,
}

/// One page of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys, in the order of the store.
    pub objects: Vec<Listed>,
    /// Common prefixes.
    pub prefixes: Vec<String>,
}

/// One page of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// Versions and delete markers, in the order of the store.
    pub versions: Vec<ListedVersion>,
    /// Common prefixes.
    pub prefixes: Vec<String>,
}

/// A listing that goes on.
#[derive(Debug, Clone)]
pub struct Listing {
    client: Client,
    bucket: String,
    options: ListOptions,
    encoding: Encoding,
    next: Next,
    empty: EmptyPages,
}

#[derive(Debug, Clone)]
enum Next {
    First,
    From(String),
    End,
}

/// A listing of versions that goes on.
#[derive(Debug, Clone)]
pub struct VersionListing {
    client: Client,
    bucket: String,
    options: ListOptions,
    encoding: Encoding,
    /// Key and version to go on after; `None` at the end.
    next: Option<Markers>,
    empty: EmptyPages,
}

impl Client {
    /// Lists keys (ListObjectsV2). Nothing is asked for before [`Listing::next`].
    pub fn list(&self, bucket: &str, options: ListOptions) -> Listing {
        Listing {
            client: self.clone(),
            bucket: bucket.to_owned(),
            options,
            encoding: Encoding::of(self),
            next: Next::First,
            empty: EmptyPages::default(),
        }
    }

    /// Lists versions and delete markers (ListObjectVersions); `start_after` is not known there.
    pub fn list_versions(&self, bucket: &str, options: ListOptions) -> VersionListing {
        VersionListing {
            client: self.clone(),
            bucket: bucket.to_owned(),
            options,
            encoding: Encoding::of(self),
            next: Some((None, None)),
            empty: EmptyPages::default(),
        }
    }
}

impl Listing {
    /// The next page; `None` after the last. A page may be empty.
    ///
    /// # Errors
    /// [`S3Error`]. A listing whose page failed can be asked for it again.
    pub async fn next(&mut self) -> Result<Option<Page>, S3Error> {
        let token = match &self.next {
            Next::End => return Ok(None),
            Next::First => None,
            Next::From(token) => Some(token.clone()),
        };
        let options = &self.options;
        let call = options.call(&self.bucket).query("list-type", "2");
        let call = call.query_some("continuation-token", token.as_deref());
        let call = call.query_some("start-after", options.start_after.as_deref().filter(|_| token.is_none()));
        let call = if options.owner { call.query("fetch-owner", "true") } else { call };
        let root = self.encoding.page(&self.client, call, "ListBucketResult").await?;
        let decode = Decode::of(&root);
        let mut page = Page {
            objects: Vec::with_capacity(root.number("KeyCount").unwrap_or(0).min(1_000) as usize),
            prefixes: decode.prefixes(&root)?,
        };
        for entry in root.all("Contents") {
            page.objects.push(decode.listed(entry)?);
        }
        self.options.check(page.objects.iter().map(|listed| &listed.key).chain(&page.prefixes))?;
        self.empty.count(page.objects.is_empty() && page.prefixes.is_empty())?;
        let following = root.value("NextContinuationToken").filter(|_| root.is_true("IsTruncated"));
        self.next = match following {
            // A store that gives the same token again would be listed for ever.
            Some(next) if token.as_deref() == Some(next) => return Err(stuck()),
            Some(next) => Next::From(next.to_owned()),
            None if root.is_true("IsTruncated") => return Err(stuck()),
            None => Next::End,
        };
        Ok(Some(page))
    }
}

impl VersionListing {
    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn next(&mut self) -> Result<Option<VersionPage>, S3Error> {
        let Some((key, version)) = &self.next else { return Ok(None) };
        let call = self.options.call(&self.bucket).query("versions", "");
        let call = call.query_some("key-marker", key.as_deref()).query_some("version-id-marker", version.as_deref());
        let root = self.encoding.page(&self.client, call, "ListVersionsResult").await?;
        let decode = Decode::of(&root);
        let mut page = VersionPage { versions: Vec::new(), prefixes: decode.prefixes(&root)? };
        for entry in root.children().filter(|entry| entry.name == "Version" || entry.name == "DeleteMarker") {
            page.versions.push(ListedVersion {
                object: decode.listed(entry)?,
                version: entry.value("VersionId").unwrap_or("null").to_owned(),
                latest: entry.is_true("IsLatest"),
                marker: entry.name == "DeleteMarker",
            });
        }
        self.options.check(page.versions.iter().map(|listed| &listed.object.key).chain(&page.prefixes))?;
        self.empty.count(page.versions.is_empty() && page.prefixes.is_empty())?;
        self.next = decode.markers(&root, "NextVersionIdMarker", self.next.as_ref())?;
        Ok(Some(page))
    }
}

impl ListOptions {
    fn call<'a>(&self, bucket: &'a str) -> Call<'a> {
        let call = Call::new(Method::GET, Some(bucket), None);
        let prefix = Some(self.prefix.as_str()).filter(|prefix| !prefix.is_empty());
        let call = call.query_some("prefix", prefix).query_some("delimiter", self.delimiter.as_deref());
        call.query_some("max-keys", self.page.map(|page| page.to_string()).as_deref())
    }

    /// Refuses what was not asked for: it would be copied, or removed, as if it were below the prefix.
    fn check<'a>(&self, mut names: impl Iterator<Item = &'a String>) -> Result<(), S3Error> {
        let Some(other) = names.find(|name| !name.starts_with(&self.prefix)) else { return Ok(()) };
        let (other, prefix) = (text::cleaned_name(other), text::cleaned_name(&self.prefix));
        Err(wrong(&format!("the store lists `{other}` where only what begins with `{prefix}` was asked for")))
    }
}

/// Whether keys are asked for in `encoding-type=url`. AWS does it right. Some stores say that they do it and do not, so
/// that `a+b` would be read as `a b`: the others are asked only where XML could not carry the keys of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding(bool);

impl Encoding {
    pub(crate) fn of(client: &Client) -> Self {
        Self(client.0.endpoint.is_aws())
    }

    /// One page, asked for again with the encoding where it needs it.
    pub(crate) async fn page(&mut self, client: &Client, call: Call<'_>, root: &str) -> Result<Element, S3Error> {
        if !self.0 {
            let whole = client.0.whole(&call).await?;
            // Encoders of XML put U+FFFD where they have a character that XML cannot hold.
            match whole.document(root) {
                Ok(document) if !document.holds('\u{fffd}') => return Ok(document),
                _ => self.0 = true,
            }
        }
        client.0.whole(&call.query("encoding-type", "url")).await?.document(root)
    }
}

/// Undoes the encoding of keys, where the store says that it made one.
pub(crate) struct Decode {
    url: bool,
}

/// The key after which a listing goes on, and the version or upload of it.
pub(crate) type Markers = (Option<String>, Option<String>);

impl Decode {
    pub(crate) fn of(root: &Element) -> Self {
        Self { url: root.value("EncodingType").is_some_and(|kind| kind.eq_ignore_ascii_case("url")) }
    }

    pub(crate) fn text(&self, text: &str) -> Result<String, S3Error> {
        let decoded = if self.url { percent_decoded(text, true) } else { Some(text.to_owned()) };
        decoded.ok_or_else(|| wrong("a key in the store's listing is not encoded as it says"))
    }

    fn prefixes(&self, root: &Element) -> Result<Vec<String>, S3Error> {
        root.all("CommonPrefixes").filter_map(|entry| entry.value("Prefix")).map(|text| self.text(text)).collect()
    }

    /// Where a listing by key and a second marker goes on; `None` at its end. `before`: where this page went on.
    pub(crate) fn markers(
        &self,
        root: &Element,
        second: &str,
        before: Option<&Markers>,
    ) -> Result<Option<Markers>, S3Error> {
        if !root.is_true("IsTruncated") {
            return Ok(None);
        }
        let key = root.value("NextKeyMarker").map(|key| self.text(key)).transpose()?;
        let next = (key, root.value(second).map(str::to_owned));
        if before == Some(&next) || next == (None, None) {
            return Err(stuck());
        }
        Ok(Some(next))
    }

    fn listed(&self, entry: &Element) -> Result<Listed, S3Error> {
        let key = entry.value("Key").ok_or_else(|| wrong("an entry of the store's listing has no key"))?;
        let text = |name: &str| entry.value(name).map(str::to_owned);
        Ok(Listed {
            key: self.text(key)?,
            size: entry.number("Size").unwrap_or(0),
            etag: text("ETag"),
            last_modified: entry.value("LastModified").and_then(|text| text.trim().parse().ok()),
            storage_class: text("StorageClass"),
            owner: entry
                .first("Owner")
                .and_then(|owner| owner.value("DisplayName").or(owner.value("ID")))
                .map(str::to_owned),
        })
    }
}

/// Pages in a row that held nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EmptyPages(u32);

impl EmptyPages {
    /// Counts one page more.
    ///
    /// # Errors
    /// Past [`S3_EMPTY_PAGES_MAX`].
    pub(crate) fn count(&mut self, is_empty: bool) -> Result<(), S3Error> {
        self.0 = if is_empty { self.0 + 1 } else { 0 };
        if self.0 > S3_EMPTY_PAGES_MAX {
            return Err(wrong(&format!("the store's listing goes on and held nothing for {S3_EMPTY_PAGES_MAX} pages")));
        }
        Ok(())
    }
}

pub(crate) fn stuck() -> S3Error {
    wrong("the store says that its listing goes on, and not where")
}

pub(crate) fn wrong(message: &str) -> S3Error {
    let (code, message) = ("UnexpectedAnswer".to_owned(), message.to_owned());
    S3Error::Store(ErrorKind::General, Answer { code, message, status: None, retryable: false })
}
