//! Grants as statements. A statement allows each of its actions on each of its resources, so only grants that make a
//! whole rectangle share one.

use std::collections::{BTreeMap, BTreeSet};

use super::grant::{Grant, Terms};
use crate::limits::POLICY_ACTIONS_MAX;
use crate::policy::document::Allow;

type Rectangles = Vec<(BTreeSet<String>, BTreeSet<String>, Terms)>;

/// The statements, in a stable order: the shorter of two exact groupings.
pub(super) fn of(grants: &BTreeSet<Grant>) -> Vec<Allow> {
    let by_action = rectangles(grants, |grant| (grant.action.clone(), grant.resource.clone()));
    let by_resource: Rectangles = rectangles(grants, |grant| (grant.resource.clone(), grant.action.clone()))
        .into_iter()
        .map(|(resources, actions, terms)| (actions, resources, terms))
        .collect();
    let mut chosen = if size(&by_resource) < size(&by_action) { by_resource } else { by_action };
    chosen.sort();
    chosen.iter().flat_map(|(actions, resources, terms)| pieces(actions, resources, terms)).collect()
}

/// Each row (the first of the pair) with the same columns and conditions joins its like.
fn rectangles(grants: &BTreeSet<Grant>, split: impl Fn(&Grant) -> (String, String)) -> Rectangles {
    let mut rows: BTreeMap<(String, &Terms), BTreeSet<String>> = BTreeMap::new();
    for grant in grants {
        let (row, column) = split(grant);
        rows.entry((row, &grant.terms)).or_default().insert(column);
    }
    let mut joined: BTreeMap<(BTreeSet<String>, &Terms), BTreeSet<String>> = BTreeMap::new();
    for ((row, terms), columns) in rows {
        joined.entry((columns, terms)).or_default().insert(row);
    }
    joined.into_iter().map(|((columns, terms), rows)| (rows, columns, terms.clone())).collect()
}

/// About as many characters as the statements will have.
fn size(rectangles: &Rectangles) -> usize {
    const FRAME: usize = 45;
    let list = |items: &BTreeSet<String>| items.iter().map(|item| item.len() + 3).sum::<usize>();
    let terms =
        |terms: &Terms| terms.iter().map(|((op, key), values)| op.len() + key.len() + list(values) + 25).sum::<usize>();
    rectangles.iter().map(|(actions, resources, t)| FRAME + list(actions) + list(resources) + terms(t)).sum()
}

/// Lists as long as a document may have.
fn pieces(actions: &BTreeSet<String>, resources: &BTreeSet<String>, terms: &Terms) -> Vec<Allow> {
    let cut = |items: &BTreeSet<String>| -> Vec<Vec<String>> {
        let all: Vec<String> = items.iter().cloned().collect();
        all.chunks(POLICY_ACTIONS_MAX).map(<[String]>::to_vec).collect()
    };
    let terms: Vec<(String, String, Vec<String>)> =
        terms.iter().map(|((op, key), values)| (op.clone(), key.clone(), values.iter().cloned().collect())).collect();
    let resources = cut(resources);
    let pairs = cut(actions).into_iter().flat_map(|a| resources.iter().map(move |r| (a.clone(), r.clone())));
    pairs.map(|(actions, resources)| Allow { actions, resources, terms: terms.clone() }).collect()
}
