//! The parts that a store has. s3s-fs lists them without their ETags, and nobody can go on with such parts; stores that
//! keep to the S3 API tell them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hyper::{Request, Response};

/// By upload and number: the part's ETag and size.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<BTreeMap<(String, u32), (String, u64)>>);

/// A part that is on its way.
pub(super) struct Coming {
    upload: String,
    number: u32,
    size: u64,
}

impl Coming {
    /// The part that a request sends, if it sends one.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        let header = |name: &str| request.headers().get(name)?.to_str().ok()?.parse().ok();
        let number = query(request, "partNumber")?.parse().ok()?;
        let size = header("x-amz-decoded-content-length").or_else(|| header("content-length"))?;
        (request.method() == "PUT").then_some(Self { upload: query(request, "uploadId")?, number, size })
    }
}

impl Ledger {
    /// Remembers a part that the store has taken.
    pub(super) fn keep<B>(&self, coming: Coming, answer: &Response<B>) {
        let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok());
        if let Some(etag) = etag.filter(|_| answer.status().is_success()) {
            let part = (etag.to_owned(), coming.size);
            self.0.lock().expect("no panic").insert((coming.upload, coming.number), part);
        }
    }

    /// The list that a request asks for, if it asks for one.
    pub(super) fn list<B>(&self, request: &Request<B>) -> Option<String> {
        let asked = query(request, "uploadId").filter(|_| request.method() == "GET")?;
        let all = self.0.lock().expect("no panic");
        let of_upload = all.iter().filter(|((upload, _), _)| *upload == asked);
        let part = |((_, number), (etag, size)): (&(String, u32), &(String, u64))| {
            let etag = etag.replace('"', "&quot;");
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><Size>{size}</Size></Part>")
        };
        Some(format!("<ListPartsResult>{}</ListPartsResult>", of_upload.map(part).collect::<String>()))
    }
}

fn query<B>(request: &Request<B>, name: &str) -> Option<String> {
    let pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}
