//! STS calls that answer with credentials: read, narrowed, asked for in our own words, and answered in STS's.
//!
//! A child that may call one of them does not get what STS gives: the gate makes the call itself, with the session's
//! policy as a ceiling and within the session's time, and answers with another placeholder.
//!
//! | file | what it holds |
//! |---|---|
//! | [`call`] | which calls are wrapped and which refused; what is sent instead |
//! | [`answer`] | the answer of STS, and the one that the child gets |

pub mod answer;
pub mod call;

pub use answer::{Answer, Handed};
pub use call::{Call, Life, Mint, Wrapping, wrapping};

/// `Version` of every STS call.
pub const API_VERSION: &str = "2011-06-15";
/// The XML namespace of every STS answer.
pub const XML_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
