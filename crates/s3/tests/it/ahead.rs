//! Small files of a folder are read before it is their turn: what arrives is what each of them holds.

use std::path::PathBuf;

use hallpass_core::limits::S3_READ_AHEAD_BYTES_MAX;
use hallpass_s3::client::{CreateBucketOptions, GetOptions, ObjectId};
use hallpass_s3::error::S3Error;
use hallpass_s3::execute::{Hear, Orders, Outcome, execute};
use hallpass_s3::plan::{Copies, Plan, Request, Select, Spot};

use crate::world::Store;

const FILES: usize = 300;

fn name(number: usize) -> String {
    format!("{number:04}")
}

/// What a file holds: no two the same, some of them empty, some too long to be read ahead.
fn content(number: usize) -> Vec<u8> {
    let length = match number {
        n if n % 50 == 7 => 0,
        n if n % 50 == 9 => usize::try_from(S3_READ_AHEAD_BYTES_MAX).expect("fits") + 1,
        n => n * 13,
    };
    name(number).into_bytes().into_iter().cycle().take(length).collect()
}

/// Does something when the first file has arrived, and remembers what failed.
struct Meddler {
    folder: PathBuf,
    meddled: bool,
    failed: Vec<String>,
}

impl Hear for Meddler {
    fn hear(&mut self, outcome: &Outcome) -> Result<(), S3Error> {
        if let Outcome::Failed(what, _) = outcome {
            let (_, from, _) = what.as_ref().expect("it had begun");
            self.failed.push(from.to_string());
        }
        if !std::mem::replace(&mut self.meddled, true) {
            std::fs::remove_file(self.folder.join(name(FILES - 1))).expect("removed");
            std::fs::write(self.folder.join(name(FILES - 2)), "as it is in its turn").expect("written");
        }
        Ok(())
    }
}

#[tokio::test]
async fn every_file_arrives_as_itself_and_what_went_away_meanwhile_is_told_alone() {
    let (store, folder) = (Store::start().await, tempfile::tempdir().expect("a folder"));
    for number in 0..FILES {
        std::fs::write(folder.path().join(name(number)), content(number)).expect("written");
    }
    let client = store.client();
    client.create_bucket("bucket", &CreateBucketOptions::default()).await.expect("a bucket");
    let request = Request {
        sources: vec![Spot::Local(folder.path().to_owned())],
        target: Spot::Remote { client: client.clone(), bucket: "bucket".to_owned(), key: "all/".to_owned() },
        version: None,
        recursive: true,
        select: Select::default(),
        tolerant: true,
        in_place: false,
        ask: false,
    };
    let mut plan = Plan::copies(Copies::new(request).await.expect("a plan"));
    let orders = Orders { tolerant: true, ..Orders::default() };
    let mut heard = Meddler { folder: folder.path().to_owned(), meddled: false, failed: Vec::new() };
    let report = execute(&mut plan, &orders, &mut heard, &mut |_| Ok(())).await;
    let gone = folder.path().join(name(FILES - 1)).display().to_string();
    assert_eq!((report.copied, report.failed, heard.failed), (FILES as u64 - 1, 1, vec![gone]), "{report:?}");
    let prefix = folder.path().file_name().expect("a name").to_string_lossy().into_owned();
    for number in 0..FILES - 1 {
        let expected = if number == FILES - 2 { b"as it is in its turn".to_vec() } else { content(number) };
        let object = ObjectId::new("bucket", format!("all/{prefix}/{}", name(number)));
        let got = client.get(&object, &GetOptions::default()).await.expect("is there");
        assert_eq!(got.body.collect(100_000).await.expect("whole"), expected, "{number}");
    }
}
