//! Is there a base identity, and what would a child find without us?

use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use hallpass_core::limits::UPSTREAM_CONNECT_TIMEOUT_S;

use super::Check;
use crate::command::Context;
use crate::deliver::ambient::{Class, class_of};
use crate::environment;

const NAME: &str = "base credential";

/// Is there a source for the base credential? Nothing is read from it.
pub(super) fn base_credential() -> Check {
    let set = |name: &str| environment::os(name).is_some();
    if set(environment::AWS_ACCESS_KEY_ID) != set(environment::AWS_SECRET_ACCESS_KEY) {
        return Check::fail(NAME, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: one is set, the other is not")
            .next("set both, or neither");
    }
    let by_variable = [
        environment::AWS_ACCESS_KEY_ID,
        environment::AWS_PROFILE,
        environment::AWS_WEB_IDENTITY_TOKEN_FILE,
        environment::AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
        environment::AWS_CONTAINER_CREDENTIALS_FULL_URI,
    ];
    if let Some(name) = by_variable.into_iter().find(|name| set(name)) {
        return Check::ok(NAME, format!("{name} is set"));
    }
    let home = environment::os(environment::HOME).map(PathBuf::from).unwrap_or_default();
    let file = |variable: &str, usual: &str| environment::os(variable).map_or_else(|| home.join(usual), PathBuf::from);
    let files = [
        file(environment::AWS_SHARED_CREDENTIALS_FILE, ".aws/credentials"),
        file(environment::AWS_CONFIG_FILE, ".aws/config"),
    ];
    match files.iter().find(|path| path.exists()) {
        Some(path) => Check::ok(NAME, format!("{} exists", path.display())),
        None => Check::warn(NAME, "no variable and no file names one; only the instance's own role is left")
            .next("sign in (`aws sso login`, `aws configure`), or set AWS_PROFILE"),
    }
}

/// Credentials in the environment are taken away from children; whoever starts commands without us hands them on.
pub(super) fn ambient() -> Check {
    let mut names: Vec<String> = environment::all()
        .filter(|(name, _)| class_of(name) == Some(Class::Secret))
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    if names.is_empty() {
        return Check::ok("ambient", "no credential lies in the environment");
    }
    Check::warn("ambient", format!("credentials lie in the environment: {}", names.join(", ")))
        .next("a child of `hallpass run` does not see them; a command started without it does")
}

/// Can STS be reached?
pub(super) fn online(context: &Context) -> Check {
    let config = match context.config() {
        Ok(config) => config,
        Err(_) => return Check::warn("network", "not tried: the configuration is wrong"),
    };
    let url = config.aws.sts_endpoint_url.as_ref().map(|url| url.value.clone());
    let url = url.or_else(|| environment::text(environment::AWS_ENDPOINT_URL_STS));
    let region = config.session.region().map(str::to_owned).or_else(|| environment::text(environment::AWS_REGION));
    let url = url.unwrap_or_else(|| match region {
        Some(region) if region.starts_with("cn-") => format!("https://sts.{region}.amazonaws.com.cn"),
        Some(region) => format!("https://sts.{region}.amazonaws.com"),
        None => "https://sts.amazonaws.com".to_owned(),
    });
    match reach(&url) {
        Ok(()) => Check::ok("network", format!("{url} can be reached")),
        Err(why) => Check::fail("network", format!("{url} cannot be reached: {why}"))
            .next("check network, proxy and name server"),
    }
}

fn reach(url: &str) -> Result<(), String> {
    let uri: http::Uri = url.parse().map_err(|e| format!("not a URL: {e}"))?;
    let host = uri.host().ok_or("it names no host")?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    let mut last = "the name has no address".to_owned();
    for address in (host.as_str(), port).to_socket_addrs().map_err(|e| e.to_string())? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(UPSTREAM_CONNECT_TIMEOUT_S)) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}
