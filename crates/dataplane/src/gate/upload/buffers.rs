//! Buffers that are used again and again. What is read from the command is copied into them, so that the memory it was
//! read into is free at once: new memory for each piece would cost more, in page faults, than the copy.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Size of one, bytes.
pub(super) const BUFFER_BYTES: usize = 128 * 1024;

/// Those that nobody uses at the moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// An empty one.
    pub(super) fn take(&self) -> Vec<u8> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
    }

    /// What is in a buffer, to be passed on; the buffer comes back when nobody holds it any more.
    pub(super) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { bytes, home: self.clone() })
    }
}

struct Lent {
    bytes: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.bytes);
        buffer.clear();
        self.home.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::Buffers;

    #[test]
    fn a_buffer_comes_back_empty_when_its_last_holder_is_gone() {
        let buffers = Buffers::default();
        let mut one = buffers.take();
        one.extend_from_slice(b"0123456789");
        let place = one.as_ptr();
        let lent = buffers.lend(one);
        let part = lent.slice(3..5);
        drop(lent);
        assert_eq!((part.as_ref(), buffers.0.lock().expect("no panic").len()), (b"34".as_slice(), 0));
        drop(part);
        let again = buffers.take();
        assert!(again.is_empty() && again.as_ptr() == place);
    }
}
