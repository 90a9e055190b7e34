//! Calls that AWS takes without a signature, because they are made to get credentials, or with a token of their own.
//! Source: `authtype: none` and `smithy.api#noAuth` of botocore's models.

use super::Protocol;
use super::catalog::Catalog;
use crate::sigv4::Parts;

/// The signing names of the services that have such calls. STS comes last: its calls are told by their body only.
pub const SERVICES: [&str; 5] = ["cognito-identity", "cognito-idp", "sso-oauth", "awsssoportal", "sts"];

/// The service that an unsigned call names by itself: by its target, or by its path. `None` when it is none of
/// [`SERVICES`].
pub fn service(catalog: Catalog, parts: &Parts<'_>, path: &str) -> Option<&'static str> {
    let target = parts.header("x-amz-target").map(|target| str::from_utf8(target).unwrap_or_default());
    let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let is_form =
        parts.header("content-type").is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"));
    SERVICES.into_iter().find(|service| {
        (catalog.signing_as)(service).into_iter().any(|api| match target.and_then(|target| target.rsplit_once('.')) {
            Some((prefix, _)) => api.target == prefix,
            None if api.speaks(Protocol::RestJson) => api.router.find(parts.method, &segments, |_| None).is_some(),
            None => api.speaks(Protocol::Query) && segments.is_empty() && (is_form || parts.query.contains("Action=")),
        })
    })
}
