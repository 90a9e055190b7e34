//! How another terminal reaches the keeper of a session.
