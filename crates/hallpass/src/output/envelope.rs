//! The JSON of `hallpass s3` and `hallpass alias`: one envelope for every answer (`schemas/output_v2.json`).

use serde::Serialize;

use super::Printer;
use super::printer::json_text;
use crate::error::CommandError;

/// Version of the envelope; raised when a field changes its meaning or goes away.
pub(crate) const VERSION: u32 = 2;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema_version: u32,
    #[serde(rename = "type")]
    family: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure<'a>>,
}

/// What went wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Failure<'a> {
    /// The sort, which decides the exit code.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// The store's own code, or ours.
    pub(crate) code: &'a str,
    /// One sentence.
    pub(crate) message: &'a str,
    /// What lies behind it.
    pub(crate) causes: &'a [String],
    /// What to do now.
    pub(crate) suggestion: Option<&'a str>,
    /// True when the same may succeed a little later.
    pub(crate) retryable: bool,
    /// How the process ends.
    pub(crate) exit_code: u8,
}

/// Prints a success.
///
/// # Errors
/// As [`Printer::data`].
pub(crate) fn success<T: Serialize>(printer: Printer, family: &str, data: &T) -> Result<(), CommandError> {
    printer.data(text(family, data)?)
}

/// The text of a success: one line.
///
/// # Errors
/// When the value cannot be JSON, which is a bug of ours.
pub(crate) fn text<T: Serialize>(family: &str, data: &T) -> Result<String, CommandError> {
    let body = Envelope { schema_version: VERSION, family, status: "success", data: Some(data), error: None };
    json_text(&body)
}

/// The text of one of many lines. One that tells of a failure has its data all the same.
///
/// # Errors
/// When the value cannot be JSON, which is a bug of ours.
pub(crate) fn line<T: Serialize>(family: &str, good: bool, data: &T) -> Result<String, CommandError> {
    let status = if good { "success" } else { "error" };
    json_text(&Envelope { schema_version: VERSION, family, status, data: Some(data), error: None })
}

/// The text of a failure.
pub(crate) fn failure(family: &str, error: &Failure<'_>) -> String {
    written(&Envelope::<()> { schema_version: VERSION, family, status: "error", data: None, error: Some(error) })
}

/// The text of a failure, with what it is about.
pub(crate) fn failure_with<T: Serialize>(family: &str, data: &T, error: &Failure<'_>) -> String {
    written(&Envelope { schema_version: VERSION, family, status: "error", data: Some(data), error: Some(error) })
}

fn written<T: Serialize>(body: &Envelope<'_, T>) -> String {
    json_text(body).unwrap_or_else(|_| r#"{"schema_version":2,"status":"error"}"#.to_owned())
}
