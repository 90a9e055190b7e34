//! Delivery `proxy`: the child holds a placeholder, and every request passes the gate.

use hallpass_dataplane::gate::Placeholder;

use super::environment::{Variables, merge_no_proxy, set};

/// Points the child at the gate. The same names are read by every AWS SDK and by the CLI.
pub(super) fn deliver(variables: &mut Variables, placeholder: &Placeholder, endpoint_url: &str) {
    set(variables, "AWS_ACCESS_KEY_ID", placeholder.access_key_id.as_str());
    set(variables, "AWS_SECRET_ACCESS_KEY", placeholder.secret_access_key.expose());
    set(variables, "AWS_SESSION_TOKEN", placeholder.session_token.expose());
    set(variables, "AWS_ENDPOINT_URL", endpoint_url);
    merge_no_proxy(variables);
}
