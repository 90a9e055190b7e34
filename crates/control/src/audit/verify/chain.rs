//! The chain and the tree, entry by entry: one hash each.

use std::ops::Range;

use hallpass_core::audit::Outline;
use hallpass_core::audit::entry::{GENESIS, Hash, leaf_hash};
use hallpass_core::audit::merkle::Frontier;
use hallpass_core::limits::AUDIT_FINDINGS_MAX;

use crate::audit::finding::{Finding, Findings};
use crate::store::sqlite::log::Head;

/// Follows the links. What has been looked at is not held, except the tree's edge and the gaps found.
#[derive(Debug)]
pub(super) struct Chain {
    /// Position that the next entry must have.
    pub(super) next: u64,
    /// Tree over the entries as stored.
    pub(super) tree: Frontier,
    /// Hash of the entry before.
    last: Hash,
    /// An entry whose link does not fit: either its predecessor was edited or itself; its successor tells.
    suspect: Option<u64>,
    /// The next link cannot fit, and is no news.
    excused: bool,
    /// Ranges that were jumped over, and where their finding is.
    gaps: Vec<(Range<u64>, Option<usize>)>,
}

impl Chain {
    pub(super) fn new() -> Self {
        let tree = Frontier::default();
        Self { next: 0, tree, last: GENESIS, suspect: None, excused: false, gaps: Vec::new() }
    }

    /// Looks at the next stored entry; its outline, if it has one.
    pub(super) fn entry<'e>(&mut self, bytes: &'e [u8], findings: &mut Findings) -> Option<Outline<'e>> {
        let hash = leaf_hash(bytes);
        let outline = Outline::of(bytes);
        match &outline {
            Some(outline) => self.link(outline, findings),
            None => {
                self.suspect = None;
                self.excused = true;
                findings.broken(Finding::Malformed { at: self.next });
                self.next += 1;
            }
        }
        self.tree.append(hash);
        self.last = hash;
        outline
    }

    fn link(&mut self, outline: &Outline<'_>, findings: &mut Findings) {
        let linked = outline.prev == self.last;
        let explained = self.resolve(linked, findings) || std::mem::take(&mut self.excused);
        if outline.seq == self.next {
            if !linked && !explained {
                self.suspect = Some(self.next);
            }
            self.next += 1;
        } else if linked {
            // In its place, but calling itself something else.
            findings.broken(Finding::Edited { at: self.next });
            self.excused = true;
            self.next += 1;
        } else {
            self.misplaced(outline.seq, findings);
        }
    }

    /// Decides which of two entries was edited, now that the link behind them is known.
    fn resolve(&mut self, linked: bool, findings: &mut Findings) -> bool {
        let Some(suspect) = self.suspect.take() else { return false };
        let at = if linked { suspect.saturating_sub(1) } else { suspect };
        findings.broken(Finding::Edited { at });
        !linked
    }

    fn misplaced(&mut self, seq: u64, findings: &mut Findings) {
        if seq > self.next {
            let missing = seq - self.next;
            let place = findings.broken(Finding::Missing { at: self.next, missing });
            if self.gaps.len() < AUDIT_FINDINGS_MAX {
                self.gaps.push((self.next..seq, place));
            }
            self.next = seq + 1;
            return;
        }
        self.excused = true;
        match self.gaps.iter().find(|(gap, _)| gap.contains(&seq)) {
            // What seemed to be missing comes later.
            Some((gap, place)) => {
                let place = place.and_then(|place| findings.list.get_mut(place));
                place.into_iter().for_each(|finding| *finding = Finding::Reordered { at: gap.start });
            }
            None => _ = findings.broken(Finding::Repeated { at: seq }),
        }
    }

    /// The last link is the one in the head.
    pub(super) fn end(&mut self, head: Option<&Head>, findings: &mut Findings) {
        let found = self.tree.size();
        let recorded = head.map_or(0, Head::size);
        let linked = head.is_some_and(|head| head.last_hash == self.last);
        if found == 0 || found != recorded {
            self.resolve(false, findings);
            if found != 0 && !findings.chain_broken {
                findings.add(Finding::Head { found, recorded });
            }
            return;
        }
        let explained = self.resolve(linked, findings) || self.excused;
        let same_tree = head.is_some_and(|head| head.frontier == self.tree);
        match (linked, same_tree) {
            (true, true) => {}
            (false, false) if !explained => _ = findings.broken(Finding::Edited { at: self.next.saturating_sub(1) }),
            _ if findings.chain_broken => {}
            _ => _ = findings.add(Finding::Head { found, recorded }),
        }
    }
}
