//! `--via`: by which way a child's requests reach the gate.

/// The way into the gate. Every way leads to the same checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Via {
    /// `HTTPS_PROXY` and a certificate authority of the session's own: tools keep the real host names
    Proxy,
    /// `AWS_ENDPOINT_URL`: only tools that read it arrive, and all other traffic is left alone
    Endpoint,
    /// Both: a tool that reads `AWS_ENDPOINT_URL` uses it, every other one comes through the proxy
    #[default]
    Both,
}

impl Via {
    /// True when the child is given a proxy.
    pub(crate) fn has_proxy(self) -> bool {
        matches!(self, Self::Proxy | Self::Both)
    }

    /// True when the child is given an endpoint.
    pub(crate) fn has_endpoint(self) -> bool {
        matches!(self, Self::Endpoint | Self::Both)
    }

    /// The name on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Endpoint => "endpoint",
            Self::Both => "both",
        }
    }
}
