//! An alias that borrows a role, in front of a cloud that checks signatures and session policies.

use hallpass_testkit::clients::run;
use hallpass_testkit::servers::Ministack;

use crate::aws::Lender;

#[test]
fn a_role_alias_borrows_for_the_command_and_only_what_the_command_needs() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    run(&mut lender.hallpass(&["alias", "set", "--no-check", "lake", &cloud.url(), "--role", &cloud.role])).succeeded();
    let tested = run(&mut lender.hallpass(&["alias", "test", "lake"])).succeeded();
    assert!(tested.contains("lake: keys found"), "{tested}");
    assert!(!tested.contains(&cloud.url()), "inside, the store is the gate: {tested}");
    let log = run(&mut lender.hallpass(&["audit", "export"])).succeeded();
    let created = log.lines().find(|line| line.contains("session_created")).expect("a session was made");
    assert!(created.contains("ListAllMyBuckets") && created.contains(&cloud.role), "{created}");
    assert!(!created.contains("GetObject"), "{created}");
    assert!(!log.contains(&cloud.lender.secret), "the log holds a secret");
}

#[test]
fn inside_a_session_the_built_in_alias_is_the_placeholder_and_the_gate() {
    let cloud = Ministack::shared();
    let lender = Lender::with_role(cloud);
    let exe = env!("CARGO_BIN_EXE_hallpass");
    let listed = lender.run(&["--allow", "s3:GetObject"], &[exe, "alias", "test", "aws"]).succeeded();
    assert!(listed.contains("aws: keys found") && listed.contains("http://127.0.0.1:"), "{listed}");
    assert!(!listed.contains(&cloud.url()), "{listed}");
}
