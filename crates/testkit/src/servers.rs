//! Real servers for tests, on loopback and an ephemeral port, ended when dropped or when the test process ends.

mod keeper;
pub mod minio_admin;
pub mod ministack;
pub mod moto;
mod ports;
pub mod scripted;
pub mod seaweedfs;
pub mod standin;

pub use keeper::{Server, ServerError};
pub use minio_admin::MinioAdmin;
pub use ministack::Ministack;
pub use moto::Moto;
pub use scripted::Scripted;
pub use seaweedfs::Seaweedfs;
pub use standin::Standin;
