//! Retention and legal holds, against SeaweedFS.

use hallpass_testkit::servers::{Seaweedfs, seaweedfs};

use super::store::Shop;

#[test]
fn what_is_kept_cannot_be_removed_until_it_is_let_go() {
    let store = Seaweedfs::start().expect("SeaweedFS starts");
    let shop = Shop::new(&store.url(), seaweedfs::KEY, seaweedfs::SECRET);
    shop.ok(&["mb", "m/vault", "--with-lock"]);
    shop.put(&["vault/a"]);
    assert_eq!(shop.ok(&["version", "info", "m/vault"]), "enabled\n");

    assert_eq!(shop.ok(&["legal-hold", "info", "m/vault/a"]), "not held\n");
    shop.ok(&["legal-hold", "set", "m/vault/a"]);
    assert_eq!(shop.data(&["legal-hold", "info", "m/vault/a"])["held"], true);
    shop.refused(&["rm", "m/vault/a", "--versions"], 4);
    shop.refused(&["rb", "m/vault", "--force"], 4);
    shop.ok(&["legal-hold", "clear", "m/vault/a"]);
    shop.ok(&["rm", "m/vault/a", "--versions"]);

    shop.put(&["vault/b"]);
    shop.ok(&["retention", "set", "m/vault/b", "--mode", "governance", "--for", "1d"]);
    assert_eq!(shop.data(&["retention", "info", "m/vault/b"])["mode"], "GOVERNANCE");
    shop.refused(&["rm", "m/vault/b", "--versions"], 4);
    shop.refused(&["retention", "set", "m/vault/b", "--mode", "governance", "--until", "2001-01-01T00:00:00Z"], 2);
    shop.refused(&["retention", "set", "m/vault/b", "--mode", "governance", "--days", "3"], 2);
    shop.ok(&["rm", "m/vault/b", "--versions", "--bypass-governance"]);

    shop.ok(&["retention", "set", "m/vault", "--mode", "governance", "--days", "2"]);
    assert_eq!(shop.data(&["retention", "info", "m/vault"])["days"], 2);
    shop.ok(&["retention", "clear", "m/vault"]);
    assert_eq!(shop.ok(&["retention", "info", "m/vault"]), "none\n");
    shop.ok(&["rb", "m/vault", "--force"]);
}
