//! Raw bytes into a live gate.
