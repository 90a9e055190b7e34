//! `dynamodb:LeadingKeys`, `dynamodb:Attributes`, `dynamodb:Select`. A request does not say which attribute of a key is
//! the partition's, so one of two attributes leaves the leading keys unknown, and so does a new item.
//! Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".

use std::collections::BTreeSet;

use super::super::catalog::Found;
use super::super::json::Json;
use super::super::resource::Given;
use crate::denial::Denial;
use crate::limits::DYNAMODB_NUMBER_CHARS_MAX;
use crate::policy::Context;

const READS: [&str; 4] = ["BatchGetItem", "GetItem", "Query", "Scan"];
const WRITES: [&str; 4] = ["BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"];

/// The members at the top that are looked at.
const READABLE: [&str; 16] = [
    "AttributesToGet",
    "AttributeUpdates",
    "ConditionExpression",
    "Expected",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "FilterExpression",
    "IndexName",
    "Item",
    "Key",
    "KeyConditionExpression",
    "KeyConditions",
    "ProjectionExpression",
    "QueryFilter",
    "RequestItems",
    "ScanFilter",
];

/// Whether this file reads an operation's body.
pub(super) fn knows(operation: &Found) -> bool {
    let name = operation.name();
    operation.api.id == "dynamodb" && (READS.contains(&name) || WRITES.contains(&name))
}

pub(super) fn keys(name: &str, given: Given<'_>, context: &mut Context) -> Result<(), Denial> {
    let Given::Json(body) = given else { return Ok(()) };
    if !READS.contains(&name) && !WRITES.contains(&name) {
        return Ok(());
    }
    // Servers differ about a twin in another case, so it is refused.
    for member in READABLE {
        given.text(member)?;
    }
    let parts = parts(name, body);
    let leading: Option<BTreeSet<String>> = parts.iter().map(|part| part.leading(name)).collect();
    if let Some(values) = leading.filter(|values| !values.is_empty()) {
        context.set_all("dynamodb:LeadingKeys", values.into_iter().collect());
    }
    let attributes: Option<Vec<BTreeSet<String>>> = parts.iter().map(|part| part.attributes(name)).collect();
    if let Some(names) = attributes.filter(|all| !all.is_empty()) {
        context
            .set_all("dynamodb:Attributes", names.into_iter().flatten().collect::<BTreeSet<_>>().into_iter().collect());
    }
    if READS.contains(&name) {
        select(body, &parts, context)?;
    } else {
        context.set("dynamodb:ReturnValues", given.text("ReturnValues")?.unwrap_or("NONE"));
    }
    Ok(())
}

/// What is read or written of one table: where its members are.
struct Part<'a> {
    /// What has the expressions.
    body: &'a Json,
    /// The keys of its items; `None` for an item that is put.
    keys: Vec<Option<&'a Json>>,
}

fn parts<'a>(name: &str, body: &'a Json) -> Vec<Part<'a>> {
    let tables = || body.get("RequestItems").map(Json::members).unwrap_or_default().iter().map(|(_, table)| table);
    match name {
        "BatchGetItem" => {
            let keys = |table: &'a Json| table.get("Keys").map(Json::items).unwrap_or_default().iter().map(Some);
            tables().map(|table| Part { body: table, keys: keys(table).collect() }).collect()
        }
        "BatchWriteItem" => {
            let key = |write: &'a Json| write.get("DeleteRequest").and_then(|delete| delete.get("Key"));
            tables().map(|table| Part { body: table, keys: table.items().iter().map(key).collect() }).collect()
        }
        _ => vec![Part { body, keys: vec![body.get("Key")] }],
    }
}

impl Part<'_> {
    /// The values of the partition keys, where there can be no doubt.
    fn leading(&self, name: &str) -> Option<String> {
        match name {
            "Query" => queried(self.body),
            "Scan" => None,
            _ => {
                let values: Option<BTreeSet<String>> = self.keys.iter().map(|key| only_value((*key)?)).collect();
                // Several items of one table: only if they are of one partition, so that one text stands for all.
                values.filter(|values| values.len() == 1)?.into_iter().next()
            }
        }
    }

    /// The names of all attributes that the request touches, if it names them all.
    fn attributes(&self, name: &str) -> Option<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        match name {
            "PutItem" => names.extend(self.body.get("Item")?.members().iter().map(|(name, _)| name.clone())),
            "BatchWriteItem" => {
                for write in self.body.items() {
                    let item = write.get("PutRequest").and_then(|put| put.get("Item"));
                    let item = item.or_else(|| write.get("DeleteRequest").and_then(|delete| delete.get("Key")))?;
                    names.extend(item.members().iter().map(|(name, _)| name.clone()));
                }
            }
            _ => {
                let keys = self.keys.iter().flatten().flat_map(|key| key.members());
                names.extend(keys.map(|(name, _)| name.clone()));
            }
        }
        if READS.contains(&name) && !self.is_projected() {
            return None;
        }
        for list in self.body.get("AttributesToGet").map(Json::items).unwrap_or_default() {
            names.insert(list.text()?.to_owned());
        }
        for older in ["AttributeUpdates", "Expected", "KeyConditions", "QueryFilter", "ScanFilter"] {
            names.extend(
                self.body.get(older).map(Json::members).unwrap_or_default().iter().map(|(name, _)| name.clone()),
            );
        }
        let expressions = ["ConditionExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression"];
        for expression in expressions.into_iter().chain(["UpdateExpression"]) {
            if let Some(text) = self.body.get(expression) {
                names.extend(named(text.text()?, self.body)?);
            }
        }
        Some(names)
    }

    fn is_projected(&self) -> bool {
        ["AttributesToGet", "ProjectionExpression"].iter().any(|name| self.body.get(name).is_some())
    }
}

