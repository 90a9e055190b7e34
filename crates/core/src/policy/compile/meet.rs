//! The intersection of Allow statements, where it can be written down.

use crate::limits::COMPILED_STATEMENTS_MAX;
use crate::policy::action::ActionPattern;
use crate::policy::condition::Condition;
use crate::policy::document::{Scope, Statement};
use crate::policy::resource::ResourcePattern;

/// What both lists of Allow statements allow, and whether that is exact or a little too much. `None` past
/// [`COMPILED_STATEMENTS_MAX`] statements.
pub(super) fn statements(ours: &[Statement], theirs: &[Statement]) -> Option<(Vec<Statement>, bool)> {
    let mut exact = true;
    let mut met: Vec<Statement> = Vec::new();
    for a in ours {
        for b in theirs {
            let actions = scopes(&a.actions, &b.actions, ActionPattern::covers, ActionPattern::overlaps);
            let resources = scopes(&a.resources, &b.resources, ResourcePattern::covers, ResourcePattern::may_overlap);
            let (Some((actions, actions_exact)), Some((resources, resources_exact))) = (actions, resources) else {
                continue;
            };
            let (conditions, conditions_exact) = conditions(&a.conditions, &b.conditions);
            exact &= actions_exact && resources_exact && conditions_exact;
            let statement = Statement { actions, resources, conditions, ..a.clone() };
            if !met.contains(&statement) {
                met.push(statement);
            }
            if met.len() > COMPILED_STATEMENTS_MAX {
                return None;
            }
        }
    }
    Some((met, exact))
}

/// Statements that differ only in their actions become one, and what another pattern of it covers is left out.
pub(super) fn merged(statements: Vec<Statement>) -> Vec<Statement> {
    let mut merged: Vec<Statement> = Vec::with_capacity(statements.len());
    for statement in statements {
        let like = |other: &&mut Statement| {
            other.effect == statement.effect
                && other.resources == statement.resources
                && other.conditions == statement.conditions
        };
        let home = merged.iter_mut().find(like);
        match (home.map(|home| &mut home.actions), &statement.actions) {
            (Some(Scope::Only(home)), Scope::Only(more)) => home.extend(more.iter().cloned()),
            _ => merged.push(statement),
        }
    }
    for statement in &mut merged {
        if let Scope::Only(actions) = &mut statement.actions {
            *actions = pruned(actions, ActionPattern::covers);
        }
        if let Scope::Only(resources) = &mut statement.resources {
            *resources = pruned(resources, ResourcePattern::covers);
        }
    }
    merged
}

/// Leaves out what an earlier item, or a later and wider one, covers.
pub(super) fn pruned<T: Clone>(items: &[T], covers: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.iter().any(|other| covers(other, item)) {
            kept.retain(|other| !covers(item, other));
            kept.push(item.clone());
        }
    }
    kept
}

/// `None` when nothing is left.
fn scopes<T: Clone + PartialEq>(
    ours: &Scope<T>,
    theirs: &Scope<T>,
    covers: impl Fn(&T, &T) -> bool,
    overlaps: impl Fn(&T, &T) -> bool,
) -> Option<(Scope<T>, bool)> {
    let mut exact = true;
    let items: Vec<T> = match (ours, theirs) {
        (Scope::AllBut(a), Scope::AllBut(b)) => {
            let union: Vec<T> = a.iter().chain(b).cloned().collect();
            return Some((Scope::AllBut(pruned(&union, covers)), true));
        }
        (Scope::Only(only), Scope::AllBut(but)) | (Scope::AllBut(but), Scope::Only(only)) => {
            let left = only.iter().filter(|item| !but.iter().any(|b| covers(b, item)));
            left.inspect(|item| exact &= !but.iter().any(|b| overlaps(b, item))).cloned().collect()
        }
        (Scope::Only(a), Scope::Only(b)) => {
            let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
            let meet = |(a, b): (&T, &T)| match (covers(a, b), covers(b, a)) {
                (true, _) => Some(b.clone()),
                (false, true) => Some(a.clone()),
                (false, false) if overlaps(a, b) => {
                    exact = false;
                    Some(a.clone())
                }
                (false, false) => None,
            };
            pairs.filter_map(meet).collect()
        }
    };
    (!items.is_empty()).then(|| (Scope::Only(pruned(&items, covers)), exact))
}

/// Both blocks at once. One block cannot hold an operator and key twice, so those are joined where negation makes
/// that the same, and otherwise ours is kept.
fn conditions(ours: &[Condition], theirs: &[Condition]) -> (Vec<Condition>, bool) {
    let mut exact = true;
    let mut both = ours.to_vec();
    for condition in theirs {
        let same = |c: &&mut Condition| c.operator == condition.operator && c.key.eq_ignore_ascii_case(&condition.key);
        match both.iter_mut().find(same) {
            None => both.push(condition.clone()),
            Some(mine)
                if condition.values.iter().all(|v| mine.values.contains(v))
                    && mine.values.len() == condition.values.len() => {}
            Some(mine) if condition.operator.negated() && condition.operator.set.is_none() => {
                let union = mine.values.iter().chain(&condition.values).cloned().collect();
                match Condition::new(mine.operator, &mine.key, union) {
                    Ok(joined) => *mine = joined,
                    Err(_) => exact = false,
                }
            }
            Some(_) => exact = false,
        }
    }
    (both, exact)
}

#[cfg(test)]
mod tests {
    use super::statements;
    use crate::limits::COMPILED_STATEMENTS_MAX;
    use crate::policy::document::{PolicyDocument, Statement};

    fn side(key: &str, count: usize) -> Vec<Statement> {
        let one = |n: usize| {
            let condition = format!(r#""Condition":{{"StringEquals":{{"{key}":"{n}"}}}}"#);
            format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*",{condition}}}"#)
        };
        let all: Vec<String> = (0..count).map(one).collect();
        let text = format!(r#"{{"Statement":[{}]}}"#, all.join(","));
        PolicyDocument::parse(&text).expect("a document").statements().to_vec()
    }

    #[test]
    fn past_the_limit_of_statements_nothing_is_written() {
        let (met, exact) = statements(&side("aws:a", 8), &side("aws:b", COMPILED_STATEMENTS_MAX / 8)).expect("written");
        assert_eq!((met.len(), exact), (COMPILED_STATEMENTS_MAX, true));
        assert!(statements(&side("aws:a", COMPILED_STATEMENTS_MAX + 1), &side("aws:b", 1)).is_none());
    }
}
