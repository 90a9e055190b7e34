//! The Ed25519 key that signs checkpoints: made on first use, 0600, never overwritten.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass_core::audit::checkpoint::{Checkpoint, CheckpointError, VerifierKey};
use hallpass_core::limits::KEY_FILE_BYTES_MAX;
use zeroize::Zeroizing;

use crate::files::{self, Privacy};
use crate::store::StoreError;

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----\n";
const PEM_END: &str = "\n-----END PRIVATE KEY-----\n";

/// The private key. It never leaves this type.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads the key (PKCS#8 in PEM); `None` when there is no such file.
    ///
    /// # Errors
    /// [`StoreError::Insecure`] when others can read the file, [`StoreError::Key`] when it holds no Ed25519 key.
    pub fn load(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(file) = files::open_existing(path, Privacy::Unreadable)? else { return Ok(None) };
        Self::read(&file, path).map(Some)
    }

    /// Reads the key, or makes one. Of several processes that make one at the same time, all end with the same.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_or_make(path: &Path) -> Result<Self, StoreError> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        let made = make(path);
        // Somebody else was faster: theirs is the key.
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        made?;
        Err(StoreError::Key(format!("`{}` vanished while it was being made", path.display())))
    }

    /// The signed note of a checkpoint.
    ///
    /// # Errors
    /// [`StoreError::Key`] when signing fails or the origin is not a name.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String, StoreError> {
        let key = self.verifier(&checkpoint.origin)?;
        let signature = self.0.try_sign(checkpoint.body().as_bytes());
        let signature = signature.map_err(|_| StoreError::Key("signing a checkpoint failed".into()))?;
        let signature: &[u8; 64] = signature
            .as_ref()
            .try_into()
            .map_err(|_| StoreError::Key("an Ed25519 signature must have 64 bytes".into()))?;
        Ok(checkpoint.note(&key, signature))
    }

    /// The public half, under the name of a log.
    ///
    /// # Errors
    /// [`StoreError::Key`] when the origin is not a name.
    pub fn verifier(&self, origin: &str) -> Result<VerifierKey, StoreError> {
        let public = self.0.public_key().as_ref().try_into();
        let public = public.map_err(|_| StoreError::Key("an Ed25519 public key must have 32 bytes".into()))?;
        VerifierKey::new(origin, public).map_err(|error| StoreError::Key(error.to_string()))
    }

    fn read(file: &File, path: &Path) -> Result<Self, StoreError> {
        let mut text = Zeroizing::new(String::new());
        let wrong = |why: &str| StoreError::Key(format!("`{}` {why}", path.display()));
        let read = file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| files::failed("read", path, &error))?;
        let body = text.strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
        let body = body.ok_or_else(|| wrong("is not a private key in PEM"))?;
        let der = STANDARD.decode(body).map(Zeroizing::new).map_err(|_| wrong("is not a private key in PEM"))?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| wrong("holds no Ed25519 key"))
    }
}

/// Reads a note that must be signed by `key`.
///
/// # Errors
/// [`CheckpointError`].
pub fn open_note(note: &str, key: &VerifierKey) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::open(note, key, |public, message, signature| {
        UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
    })
}

/// Writes a new key beside its place and links it there: whole or not at all, and never over another.
fn make(path: &Path) -> Result<(), StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Key(format!("no Ed25519 key could be made: {error}"));
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|_| StoreError::Key("the system gave no randomness".into()))?;
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|e| failed(&e))?;
    let der = pair.to_pkcs8v1().map_err(|e| failed(&e))?;
    let der = STANDARD.encode(der.as_ref());
    let der = Zeroizing::new(der);
    let dir = path.parent().unwrap_or(Path::new("."));
    let temporary = dir.join(format!(".key-{}", uuid::Uuid::new_v4().simple()));
    let io = |error: std::io::Error| files::failed("make the key", path, &error);
    let mut file = files::make_new(&temporary).map_err(io)?;
    let written = (|| {
        for part in [PEM_BEGIN, &der, PEM_END] {
            file.write_all(part.as_bytes())?;
        }
        file.sync_all()?;
        std::fs::hard_link(&temporary, path)
    })();
    let removed = std::fs::remove_file(&temporary);
    written.map_err(io)?;
    removed.map_err(io)?;
    files::sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use hallpass_core::limits::KEY_FILE_BYTES_MAX;

    use super::SigningKey;

    #[test]
    fn a_key_file_past_the_limit_is_no_key() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key");
        SigningKey::load_or_make(&path).expect("makes");
        let text = std::fs::read_to_string(&path).expect("reads");
        let length = usize::try_from(KEY_FILE_BYTES_MAX).expect("fits") + 1;
        std::fs::write(&path, format!("{text:\n<length$}")).expect("writes");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("keeps it private");
        assert!(SigningKey::load(&path).is_err());
    }
}
