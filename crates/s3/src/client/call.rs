//! One request before it is signed.

use std::borrow::Cow;

use http::Method;

use super::endpoint::push_escaped;
use super::flow::Flow;
use super::payload::Payload;

/// A request to a store. Everything in it can be sent again.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) bucket: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    /// Percent-encoded path of what is neither a bucket nor an object.
    pub(crate) place: Option<String>,
    /// Percent-encoded, `name=value&…`.
    pub(crate) query: String,
    /// Names in lower case. All of them are signed.
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) payload: Payload,
    pub(crate) flow: Flow,
    /// Whether it may be sent again although the store may have carried it out.
    pub(crate) repeatable: bool,
    /// The store may work for minutes before it answers.
    pub(crate) inside: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, bucket: Option<&'a str>, key: Option<&'a str>) -> Self {
        Self {
            method,
            bucket,
            key,
            place: None,
            query: String::new(),
            headers: Vec::new(),
            payload: Payload::empty(),
            flow: Flow::default(),
            repeatable: true,
            inside: false,
        }
    }

    /// Adds `name=value` to the query.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(name);
        self.query.push('=');
        value.bytes().for_each(|b| push_escaped(&mut self.query, b));
        self
    }

    /// The same, where there is a value.
    pub(crate) fn query_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same, where there is a value.
    pub(crate) fn header_some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    pub(crate) fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }

    pub(crate) fn flow(mut self, flow: &Flow) -> Self {
        self.flow = flow.clone();
        self
    }

    pub(crate) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    pub(crate) fn inside(mut self) -> Self {
        self.inside = true;
        self
    }

    /// What it is about, for people: `bucket/key`.
    pub(crate) fn subject(&self) -> Option<String> {
        let bucket = self.bucket?;
        Some(crate::error::text::cleaned_name(&match self.key {
            Some(key) => format!("{bucket}/{key}"),
            None => bucket.to_owned(),
        }))
    }
}
