//! Ways to hand a session to the child: one file per kind.
