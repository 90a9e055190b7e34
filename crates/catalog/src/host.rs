//! The API behind a host name.
