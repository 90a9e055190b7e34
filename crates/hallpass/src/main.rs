//! `hallpass` lends a command a short, narrow, revocable, audited session to the cloud, and takes it back.
//!
//! | room | what it holds |
//! |---|---|
//! | [`alias`] | named S3 stores: where they are found, what signs for them, how secrets come in |
//! | [`cli`] | the command line: every verb, every global flag, dispatch |
//! | [`command`] | one file per verb: its arguments, whose doc comments are the help, and one function |
//! | [`complete`] | what could come next, for a shell that asks |
//! | [`config`] | settings: one struct per concern, layers with the origin of every value |
//! | [`environment`] | every variable that we read, and the only calls that read one |
//! | [`error`] | what went wrong, for people and for programs; the only home of exit codes |
//! | [`output`] | stdout is data, stderr is talk |
//! | [`deliver`] | ways to hand a session to the child |
//! | [`scrub`] | what of the parent's environment a child must not see |
//! | [`demo`] | the embedded store and the story that `hallpass demo` tells |
//! | [`supervise`] | the child: its processes, signals, time |
//! | [`control_socket`] | how another terminal reaches the keeper of a session |

mod alias;
mod cli;
mod command;
mod complete;
mod config;
mod control_socket;
mod deliver;
mod demo;
mod environment;
mod error;
mod output;
mod scrub;
mod supervise;

fn main() -> std::process::ExitCode {
    cli::main().into()
}
