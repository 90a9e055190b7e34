//! What a refusal means: its code read, its text cleaned, and what follows from it.

use std::time::Duration;

use http::{HeaderMap, header};
use jiff::Timestamp;

use super::call::Call;
use super::xml::Element;
use crate::alias::StaticCredentials;
use crate::error::code::{Verdict, code_of_status, deleted_object, meaning};
use crate::error::{Answer, ErrorKind, S3Error, text};

/// A refusal.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: S3Error,
    /// Renewing the credentials may help.
    pub(crate) expired: bool,
    /// The store's time, where the clocks differ too much.
    pub(crate) time: Option<Timestamp>,
    /// Where the bucket really is.
    pub(crate) region: Option<String>,
    /// How long the store wants us to wait.
    pub(crate) wait: Option<Duration>,
    /// It came without a code: a HEAD, whose answer has no body.
    pub(crate) mute: bool,
    /// The store cannot have carried it out: it refused, or never got it.
    pub(crate) undone: bool,
}

impl Failure {
    /// Not a byte of the request reached the store.
    pub(crate) fn unsent(error: S3Error) -> Self {
        Self { undone: true, ..error.into() }
    }
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Self {
        Self { error, expired: false, time: None, region: None, wait: None, mute: false, undone: false }
    }
}

/// Reads a refusal.
pub(crate) fn read(
    alias: &str,
    call: &Call<'_>,
    credentials: Option<&StaticCredentials>,
    now: Timestamp,
    (status, headers, body): (u16, &HeaderMap, &[u8]),
) -> Failure {
    let document = Element::parse(body).filter(|root| root.name == "Error");
    // The admin API of MinIO words refusals as JSON, with the same names.
    let object = call.place.as_ref().and_then(|_| serde_json::from_slice::<serde_json::Value>(body).ok());
    let field = |name: &str| match &document {
        Some(root) => root.value(name),
        None => object.as_ref()?.get(name)?.as_str(),
    };
    let sent = field("Code").map(text::code).filter(|code| !code.is_empty());
    let mute = sent.is_none();
    let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Asked for by its version, a delete marker is 405 (Amazon S3 User Guide, "Working with delete markers").
    let deleted = matches!(status, 404 | 405) && named("x-amz-delete-marker") == Some("true");
    let code = match sent {
        Some(code) => code,
        None if status == 404 && call.query.contains("versionId=") => "NoSuchVersion".to_owned(),
        None => code_of_status(status, call.key.is_none()).to_owned(),
    };
    let meaning = if deleted { deleted_object(status) } else { meaning(&code, status) };
    let token = credentials.and_then(|credentials| credentials.session_token.as_ref());
    let expired = match meaning.verdict {
        Verdict::Expired => true,
        // Some stores forget a temporary key together with its token. Where its life is known not to be over, the key
        // is simply wrong.
        Verdict::Unknown => token.is_some() && !lives(credentials, now),
        Verdict::Other | Verdict::Skewed => false,
    };
    let error = if expired && token.is_some() {
        S3Error::TokenExpired(alias.to_owned())
    } else {
        let words = field("Message").filter(|words| !repeats(words, credentials)).map(text::cleaned);
        let sentence = match meaning.verdict {
            Verdict::Expired => "the store says that the session token has expired, but these keys have none",
            Verdict::Unknown if token.is_none() => "the store does not know the access key",
            _ => meaning.sentence,
        };
        let message = message(call, sentence, words.filter(|words| !words.is_empty()), &code, status);
        S3Error::Store(meaning.kind, Answer { code, message, status: Some(status), retryable: meaning.retryable })
    };
    let moved = matches!(status, 301 | 307 | 308 | 400 | 403);
    let region = named("x-amz-bucket-region").or(field("Region")).filter(|_| moved).map(text::code);
    let skewed = meaning.verdict == Verdict::Skewed;
    let time = named(header::DATE.as_str()).filter(|_| skewed).and_then(http_date);
    let wait = named(header::RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    // A failure inside the store may have come after the work was done.
    let undone = status == 503 || status < 500;
    Failure { error, expired, time, region, wait, mute, undone }
}

/// True when the credentials' end is known and not reached.
fn lives(credentials: Option<&StaticCredentials>, now: Timestamp) -> bool {
    credentials.and_then(|credentials| credentials.expires_at).is_some_and(|end| end > now)
}

/// A store may repeat the token that it refuses (`<Token-0>`, and some in the message): such words are not shown.
fn repeats(words: &str, credentials: Option<&StaticCredentials>) -> bool {
    let Some(credentials) = credentials else { return false };
    let secrets = [credentials.session_token.as_ref(), Some(&credentials.secret_access_key)];
    let decoded = super::xml::percent_decoded(words, false);
    secrets.into_iter().flatten().filter(|secret| !secret.is_empty()).any(|secret| {
        words.contains(secret.expose()) || decoded.as_ref().is_some_and(|words| words.contains(secret.expose()))
    })
}

fn message(call: &Call<'_>, sentence: &str, words: Option<String>, code: &str, status: u16) -> String {
    let said = match (sentence, words) {
        ("", Some(words)) => words,
        ("", None) => format!("the store answered {code} (status {status})"),
        (sentence, _) => sentence.to_owned(),
    };
    match call.subject() {
        Some(subject) => format!("`{subject}`: {said}"),
        None => said,
    }
}

/// RFC 9110, 5.6.7 (`IMF-fixdate`).
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|time| time.timestamp())
}

