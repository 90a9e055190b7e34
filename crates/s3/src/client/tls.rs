//! TLS to the store: built when the first https store is needed, because reading roots costs start-up time.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::error::S3Error;

/// Makes TLS connections.
#[derive(Debug)]
pub(crate) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    /// # Errors
    /// [`S3Error::Usage`] when `extra_roots` is not PEM with at least one certificate.
    pub(crate) fn new(extra_roots: Option<&[u8]>) -> Result<Self, S3Error> {
        let extra_roots =
            match extra_roots.map(|pem| CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()) {
                None => Vec::new(),
                Some(Ok(all)) if !all.is_empty() => all,
                Some(_) => {
                    return Err(S3Error::usage_with(
                        "the extra certificate authorities hold no certificate in PEM",
                        "correct the file that `AWS_CA_BUNDLE` or `SSL_CERT_FILE` names, or unset the variable",
                    ));
                }
            };
        Ok(Self { extra_roots, config: OnceLock::new() })
    }

    /// # Errors
    /// Why TLS cannot be set up.
    pub(crate) fn connector(&self) -> Result<TlsConnector, String> {
        self.config.get_or_init(|| self.build().map(Arc::new)).clone().map(TlsConnector::from)
    }

    fn build(&self) -> Result<ClientConfig, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // A system's bundle may hold old authorities that rustls does not take; those that it takes must not suffer.
        let (usable, _) = roots.add_parsable_certificates(self.extra_roots.iter().cloned());
        if usable == 0 && !self.extra_roots.is_empty() {
            return Err("none of the certificate authorities given is usable".to_owned());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| format!("TLS cannot be set up: {e}"))?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::Tls;

    #[test]
    fn roots_that_are_not_pem_are_refused_at_once() {
        for bad in [b"".as_slice(), b"nonsense", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            assert!(Tls::new(Some(bad)).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        assert!(Tls::new(None).expect("no roots to read").connector().is_ok());
    }
}
