//! What a text probably is that is no policy document: the answer of another tool, another language, another shape.

use super::json::Json;

/// Members around a document in what AWS's and our own commands print, and how `jq` takes it out.
const AROUND: [(&str, &str); 3] = [
    ("PolicyDocument", ".PolicyDocument"),
    ("PolicyVersion", ".PolicyVersion.Document"),
    ("session_policy", ".policy"),
];

/// Members of documents and statements.
const MEMBERS: [&str; 11] = [
    "Version",
    "Id",
    "Statement",
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Principal",
];

/// Why a text is not JSON, where the reader's own words would not say; `rest` is what stands where it stopped.
pub(super) fn syntax(text: &str, rest: &str) -> Option<&'static str> {
    let (start, rest) = (text.trim_start(), rest.trim_start());
    let comment = |text: &str| ["//", "/*", "#"].iter().any(|mark| text.starts_with(mark));
    if start.is_empty() {
        return Some("there is nothing in it: a document begins with `{`");
    }
    if comment(start) || comment(rest) {
        return Some("JSON has no comments");
    }
    let word = start.starts_with(|c: char| c.is_alphabetic() || c == '-');
    (word && !["null", "true", "false"].contains(&start.trim_end()))
        .then_some("this is no JSON: a document begins with `{`")
}

/// What to do with a document that is no object.
pub(super) fn shape(json: &Json) -> &'static str {
    match json {
        Json::List(_) => ": one document is one object; give each in a file of its own",
        Json::Text(_) => ": take off the quotes around it, for example with `jq -r .`",
        _ => "",
    }
}

/// What was probably meant by a member that does not belong there, for the end of a sentence. `beside` are the names
/// of all members.
pub(super) fn member(name: &str, beside: &[String]) -> String {
    if let Some(meant) = MEMBERS.iter().find(|member| member.eq_ignore_ascii_case(name)) {
        return format!("; did you mean `{meant}`?");
    }
    let around = AROUND.iter().find(|(member, _)| beside.iter().any(|name| name == member));
    around.map_or_else(String::new, |(_, path)| format!("; the document stands within, take it out with `jq {path}`"))
}

#[cfg(test)]
mod tests {
    use crate::policy::document::PolicyDocument;

    fn said(text: &str) -> String {
        PolicyDocument::parse(text).expect_err(text).message
    }

    #[test]
    fn what_is_no_document_is_told_what_it_is() {
        for (text, says) in [
            ("", "there is nothing in it"),
            (" \n", "there is nothing in it"),
            ("// a policy\n{}", "no comments"),
            ("{\n  # all of it\n  \"Version\": 1}", "no comments"),
            ("{\"Version\": /* new */ \"2012-10-17\"}", "no comments"),
            ("Version: '2012-10-17'", "this is no JSON"),
            ("---\nVersion: '2012-10-17'", "this is no JSON"),
            ("[{}]", "a file of its own"),
            (r#""{}""#, "jq -r ."),
            ("null", "null where an object belongs"),
            (r#"{"RoleName":"r","PolicyDocument":{}}"#, "`jq .PolicyDocument`"),
            (r#"{"PolicyVersion":{"Document":{}}}"#, "`jq .PolicyVersion.Document`"),
            (r#"{"schema_version":1,"policy":{},"session_policy":{}}"#, "`jq .policy`"),
            (r#"{"statement":[]}"#, "did you mean `Statement`?"),
            (r#"{"Statement":{"effect":"Allow"}}"#, "did you mean `Effect`?"),
        ] {
            assert!(said(text).contains(says), "{text}: {}", said(text));
        }
        assert!(!said(r#"{"Statement":1,}"#).contains("comments"));
    }

    #[test]
    fn a_document_takes_arns_and_says_how_a_short_form_is_written_as_one() {
        let on = |resource: &str| {
            said(&format!(r#"{{"Statement":{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}}}"#))
        };
        assert!(on("s3://b/*").contains("write `arn:aws:s3:::b/*`"), "{}", on("s3://b/*"));
        assert!(!on("b/*").contains("s3://"), "{}", on("b/*"));
        let long = on(&format!("arn:aws:s3:::b/{}", "x".repeat(3_000)));
        assert!(long.len() < 600, "{}", long.len());
    }
}
