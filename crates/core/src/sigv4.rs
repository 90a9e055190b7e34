//! AWS Signature Version 4: the one canonicaliser, which verifies what came in and signs what goes out.
//!
//! Sources: "Signature Version 4 signing process" (AWS General Reference), "Authenticating Requests" (Amazon S3
//! API Reference). Rules and traps are in the book's design notes.
