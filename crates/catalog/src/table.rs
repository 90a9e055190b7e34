//! The table's index: which section belongs to which API.

use std::sync::{LazyLock, OnceLock};

use hallpass_core::resolve::catalog::Api;

use crate::read;

/// The format that this crate reads; the generator writes the same number.
const FORMAT: &str = "1";

const TABLES: &str = include_str!("../tables.txt");

/// The tables that are compiled in.
pub(crate) static INDEX: LazyLock<Index> = LazyLock::new(|| Index::read(TABLES));

/// A table, of which only the index has been read.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The packages that it was made from.
    pub(crate) sources: &'static str,
    /// By signing name, the preferred API first.
    pub(crate) entries: Vec<Entry>,
}

/// One API, read when it is first asked for.
#[derive(Debug)]
pub(crate) struct Entry {
    signing: &'static str,
    id: &'static str,
    endpoint: &'static str,
    section: &'static str,
    api: OnceLock<Api>,
}

impl Entry {
    pub(crate) fn api(&'static self) -> &'static Api {
        self.api.get_or_init(|| read::api(self.section))
    }

    /// The section as it is in the table.
    pub(crate) fn section(&self) -> &'static str {
        self.section
    }
}

impl Index {
    /// An index that cannot be read is empty, so that everything is refused; a test sees to it that it can.
    pub(crate) fn read(text: &'static str) -> Self {
        Self::try_read(text).unwrap_or_default()
    }

    fn try_read(text: &'static str) -> Option<Self> {
        let (head, mut rest) = text.split_once('\n')?;
        let mut words = head.split('\t');
        if (words.next()?, words.next()?) != ("hallpass-catalog", FORMAT) {
            return None;
        }
        let (sources, count): (_, usize) = (words.next()?, words.next()?.parse().ok()?);
        // What is told is not trusted: each row has a byte at least.
        let mut rows = Vec::with_capacity(count.min(rest.len()));
        for _ in 0..count {
            let (row, left) = rest.split_once('\n')?;
            rows.push(row);
            rest = left;
        }
        let entries = rows.into_iter().map(|row| entry(row, rest)).collect::<Option<_>>()?;
        Some(Self { sources, entries })
    }

    pub(crate) fn signing_as(&'static self, name: &str) -> impl Iterator<Item = &'static Entry> {
        let start = self.entries.partition_point(|entry| entry.signing < name);
        self.entries.get(start..).unwrap_or_default().iter().take_while(move |entry| entry.signing == name)
    }

    pub(crate) fn named(&'static self, name: &str) -> Option<&'static Entry> {
        let by_id = self.entries.iter().find(|entry| entry.id == name);
        by_id.or_else(|| self.entries.iter().find(|entry| entry.endpoint == name))
    }
}

fn entry(row: &'static str, body: &'static str) -> Option<Entry> {
    let mut words = row.split('\t');
    let (signing, id, endpoint) = (words.next()?, words.next()?, words.next()?);
    let (start, size): (usize, usize) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let section = body.get(start..start.checked_add(size)?)?;
    Some(Entry { signing, id, endpoint, section, api: OnceLock::new() })
}

#[cfg(test)]
mod tests {
    use super::{INDEX, Index, TABLES};

    #[test]
    fn the_index_covers_the_table() {
        assert_eq!(INDEX.entries.len(), 439);
        assert!(INDEX.entries.is_sorted_by_key(|entry| entry.signing));
        let sections: usize = INDEX.entries.iter().map(|entry| entry.section().len()).sum();
        assert!(TABLES.ends_with(INDEX.entries.last().expect("an entry").section()));
        assert!(sections < TABLES.len());
    }

    #[test]
    fn a_table_that_cannot_be_read_knows_nothing() {
        for bad in [
            "",
            "hallpass-catalog\t2\tx\t0\n",
            "hallpass-catalog\t1\tx\t1\n",
            "hallpass-catalog\t1\tx\t1\na\tb\tc\t0\t9\n",
        ] {
            assert!(Index::read(bad).entries.is_empty(), "{bad}");
        }
    }
}
