//! Whether a policy fits into what STS takes, and what to do when it does not.

use serde::Serialize;

use crate::limits::SESSION_POLICY_CHARS_MAX;
use crate::policy::document::Allow;
use crate::policy::{CompileError, PolicyDocument, ScopedPolicy};

/// The size of a policy as a session policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// Characters that STS would count.
    pub chars: usize,
    /// Most that it takes.
    pub chars_max: usize,
    /// The longest actions, resources and conditions with their sizes, when it is too large.
    pub longest: Vec<(String, usize)>,
    /// Policies that fit and say the same together, for as many sessions, when it is too large.
    pub parts: Vec<Part>,
}

/// One of several policies that are one policy together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Characters that STS would count.
    pub chars: usize,
    /// The policy.
    pub policy: PolicyDocument,
}

impl Fit {
    pub(super) fn of(policy: &PolicyDocument) -> Self {
        let (chars, longest) = size(policy);
        let parts = if chars > SESSION_POLICY_CHARS_MAX { split(policy) } else { Vec::new() };
        Self { chars, chars_max: SESSION_POLICY_CHARS_MAX, longest, parts }
    }

    /// True when STS takes it whole.
    pub fn is_whole(&self) -> bool {
        self.chars <= self.chars_max
    }
}

fn size(policy: &PolicyDocument) -> (usize, Vec<(String, usize)>) {
    let scoped = ScopedPolicy { documents: vec![policy.clone()], ..ScopedPolicy::default() };
    match scoped.compile("aws") {
        Ok(compiled) => (compiled.chars(), Vec::new()),
        Err(CompileError::TooLarge { chars, longest, .. }) => (chars, longest),
        Err(_) => (usize::MAX, Vec::new()),
    }
}

/// Fills one policy after the other, with as many resources of a statement as there is room for. No parts at all when
/// one action on one resource is too large (a long key of characters that STS wants escaped).
fn split(policy: &PolicyDocument) -> Vec<Part> {
    let mut open: Vec<Allow> = policy.to_allows().unwrap_or_default();
    open.reverse();
    let mut parts: Vec<Part> = Vec::new();
    let mut filling: Vec<Allow> = Vec::new();
    while let Some(next) = open.pop() {
        filling.push(next);
        if let Some(part) = part(&filling) {
            if open.is_empty() {
                parts.push(part);
            }
            continue;
        }
        let Some(last) = filling.pop() else { continue };
        let (fitting, rest) = cut(&filling, last);
        filling.extend(fitting);
        match part(&filling) {
            Some(part) => {
                parts.push(part);
                open.push(rest);
            }
            None => match halves(rest) {
                Some(halves) => open.extend(halves),
                None => return Vec::new(),
            },
        }
        filling.clear();
    }
    parts
}

/// As many resources of a statement as fit beside others, if any, and the rest of it.
fn cut(beside: &[Allow], mut allow: Allow) -> (Option<Allow>, Allow) {
    let within = |room: &mut usize, resource: &String| {
        *room = room.saturating_sub(resource.chars().count() + 1);
        Some(*room > 0)
    };
    let most = allow.resources.iter().scan(SESSION_POLICY_CHARS_MAX, within).take_while(|fits| *fits).count();
    let first =
        |count: usize| Allow { resources: allow.resources.iter().take(count).cloned().collect(), ..allow.clone() };
    let fits = |count: &usize| part(&[beside, &[first(*count)]].concat()).is_some();
    let (mut fitting, mut too_many) = (0, most.min(allow.resources.len()) + 1);
    while too_many - fitting > 1 {
        let middle = fitting + (too_many - fitting) / 2;
        if fits(&middle) { fitting = middle } else { too_many = middle }
    }
    if fitting == 0 || fitting >= allow.resources.len() {
        return (None, allow);
    }
    let fitted = first(fitting);
    allow.resources.drain(..fitting);
    (Some(fitted), allow)
}

/// `None` when it does not fit, or says nothing.
fn part(allows: &[Allow]) -> Option<Part> {
    let policy = PolicyDocument::of(allows).ok().flatten()?;
    let (chars, _) = size(&policy);
    (chars <= SESSION_POLICY_CHARS_MAX).then_some(Part { chars, policy })
}

/// The later half first, as they are taken from the end; `None` for one action on one resource.
fn halves(allow: Allow) -> Option<[Allow; 2]> {
    let mut earlier = allow;
    let mut later = earlier.clone();
    if earlier.resources.len() > 1 {
        later.resources = earlier.resources.split_off(earlier.resources.len() / 2);
    } else if earlier.actions.len() > 1 {
        later.actions = earlier.actions.split_off(earlier.actions.len() / 2);
    } else {
        return None;
    }
    Some([later, earlier])
}
