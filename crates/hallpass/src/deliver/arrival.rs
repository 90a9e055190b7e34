//! Whether what the child is handed leads to the gate: its variables, read as an SDK reads them. No connection is made.
//!
//! A real SDK costs a quarter of a second to ask, and a request of ours would stand in the log of every session as one
//! of the child's. That SDKs do read these variables so is what the table of clients shows
//! (`docs/reference/clients.md`); what remains to be shown at each start is that nothing in this environment leads
//! elsewhere.

use std::ffi::OsStr;

use super::environment::{Variables, leads_past};

/// Where the gate is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate<'a> {
    /// As `AWS_ENDPOINT_URL` has it, where the child is given an endpoint.
    pub(super) endpoint: Option<&'a str>,
    /// As `HTTPS_PROXY` has it, where the child is given a proxy.
    pub(super) proxy: Option<&'a str>,
    /// Variables of services that go through the proxy all the same.
    pub(super) prefixed: &'a [(String, String)],
}

/// Endpoints of single services win over the one for all.
const OF_SERVICE: &str = "AWS_ENDPOINT_URL_";
/// With one of these, SDKs forget the endpoint, or refuse to combine it with another.
const OVERRULE: [&str; 3] =
    ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"];
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];

/// Refuses variables that lead past the gate.
///
/// # Errors
/// With the variable that does. It shows no value.
pub(super) fn check(variables: &Variables, gate: Gate<'_>) -> Result<(), String> {
    let value = |name: &str| variables.get(OsStr::new(name)).map(|v| v.to_string_lossy());
    let is = |name: &str, expected: &str| match value(name) {
        Some(value) if value == expected => Ok(()),
        _ => Err(format!("`{name}` does not lead to the gate")),
    };
    if let Some(endpoint) = gate.endpoint {
        is("AWS_ENDPOINT_URL", endpoint)?;
        for (name, value) in variables {
            let name = name.to_string_lossy();
            let value = value.to_string_lossy();
            let through_proxy = gate.proxy.is_some() && gate.prefixed.iter().any(|(n, v)| *n == name && *v == value);
            if name.starts_with(OF_SERVICE) && !through_proxy && !value.starts_with(endpoint) {
                return Err(format!("`{name}` does not lead to the gate"));
            }
        }
    } else if variables.keys().any(|name| name.to_string_lossy().starts_with("AWS_ENDPOINT_URL")) {
        return Err("an endpoint is set that leads past the proxy".to_owned());
    }
    if let Some(name) = OVERRULE.iter().find(|name| value(name).is_some()) {
        return Err(format!("`{name}` leads past the gate"));
    }
    for name in ["NO_PROXY", "no_proxy"] {
        let hosts = value(name).unwrap_or_default();
        let mut hosts = hosts.split(',').map(str::trim);
        // Or another proxy, which then sees the request and cannot pass it on.
        if !hosts.clone().any(|host| host == "127.0.0.1" || host == "*") {
            return Err(format!("`{name}` sends what is for the gate to another proxy"));
        }
        if gate.proxy.is_some() && hosts.any(leads_past) {
            return Err(format!("`{name}` leads past the gate"));
        }
    }
    let Some(proxy) = gate.proxy else { return Ok(()) };
    for name in PROXIES {
        is(name, proxy)?;
    }
    match ["ALL_PROXY", "all_proxy"].into_iter().find(|name| value(name).is_some()) {
        Some(name) => Err(format!("`{name}` leads past the gate")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, check};
    use crate::deliver::environment::Variables;

    const ENDPOINT: &str = "http://127.0.0.1:1";
    const CONTROL: &str = "https://s3-control.eu-central-1.amazonaws.com";
    const PROXY: &str = "http://hallpass:secret@127.0.0.1:1";

    fn led() -> Variables {
        let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].map(|name| (name, PROXY));
        let fixed = [("AWS_ENDPOINT_URL", ENDPOINT), ("NO_PROXY", "127.0.0.1,corp.example"), ("no_proxy", "127.0.0.1")];
        proxies.into_iter().chain(fixed).map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn what_leads_to_the_gate_passes_and_everything_that_leads_past_it_is_named() {
        let prefixed = [("AWS_ENDPOINT_URL_S3_CONTROL".to_owned(), CONTROL.to_owned())];
        let gate = Gate { endpoint: Some(ENDPOINT), proxy: Some(PROXY), prefixed: &prefixed };
        assert_eq!(check(&led(), gate), Ok(()));
        for (name, value) in [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:2"),
            ("AWS_ENDPOINT_URL_S3", "https://s3.amazonaws.com"),
            ("AWS_ENDPOINT_URL_S3_CONTROL", "https://s3-control.eu-west-1.evil.example"),
            ("AWS_ENDPOINT_URL_S3", CONTROL),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("NO_PROXY", "127.0.0.1,.amazonaws.com"),
            ("no_proxy", "*"),
            ("no_proxy", "corp.example"),
            ("HTTPS_PROXY", "http://corp:3128"),
            ("http_proxy", "http://corp:3128"),
            ("ALL_PROXY", "socks5://corp:1080"),
        ] {
            let mut variables = led();
            variables.insert(name.into(), value.into());
            let refused = check(&variables, gate).expect_err(name);
            assert!(refused.contains(name) && !refused.contains("secret"), "{refused}");
        }
        let mut variables = led();
        variables.insert("AWS_ENDPOINT_URL_S3_CONTROL".into(), CONTROL.into());
        assert_eq!(check(&variables, gate), Ok(()));
        assert!(check(&variables, Gate { proxy: None, ..gate }).is_err(), "nothing but the proxy leads there");
        for name in ["AWS_ENDPOINT_URL", "HTTPS_PROXY", "NO_PROXY"] {
            let mut variables = led();
            variables.remove(std::ffi::OsStr::new(name));
            assert!(check(&variables, gate).is_err(), "{name}");
        }
    }

    #[test]
    fn by_the_proxy_alone_no_endpoint_may_be_set() {
        let gate = Gate { endpoint: None, proxy: Some(PROXY), prefixed: &[] };
        assert!(check(&led(), gate).is_err());
        let mut variables = led();
        variables.remove(std::ffi::OsStr::new("AWS_ENDPOINT_URL"));
        assert_eq!(check(&variables, gate), Ok(()));
    }
}
