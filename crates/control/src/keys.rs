//! The Ed25519 key that signs checkpoints: made on first use, 0600, never overwritten.
