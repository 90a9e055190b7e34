use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::{Named, parse};
use crate::alias::{CredentialsSource, StaticCredentials};

fn one(value: &str) -> Named {
    parse([("HALLPASS_HOST_m".into(), value.into())]).pop().expect("one")
}

fn keys(value: &str) -> StaticCredentials {
    match one(value).alias.expect(value).credentials {
        CredentialsSource::Static(keys) => keys,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_are_taken_percent_encoded_or_as_they_are() {
    for (value, secret, token) in [
        ("https://AK:secret@host", "secret", None),
        ("https://AK:a%2Fb%2Bc%3D@host:9000", "a/b+c=", None),
        ("https://AK:a/b+c=@host:9000/", "a/b+c=", None),
        ("http://AK:a%40b@host", "a@b", None),
        ("http://AK:a@b@host", "a@b", None),
        ("http://AK:s:tok/en+==@host", "s", Some("tok/en+==")),
        ("http://AK:s:tok%3Aen@host", "s", Some("tok:en")),
        ("http://AK:s@host?session_token=t/%2B%3D", "s", Some("t/+=")),
        ("http://AK:s@host/?session_token=FwoG+abc==", "s", Some("FwoG+abc==")),
        ("http://AK:s:t@host?session_token=t", "s", Some("t")),
        ("http://AK:s?x:t@host", "s?x", Some("t")),
    ] {
        let keys = keys(value);
        assert_eq!(keys.access_key_id, "AK", "{value}");
        assert_eq!(keys.secret_access_key.expose(), secret, "{value}");
        assert_eq!(keys.session_token.as_ref().map(|t| t.expose()), token, "{value}");
    }
    assert_eq!(one("https://Host:443").alias.expect("anonymous").endpoint, "https://host");
}

#[test]
fn a_bad_variable_says_what_is_wrong_and_nothing_of_its_value() {
    for (value, says) in [
        ("host", "begin"),
        ("ftp://canary:canary@host", "host"),
        ("http://canary@host", "no secret"),
        ("http://canary:@host", "secret"),
        ("http://:canary@host", "access key"),
        ("http://canary:canary:canary:canary@host", "three parts"),
        ("http://canary:can%ary@host", "`%`"),
        ("http://canary:can%FFary@host", "UTF-8"),
        ("http://canary:canary@", "host"),
        ("http://canary:canary@host/bucket", "host"),
        ("http://canary:canary@host?region=canary", "session_token"),
        ("http://canary:canary@host?session_token=canary&x=y", "session_token"),
        ("http://canary:canary@host?session_token=", "session_token"),
        ("http://canary:canary:one@host?session_token=two", "two different"),
        ("http://host?session_token=canary", "no keys"),
        ("http://canary:can ary@host", "space"),
        ("http://canary:can%0Aary%0D@host", "control"),
        ("http://canary:s:can%0Aary@host", "control"),
    ] {
        let error = one(value).alias.expect_err(value);
        let said = format!("{error} {error:?}");
        assert!(said.contains(says), "{value}: {said}");
        assert!(!said.contains("canary") && !said.contains("can%"), "{value}: {said}");
    }
}

#[test]
fn one_bad_variable_never_breaks_the_others() {
    let pairs = [
        ("MC_HOST_b", OsString::from("http://h")),
        ("RC_HOST_a", OsString::from("nonsense")),
        ("HALLPASS_HOST_z", OsString::from("https://k:s@h")),
        ("MC_HOST_we.ird", OsString::from("http://h")),
        ("MC_HOST_aws", OsString::from("http://h")),
        ("MC_HOST_raw", OsString::from_vec(vec![b'h', 0xff])),
        ("MC_HOST_empty", OsString::new()),
        ("OTHER", OsString::from("http://h")),
    ];
    let all = parse(pairs.map(|(name, value)| (OsString::from(name), value)));
    let seen: Vec<_> = all.iter().map(|named| (named.name.as_str(), named.alias.is_ok())).collect();
    assert_eq!(seen, [("z", true), ("aws", false), ("b", true), ("raw", false), ("we.ird", false), ("a", false)]);
}
