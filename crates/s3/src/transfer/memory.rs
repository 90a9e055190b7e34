//! Buffers for parts, used again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The buffers of one transfer. How many there are is bounded by how many parts are in flight.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// A buffer of `length` bytes whose contents are of no meaning.
    pub(crate) fn lend(&self, length: usize) -> Lent {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // A new one comes zeroed from the system, page by page as it is used.
        let mut bytes = free.unwrap_or_else(|| vec![0; length]);
        bytes.resize(length, 0);
        Lent { bytes, home: Arc::clone(&self.0) }
    }
}

/// A buffer; comes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lent {
    bytes: Vec<u8>,
    home: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Lent {
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The first `length` bytes, to be sent; the buffer comes back with the last of them.
    pub(crate) fn filled(mut self, length: usize) -> Bytes {
        self.bytes.truncate(length);
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.home.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Buffers;

    #[test]
    fn a_buffer_is_used_again_once_its_last_bytes_are_gone() {
        let buffers = Buffers::default();
        let lent = buffers.lend(1_000);
        let address = lent.as_ref().as_ptr();
        let bytes = lent.filled(10);
        let rest = bytes.slice(5..);
        drop(bytes);
        assert_ne!(buffers.lend(1_000).as_ref().as_ptr(), address);
        drop(rest);
        let again = [buffers.lend(1_000), buffers.lend(1_000)];
        assert!(again.iter().any(|lent| lent.as_ref().as_ptr() == address));
    }
}
