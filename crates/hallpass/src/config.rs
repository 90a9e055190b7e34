//! Settings: one small struct per concern, read once, each value with the place it came from.
