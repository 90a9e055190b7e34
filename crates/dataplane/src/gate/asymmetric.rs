//! The curve of Signature Version 4A: core has the texts and derives the keys, aws-lc has the arithmetic.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use hallpass_core::sigv4::asymmetric::private_key;
use zeroize::Zeroizing;

/// The key pair that a credential's secret stands for.
pub(super) struct Pair(EcdsaKeyPair);

impl Pair {
    /// `None` where the secret gives no key, which none is known to do.
    pub(super) fn of(access_key_id: &str, secret: &str) -> Option<Self> {
        let scalar = private_key(access_key_id, secret)?;
        // RFC 5915: SEQUENCE { INTEGER 1, OCTET STRING of 32 bytes, [0] OID prime256v1 }.
        let mut der = Zeroizing::new(Vec::with_capacity(51));
        der.extend_from_slice(&[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20]);
        der.extend_from_slice(scalar.as_slice());
        der.extend_from_slice(&[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
        EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).ok().map(Self)
    }

    /// Whether a DER signature of a message was made with this key.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.0.public_key().as_ref()).verify(message, signature).is_ok()
    }

    /// A DER signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.0.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec())
    }
}
