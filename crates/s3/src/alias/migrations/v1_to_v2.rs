//! Version 2 knows session tokens and borrowed credentials. Everything in it may be missing, so a file of version 1 needs
//! only this: the key that rustfs `rc` calls `bucket_lookup` is `addressing` now.

use toml_edit::{DocumentMut, Item, TableLike, Value};

/// Takes the step. What nobody understands stays where it is, so that the reader says which alias is wrong.
pub(super) fn migrate(document: &mut DocumentMut) {
    match document.get_mut("aliases") {
        Some(Item::ArrayOfTables(tables)) => tables.iter_mut().for_each(|table| rename(table)),
        Some(Item::Value(Value::Array(array))) => {
            array.iter_mut().filter_map(Value::as_inline_table_mut).for_each(|table| rename(table));
        }
        _ => {}
    }
}

fn rename(table: &mut dyn TableLike) {
    if table.contains_key("addressing") {
        return;
    }
    let Some(Item::Value(old)) = table.get("bucket_lookup").cloned() else { return };
    let new = match old.as_str() {
        Some("path") => "path",
        Some("dns") => "virtual-host",
        Some("auto") => "auto",
        _ => return,
    };
    let mut value = Value::from(new);
    *value.decor_mut() = old.decor().clone();
    table.remove("bucket_lookup");
    table.insert("addressing", Item::Value(value));
}
