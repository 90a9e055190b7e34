//! Signed checkpoints in the C2SP `tlog-checkpoint` form, signed as a C2SP `signed-note`.
