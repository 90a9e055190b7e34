//! Which of the gate's own connections go through a proxy of the caller's, as every SDK's would: https ones, unless
//! `NO_PROXY` names the host. What is on this machine never does.

use hallpass_core::no_proxy::NoProxy;

use super::passthrough::{OuterProxy, OuterProxyError};

/// The caller's proxy for https, and the hosts that are reached without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outward {
    /// A proxy that cannot be gone through is told to whoever needs it: nothing goes another way instead.
    proxy: Option<Result<OuterProxy, OuterProxyError>>,
    direct: NoProxy,
}

impl Outward {
    /// From the values of `HTTPS_PROXY` (`http://[user:password@]host[:port]`) and `NO_PROXY`.
    pub fn new(https_proxy: Option<&str>, no_proxy: Option<&str>) -> Self {
        let proxy = https_proxy.map(str::trim).filter(|url| !url.is_empty()).map(OuterProxy::parse);
        Self { proxy, direct: NoProxy::new(no_proxy.unwrap_or_default()) }
    }

    /// The proxy of a connection over https, if it goes through one.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn before(&self, host: &str, port: u16) -> Result<Option<&OuterProxy>, &OuterProxyError> {
        match &self.proxy {
            Some(proxy) if !self.direct.holds(host, port) => proxy.as_ref().map(Some),
            Some(_) | None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Outward;

    fn goes_through(no_proxy: &str, host: &str) -> bool {
        let outward = Outward::new(Some("http://me:secret@proxy.corp:3128"), Some(no_proxy));
        outward.before(host, 443).expect("usable").is_some()
    }

    #[test]
    fn only_what_no_proxy_names_and_this_machine_are_reached_without_the_proxy() {
        assert!(goes_through("", "s3.us-east-1.amazonaws.com"));
        assert!(!goes_through("", "localhost") && !goes_through("", "127.0.0.1"));
        assert!(!goes_through("amazonaws.com:443", "s3.amazonaws.com"));
        assert!(goes_through("amazonaws.com:8443", "s3.amazonaws.com"));
        assert!(Outward::default().before("example.com", 443).expect("none").is_none());
        assert!(Outward::new(Some(" "), None).before("example.com", 443).expect("none").is_none());
    }

    #[test]
    fn a_proxy_that_cannot_be_gone_through_is_an_error_and_never_another_way() {
        let outward = Outward::new(Some("socks5://me:secret@proxy.corp:1080"), None);
        let error = outward.before("s3.amazonaws.com", 443).expect_err("refused").to_string();
        assert!(error.contains("http://") && !error.contains("secret"), "{error}");
        assert!(outward.before("127.0.0.1", 443).expect("not needed").is_none());
    }
}
