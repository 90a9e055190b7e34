//! Keys below a prefix, page by page, with or without their versions: what `ls`, `find`, `du`, `tree` and `rm` go along.

use crate::client::{Client, ListOptions, Listed, ListedVersion, Listing, VersionListing};
use crate::error::S3Error;

/// What is gone along.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// Only keys that begin so.
    pub prefix: String,
    /// One folder and not what is below its folders.
    pub flat: bool,
    /// Every version and delete marker, not only the current object.
    pub versions: bool,
    /// Keys a page, at most.
    pub page: Option<u32>,
}

/// A key, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The current object.
    Object(Listed),
    /// One version, or a delete marker.
    Version(ListedVersion),
}

impl Entry {
    /// The object as it was listed; a delete marker has no size.
    pub fn object(&self) -> &Listed {
        match self {
            Self::Object(object) => object,
            Self::Version(version) => &version.object,
        }
    }

    /// Its version, where versions are gone along.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Object(_) => None,
            Self::Version(version) => Some(&version.version),
        }
    }

    /// True for a delete marker: there are no bytes.
    pub fn is_marker(&self) -> bool {
        matches!(self, Self::Version(version) if version.marker)
    }
}

/// One page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// In the order of the store.
    pub entries: Vec<Entry>,
    /// Folders; only where the walk is flat.
    pub prefixes: Vec<String>,
}

/// A walk that goes on. No more than one page is held.
#[derive(Debug)]
pub struct Walk(Kind);

#[derive(Debug)]
enum Kind {
    Objects(Box<Listing>),
    Versions(Box<VersionListing>),
}

impl Walk {
    /// Nothing is asked for before [`Self::next`].
    pub fn new(client: &Client, bucket: &str, options: WalkOptions) -> Self {
        let list = ListOptions {
            prefix: options.prefix,
            delimiter: options.flat.then(|| "/".to_owned()),
            page: options.page,
            ..ListOptions::default()
        };
        Self(match options.versions {
            true => Kind::Versions(Box::new(client.list_versions(bucket, list))),
            false => Kind::Objects(Box::new(client.list(bucket, list))),
        })
    }

    /// The next page; `None` after the last. A page may be empty.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn next(&mut self) -> Result<Option<Step>, S3Error> {
        Ok(match &mut self.0 {
            Kind::Objects(listing) => listing.next().await?.map(|page| Step {
                entries: page.objects.into_iter().map(Entry::Object).collect(),
                prefixes: page.prefixes,
            }),
            Kind::Versions(listing) => listing.next().await?.map(|page| Step {
                entries: page.versions.into_iter().map(Entry::Version).collect(),
                prefixes: page.prefixes,
            }),
        })
    }
}

/// What a key without a final `/` names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The object of exactly this key.
    pub object: Option<Listed>,
    /// There are keys below `key/`.
    pub folder: bool,
}

/// Where `find` and `du` look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Keys that begin so …
    pub prefix: String,
    /// … or only this one: it is an object, and there is no folder of its name.
    pub only: Option<String>,
}

impl Place {
    /// True for what is meant.
    pub fn holds(&self, entry: &Entry) -> bool {
        self.only.as_ref().is_none_or(|key| entry.object().key == *key)
    }
}

impl Client {
    /// What a path means to who looks below it: `dir` is the folder `dir/` where there is one, the object `dir` where
    /// there is that, and else everything that begins with `dir`.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn place(&self, bucket: &str, key: &str) -> Result<Place, S3Error> {
        if key.is_empty() || key.ends_with('/') {
            return Ok(Place { prefix: key.to_owned(), only: None });
        }
        let named = self.named(bucket, key).await?;
        Ok(match named.object {
            _ if named.folder => Place { prefix: format!("{key}/"), only: None },
            Some(_) => Place { prefix: key.to_owned(), only: Some(key.to_owned()) },
            None => Place { prefix: key.to_owned(), only: None },
        })
    }

    /// Looks up what a key is by listing, which needs no right but `s3:ListBucket`.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn named(&self, bucket: &str, key: &str) -> Result<Named, S3Error> {
        let object = self.listed(bucket, key).await?;
        let folder = self.first(bucket, format!("{key}/")).await?.is_some();
        Ok(Named { object, folder })
    }

    /// The object of exactly this key, as a listing tells it; `None` where there is none.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn listed(&self, bucket: &str, key: &str) -> Result<Option<Listed>, S3Error> {
        // Of all keys that begin so, the key itself is the first.
        Ok(self.first(bucket, key.to_owned()).await?.filter(|object| object.key == key))
    }

    async fn first(&self, bucket: &str, prefix: String) -> Result<Option<Listed>, S3Error> {
        let mut walk = Walk::new(self, bucket, WalkOptions { prefix, page: Some(1), ..WalkOptions::default() });
        while let Some(step) = walk.next().await? {
            if let Some(Entry::Object(object)) = step.entries.into_iter().next() {
                return Ok(Some(object));
            }
        }
        Ok(None)
    }
}
