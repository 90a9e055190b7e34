//! Every environment variable that we read. Nothing else in the binary may read one (`clippy.toml` bans it).

use std::ffi::OsString;

/// One variable that changes what we do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does, one sentence; shown in the manual.
    pub(crate) help: &'static str,
}

macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {
        $($(#[doc = $doc])+ pub(crate) const $name: &str = stringify!($name);)+

        /// All of them, for the manual.
        pub(crate) const ALL: &[Variable] =
            &[$(Variable { name: $name, help: concat!($($doc),+) }),+];
    };
}

variables! {
    /// The configuration file to read instead of `~/.config/hallpass/config.toml`.
    HALLPASS_CONFIG;
    /// Where sessions, the audit log and its key are kept.
    HALLPASS_STATE_DIR;
    /// What to trace to stderr, in the syntax of `tracing` filters (`hallpass=debug`).
    HALLPASS_LOG;
    /// Set by the completion script of a shell, to its name: what could come next is printed, and nothing is done.
    HALLPASS_COMPLETE;
    /// The AI agent that asks, as it will stand in the audit log.
    HALLPASS_AGENT_ID;
    /// Longest life of a session (`15m`, `1h30m`, seconds).
    HALLPASS_TTL;
    /// The role to borrow.
    HALLPASS_ROLE;
    /// The region of the child.
    HALLPASS_REGION;
    /// How the session is handed over.
    HALLPASS_DELIVERY;
    /// Set for the child: the session that it runs in. Found at start, it means that we are inside a session.
    HALLPASS_SESSION_ID;
    /// Any value that is not empty turns colour off (no-color.org).
    NO_COLOR;
    /// `dumb`: the terminal only prints, so neither colour nor progress is drawn.
    TERM;
    /// The home folder.
    HOME;
    /// Where configuration lives instead of `~/.config`.
    XDG_CONFIG_HOME;
    /// Where state lives instead of `~/.local/state`.
    XDG_STATE_HOME;
    /// Where sockets live.
    XDG_RUNTIME_DIR;
    /// AWS: access key id of the base identity.
    AWS_ACCESS_KEY_ID;
    /// AWS: secret key of the base identity.
    AWS_SECRET_ACCESS_KEY;
    /// AWS: profile of the base identity.
    AWS_PROFILE;
    /// AWS: file with the token of a web identity.
    AWS_WEB_IDENTITY_TOKEN_FILE;
    /// AWS: where a container finds its credentials.
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
    /// AWS: where a container finds its credentials.
    AWS_CONTAINER_CREDENTIALS_FULL_URI;
    /// AWS: the credentials file, instead of `~/.aws/credentials`.
    AWS_SHARED_CREDENTIALS_FILE;
    /// AWS: the configuration file, instead of `~/.aws/config`.
    AWS_CONFIG_FILE;
    /// AWS: where STS is.
    AWS_ENDPOINT_URL_STS;
    /// AWS: the region.
    AWS_REGION;
    /// AWS: the region, where AWS_REGION is not set.
    AWS_DEFAULT_REGION;
    /// AWS: where S3 is; the alias `aws` goes there.
    AWS_ENDPOINT_URL_S3;
    /// AWS: where every service is, S3 included.
    AWS_ENDPOINT_URL;
    /// AWS: `true` makes the alias `aws` ignore the two before.
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS;
    /// `hallpass s3`: more certificate authorities, PEM.
    AWS_CA_BUNDLE;
    /// `hallpass s3`: the same, where AWS_CA_BUNDLE is not set.
    SSL_CERT_FILE;
    /// `hallpass s3`: the proxy for https; also `https_proxy`.
    HTTPS_PROXY;
    /// `hallpass s3`: hosts that are reached without the proxy; also `no_proxy`.
    NO_PROXY;
}

/// The value of `name`, when it is set, not empty, and text.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// True for a terminal that obeys no escape sequences.
pub(crate) fn is_dumb_terminal() -> bool {
    text(TERM).is_some_and(|term| term == "dumb")
}

/// The value of `name`, when it is set and not empty. For paths, which need not be text.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The whole environment: what a child's is built from.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}
