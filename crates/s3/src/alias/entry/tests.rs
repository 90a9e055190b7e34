use hallpass_core::limits::ALIAS_VALUE_BYTES_MAX;
use toml_edit::{DocumentMut, Table};

use super::{read, to_toml, write};
use crate::alias::{Addressing, CredentialsSource};

fn table(body: &str) -> Table {
    let text = format!("name = \"m\"\nendpoint = \"http://h:9000\"\n{body}");
    text.parse::<DocumentMut>().expect("TOML").as_table().clone()
}

fn refusal(body: &str) -> String {
    let error = read(&table(body)).expect_err(body);
    format!("{error} | {} | {error:?}", error.suggestion().unwrap_or_default())
}

const KEYS: &str = "access_key = \"k\"\nsecret_key = \"canary-secret\"\n";

#[test]
fn a_table_without_a_session_token_loads() {
    let alias = read(&table(KEYS)).expect("an alias");
    assert!(alias.session_token().is_none());
    assert_eq!((alias.region.as_str(), alias.addressing), ("us-east-1", Addressing::Auto));
}

#[test]
fn every_sort_of_alias_survives_being_written_and_read() {
    for body in [
        KEYS.to_owned(),
        format!("{KEYS}session_token = \"canary-token\"\nexpires_at = 2030-01-02T03:04:05Z\n"),
        format!(
            "{KEYS}session_token = \"canary-token\"\nexpires_at = \"2030-01-02T03:04:05Z\"\naddressing = \"path\"\n"
        ),
        "session = \"3f2a91c0\"\n".to_owned(),
        "role = \"arn:aws:iam::111122223333:role/r\"\n".to_owned(),
        "profile = \"my profile\"\naddressing = \"virtual-host\"\nregion = \"eu-west-1\"".to_owned(),
        "credential_process = \"vault read x\"\n".to_owned(),
        "anonymous = true\n".to_owned(),
        "anonymous = true\naccess_key = \"\"\nsecret_key = \"\"\nsignature = \"v4\"\ninsecure = false".to_owned(),
    ] {
        let alias = read(&table(&body)).expect(&body);
        let again = read(&to_toml(&alias)).expect(&body);
        assert_eq!(format!("{alias:?}"), format!("{again:?}"), "{body}");
        assert_eq!(alias.credentials, again.credentials, "{body}");
        assert!(!format!("{alias:?}").contains("canary"), "{alias:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_and_no_secret_is_repeated() {
    for (body, says) in [
        ("", "no credentials"),
        ("access_key = \"k\"", "without its secret"),
        ("secret_key = \"canary\"", "without its access key"),
        ("session_token = \"canary\"", "no keys"),
        ("anonymous = true\nexpires_at = 2030-01-02T03:04:05Z", "no keys"),
        ("access_key = \"k\"\nsecret_key = \"canary\"\nprofile = \"p\"", "more than one"),
        ("access_key = \"k\"\nsecret_key = \"canary\"\nsession_tokn = \"canary\"", "`session_token`"),
        ("access_key = \"k\"\nsecret_key = 31337\n", "not a string"),
        ("access_key = \"k\"\nsecret_key = \"canary\"\nsession_token = [\"canary\"]\n", "not a string"),
        ("access_key = \"k k\"\nsecret_key = \"canary\"\n", "holds a space"),
        ("access_key = \"k\"\nsecret_key = \"canary\"\nsession_token = \"a\\nb\"\n", "holds a space"),
        ("profile = \"\"", "0 bytes"),
        ("anonymous = true\nregion = \"a b\"", "not a region"),
        ("anonymous = true\naddressing = \"dns\"", "addressing"),
        ("anonymous = true\nbucket_lookup = \"weird\"", "virtual-host"),
        ("anonymous = true\ninsecure = true", "can only be"),
        ("access_key = \"k\"\nsecret_key = \"s\"\nexpires_at = 2030-01-02", "expires_at"),
    ] {
        let said = refusal(body);
        assert!(said.contains(says), "{body}: {said}");
        assert!(!said.contains("canary") && !said.contains("31337"), "{body}: {said}");
    }
    let long = format!("access_key = \"k\"\nsecret_key = \"{}\"", "x".repeat(ALIAS_VALUE_BYTES_MAX + 1));
    assert!(refusal(&long).contains("the secret key has 16385 bytes"));
}

#[test]
fn an_edit_keeps_comments_and_keys_that_it_does_not_know() {
    let mut old = table("access_key = \"k\" # mine\nsecret_key = \"s\"\nsession_token = \"t\"\nfuture = 1 # stays\n");
    let mut alias = read(&table(KEYS)).expect("an alias");
    alias.credentials = CredentialsSource::Profile("p".to_owned());
    write(&mut old, &alias);
    let text = old.to_string();
    assert!(text.contains("future = 1 # stays") && text.contains("profile = \"p\""), "{text}");
    assert!(!text.contains("secret_key") && !text.contains("session_token"), "{text}");
}