/// A connection that could not be made.
pub(crate) fn unreachable(why: &str) -> S3Error {
    let message = text::cleaned(why);
    S3Error::Store(ErrorKind::Network, Answer { code: "connect".to_owned(), message, status: None, retryable: true })
}

#[cfg(test)]
mod tests {
    use hallpass_core::secret::Secret;
    use http::{HeaderMap, Method};
    use jiff::Timestamp;

    use super::super::call::Call;
    use super::{Failure, read};
    use crate::alias::StaticCredentials;
    use crate::error::{ErrorKind, S3Error};

    const TOKEN: &str = "FwoGZXIvYXdzEBYaDMTOKENTOKEN/+==";

    fn refused(code: &str, message: &str, token: bool, expires_at: Option<i64>) -> Failure {
        let credentials = StaticCredentials {
            access_key_id: "ASIA".into(),
            secret_access_key: Secret::new("a-secret-key-that-is-long"),
            session_token: token.then(|| Secret::new(TOKEN)),
            expires_at: expires_at.map(|s| Timestamp::from_second(s).expect("a time")),
        };
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message><Token-0>{TOKEN}</Token-0></Error>");
        let call = Call::new(Method::GET, Some("bucket"), Some("key"));
        let now = Timestamp::from_second(1_000).expect("a time");
        read("work", &call, Some(&credentials), now, (403, &HeaderMap::new(), body.as_bytes()))
    }

    #[test]
    fn an_expired_token_is_named_by_its_alias_and_nothing_the_store_said() {
        let failure = refused("ExpiredToken", TOKEN, true, None);
        assert_eq!(failure.error, S3Error::TokenExpired("work".into()));
        assert!(failure.expired);
    }

    #[test]
    fn keys_without_a_session_token_are_not_told_that_theirs_has_expired() {
        let error = refused("ExpiredToken", "", false, None).error;
        assert_eq!((error.kind(), error.code()), (ErrorKind::Auth, "ExpiredToken"));
        assert!(!matches!(error, S3Error::TokenExpired(_)), "{error:?}");
        assert!(error.to_string().ends_with("but these keys have none"), "{error}");
        let error = refused("InvalidToken", "", false, None).error;
        assert!(error.to_string().ends_with("does not know the access key"), "{error}");
    }

    #[test]
    fn an_unknown_key_has_expired_only_where_it_was_temporary_and_may_be_over() {
        for code in ["InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId"] {
            assert!(refused(code, "", true, None).expired, "{code}");
            assert!(refused(code, "", true, Some(999)).expired, "{code}");
            for (token, end) in [(false, None), (true, Some(1_001))] {
                let failure = refused(code, "", token, end);
                assert!(!failure.expired, "{code}");
                assert_eq!(failure.error.kind(), ErrorKind::Auth, "{code}");
            }
        }
    }

    #[test]
    fn a_delete_marker_is_an_object_that_is_not_there() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-delete-marker", "true".parse().expect("a value"));
        let call = Call::new(Method::HEAD, Some("bucket"), Some("key"));
        let now = Timestamp::from_second(1_000).expect("a time");
        for body in [b"".as_slice(), b"<Error><Code>MethodNotAllowed</Code></Error>"] {
            let failure = read("work", &call, None, now, (405, &headers, body));
            assert_eq!((failure.error.kind(), failure.error.code()), (ErrorKind::NotFound, "MethodNotAllowed"));
            assert!(failure.error.to_string().contains("this version is a delete marker"), "{}", failure.error);
        }
        let current = read("work", &call, None, now, (404, &headers, b"")).error;
        assert_eq!((current.kind(), current.code()), (ErrorKind::NotFound, "NoSuchKey"));
        assert!(current.to_string().contains("the object is deleted"), "{current}");
        let other = read("work", &call, None, now, (405, &HeaderMap::new(), b""));
        assert_eq!(other.error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn words_that_repeat_a_secret_are_not_shown() {
        for words in [format!("bad token {TOKEN}!"), TOKEN.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")]
        {
            let shown = refused("Strange", &words, true, None).error.to_string();
            assert!(!shown.contains("TOKENTOKEN"), "{shown}");
            assert!(shown.contains("Strange"), "{shown}");
        }
        let shown = refused("Strange", "key a-secret-key-that-is-long", false, None).error.to_string();
        assert!(!shown.contains("a-secret-key"), "{shown}");
        assert_eq!(refused("Strange", "Too odd.", true, None).error.to_string(), "`bucket/key`: too odd");
    }
}
