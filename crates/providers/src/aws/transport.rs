//! How the sign-in reaches the cloud: through the caller's proxy, and trusting the caller's own authorities besides the
//! system's, as a proxy that opens TLS wants it.

use std::fs::File;
use std::io::Read;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use hallpass_core::limits::CA_BUNDLE_BYTES_MAX;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::options::AwsOptions;

/// The one TLS stack.
const PROVIDER: Provider = Provider::Rustls(CryptoMode::AwsLc);
/// The end of a certificate in PEM (RFC 7468, section 5).
const END: &str = "-----END CERTIFICATE-----";

/// What is trusted besides the system's authorities.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transport {
    /// One PEM each, all of them usable.
    authorities: Vec<String>,
}

impl Transport {
    /// Reads the file that `AWS_CA_BUNDLE` names, if it is set.
    ///
    /// # Errors
    /// In words: it cannot be read, it is too large, or no authority in it is usable.
    pub(crate) fn of(options: &AwsOptions) -> Result<Self, String> {
        let Some(path) = options.variable("AWS_CA_BUNDLE") else { return Ok(Self::default()) };
        let wrong = |why: String| format!("the file that AWS_CA_BUNDLE names cannot be used: {why}");
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| wrong(format!("`{path}`: {error}")))?;
        file.take(CA_BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > CA_BUNDLE_BYTES_MAX {
            return Err(wrong(format!("it has more than {CA_BUNDLE_BYTES_MAX} bytes")));
        }
        let text = String::from_utf8_lossy(&bytes);
        // A system's bundle may hold old authorities that are not taken; those that are must not suffer.
        let authorities: Vec<String> =
            text.split_inclusive(END).filter(|piece| is_usable(piece)).map(str::to_owned).collect();
        if authorities.is_empty() {
            return Err(wrong("it holds no usable certificate authority in PEM".to_owned()));
        }
        Ok(Self { authorities })
    }

    /// What the SDK sends with; `None`: its own way does.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn client(&self) -> Result<Option<SharedHttpClient>, String> {
        if self.authorities.is_empty() {
            return Ok(None);
        }
        let context = self.context()?;
        Ok(Some(Builder::new().build_with_connector_fn(move |settings, components| {
            let mut builder = Connector::builder().tls_provider(PROVIDER).tls_context(context.clone());
            builder.set_connector_settings(settings.cloned());
            builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            builder.proxy_config(ProxyConfig::from_env()).build()
        })))
    }

    /// What one call of our own is sent with.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn once(&self, outward: ProxyConfig) -> Result<Connector, String> {
        let builder = Connector::builder().tls_provider(PROVIDER).tls_context(self.context()?);
        Ok(builder.connector_settings(HttpConnectorSettings::builder().build()).proxy_config(outward).build())
    }

    fn context(&self) -> Result<TlsContext, String> {
        let system = TrustStore::default();
        let store = self.authorities.iter().fold(system, |store, pem| store.with_pem_certificate(pem.as_bytes()));
        TlsContext::builder().with_trust_store(store).build().map_err(|error| format!("TLS cannot be set up: {error}"))
    }
}

/// One certificate that rustls takes: the SDK ends the process over any other.
fn is_usable(pem: &str) -> bool {
    let mut roots = RootCertStore::empty();
    CertificateDer::from_pem_slice(pem.as_bytes()).is_ok_and(|certificate| roots.add(certificate).is_ok())
}

#[cfg(test)]
mod tests;
