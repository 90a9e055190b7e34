//! A session inside a session: only when it borrows through the outer one, so that it can do no more.

use std::ffi::OsStr;

use hallpass_core::delivery::Delivery;

use crate::deliver::environment::Variables;
use crate::environment::HALLPASS_SESSION_ID;
use crate::error::{CommandError, ErrorKind};

/// Begins every placeholder's access key id.
const PLACEHOLDER_PREFIX: &str = "ASIAHALLPASS";

/// Refuses what would not go through the outer session's gate.
///
/// # Errors
/// [`ErrorKind::Conflict`], with the outer session and the way out.
pub(crate) fn check(
    original: &Variables,
    role: Option<&str>,
    aws_profile: Option<&str>,
    delivery: Delivery,
) -> Result<(), CommandError> {
    let text = |name: &str| original.get(OsStr::new(name)).and_then(|v| v.to_str()).filter(|v| !v.is_empty());
    let Some(outer) = text(HALLPASS_SESSION_ID) else { return Ok(()) };
    let holds_placeholder = text("AWS_ACCESS_KEY_ID").is_some_and(|id| id.starts_with(PLACEHOLDER_PREFIX));
    let through_gate = holds_placeholder && text("AWS_ENDPOINT_URL").is_some();
    let complaint = match (through_gate, role, aws_profile, delivery) {
        (false, ..) => "its placeholder or its endpoint is missing from the environment",
        (true, Some(_), ..) => "a role would be borrowed past it",
        (true, None, Some(_), _) => "another identity would sign in past it",
        (true, None, None, Delivery::Env | Delivery::File | Delivery::CredentialEndpoint) => {
            "only delivery `proxy` passes its gate"
        }
        (true, None, None, Delivery::Proxy) => return Ok(()),
    };
    let short = outer.get(..8).unwrap_or(outer);
    Err(CommandError::new(ErrorKind::Conflict, "run.nested", format!("this runs inside session `{short}` already"))
        .cause(complaint)
        .next("leave out `--role`, `--aws-profile` and `--delivery` to borrow through the outer session, or run outside it"))
}

#[cfg(test)]
mod tests {
    use hallpass_core::delivery::Delivery;

    use super::check;
    use crate::deliver::environment::Variables;

    #[test]
    fn an_inner_session_only_borrows_through_the_outer_gate() {
        let pairs = [
            ("HALLPASS_SESSION_ID", "0123456789"),
            ("AWS_ACCESS_KEY_ID", "ASIAHALLPASSABCDEFGH"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ];
        let inside: Variables = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        assert!(check(&inside, None, None, Delivery::Proxy).is_ok());
        assert!(check(&inside, Some("arn"), None, Delivery::Proxy).is_err());
        assert!(check(&inside, None, Some("other"), Delivery::Proxy).is_err());
        for delivery in [Delivery::Env, Delivery::File, Delivery::CredentialEndpoint] {
            assert!(check(&inside, None, None, delivery).is_err());
        }
        for missing in ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"] {
            let mut without = inside.clone();
            without.remove(std::ffi::OsStr::new(missing));
            assert!(check(&without, None, None, Delivery::Proxy).is_err(), "{missing}");
        }
        assert!(check(&Variables::new(), Some("arn"), Some("x"), Delivery::Env).is_ok());
    }
}
