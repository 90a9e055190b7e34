//! What `cp`, `mv` and `mirror` share: flags, signals, progress, and one way to tell what happened.

pub(super) mod args;
pub(super) mod needs;
pub(super) mod report;
pub(super) mod stop;

use std::cell::RefCell;

use hallpass_s3::error::S3Error;
use hallpass_s3::execute::{Orders, execute};
use hallpass_s3::plan::Plan;
use hallpass_s3::transfer::Leftover;

use super::stores::{Failed, Stores};
use crate::error::{CommandError, ExitStatus};
use crate::output::clean;
use crate::output::progress::{Bar, Counter};
use args::TransferArgs;
use report::{Teller, Verb};
use stop::Stop;

/// One run.
pub(super) struct Run<'a> {
    pub(super) stores: &'a Stores<'a>,
    pub(super) verb: Verb,
    pub(super) args: &'a TransferArgs,
    pub(super) orders: Orders,
    /// Objects go to stdout: nothing else may.
    pub(super) to_stdout: bool,
    /// Ask a person before so many things are removed.
    pub(super) confirm: &'a mut dyn FnMut(usize) -> Result<(), S3Error>,
}

impl Run<'_> {
    /// Plans and carries out. `plan` is made inside of the runtime.
    ///
    /// # Errors
    /// Whatever kept all or some of it from being done.
    pub(super) fn all(mut self, plan: impl Future<Output = Result<Plan, S3Error>>) -> Result<ExitStatus, CommandError> {
        let printer = self.stores.printer();
        let counter = std::sync::Arc::<Counter>::default();
        self.orders.transfer.flow.progress = Some(counter.clone());
        let (orders, stores) = (self.orders, self.stores);
        let shows = !self.args.no_progress && !orders.dry_run && !self.to_stdout && !printer.is_quiet();
        let mut teller = Teller::new(printer, self.verb, &orders, self.to_stdout);
        // What goes to stdout leaves nothing behind, so a signal may end it as it ends `cat`.
        let stop = (!self.to_stdout).then(Stop::new).transpose()?;
        let stopping = orders.transfer.stop.clone();
        let confirm = &mut *self.confirm;
        let work = async {
            let mut plan = tokio::select! {
                biased;
                () = stopping.cancelled() => return Err(S3Error::Interrupted.into()),
                plan = plan => plan?,
            };
            let drawn = || shows.then(|| Bar::start(&counter)).flatten();
            let bar = RefCell::new(drawn());
            teller.on_terminal(bar.borrow().is_some());
            // A line that is drawn meanwhile would hide the question.
            let mut asked = |count| {
                drop(bar.take());
                let answer = confirm(count);
                bar.replace(drawn());
                answer
            };
            let report = execute(&mut plan, &orders, &mut teller, &mut asked).await;
            drop(bar);
            Ok::<_, Failed>(report)
        };
        let done = stores.run(async {
            match &stop {
                Some(stop) => stop.during(&stopping, work).await,
                None => work.await,
            }
        });
        let signal = stop.and_then(|stop| stop.heard());
        let told = done.and_then(|report| teller.ended(stores, report));
        leftovers(stores, orders.transfer.leftovers.taken());
        match (told, signal) {
            (Err(error), Some(signal)) => Err(error.by_signal(signal)),
            (told, _) => told,
        }
    }
}

/// Says what stays in a store unfinished, and what to do about it.
fn leftovers(stores: &Stores<'_>, leftovers: Vec<Leftover>) {
    let printer = stores.printer();
    for left in leftovers {
        let object = clean::line(&format!("{}/{}", left.alias, left.upload.object));
        let id = clean::line(&left.upload.id);
        match left.why {
            None => printer.warn(format_args!(
                "the upload of `{object}` stays unfinished in the store (upload id {id}): \
                 the same command goes on with it"
            )),
            Some(why) => printer.warn(format_args!(
                "the upload of `{object}` stays unfinished in the store (upload id {id}), because it could not be \
                 given up: {}; the store keeps its parts; `hallpass s3 ls --incomplete` shows such",
                clean::line(&why)
            )),
        }
    }
}
