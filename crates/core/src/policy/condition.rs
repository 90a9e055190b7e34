//! Conditions: one operator, one key, its values. IAM user guide, "Condition operators", "Multivalued context keys".
//!
//! Everything is three-valued. A key that we cannot know makes its condition unknown, and so does a value of the
//! wrong type: an Allow then does not hold and a Deny does.

pub(crate) mod operator;
pub(crate) mod value;

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::access::{Context, Known};
use super::truth::Truth;
pub(crate) use operator::{Operator, Set};
use value::Operand;

/// One line of a `Condition` block: all lines must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    /// As written; compared in lower case.
    pub(crate) key: String,
    /// As written.
    pub(crate) values: Vec<String>,
    operands: Vec<Operand>,
}

impl Condition {
    /// Checks key and values. The error says what is wrong, without the place.
    pub(crate) fn new(operator: Operator, key: &str, values: Vec<String>) -> Result<Self, String> {
        let (service, name) = key.split_once(':').unwrap_or_default();
        if service.is_empty() || name.is_empty() || key.chars().any(char::is_control) {
            return Err(format!("`{}` is not a condition key such as `aws:SourceIp`", key.escape_debug()));
        }
        if operator.takes_one_value() && values.len() != 1 {
            return Err(format!("`{operator}` takes exactly one value"));
        }
        let operands = values.iter().map(|value| operator.operand(value)).collect::<Result<_, _>>()?;
        Ok(Self { operator, key: key.to_owned(), values, operands })
    }

    /// Whether the condition holds in `context`.
    pub(crate) fn holds(&self, context: &Context) -> Truth {
        let values = match context.get(&self.key) {
            Known::Unknown => return Truth::Maybe,
            Known::Absent => &[],
            Known::Present(values) => values,
        };
        if let Some(wants_absent) = self.operator.null_test(&self.values) {
            return (values.is_empty() == wants_absent).into();
        }
        if values.is_empty() {
            return self.holds_when_absent().into();
        }
        let each = values.iter().map(|value| self.holds_for(value, context));
        match self.operator.set {
            Some(Set::All) if values.iter().all(String::is_empty) => Truth::all(each).or(Truth::Maybe),
            Some(Set::All) => Truth::all(each),
            Some(Set::Any) => Truth::any(each),
            None => agreed(each),
        }
    }

    /// True when the outcome is not known only because `context` does not know the key.
    pub(crate) fn lacks_key(&self, context: &Context) -> bool {
        context.get(&self.key) == Known::Unknown
    }

    /// Whether it holds for a request that certainly does not carry the key; not for `Null`.
    pub(crate) fn holds_when_absent(&self) -> bool {
        match self.operator.set {
            _ if self.operator.if_exists => true,
            Some(Set::All) => true,
            Some(Set::Any) => false,
            None => self.operator.negated(),
        }
    }

    /// One value of the request against all of ours: one match is enough, and a negated operator wants none.
    fn holds_for(&self, value: &str, context: &Context) -> Truth {
        let matches = Truth::any(self.operands.iter().map(|operand| self.operator.compare(value, operand, context)));
        if self.operator.negated() { !matches } else { matches }
    }
}

/// Several values under an operator for one: IAM leaves it open, so we only answer when all of them agree.
fn agreed(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut truths = truths;
    let first = truths.next().unwrap_or(Truth::Maybe);
    if truths.all(|truth| truth == first) { first } else { Truth::Maybe }
}

/// A `Condition` block, operators and keys in a fixed order.
pub(crate) struct Block<'a>(pub(crate) &'a [Condition]);

struct Values<'a>(&'a [String]);

impl Serialize for Block<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut operators: BTreeMap<String, BTreeMap<&str, Values<'_>>> = BTreeMap::new();
        for condition in self.0 {
            let keys = operators.entry(condition.operator.to_string()).or_default();
            keys.insert(&condition.key, Values(&condition.values));
        }
        let mut map = serializer.serialize_map(Some(operators.len()))?;
        for (operator, keys) in &operators {
            map.serialize_entry(operator, keys)?;
        }
        map.end()
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [one] => serializer.serialize_str(one),
            several => serializer.collect_seq(several),
        }
    }
}
