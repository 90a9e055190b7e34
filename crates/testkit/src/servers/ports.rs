//! Ports that stay ours between choosing and binding: they lie below those that the system hands out by itself, and each
//! block is locked, so no other test process takes it.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// The lowest port that is used; below lie those of well-known servers.
const FIRST: u16 = 12_000;
/// As many ports as the greediest server needs, and some to spare.
const BLOCK: u16 = 16;
/// Where Linux keeps the range from which it hands out ports for connections and for port 0.
const SYSTEM_RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// The beginning of that range where nothing else is known.
const SYSTEM_FIRST: u16 = 32_768;

/// Ports next to each other, nobody else's until this is dropped.
#[derive(Debug)]
pub(super) struct Ports {
    first: u16,
    _lock: File,
}

impl Ports {
    /// A block at which nobody listens. Different processes begin to look at different places.
    ///
    /// # Errors
    /// All are taken.
    pub(super) fn take() -> io::Result<Self> {
        let blocks = system_first().saturating_sub(FIRST) / BLOCK;
        let begin = std::process::id() % u32::from(blocks.max(1));
        let ours = (0..u32::from(blocks)).find_map(|step| {
            let block = (begin + step) % u32::from(blocks);
            Self::at(FIRST + u16::try_from(block).ok()? * BLOCK)
        });
        ours.ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "every block of ports is taken"))
    }

    fn at(first: u16) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("hallpass-test-ports-{first}"));
        // Another user's file cannot be opened: that block is theirs.
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path).ok()?;
        lock.try_lock().ok()?;
        let free = (first..first + BLOCK).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
        free.then_some(Self { first, _lock: lock })
    }

    /// The first of [`BLOCK`].
    pub(super) fn first(&self) -> u16 {
        self.first
    }
}

fn system_first() -> u16 {
    let range = std::fs::read_to_string(SYSTEM_RANGE).unwrap_or_default();
    range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(SYSTEM_FIRST)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Ports, system_first};

    #[test]
    fn two_blocks_have_no_port_in_common_and_none_that_the_system_hands_out() {
        let all: Vec<Ports> = (0..8).map(|_| Ports::take().expect("a block")).collect();
        let mut firsts: Vec<u16> = all.iter().map(Ports::first).collect();
        firsts.sort_unstable();
        assert!(firsts.windows(2).all(|pair| pair[1] - pair[0] >= BLOCK), "{firsts:?}");
        assert!(firsts.iter().all(|first| first + BLOCK <= system_first()), "{firsts:?}");
    }

    #[test]
    fn a_block_somebody_listens_in_is_left_alone() {
        let ports = Ports::take().expect("a block");
        let first = ports.first();
        drop(ports);
        let _listening = std::net::TcpListener::bind(("127.0.0.1", first + BLOCK - 1)).expect("ours");
        assert!(Ports::at(first).is_none());
    }
}
