//! The child: its processes, signals, time.
