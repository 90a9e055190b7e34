//! One API's section: tab-separated lines, written by `xtask/catalog`. A line that cannot be read is left out, so
//! that what it says is refused; a test sees to it that there is none.

use hallpass_core::resolve::Partition;
use hallpass_core::resolve::catalog::{
    ActionRule, Api, HostRule, Level, Member, Operation, Place, Slot, TagForm, TagsAt, Variant,
};
use hallpass_core::resolve::router::Router;

/// Reads a section.
pub(crate) fn api(section: &'static str) -> Api {
    let mut lines = section.lines();
    let mut head = lines.next().unwrap_or_default().split('\t').skip(1);
    let mut next = || head.next().unwrap_or_default();
    let (id, signing, endpoint, prefix) = (next(), next(), next(), next());
    let (protocols, target, version, tag_action) = (next(), next(), next(), next());
    let (mut hosts, mut parts) = (Vec::new(), Parts::default());
    let mut operations = Vec::new();
    for line in lines {
        match line.split_once('\t') {
            Some(("h", rest)) => hosts.extend(host(rest)),
            Some(("r", template)) => parts.templates.push(template),
            Some(("k", keys)) => parts.keys = keys.split(' ').collect(),
            _ => operations.extend(operation(line, &parts)),
        }
    }
    let router = Router::new(if protocols.contains("rest-") { &operations } else { &[] });
    let tag_action = Some(tag_action).filter(|action| *action != "-");
    let protocols = protocols.split(',').collect();
    Api { id, signing, endpoint, prefix, protocols, target, version, tag_action, hosts, operations, router }
}

/// What the operations of a section refer to by number.
#[derive(Default)]
struct Parts {
    templates: Vec<&'static str>,
    keys: Vec<&'static str>,
}

/// `partition  variant  template[@region]  [region=template[@region]]…`
pub(crate) fn host(line: &'static str) -> Option<HostRule> {
    let mut words = line.split('\t');
    let partition = Partition::by_name(words.next()?)?;
    let (variant, template) = (words.next()?, words.next()?);
    let regions = words.map(|word| word.split_once('=')).collect::<Option<_>>()?;
    let variant = Variant { fips: variant.contains('f'), dual_stack: variant.contains('d') };
    Some(HostRule { partition, variant, template, regions })
}

/// `Name  flags  host-prefix  METHOD uri  accesses  condition-keys  tags`
fn operation(line: &'static str, parts: &Parts) -> Option<Operation> {
    let mut words = line.split('\t');
    let (name, flags, host_prefix) = (words.next()?, words.next()?, words.next()?);
    let (method, uri) = words.next()?.split_once(' ')?;
    let accesses = words.next()?;
    let accesses = match accesses.strip_prefix('!') {
        Some(why) => Err(why),
        None => Ok(accesses.split(';').map(|text| rule(text, parts)).collect::<Option<_>>()?),
    };
    let keys = words.next()?.split(',').filter(|number| !number.is_empty());
    let condition_keys = keys.map(|number| numbered(number, &parts.keys)).collect::<Option<_>>()?;
    let tags_at = match words.next().unwrap_or_default() {
        "" => None,
        text => Some(tags(text)?),
    };
    let flag = |letter| flags.contains(letter);
    Some(Operation {
        name,
        host_prefix,
        method,
        uri,
        unsigned: flag('u'),
        passes_role: flag('r'),
        tags: flag('t'),
        names_in_body: flag('b'),
        opaque_body: flag('s'),
        accesses,
        condition_keys,
        tags_at,
    })
}

/// `place:name|key|value`, `place:name|map`, `place:name|keys`
fn tags(text: &'static str) -> Option<TagsAt> {
    let (member, form) = text.split_once('|')?;
    let (place, name) = member.split_once(':')?;
    let place = if place == "q" { Place::Query } else { Place::Body };
    let form = match form {
        "map" => TagForm::Map,
        "keys" => TagForm::Keys,
        pair => pair.split_once('|').map(|(key, value)| TagForm::Pairs { key, value })?,
    };
    Some(TagsAt { place, name, form })
}

fn numbered(number: &str, of: &[&'static str]) -> Option<&'static str> {
    of.get(number.parse::<usize>().ok()?).copied()
}

/// `Action LEVEL slot slot…`
fn rule(text: &'static str, parts: &Parts) -> Option<ActionRule> {
    let mut words = text.split(' ');
    let (action, level) = (words.next()?, words.next()?);
    let level = match level {
        "L" => Level::List,
        "R" => Level::Read,
        "W" => Level::Write,
        "T" => Level::Tagging,
        "P" => Level::Permissions,
        _ => return None,
    };
    let slots = words.map(|word| slot(word, parts)).collect::<Option<_>>()?;
    Some(ActionRule { action, level, slots })
}

/// `*`, `?`, or `[~][^]N(refs|refs)`.
fn slot(text: &'static str, parts: &Parts) -> Option<Slot> {
    match text {
        "*" => return Some(Slot::All),
        "?" => return Some(Slot::Unknown),
        _ => {}
    }
    let (rest, optional) = text.strip_prefix('~').map_or((text, false), |rest| (rest, true));
    let (rest, paths) = rest.strip_prefix('^').map_or((rest, false), |rest| (rest, true));
    let (number, rest) = rest.split_once('(')?;
    let refs = rest.strip_suffix(')')?;
    let template = numbered(number, &parts.templates)?;
    let count = template.matches("{}").count();
    let variables: Vec<Vec<Member>> = match count {
        0 => Vec::new(),
        _ => refs.split('|').map(members).collect::<Option<_>>()?,
    };
    (variables.len() == count).then_some(Slot::Arn { template, optional, paths, variables })
}

fn members(text: &'static str) -> Option<Vec<Member>> {
    text.split('/').filter(|member| !member.is_empty()).map(member).collect()
}

/// `<place>:<name>[+][=][?default]`
fn member(text: &'static str) -> Option<Member> {
    let (place, name) = text.split_once(':')?;
    let place = match place {
        "p" => Place::Path,
        "q" => Place::Query,
        "h" => Place::Header,
        "b" => Place::Body,
        _ => return None,
    };
    let (name, default) = name.split_once('?').map_or((name, None), |(name, default)| (name, Some(default)));
    let (name, whole) = name.strip_suffix('=').map_or((name, false), |name| (name, true));
    let (name, list) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
    Some(Member { place, name, list, whole, default })
}

#[cfg(test)]
mod tests {
    use super::api;
    use crate::table::INDEX;

    #[test]
    fn every_line_of_the_table_reads() {
        let (mut operations, mut older) = (0, 0);
        for entry in &INDEX.entries {
            let api = api(entry.section());
            let kinds =
                |kind: &str| entry.section().lines().filter(|line| line.split('\t').next() == Some(kind)).count();
            let others = ["@", "h", "r", "k"].iter().map(|kind| kinds(kind)).sum::<usize>();
            assert_eq!(api.operations.len() + others, entry.section().lines().count(), "{}", api.id);
            assert_eq!(api.hosts.len(), kinds("h"), "{}", api.id);
            assert!(api.operations.is_sorted_by_key(|operation| operation.name), "{}", api.id);
            older += api.operations.windows(2).filter(|pair| pair[0].name == pair[1].name).count();
            operations += api.operations.len();
        }
        assert_eq!((operations - older, older), (19_797, 9), "operations, and forms that older SDKs send");
    }
}
