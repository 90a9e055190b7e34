//! A JSON body, read strictly: a name occurs once in an object, and nesting is bounded.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::super::malformed;
use crate::denial::Denial;
use crate::limits::BODY_JSON_DEPTH_MAX;

/// As much of JSON as resolution looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Json {
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    /// A number, a boolean or null.
    Other,
}

impl Json {
    pub(in super::super) fn parse(body: &[u8]) -> Result<Self, Denial> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let value = Depth(BODY_JSON_DEPTH_MAX).deserialize(&mut reader);
        match value.and_then(|value| reader.end().map(|()| value)) {
            Ok(value @ Self::Object(_)) => Ok(value),
            Ok(_) | Err(_) => Err(malformed(
                "the JSON body is not one object in which every name occurs once, nested 100 levels at most",
            )),
        }
    }

    /// The members of an object; none of anything else.
    pub(in super::super) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            Self::Text(_) | Self::List(_) | Self::Other => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(in super::super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Object(_) | Self::Other => &[],
        }
    }

    /// Whether a member whose folded name matches has something in it, at any depth: no empty list and no empty map.
    pub(in super::super) fn gives(&self, matches: fn(&str) -> bool) -> bool {
        let is_empty = |value: &Self| match value {
            Self::List(items) => items.is_empty(),
            Self::Object(members) => members.is_empty(),
            Self::Text(_) | Self::Other => false,
        };
        let given = |(name, value): &(String, Self)| {
            value.gives(matches) || !is_empty(value) && matches(&name.to_ascii_lowercase())
        };
        self.members().iter().any(given) || self.items().iter().any(|item| item.gives(matches))
    }

    pub(in super::super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Object(_) | Self::Other => None,
        }
    }

    pub(in super::super) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

#[derive(Clone, Copy)]
struct Depth(usize);

impl Depth {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom("a name occurs twice"));
            }
            members.push((name, map.next_value_seed(inner)?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use crate::limits::BODY_JSON_DEPTH_MAX;

    #[test]
    fn a_body_is_one_object_whose_names_are_unique() {
        let body = Json::parse(br#"{"a":"x","b":[1,true,null,{"c":"y"}],"d":1.5}"#).expect("reads");
        assert_eq!(body.get("a").and_then(Json::text), Some("x"));
        assert_eq!(body.get("b").map(|b| b.items().len()), Some(4));
        for bad in
            [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":{"a":1,"a":1}}"#, "[]", "", "{} {}", "{", "\"a\""]
        {
            assert!(Json::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
        assert!(Json::parse(nested(BODY_JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert!(Json::parse(nested(BODY_JSON_DEPTH_MAX + 1).as_bytes()).is_err());
        assert!(Json::parse(nested(1_000_000).as_bytes()).is_err());
    }
}
