//! What went wrong at a provider, and what to do about it.

use hallpass_core::provider::{CloudProvider, ProviderError};

use super::{CommandError, ErrorKind};

/// Codes by which STS refuses the credential itself, not what is asked with it (STS API Reference, "Common Errors").
const BAD_CREDENTIAL: [&str; 6] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
];

impl From<ProviderError> for CommandError {
    fn from(error: ProviderError) -> Self {
        let (kind, code, next) = match &error {
            ProviderError::NoBaseCredential { provider: CloudProvider::S3, .. } => (
                ErrorKind::Auth,
                "aws.no_base_credential",
                Some(
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the store's keys, or name a profile that has them with `--aws-profile`",
                ),
            ),
            ProviderError::NoBaseCredential { .. } => {
                (ErrorKind::Auth, "aws.no_base_credential", Some("sign in first (`aws sso login`, or set AWS_PROFILE)"))
            }
            ProviderError::PolicyTooLarge(_) => {
                (ErrorKind::Usage, "policy.too_large", Some("see what takes the room with `hallpass policy compile`"))
            }
            ProviderError::Invalid(_) => (
                ErrorKind::Usage,
                "provider.invalid",
                Some("correct it; `--dry-run` checks it without lending anything"),
            ),
            ProviderError::Refused { code, .. } if BAD_CREDENTIAL.contains(&code.as_str()) => (
                ErrorKind::Auth,
                "provider.refused",
                Some("the credential that you sign in with is not valid, or not any more: sign in anew"),
            ),
            ProviderError::Refused { .. } => {
                (ErrorKind::Auth, "provider.refused", Some("check the role's trust policy and your own permissions"))
            }
            ProviderError::Unreachable { .. } => {
                (ErrorKind::Network, "provider.unreachable", Some("check the network and the endpoint"))
            }
            ProviderError::Expired => (ErrorKind::Conflict, "session.expired", Some("start a new session")),
        };
        let failure = Self::new(kind, code, error.to_string());
        match next {
            Some(step) => failure.next(step),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::provider::{CloudProvider, ProviderError};

    use super::{BAD_CREDENTIAL, CommandError};

    #[test]
    fn the_next_step_is_one_for_this_provider_and_this_refusal() {
        let said = |error: ProviderError| CommandError::from(error).to_string();
        let none = |provider| said(ProviderError::NoBaseCredential { provider, detail: "none".to_owned() });
        assert!(none(CloudProvider::Aws).contains("aws sso login"));
        let store = none(CloudProvider::S3);
        assert!(store.contains("the store's keys") && !store.contains("sso"), "{store}");
        let refused = |code: &str| {
            let (operation, message) = ("sts:AssumeRole".to_owned(), "no".to_owned());
            said(ProviderError::Refused { operation, code: code.to_owned(), message })
        };
        assert!(refused("AccessDenied").contains("trust policy"));
        for code in BAD_CREDENTIAL {
            let said = refused(code);
            assert!(said.contains("sign in anew") && !said.contains("trust policy"), "{said}");
        }
    }
}
