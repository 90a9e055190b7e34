//! Outbound: a URL that carries its own signature, for whoever holds it.

use super::ALGORITHM;
use super::canonical::path::CanonicalPath;
use super::canonical::{Canonical, check_method, query, write_header};
use super::payload::PayloadHash;
use super::sign::{SignError, Signer};
use crate::limits::PRESIGNED_EXPIRES_S_MAX;

/// Signs `path` and `query` (percent-encoded; the query may be empty) at `host` for `expires_s` seconds, and gives path
/// and query of the URL. Only `host` is signed: whoever opens the URL sends nothing else that counts.
/// [`Signer::send_content_sha256`] plays no part.
///
/// # Errors
/// [`SignError`]; [`SignError::Life`] for a life that AWS does not take.
pub fn presign(
    method: &str,
    host: &str,
    (path, query): (&str, &str),
    expires_s: i64,
    signer: &Signer<'_>,
) -> Result<String, SignError> {
    check_method(method)?;
    if !(1..=PRESIGNED_EXPIRES_S_MAX).contains(&expires_s) {
        return Err(SignError::Life(expires_s));
    }
    if signer.key.scope().get(..8) != Some(signer.at.date()) {
        return Err(SignError::KeyOfAnotherDay(signer.at));
    }
    let path = CanonicalPath::new(path, signer.path_style)?;
    let mut raw = format!(
        "X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}/{}&X-Amz-Date={}&X-Amz-Expires={expires_s}\
         &X-Amz-SignedHeaders=host",
        signer.access_key_id,
        signer.key.scope(),
        signer.at.as_str(),
    );
    if let Some(token) = signer.token {
        raw.push_str("&X-Amz-Security-Token=");
        // A token is base 64: the escapes are made below, but a percent sign would be taken for one.
        raw.push_str(&token.replace('%', "%25").replace('&', "%26"));
    }
    if !query.is_empty() {
        raw.push('&');
        raw.push_str(query);
    }
    let query = query::canonical(&raw)?;
    let mut headers = Vec::new();
    write_header(&mut headers, "host", std::iter::once(host.as_bytes()));
    let canonical = Canonical {
        method,
        path: path.signed(),
        query: &query,
        headers: &headers,
        signed_headers: "host",
        payload: PayloadHash::Unsigned,
    };
    let signature = canonical.signature(signer.key, signer.at);
    Ok(format!("{}?{query}&X-Amz-Signature={}", path.sent, signature.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::{AmzDate, KeyCache, PathStyle, PayloadHash, Scope, SignError, Signer};
    use super::presign;
    use crate::limits::PRESIGNED_EXPIRES_S_MAX;

    fn signed(expires_s: i64, token: Option<&str>) -> Result<String, SignError> {
        signed_with(expires_s, token, "")
    }

    fn signed_with(expires_s: i64, token: Option<&str>, query: &str) -> Result<String, SignError> {
        let at = AmzDate::parse(b"20130524T000000Z").expect("a time");
        let scope = Scope::new(at.date(), "us-east-1", "s3").expect("a scope");
        let (id, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let key = KeyCache::new().key(id, secret, scope);
        let (payload, path_style) = (PayloadHash::Unsigned, PathStyle::S3);
        let signer =
            Signer { access_key_id: id, key: &key, token, at, payload, send_content_sha256: false, path_style };
        presign("GET", "examplebucket.s3.amazonaws.com", ("/test.txt", query), expires_s, &signer)
    }

    #[test]
    fn the_example_of_the_s3_reference_comes_out() {
        let url = signed(86_400, None).expect("signs");
        assert_eq!(
            url,
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn a_token_is_escaped_and_signed() {
        let url = signed(60, Some("a+b/c=%25&x")).expect("signs");
        assert!(url.contains("&X-Amz-Security-Token=a%2Bb%2Fc%3D%2525%26x&"), "{url}");
    }

    #[test]
    fn a_query_of_its_own_is_signed_in_its_place() {
        let (plain, asked) =
            (signed(60, None).expect("signs"), signed_with(60, None, "versionId=a%2Bb").expect("signs"));
        let signature = |url: &str| url.split("&X-Amz-Signature=").nth(1).map(str::to_owned);
        assert!(asked.contains("&X-Amz-SignedHeaders=host&versionId=a%2Bb&X-Amz-Signature="), "{asked}");
        assert_ne!(signature(&plain), signature(&asked));
    }

    #[test]
    fn a_life_that_aws_does_not_take_is_refused() {
        for life in [0, -1, PRESIGNED_EXPIRES_S_MAX + 1] {
            assert_eq!(signed(life, None), Err(SignError::Life(life)));
        }
        assert!(signed(PRESIGNED_EXPIRES_S_MAX, None).is_ok());
    }
}
