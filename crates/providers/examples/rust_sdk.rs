//! The Rust SDK as any program has it: a client of the table of clients (`cargo xtask clients`). Makes the calls that
//! its arguments name, and prints a line for each.

use std::error::Error;
use std::io::Write;

use aws_config::BehaviorVersion;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        for name in std::env::args().skip(1) {
            let said = match name.as_str() {
                "iam" => told(aws_sdk_iam::Client::new(&config).list_users().send().await),
                "sts" => told(aws_sdk_sts::Client::new(&config).get_caller_identity().send().await),
                _ => "there is no such operation here".to_owned(),
            };
            writeln!(std::io::stdout(), "{name}\t{said}")?;
        }
        Ok(())
    })
}

fn told<T, E: std::fmt::Debug>(answer: Result<T, E>) -> String {
    answer.map_or_else(|error| format!("{error:?}").replace('\n', " "), |_| "ok".to_owned())
}
