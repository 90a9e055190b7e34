//! `hallpass s3`, the everyday commands: against s3s-fs in this process, SeaweedFS, and stores that only refuse.

mod cloud;
mod listing;
mod locks;
mod objects;
mod refusals;
mod removal;
mod rights;
mod settings;
mod store;
mod sts;
mod versions;
