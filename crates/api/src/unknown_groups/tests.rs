//! Names of groups that are proposed.

use super::*;

fn check(name: &str, expected: &[&str]) {
    let groups = ["work/trial/app/app.log", "nginx/access", "nginx/error", "App/Payment"];
    assert_eq!(proposals(groups.into_iter(), name), expected, "{name}");
}

#[test]
fn near_groups_are_proposed() {
    check("app.log", &["work/trial/app/app.log"]);
    check("nginx", &["nginx/access", "nginx/error"]);
    check("payment", &["App/Payment"]);
    check("ngnix/acces", &["nginx/access"]);
    check("nginx*/acc", &["nginx/access"]);
    check("*", &[]);
    check("zzzzzz", &[]);
}
