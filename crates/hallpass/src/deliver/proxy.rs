//! Delivery `proxy`: the child holds a placeholder, and every request passes the gate.

use std::ffi::OsStr;
use std::io;

use hallpass_core::session::Session;
use hallpass_dataplane::gate::{Gate, Passthrough, Placeholder};

use super::arrival;
use super::environment::{Variables, merge_no_proxy, set};
use super::place::Place;
use super::prefixed;
use super::trust;
use super::via::Via;

/// Points the child at the gate, by each way that was asked for.
///
/// # Errors
/// When the session's certificate authority cannot be made or handed over.
pub(super) fn deliver(
    variables: &mut Variables,
    place: &Place,
    gate: &Gate,
    placeholder: &Placeholder,
    session: &Session,
    via: Via,
    passthrough: &Passthrough,
) -> io::Result<()> {
    set(variables, "AWS_ACCESS_KEY_ID", placeholder.access_key_id.as_str());
    set(variables, "AWS_SECRET_ACCESS_KEY", placeholder.secret_access_key.expose());
    set(variables, "AWS_SESSION_TOKEN", placeholder.session_token.expose());
    // A session with a directory bucket would hand out a credential that goes past the gate, which refuses that.
    set(variables, "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true");
    let endpoint = via.has_endpoint().then(|| gate.endpoint_url());
    if let Some(url) = &endpoint {
        // The same name is read by every newer AWS SDK and by the CLI.
        set(variables, "AWS_ENDPOINT_URL", url.as_str());
        set(variables, "S3_ENDPOINT_URL", url.as_str());
    }
    let proxy = via.has_proxy().then(|| gate.open_proxy(passthrough.clone())).transpose().map_err(io::Error::other)?;
    if let Some(proxy) = &proxy {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            set(variables, name, proxy.url.expose());
        }
        // What reads it would go another way than through the gate.
        for name in ["ALL_PROXY", "all_proxy"] {
            variables.remove(OsStr::new(name));
        }
        // Node.js looks at the others from version 24 on, and only then.
        set(variables, "NODE_USE_ENV_PROXY", "1");
        // Hosts that begin with an account's number are no hosts of the rules.
        set(variables, "AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled");
        trust::deliver(variables, place, &proxy.certificate)?;
    }
    let prefixed = if via == Via::Both { prefixed::variables(session) } else { Vec::new() };
    for (name, url) in &prefixed {
        set(variables, name, url.as_str());
    }
    merge_no_proxy(variables, via.has_proxy());
    let proxy = proxy.as_ref().map(|proxy| proxy.url.expose());
    let gate = arrival::Gate { endpoint: endpoint.as_deref(), proxy, prefixed: &prefixed };
    arrival::check(variables, gate).map_err(io::Error::other)
}
