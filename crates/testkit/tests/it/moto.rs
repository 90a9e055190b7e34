//! moto starts, answers and ends.

use hallpass_testkit::clients::{aws, bare, identity, run};
use hallpass_testkit::servers::Moto;

#[test]
fn it_answers_a_real_client() {
    let cloud = Moto::start().expect("starts");
    let mut client = bare(aws());
    client.envs(identity(&cloud.url(), "AKIAEXAMPLE", "secret", None));
    run(client.args(["s3", "mb", "s3://first"])).succeeded();
}
