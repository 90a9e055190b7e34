//! A run's bytes: entries one after the other, each behind its length, 16 bits, big-endian (the form of a C2SP
//! tiled-log entry bundle).

/// Appends one entry; its length was checked against the format's limit when it was encoded.
pub(crate) fn push(bytes: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(entry);
}

/// The entries of a run. The last item is `None` when the bytes do not end with a whole entry.
pub(crate) fn entries(mut bytes: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let whole = bytes
            .split_first_chunk()
            .and_then(|(length, rest)| rest.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        bytes = whole.map_or(&[], |(_, rest)| rest);
        Some(whole.map(|(entry, _)| entry))
    })
}

#[cfg(test)]
mod tests {
    use super::{entries, push};

    #[test]
    fn what_was_pushed_comes_out_and_a_torn_end_is_seen() {
        let mut bytes = Vec::new();
        let written: [&[u8]; 3] = [b"one", b"", &[7; 65_535]];
        written.iter().for_each(|entry| push(&mut bytes, entry));
        assert!(entries(&bytes).eq(written.map(Some)));
        for torn in [bytes.len() - 1, bytes.len() - 65_535, bytes.len() - 65_536] {
            let read: Vec<_> = entries(&bytes[..torn]).collect();
            assert_eq!(read, [Some(written[0]), Some(written[1]), None], "{torn}");
        }
    }
}
