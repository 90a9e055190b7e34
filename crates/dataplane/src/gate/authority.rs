//! The session's own certificate authority: made in memory, for AWS names only, gone with the session.
//!
//! Its private key is in no file and no store. Its certificate is trusted by the child alone, and says critically that
//! it may speak for [`DOMAINS`] and for nothing else, so a stolen key forges no other name (RFC 5280, 4.2.1.10).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallpass_core::limits::{CERTIFICATE_BACKDATING_S, CERTIFIED_HOSTS_MAX};
use hallpass_core::resolve::host::DOMAINS;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Issues certificates for the hosts that the gate stands in for.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    until: Timestamp,
    hosts: Mutex<Hosts>,
}

#[derive(Default)]
struct Hosts {
    /// One key for all of them: it protects nothing that the session's other hosts do not. Made for the first.
    key: Option<Arc<KeyPair>>,
    servers: HashMap<String, Arc<ServerConfig>>,
}

impl Hosts {
    fn key(&mut self) -> Result<Arc<KeyPair>, rcgen::Error> {
        if let Some(key) = &self.key {
            return Ok(Arc::clone(key));
        }
        let made = Arc::new(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?);
        self.key = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl Authority {
    /// A fresh one, which lives from a little before `now` until `until`.
    pub(super) fn new(session: &str, now: Timestamp, until: Timestamp) -> Result<Self, rcgen::Error> {
        let mut params = life(CertificateParams::new(Vec::new())?, now, until);
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, "Hallpass");
        name.push(DnType::CommonName, format!("Hallpass session {session}"));
        params.distinguished_name = name;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // A kind of name that no subtree speaks of is not constrained at all: addresses must be excluded by name.
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: DOMAINS.map(|domain| GeneralSubtree::DnsName(domain.to_owned())).to_vec(),
            excluded_subtrees: vec![
                GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
                GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
            ],
        });
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate, until, hosts: Mutex::default() })
    }

    /// The certificate that the child trusts, PEM.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// What speaks TLS as `host`. Cached; the caller has made sure that the gate stands in for this host.
    pub(super) fn server(&self, host: &str, now: Timestamp) -> Result<Arc<ServerConfig>, String> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = hosts.servers.get(host) {
            return Ok(Arc::clone(server));
        }
        let key = hosts.key().map_err(|e| e.to_string())?;
        let made = Arc::new(self.speaks_as(host, &key, now)?);
        if hosts.servers.len() >= CERTIFIED_HOSTS_MAX {
            hosts.servers.clear();
        }
        hosts.servers.insert(host.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    fn speaks_as(&self, host: &str, key: &KeyPair, now: Timestamp) -> Result<ServerConfig, String> {
        let leaf = self.certify(host, key, now).map_err(|e| e.to_string())?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|e| e.to_string())?.with_no_client_auth();
        let mut server = builder.with_single_cert(vec![leaf], key).map_err(|e| e.to_string())?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Tickets, so that a client of many short connections pays for one handshake.
        server.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|e| e.to_string())?;
        Ok(server)
    }

    fn certify(&self, host: &str, key: &KeyPair, now: Timestamp) -> Result<CertificateDer<'static>, rcgen::Error> {
        let mut params = life(CertificateParams::new(vec![host.to_owned()])?, now, self.until);
        let mut name = DistinguishedName::new();
        // A common name holds 64 characters at most (RFC 5280, appendix A), and clients read the alternative name.
        name.push(DnType::OrganizationName, "Hallpass");
        params.distinguished_name = name;
        params.use_authority_key_identifier_extension = true;
        // All hosts share a key, from which the default number would follow: two certificates with one number.
        let mut serial = [0; 16];
        getrandom::fill(&mut serial).map_err(|_| rcgen::Error::RingUnspecified)?;
        serial[0] = 1;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("until", &self.until).finish_non_exhaustive()
    }
}

fn life(mut params: CertificateParams, now: Timestamp, until: Timestamp) -> CertificateParams {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |second: i64| epoch + Duration::from_secs(u64::try_from(second).unwrap_or(0));
    params.not_before = at(now.as_second().saturating_sub(CERTIFICATE_BACKDATING_S));
    // Certificates count in seconds: the session's last, broken second belongs to it.
    params.not_after = at(until.as_second().saturating_add(1));
    params
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hallpass_core::limits::{CERTIFICATE_BACKDATING_S, CERTIFIED_HOSTS_MAX};
    use jiff::{SignedDuration, Timestamp};
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    use super::Authority;

    fn now() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().expect("time")
    }

    fn authority() -> Authority {
        Authority::new("abc", now(), now() + SignedDuration::from_hours(1)).expect("made")
    }

    /// What a client that trusts the session's certificate says to a certificate that its key has signed for `host`.
    fn verdict(authority: &Authority, host: &str, at: Timestamp) -> Result<(), String> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(authority.certificate().as_bytes()).expect("PEM");
        roots.add(root).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().expect("made");
        let key = authority.hosts.lock().expect("no panic").key().expect("made");
        let leaf = authority.certify(host, &key, now()).expect("signed");
        let name = ServerName::try_from(host.to_owned()).expect("a name");
        let seconds = u64::try_from(at.as_second()).expect("after 1970");
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        verifier.verify_server_cert(&leaf, &[], &name, &[], at).map(|_| ()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_certificate_verifies_for_aws_and_for_no_other_name() {
        let authority = authority();
        for host in ["s3.us-east-1.amazonaws.com", "a.b.s3.amazonaws.com", "ce.us-east-1.api.aws"] {
            assert_eq!(verdict(&authority, host, now()), Ok(()), "{host}");
        }
        for host in ["example.com", "amazonaws.com.example", "localhost", "127.0.0.1", "::1", "api.github.com"] {
            let refused = verdict(&authority, host, now()).expect_err(host);
            assert!(refused.contains("NameConstraint"), "{host}: {refused}");
        }
    }

    #[test]
    fn a_certificate_dies_with_the_session() {
        let authority = authority();
        let host = "s3.us-east-1.amazonaws.com";
        assert_eq!(verdict(&authority, host, now() + SignedDuration::from_mins(59)), Ok(()));
        assert!(verdict(&authority, host, now() + SignedDuration::from_mins(61)).is_err());
        let behind = |seconds| verdict(&authority, host, now() - SignedDuration::from_secs(seconds));
        assert_eq!(behind(CERTIFICATE_BACKDATING_S), Ok(()));
        assert!(behind(CERTIFICATE_BACKDATING_S + 1).is_err());
    }

    #[test]
    fn hosts_are_certified_once_and_no_more_are_kept_than_the_limit() {
        let authority = authority();
        let first = authority.server("s3.us-east-1.amazonaws.com", now()).expect("made");
        let again = authority.server("s3.us-east-1.amazonaws.com", now()).expect("made");
        assert!(Arc::ptr_eq(&first, &again));
        for n in 0..CERTIFIED_HOSTS_MAX {
            authority.server(&format!("b{n}.s3.us-east-1.amazonaws.com"), now()).expect("made");
        }
        assert!(authority.hosts.lock().expect("no panic").servers.len() <= CERTIFIED_HOSTS_MAX);
    }
}
