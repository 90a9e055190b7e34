//! A session inside a session: only when it borrows through the outer one, so that it can do no more.

use std::ffi::OsStr;

use hallpass_core::delivery::Delivery;

use crate::deliver::environment::Variables;
use crate::environment::HALLPASS_SESSION_ID;
use crate::error::{CommandError, ErrorKind};

/// Begins every placeholder's access key id.
const PLACEHOLDER_PREFIX: &str = "ASIAHALLPASS";
/// Begins the URL of every gate's proxy.
const PROXY_PREFIX: &str = "http://hallpass:";

/// What is asked for that could lead past the outer session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inner<'a> {
    /// `--role`.
    pub(crate) role: Option<&'a str>,
    /// `--aws-profile`.
    pub(crate) aws_profile: Option<&'a str>,
    /// `--endpoint`.
    pub(crate) endpoint: Option<&'a str>,
    /// How the inner session is handed over.
    pub(crate) delivery: Delivery,
}

/// True inside a session. What the configuration says of how to reach the cloud is said for the outside: in here
/// everything is reached through the outer gate, as the environment has it.
pub(crate) fn is_inside(original: &Variables) -> bool {
    text(original, HALLPASS_SESSION_ID).is_some()
}

/// Refuses what would not go through the outer session's gate.
///
/// # Errors
/// [`ErrorKind::Conflict`], with the outer session and the way out.
pub(crate) fn check(original: &Variables, inner: Inner<'_>) -> Result<(), CommandError> {
    let Some(outer) = text(original, HALLPASS_SESSION_ID) else { return Ok(()) };
    let holds_placeholder = text(original, "AWS_ACCESS_KEY_ID").is_some_and(|id| id.starts_with(PLACEHOLDER_PREFIX));
    let endpoint = text(original, "AWS_ENDPOINT_URL");
    let proxy = ["https_proxy", "HTTPS_PROXY"].into_iter().find_map(|name| text(original, name));
    let led = endpoint.is_some() || proxy.is_some_and(|url| url.starts_with(PROXY_PREFIX));
    let past = |flag: &str, why: &str| Err((why.to_owned(), format!("leave out `{flag}` to borrow through it")));
    let checked = match inner {
        _ if !holds_placeholder || !led => Err((
            "its placeholder, or the way to its gate, is missing from the environment".to_owned(),
            "keep the variables that the outer session set".to_owned(),
        )),
        Inner { role: Some(_), .. } => past("--role", "a role would be borrowed past it"),
        Inner { aws_profile: Some(_), .. } => past("--aws-profile", "another identity would sign in past it"),
        Inner { endpoint: Some(store), .. } if Some(store) != endpoint => {
            past("--endpoint", "its placeholder is worth nothing at another store")
        }
        Inner { delivery: Delivery::Env | Delivery::File | Delivery::CredentialEndpoint, .. } => {
            past("--delivery", "only delivery `proxy` passes its gate")
        }
        Inner { delivery: Delivery::Proxy, .. } => Ok(()),
    };
    let short = outer.get(..8).unwrap_or(outer);
    checked.map_err(|(why, next)| {
        CommandError::new(ErrorKind::Conflict, "run.nested", format!("this runs inside session `{short}` already"))
            .cause(why)
            .next(format!("{next}, or run outside of that session"))
    })
}

fn text<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(OsStr::new(name)).and_then(|value| value.to_str()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use hallpass_core::delivery::Delivery;

    use super::{Inner, check, is_inside};
    use crate::deliver::environment::Variables;

    const GATE: &str = "http://127.0.0.1:1";
    const PLAIN: Inner<'_> = Inner { role: None, aws_profile: None, endpoint: None, delivery: Delivery::Proxy };

    fn inside(way: &[(&str, &str)]) -> Variables {
        let pairs = [("HALLPASS_SESSION_ID", "0123456789"), ("AWS_ACCESS_KEY_ID", "ASIAHALLPASSABCDEFGH")];
        pairs.iter().chain(way).map(|(k, v)| ((*k).into(), (*v).into())).collect()
    }

    #[test]
    fn an_inner_session_only_borrows_through_the_outer_gate() {
        let at_endpoint = inside(&[("AWS_ENDPOINT_URL", GATE)]);
        let by_proxy = inside(&[("HTTPS_PROXY", "http://hallpass:secret@127.0.0.1:1")]);
        for led in [&at_endpoint, &by_proxy] {
            assert!(is_inside(led) && check(led, PLAIN).is_ok());
            assert!(check(led, Inner { role: Some("arn"), ..PLAIN }).is_err());
            assert!(check(led, Inner { aws_profile: Some("other"), ..PLAIN }).is_err());
            assert!(check(led, Inner { endpoint: Some("http://127.0.0.1:2"), ..PLAIN }).is_err());
            for delivery in [Delivery::Env, Delivery::File, Delivery::CredentialEndpoint] {
                assert!(check(led, Inner { delivery, ..PLAIN }).is_err());
            }
            let mut without = led.clone();
            without.remove(std::ffi::OsStr::new("AWS_ACCESS_KEY_ID"));
            assert!(check(&without, PLAIN).is_err());
        }
        assert!(check(&at_endpoint, Inner { endpoint: Some(GATE), ..PLAIN }).is_ok());
        assert!(check(&inside(&[]), PLAIN).is_err());
        assert!(check(&inside(&[("HTTPS_PROXY", "http://proxy.corp.example:3128")]), PLAIN).is_err());
        let outside = Variables::new();
        assert!(!is_inside(&outside));
        let all = Inner { role: Some("arn"), aws_profile: Some("x"), endpoint: Some("u"), delivery: Delivery::Env };
        assert!(check(&outside, all).is_ok());
    }

    #[test]
    fn the_next_step_names_the_flag_that_was_given() {
        let led = inside(&[("AWS_ENDPOINT_URL", GATE)]);
        let refused = check(&led, Inner { aws_profile: Some("other"), ..PLAIN }).expect_err("past the gate");
        let said = refused.to_string();
        assert!(said.contains("leave out `--aws-profile`") && !said.contains("--role"), "{said}");
    }
}
