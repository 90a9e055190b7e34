//! TLS to the upstream: built when the first https upstream is needed, because reading roots costs start-up time.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// The name of HTTP/2 in a handshake (RFC 9113, 3.2).
pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// What an upstream is offered to speak. S3 and most others take HTTP/1.1, which costs less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Offer {
    /// HTTP/1.1.
    #[default]
    One,
    /// HTTP/2 first, then HTTP/1.1.
    Both,
}

/// Makes the gate's TLS connections.
#[derive(Debug)]
pub(super) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    one: OnceLock<Result<Arc<ClientConfig>, String>>,
    both: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    /// # Errors
    /// When `extra_roots` is not PEM with at least one certificate.
    pub(super) fn new(extra_roots: Option<&[u8]>) -> Result<Self, String> {
        let extra_roots = match extra_roots {
            None => Vec::new(),
            Some(pem) => certificates(pem)?,
        };
        Ok(Self { extra_roots, one: OnceLock::new(), both: OnceLock::new() })
    }

    /// # Errors
    /// When a root is not a certificate authority that rustls takes.
    pub(super) fn connector(&self, offer: Offer) -> Result<TlsConnector, String> {
        let one = || self.one.get_or_init(|| self.build().map(Arc::new));
        let config = match offer {
            Offer::One => one(),
            Offer::Both => self.both.get_or_init(|| one().clone().map(both)),
        };
        config.clone().map(TlsConnector::from)
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
        config.alpn_protocols = vec![HTTP_1.to_vec()];
        Ok(config)
    }
}

fn both(one: Arc<ClientConfig>) -> Arc<ClientConfig> {
    let mut config = Arc::unwrap_or_clone(one);
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
    Arc::new(config)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if all.is_empty() => Err("the extra certificate authorities hold no certificate in PEM".to_owned()),
        Ok(all) => Ok(all),
        Err(e) => Err(format!("the extra certificate authorities are not PEM: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Offer, Tls};

    #[test]
    fn roots_that_are_not_pem_are_refused_at_once() {
        for bad in [b"".as_slice(), b"nonsense", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            assert!(Tls::new(Some(bad)).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn without_extra_roots_mozillas_are_enough() {
        assert!(Tls::new(None).expect("no roots to read").connector(Offer::Both).is_ok());
    }
}
