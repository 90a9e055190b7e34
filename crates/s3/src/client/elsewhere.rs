//! Requests that are about neither a bucket nor an object, over the same signing, retrying and error reading.

use http::Method;

use super::call::Call;
use super::endpoint::push_escaped_key;
use super::reply::Whole;
use super::{Client, Payload};
use crate::error::S3Error;

impl Client {
    /// Sends a request to `path`, with `below` percent-encoded behind it. Only GET is sent again where the store may have
    /// carried it out.
    ///
    /// # Errors
    /// [`S3Error`].
    pub(crate) async fn elsewhere(
        &self,
        method: Method,
        path: &str,
        below: Option<&str>,
        query: &[(&str, &str)],
        body: Payload,
    ) -> Result<Whole, S3Error> {
        let mut place = path.to_owned();
        push_escaped_key(&mut place, below.unwrap_or_default());
        let is_get = method == Method::GET;
        let call = Call { place: Some(place), repeatable: is_get, ..Call::new(method, None, None) };
        let call = query.iter().fold(call, |call, (name, value)| call.query(name, value));
        self.0.whole(&call.payload(body)).await
    }
}
