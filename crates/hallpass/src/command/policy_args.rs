//! The policy flags that `run` and its relatives share.
