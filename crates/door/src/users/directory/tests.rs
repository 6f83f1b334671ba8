//! The same work for known and unknown names.

use storage::{Options, Store};
use tempfile::TempDir;

use super::*;

#[test]
fn an_unknown_name_costs_as_many_hashes_as_a_wrong_password_and_a_right_one() {
    let dir = TempDir::new().expect("a scratch directory");
    let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a new store opens");
    let users = Users::default();
    let (name, password) = ("ani".to_owned(), "correct horse".to_owned());
    let new = NewUser { name, password, role: "read".into(), groups: None };
    users.add(store.settings(), &new, Timestamp(0)).expect("the user is as they should be");
    let cost = |name: &str, password: &str| {
        let before = password::N_DERIVED.get();
        let is_in = users.verify(store.settings(), name, password).expect("hashes can be made").is_some();
        (is_in, password::N_DERIVED.get() - before)
    };
    assert_eq!(cost("ani", "correct horse"), (true, 1));
    assert_eq!(cost("ani", "wrong horse"), (false, 1));
    assert_eq!(cost("nobody", "correct horse"), (false, 1));
    assert_eq!(cost("", ""), (false, 1));
}
