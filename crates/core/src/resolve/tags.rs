//! `aws:RequestTag/…` and `aws:TagKeys`: the tags that a request carries, where its model has them. A request that
//! could be read in two ways tells nothing.
//! Source: IAM user guide, "AWS global condition context keys"; the models of botocore.

use super::catalog::{Found, Place, TagForm, TagsAt};
use super::json::Json;
use super::resource::Given;
use crate::limits::REQUEST_TAGS_MAX;
use crate::policy::Context;

/// Sets the keys as far as the request tells: none where the operation takes no tags, or they cannot be told.
pub(super) fn keys(operation: &Found, given: &Given<'_>, context: &mut Context) {
    let tags = match (operation.operation.tags_at, given) {
        (Some(at), _) => read(&at, *given),
        (None, Given::Form(form)) if operation.api.id == "ec2" && operation.tag_action().is_some() => {
            of_specifications(operation.name(), form.iter())
        }
        (None, _) => None,
    };
    let Some(tags) = tags else { return };
    let folded: std::collections::BTreeSet<String> = tags.iter().map(|(key, _)| key.to_ascii_lowercase()).collect();
    if folded.len() != tags.len() || tags.len() > REQUEST_TAGS_MAX {
        return;
    }
    context.set_complete("aws:requesttag/");
    if tags.is_empty() {
        context.set_absent("aws:TagKeys");
        return;
    }
    for (key, value) in &tags {
        if let Some(value) = value {
            context.set(&format!("aws:RequestTag/{key}"), value.as_str());
        }
    }
    context.set_all("aws:TagKeys", tags.into_iter().map(|(key, _)| key).collect());
}

type Tags = Vec<(String, Option<String>)>;

/// The tags in their order; `None` where they are not understood.
fn read(at: &TagsAt, given: Given<'_>) -> Option<Tags> {
    match (given, at.place) {
        (Given::Rest(rest), Place::Query) => {
            let keys = rest.parameters().all(at.name);
            (at.form == TagForm::Keys).then(|| keys.map(|key| (key.to_owned(), None)).collect())
        }
        (Given::Rest(rest), _) => read(at, rest.body()),
        (Given::Json(body), Place::Body) => of_json(at, body),
        (Given::Form(form), Place::Body) => of_form(at, form.iter()),
        _ => None,
    }
}

fn of_json(at: &TagsAt, body: &Json) -> Option<Tags> {
    // Servers differ about a twin in another case.
    if body.members().iter().any(|(name, _)| name != at.name && name.eq_ignore_ascii_case(at.name)) {
        return None;
    }
    let Some(tags) = body.get(at.name) else { return Some(Vec::new()) };
    let text = |json: &Json| json.text().map(str::to_owned);
    match at.form {
        TagForm::Map if tags.items().is_empty() && tags.text().is_none() => {
            tags.members().iter().map(|(key, value)| Some((key.clone(), Some(text(value)?)))).collect()
        }
        TagForm::Keys if tags.members().is_empty() && tags.text().is_none() => {
            tags.items().iter().map(|key| Some((text(key)?, None))).collect()
        }
        TagForm::Pairs { key, value } if tags.members().is_empty() && tags.text().is_none() => {
            let pair = |item: &Json| {
                let plain = item.members().iter().all(|(name, _)| name == key || name == value);
                let written = text(item.get(key)?)?;
                plain.then(|| Some((written, Some(item.get(value).map_or(Some(String::new()), text)?))))?
            };
            tags.items().iter().map(pair).collect()
        }
        _ => None,
    }
}

/// The tags that a call of EC2 gives to what it makes, where it gives the same to all of it. `RunInstances` makes
/// instances and volumes, and each is judged by its own tags; a launch template may give more.
fn of_specifications<'p>(operation: &str, parameters: impl Iterator<Item = (&'p str, &'p str)>) -> Option<Tags> {
    const KEY: TagForm = TagForm::Pairs { key: "Key", value: "Value" };
    let mut kinds = std::collections::BTreeMap::<&str, (Option<&str>, Vec<(&str, &str)>)>::new();
    for (name, text) in parameters {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let folded = first.to_ascii_lowercase();
        if folded.starts_with("launchtemplate") || folded.starts_with("tag") && first != "TagSpecification" {
            return None;
        }
        if first != "TagSpecification" {
            continue;
        }
        let (number, part) = rest.split_once('.')?;
        let kind = kinds.entry(number).or_default();
        match part {
            "ResourceType" => kind.0 = Some(text),
            part => kind.1.push((part, text)),
        }
    }
    let all: Vec<&str> = kinds.values().map(|(kind, _)| *kind).collect::<Option<_>>()?;
    let covers = |kind: &str| all.contains(&kind);
    if operation == "RunInstances" && !all.is_empty() && !(covers("instance") && covers("volume")) {
        return None;
    }
    let at = TagsAt { place: Place::Body, name: "Tag", form: KEY };
    let each: Vec<Tags> = kinds.values().map(|(_, tags)| of_form(&at, tags.iter().copied())).collect::<Option<_>>()?;
    let mut each = each.into_iter();
    let first = each.next().unwrap_or_default();
    each.all(|tags| tags == first).then_some(first)
}

fn of_form<'p>(at: &TagsAt, parameters: impl Iterator<Item = (&'p str, &'p str)>) -> Option<Tags> {
    let mut items: std::collections::BTreeMap<u32, (Option<String>, Option<String>)> =
        std::collections::BTreeMap::new();
    for (name, text) in parameters {
        let Some(rest) = name.strip_prefix(at.name).and_then(|rest| rest.strip_prefix('.')) else {
            // Another way of writing the same list, which some servers take too.
            let first = at.name.split('.').next().unwrap_or_default();
            if name.split('.').next().is_some_and(|part| part.eq_ignore_ascii_case(first)) {
                return None;
            }
            continue;
        };
        let (number, part) = rest.split_once('.').unwrap_or((rest, ""));
        let plain = !number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit());
        let item = items.entry(number.parse().ok().filter(|_| plain)?).or_default();
        match at.form {
            TagForm::Keys if part.is_empty() => item.0 = Some(text.to_owned()),
            TagForm::Pairs { key, .. } if part == key => item.0 = Some(text.to_owned()),
            TagForm::Pairs { value, .. } if part == value => item.1 = Some(text.to_owned()),
            _ => return None,
        }
    }
    let pairs = at.form != TagForm::Keys;
    items
        .into_values()
        .map(|(key, value)| Some((key?, if pairs { Some(value.unwrap_or_default()) } else { None })))
        .collect()
}
