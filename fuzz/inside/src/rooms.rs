//! What the settings know of the rooms around them. The gate's file is its own; the others only take what is said.

/// As the gate shows it.
pub mod gate {
    pub use crate::upstreams::Upstreams;
}

/// As the gate knows it: nothing here connects to anything.
pub mod outward {
    /// The caller's own proxy.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Outward;
}

/// As the control room shows it.
pub mod store {
    /// How safe a written entry is.
    #[derive(Debug, Clone, Copy)]
    pub enum Durability {
        /// The process may end.
        Process,
        /// The power may.
        Power,
    }
}

/// As the binary shows it to itself.
pub mod error {
    /// What a person reads in the end.
    #[derive(Debug, Default)]
    pub struct CommandError {
        /// Every sentence.
        pub said: Vec<String>,
    }

    impl CommandError {
        pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
            Self { said: vec![code.to_owned(), message.into()] }
        }

        pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
            self.said.push(cause.into());
            self
        }

        pub(crate) fn next(self, next: impl Into<String>) -> Self {
            self.cause(next)
        }
    }
}
