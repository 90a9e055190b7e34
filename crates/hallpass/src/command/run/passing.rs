//! `--passthrough`: which hosts besides AWS the command reaches through the proxy, and through whose proxy in turn.

use std::ffi::OsStr;

use hallpass_core::delivery::Delivery;
use hallpass_dataplane::gate::{OuterProxy, OuterProxyError, Passthrough};

use crate::deliver::environment::Variables;
use crate::deliver::via::Via;
use crate::error::CommandError;
use crate::output::Printer;

/// The word for no host at all.
const NONE: &str = "none";
/// Where tools look for their proxy for `https`, and for `http`, the first that is set.
const TUNNELS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const PLAIN: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// What the command line says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// `--passthrough`.
    pub(super) names: &'a [String],
    /// `--via`.
    pub(super) via: Option<Via>,
    /// How the session is handed over.
    pub(super) delivery: Delivery,
}

/// The hosts, and the way that is left where the caller's own proxy does not let ours in between.
///
/// # Errors
/// For what names no host, for hosts without a proxy, and when the caller's own proxy is none that can be gone
/// through although ours was asked for.
pub(super) fn passthrough(
    printer: Printer,
    asked: &Asked<'_>,
    via: Via,
    original: &Variables,
) -> Result<(Via, Passthrough), CommandError> {
    let Asked { names, via: way, delivery } = *asked;
    if !via.has_proxy() || delivery != Delivery::Proxy {
        if names.is_empty() {
            return Ok((via, Passthrough::default()));
        }
        let message = "`--passthrough` is for the proxy, which `--via endpoint` and other deliveries do not have";
        return Err(CommandError::usage("run.passthrough", message).next("leave out one of the two"));
    }
    let hosts = hosts(names, via)?;
    if hosts == Passthrough::default() {
        return Ok((via, hosts));
    }
    match (outer(original, TUNNELS), outer(original, PLAIN)) {
        (Ok(tunnels), Ok(plain)) => Ok((via, hosts.through(tunnels, plain))),
        (Err(error), _) | (_, Err(error)) if way.is_none() && names.is_empty() => {
            printer.warn(format_args!("{error}; tools that know no AWS endpoint will not reach the gate"));
            Ok((Via::Endpoint, Passthrough::default()))
        }
        (Err(error), _) | (_, Err(error)) => Err(CommandError::usage("run.proxy", error.to_string())
            .next("use `--via endpoint`, which leaves other traffic alone, or `--passthrough none`")),
    }
}

fn hosts(names: &[String], via: Via) -> Result<Passthrough, CommandError> {
    match names {
        [] if via == Via::Proxy => Ok(Passthrough::default()),
        [] => Ok(Passthrough::public()),
        [only] if only == NONE => Ok(Passthrough::default()),
        names if names.iter().any(|name| name == NONE) => {
            let message = "`--passthrough none` means no host, and others are named beside it";
            Err(CommandError::usage("run.passthrough", message).next("leave out one of the two"))
        }
        names => {
            let wrong = |error: hallpass_dataplane::gate::PassthroughError| {
                CommandError::usage("run.passthrough", error.to_string())
            };
            Passthrough::new(names.to_vec()).map_err(wrong)
        }
    }
}

fn outer(original: &Variables, names: [&str; 4]) -> Result<Option<OuterProxy>, OuterProxyError> {
    let value = |name: &str| original.get(OsStr::new(name)).and_then(|v| v.to_str()).filter(|v| !v.is_empty());
    names.into_iter().find_map(value).map(OuterProxy::parse).transpose()
}

#[cfg(test)]
mod tests {
    use hallpass_dataplane::gate::{OuterProxy, Passthrough};

    use super::{TUNNELS, hosts, outer};
    use crate::deliver::environment::Variables;
    use crate::deliver::via::Via;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_internet_passes_by_default_and_with_the_proxy_alone_nothing_does() {
        assert_eq!(hosts(&[], Via::Both).ok(), Some(Passthrough::public()));
        assert_eq!(hosts(&[], Via::Proxy).ok(), Some(Passthrough::default()));
        assert_eq!(hosts(&names(&["none"]), Via::Both).ok(), Some(Passthrough::default()));
        assert_eq!(hosts(&names(&["public"]), Via::Proxy).ok(), Some(Passthrough::public()));
        assert!(hosts(&names(&["none", "github.com"]), Via::Both).is_err());
        assert!(hosts(&names(&["https://github.com"]), Via::Both).is_err());
        assert!(hosts(&names(&["*.amazonaws.com"]), Via::Both).is_err());
    }

    #[test]
    fn the_callers_own_proxy_is_the_first_that_is_set() {
        let set = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Variables>();
        let one = set(&[("https_proxy", ""), ("HTTPS_PROXY", "http://a:1"), ("ALL_PROXY", "socks5://b:2")]);
        assert_eq!(outer(&one, TUNNELS), OuterProxy::parse("http://a:1").map(Some));
        assert!(outer(&set(&[("ALL_PROXY", "socks5://b:2")]), TUNNELS).is_err());
        assert_eq!(outer(&set(&[("http_proxy", "http://a:1")]), TUNNELS), Ok(None));
    }
}
