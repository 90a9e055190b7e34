//! The servers and clients themselves: they must enforce what the other tests rely on.

mod ministack;
mod moto;