/// `dynamodb:Select`, as it is given or as the API reference says that it is understood.
fn select(body: &Json, parts: &[Part<'_>], context: &mut Context) -> Result<(), Denial> {
    let understood = if parts.iter().all(Part::is_projected) && !parts.is_empty() {
        "SPECIFIC_ATTRIBUTES"
    } else if body.get("IndexName").is_some() {
        "ALL_PROJECTED_ATTRIBUTES"
    } else {
        "ALL_ATTRIBUTES"
    };
    context.set("dynamodb:Select", Given::Json(body).text("Select")?.unwrap_or(understood));
    Ok(())
}

/// The value of a key that has one attribute.
fn only_value(key: &Json) -> Option<String> {
    let [(_, value)] = key.members() else { return None };
    scalar(value)
}

/// A text or a number. Binary keys are compared in a form that is not documented.
fn scalar(value: &Json) -> Option<String> {
    let [(kind, text)] = value.members() else { return None };
    let text = text.text()?;
    let known = kind == "S" || kind == "N" && is_plain_number(text);
    known.then(|| text.to_owned())
}

/// A number as DynamoDB gives it back. Any other spelling of it (`1.0`, `+1`, `1e0`) means the same key.
fn is_plain_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "1"));
    let plain = digits(whole) && digits(fraction) && !fraction.ends_with('0');
    plain && (whole == "0" || !whole.starts_with('0')) && text != "-0" && text.len() <= DYNAMODB_NUMBER_CHARS_MAX
}

/// The value that a query compares the partition key with: the one that it is equal to, if there is only one.
fn queried(body: &Json) -> Option<String> {
    if let Some(conditions) = body.get("KeyConditions") {
        let equal = |condition: &&(String, Json)| {
            condition.1.get("ComparisonOperator").and_then(Json::text).is_none_or(|operator| operator == "EQ")
        };
        let mut equal = conditions.members().iter().filter(equal);
        let (only, more) = (equal.next()?, equal.next());
        let [value] = only.1.get("AttributeValueList")?.items() else { return None };
        return if more.is_some() { None } else { scalar(value) };
    }
    let expression = body.get("KeyConditionExpression")?.text()?;
    let words = words(expression)?;
    let mut equal = words.windows(3).filter(|three| three[1] == "=");
    let (only, more) = (equal.next()?, equal.next());
    let placeholder = only.iter().find(|word| word.starts_with(':'))?;
    if more.is_some() || words.iter().any(|word| word.eq_ignore_ascii_case("or") || word.eq_ignore_ascii_case("not")) {
        return None;
    }
    scalar(body.get("ExpressionAttributeValues")?.get(placeholder)?)
}

/// Words of expressions that are no attributes.
const RESERVED: [&str; 18] = [
    "add",
    "and",
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "between",
    "contains",
    "delete",
    "if_not_exists",
    "in",
    "list_append",
    "not",
    "or",
    "remove",
    "set",
    "size",
    "=",
];

/// The attributes at the top that an expression names.
fn named(expression: &str, body: &Json) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for word in words(expression)? {
        let symbol =
            word.starts_with(':') || word.bytes().all(|b| b.is_ascii_punctuation() && b != b'_' || b.is_ascii_digit());
        if symbol || RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved)) {
            continue;
        }
        // A path: only what stands before its first dot or bracket is at the top.
        let top = word.split(['.', '[']).next().unwrap_or_default();
        let name = match top.starts_with('#') {
            true => body.get("ExpressionAttributeNames")?.get(top)?.text()?,
            false => top,
        };
        names.insert(name.to_owned());
    }
    Some(names)
}

/// An expression in words: names with their paths, values, and symbols one by one.
fn words(expression: &str) -> Option<Vec<&str>> {
    let mut words = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let in_word = |c: char| c.is_alphanumeric() || "_#.[]".contains(c);
        let end = if in_word(first) || first == ':' {
            let after = first.len_utf8();
            rest.get(after..)?.find(|c| !in_word(c)).map_or(rest.len(), |at| at + after)
        } else if ["<=", ">=", "<>"].iter().any(|symbol| rest.starts_with(symbol)) {
            2
        } else if "=<>(),+-".contains(first) {
            1
        } else {
            return None;
        };
        let (word, left) = rest.split_at(end);
        words.push(word);
        rest = left.trim_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn expressions_are_taken_apart_or_not_read() {
        let read = |text| words(text).map(|words| words.join("|"));
        assert_eq!(read("SET a=a-:x, #b.c[0] = :y").as_deref(), Some("SET|a|=|a|-|:x|,|#b.c[0]|=|:y"));
        assert_eq!(read("pk = :v AND begins_with(sk,:p)").as_deref(), Some("pk|=|:v|AND|begins_with|(|sk|,|:p|)"));
        assert_eq!(read("a<>:x and b<=:y").as_deref(), Some("a|<>|:x|and|b|<=|:y"));
        for odd in ["a;b", "a\"b", "a!b", "a*b"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
