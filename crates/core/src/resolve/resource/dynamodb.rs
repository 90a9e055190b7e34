//! DynamoDB, where one request may touch many tables. Source: DynamoDB developer guide, "Using IAM with DynamoDB".

mod partiql;

use super::super::catalog::Found;
use super::super::json::Json;
use super::arn::{self, Scope};
use super::{Given, opaque, text_or_no_name};
use crate::denial::Denial;
use crate::policy::{AccessRequest, Resource};

const ONE_TABLE: [&str; 12] = [
    "CreateBackup",
    "DeleteItem",
    "DeleteTable",
    "DescribeContinuousBackups",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
    "UpdateTimeToLive",
];
const MANY_TABLES: [&str; 4] = ["BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"];
/// The members of one item of a transaction, and the action of each.
const STEPS: [(&str, &str); 5] = [
    ("Get", "dynamodb:GetItem"),
    ("Put", "dynamodb:PutItem"),
    ("Update", "dynamodb:UpdateItem"),
    ("Delete", "dynamodb:DeleteItem"),
    ("ConditionCheck", "dynamodb:ConditionCheckItem"),
];

/// Whether this file says what the operation touches.
pub(super) fn knows(operation: &Found) -> bool {
    let name = operation.name();
    operation.api.id == "dynamodb" && (ONE_TABLE.contains(&name) || MANY_TABLES.contains(&name) || partiql::takes(name))
}

/// The accesses of an operation that this file knows.
pub(super) fn accesses(
    scope: &Scope<'_>,
    operation: &Found,
    given: Given<'_>,
) -> Result<Option<Vec<AccessRequest>>, Denial> {
    if !knows(operation) || !matches!(given, Given::Json(_)) {
        return Ok(None);
    }
    let found = match operation.name() {
        "BatchGetItem" | "BatchWriteItem" => batch(scope, operation.name(), given)?,
        "TransactGetItems" | "TransactWriteItems" => transaction(scope, given)?,
        name if partiql::takes(name) => statements(scope, name, given)?,
        name => {
            let table = given.text("TableName")?.map_or(Resource::Opaque, |text| arn::table(scope, text));
            let resource = match given.json("IndexName")? {
                Some(index) if matches!(name, "Query" | "Scan") => at_index(table, text_or_no_name(index)),
                _ => table,
            };
            vec![AccessRequest { action: format!("dynamodb:{name}"), resource }]
        }
    };
    // A request that names nothing must not be allowed for want of something to check.
    Ok(Some(found).filter(|all| !all.is_empty()))
}

fn statements(scope: &Scope<'_>, name: &str, given: Given<'_>) -> Result<Vec<AccessRequest>, Denial> {
    let mut all = Vec::new();
    for statement in partiql::statements(name, given)? {
        let table = arn::table(scope, &statement.table);
        let resource = statement.index.map_or(table.clone(), |index| at_index(table, &index));
        let access = AccessRequest { action: statement.action.to_owned(), resource };
        if !all.contains(&access) {
            all.push(access);
        }
    }
    Ok(all)
}

fn at_index(table: Resource, index: &str) -> Resource {
    let legal = !index.is_empty() && index.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    match table {
        Resource::Exact(arn) if legal => Resource::Exact(format!("{arn}/index/{index}")),
        Resource::Pattern(arn) if legal => Resource::Pattern(format!("{arn}/index/{index}")),
        _ => Resource::Opaque,
    }
}

fn batch(scope: &Scope<'_>, name: &str, given: Given<'_>) -> Result<Vec<AccessRequest>, Denial> {
    let tables = given.json("RequestItems")?.map(Json::members).unwrap_or_default();
    let access = |table: &str| AccessRequest { action: format!("dynamodb:{name}"), resource: arn::table(scope, table) };
    Ok(tables.iter().map(|(table, _)| access(table)).collect())
}

/// One access per step; a step that is not of a known kind could be anything.
fn transaction(scope: &Scope<'_>, given: Given<'_>) -> Result<Vec<AccessRequest>, Denial> {
    let mut all = Vec::new();
    for item in given.json("TransactItems")?.map(Json::items).unwrap_or_default() {
        for (step, body) in item.members() {
            let Some((_, action)) = STEPS.iter().find(|(known, _)| known == step) else {
                all.extend(STEPS.iter().map(|(_, action)| opaque(*action)));
                continue;
            };
            let inner = Given::Json(body);
            let table = inner.text("TableName")?.map_or(Resource::Opaque, |text| arn::table(scope, text));
            let access = AccessRequest { action: (*action).to_owned(), resource: table };
            if !all.contains(&access) {
                all.push(access);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{Resource, at_index};

    #[test]
    fn an_index_is_named_only_by_a_name_that_an_index_can_have() {
        let table = "arn:aws:dynamodb:eu-west-1:123456789012:table/t";
        let index = format!("{table}/index/by-name_1.x");
        assert_eq!(at_index(Resource::Exact(table.into()), "by-name_1.x"), Resource::Exact(index.clone()));
        assert_eq!(at_index(Resource::Pattern(table.into()), "by-name_1.x"), Resource::Pattern(index));
        for illegal in ["", "*", "a/b", "a b", "?"] {
            for of in [Resource::Exact(table.into()), Resource::Pattern(table.into()), Resource::Opaque] {
                assert_eq!(at_index(of, illegal), Resource::Opaque, "{illegal}");
            }
        }
        assert_eq!(at_index(Resource::Opaque, "i"), Resource::Opaque);
    }
}
