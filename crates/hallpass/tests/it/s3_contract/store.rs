//! One moto for all traps of one run (SeaweedFS has room for few buckets), furnished with boto3: what is tested here is not tested with itself.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use hallpass_testkit::clients::{bare, identity, python, run};
use hallpass_testkit::servers::Moto;

use crate::alias::with;
use crate::cli_world::{Said, World};

/// A world with the alias `m`, and a bucket of its own.
pub(super) struct Shop {
    pub(super) world: World,
    pub(super) bucket: String,
}

const KEY: &str = "AKIDOFTHETRAPS000042";
const SECRET: &str = "secret-of-the-traps";

fn url() -> String {
    static STORE: OnceLock<Moto> = OnceLock::new();
    STORE.get_or_init(|| Moto::start().expect("moto starts")).url()
}

impl Shop {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let world = World::new();
        world.ok(&["alias", "set", "m", &url(), KEY, SECRET]);
        let shop = Self { world, bucket: format!("trap-{}", NUMBER.fetch_add(1, Ordering::SeqCst)) };
        shop.boto("s3.create_bucket(Bucket=bucket)");
        shop
    }

    /// Runs some Python with `s3` and `bucket`; answers what it printed.
    pub(super) fn boto(&self, script: &str) -> String {
        let mut python = bare(python());
        python.envs(identity(&url(), KEY, SECRET, None));
        let begin = format!("import boto3\ns3, bucket = boto3.client('s3'), '{}'\n", self.bucket);
        run(python.args(["-c", &format!("{begin}{script}")])).succeeded()
    }

    pub(super) fn put(&self, key: &str, body: &str) {
        self.boto(&format!("s3.put_object(Bucket=bucket, Key={key:?}, Body={body:?})"));
    }

    pub(super) fn keys(&self) -> String {
        self.boto("print([o['Key'] for o in s3.list_objects_v2(Bucket=bucket).get('Contents', [])])").trim().to_owned()
    }

    pub(super) fn body(&self, key: &str) -> String {
        self.boto(&format!("print(s3.get_object(Bucket=bucket, Key={key:?})['Body'].read().decode(), end='')"))
    }

    /// Runs `s3 …`, where `@` is the bucket.
    pub(super) fn say(&self, args: &[&str]) -> Said {
        self.say_with(args, "")
    }

    pub(super) fn say_with(&self, args: &[&str], stdin: &str) -> Said {
        let args: Vec<String> = args.iter().map(|arg| arg.replace('@', &format!("m/{}", self.bucket))).collect();
        let args: Vec<&str> = std::iter::once("s3").chain(args.iter().map(String::as_str)).collect();
        with(&self.world, &args, &[], stdin)
    }
}
