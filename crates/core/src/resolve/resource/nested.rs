//! Members within structures and lists of them: `Entries[].EventBusName`.

use super::super::json::Json;
use super::super::wire::Parameters;
use super::{Given, NO_NAME, text_or_no_name};
use crate::denial::Denial;
use crate::resolve::catalog::Member;

/// The texts of a member at a path in a JSON body, one for each item of the lists on the way.
pub(super) fn of_json<'a>(body: &'a Json, member: &Member) -> Result<Vec<&'a str>, Denial> {
    let mut found = Vec::new();
    walk(body, member.name, absent(member), member, &mut found)?;
    Ok(found)
}

/// What stands for the member where it is not given. One item of a list must have something; a structure need not.
fn absent(member: &Member) -> Option<&'static str> {
    member.default.or(member.name.contains("[].").then_some(NO_NAME))
}

fn walk<'a>(
    json: &'a Json,
    path: &'static str,
    absent: Option<&'static str>,
    member: &Member,
    found: &mut Vec<&'a str>,
) -> Result<(), Denial> {
    let Some((first, rest)) = path.split_once('.') else {
        let value = Given::Json(json).json(path)?;
        match value {
            Some(list) if member.list => found.extend(list.items().iter().map(text_or_no_name)),
            Some(value) => found.push(text_or_no_name(value)),
            None => found.extend(absent),
        }
        return Ok(());
    };
    let (name, listed) = first.strip_suffix("[]").map_or((first, false), |name| (name, true));
    match Given::Json(json).json(name)? {
        Some(list) if listed => list.items().iter().try_for_each(|item| walk(item, rest, absent, member, found)),
        Some(structure) => walk(structure, rest, absent, member, found),
        None => Ok(()),
    }
}

/// The same in a form, where lists are spelled out: `Entries.1.Name`, `Entries.member.1.Name`.
pub(super) fn of_form<'a>(form: &'a Parameters, member: &Member) -> Vec<&'a str> {
    let path: Vec<&str> = member.name.split('.').collect();
    // For each item that anything is said of: its text. Two ways of counting a list are two items.
    let mut items: Vec<(String, Option<&str>)> = Vec::new();
    for (name, text) in form.iter() {
        let Some((item, leaf)) = item(name, &path) else { continue };
        let known = items.iter().position(|(known, _)| *known == item).unwrap_or(items.len());
        if known == items.len() {
            items.push((item, None));
        }
        if let Some((_, own)) = items.get_mut(known).filter(|_| leaf) {
            *own = Some(text);
        }
    }
    items.into_iter().filter_map(|(_, text)| text.or(absent(member))).collect()
}

/// What stands before the last name of the path, and whether the parameter is the member itself.
fn item(name: &str, path: &[&str]) -> Option<(String, bool)> {
    let (leaf, outer) = path.split_last()?;
    let mut rest = name.split('.');
    let mut item = String::new();
    for part in outer {
        let (own, listed) = part.strip_suffix("[]").map_or((*part, false), |own| (own, true));
        if rest.next()? != own {
            return None;
        }
        item.push_str(own);
        if listed {
            let mut number = rest.next()?;
            if !is_number(number) {
                number = rest.next().filter(|text| is_number(text))?;
            }
            item.push('.');
            item.push_str(number);
        }
        item.push('.');
    }
    let is_leaf = rest.next() == Some(leaf) && rest.next().is_none();
    Some((item, is_leaf))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Json, Member, Parameters, of_form, of_json};
    use crate::resolve::catalog::Place;

    fn member(name: &'static str, list: bool, default: Option<&'static str>) -> Member {
        Member { place: Place::Body, name, list, whole: false, default }
    }

    #[test]
    fn every_item_of_a_list_gives_its_text_its_default_or_one_that_is_no_name() {
        let bus = |default| member("Entries[].Bus", false, default);
        for (body, named, with_default) in [
            (r#"{"Entries":[{"Bus":"a"},{"Bus":"b"}]}"#, vec!["a", "b"], vec!["a", "b"]),
            (r#"{"Entries":[{"Bus":"a"},{}]}"#, vec!["a", ""], vec!["a", "default"]),
            (r#"{"Entries":[{"Bus":1},{"Bus":{}},7]}"#, vec!["", "", ""], vec!["", "", "default"]),
            (r#"{"Entries":[]}"#, vec![], vec![]),
            (r#"{"Other":[{"Bus":"a"}]}"#, vec![], vec![]),
        ] {
            let json = Json::parse(body.as_bytes()).expect("JSON");
            assert_eq!(of_json(&json, &bus(None)).expect("readable"), named, "{body}");
            assert_eq!(of_json(&json, &bus(Some("default"))).expect("readable"), with_default, "{body}");
        }
        let deep = Json::parse(br#"{"A":{"B":{"C":["x","y",1]}}}"#).expect("JSON");
        assert_eq!(of_json(&deep, &member("A.B.C", true, None)).expect("readable"), ["x", "y", ""]);
    }

    #[test]
    fn a_structure_that_does_not_have_the_member_gives_nothing() {
        let json = Json::parse(br#"{"A":{"C":"x"}}"#).expect("JSON");
        assert!(of_json(&json, &member("A.B", false, None)).expect("readable").is_empty());
        let form = Parameters::of_form(b"A.C=x").expect("a form");
        assert!(of_form(&form, &member("A.B", false, None)).is_empty());
        assert_eq!(of_form(&form, &member("A.C", false, None)), ["x"]);
    }

    #[test]
    fn a_twin_in_another_case_is_refused_at_every_depth() {
        for body in [r#"{"A":{"B":"x"},"a":{}}"#, r#"{"A":{"B":"x","b":"y"}}"#] {
            let json = Json::parse(body.as_bytes()).expect("JSON");
            assert!(of_json(&json, &member("A.B", false, None)).is_err(), "{body}");
        }
    }

    #[test]
    fn a_form_spells_lists_out_in_two_ways() {
        let read = |form: &str, default| {
            let form = Parameters::of_form(form.as_bytes()).expect("a form");
            of_form(&form, &member("Rules[].Arn", false, default)).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(read("Rules.member.1.Arn=a&Rules.member.2.Arn=b", None), ["a", "b"]);
        assert_eq!(read("Rules.1.Arn=a&Rules.1.Priority=5&Rules.2.Priority=6", None), ["a", ""]);
        assert_eq!(read("Rules.2.Priority=6", Some("d")), ["d"]);
        assert_eq!(read("Rules=x&Rules.Arn=y&Rules.1=z&Others.1.Arn=a", None), [""], "an item without the member");
    }
}
