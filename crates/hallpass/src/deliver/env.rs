//! Delivery `env`: the real short-lived credential in environment variables.

use hallpass_core::credential::Credential;

use super::environment::{Variables, set};

/// Hands the credential out. It works until the cloud lets it expire.
pub(super) fn deliver(variables: &mut Variables, credential: &Credential) {
    set(variables, "AWS_ACCESS_KEY_ID", credential.access_key_id.as_str());
    set(variables, "AWS_SECRET_ACCESS_KEY", credential.secret_access_key.expose());
    if let Some(token) = &credential.session_token {
        set(variables, "AWS_SESSION_TOKEN", token.expose());
    }
    if let Some(expires_at) = credential.expires_at {
        set(variables, "AWS_CREDENTIAL_EXPIRATION", expires_at.to_string());
    }
}
