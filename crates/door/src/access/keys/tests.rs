//! Keys over their validity: made, found, changed, revoked, read back.

use storage::Options;
use tempfile::TempDir;

use super::*;

struct Room {
    dir: TempDir,
    store: Arc<Store>,
    keys: Keys,
}

const NOW: Timestamp = Timestamp(1_000 * Timestamp::SECOND);

fn room() -> Room {
    let dir = TempDir::new().expect("a scratch directory");
    let (store, _) = Store::open(Options::new(dir.path().join("data"))).expect("a new store opens");
    let keys = Keys::open(store.clone(), None, NOW).expect("it has none yet");
    Room { dir, store, keys }
}

fn order(name: &str, role: &str, groups: &[&str]) -> KeyOrder {
    let groups = Some(groups.iter().map(|pattern| (*pattern).to_owned()).collect());
    KeyOrder { name: name.to_owned(), role: role.to_owned(), groups }
}

impl Room {
    fn create(&self, role: &str, groups: &[&str]) -> NewKey {
        self.keys.create(&order("ci", role, groups), &GroupScope::All, NOW).expect("the order is right")
    }

    /// Returns the same store after a restart.
    fn reopen(self) -> Self {
        self.store.close().expect("the store closes");
        drop((self.keys, self.store));
        let (store, _) = Store::open(Options::new(self.dir.path().join("data"))).expect("the store opens again");
        let keys = Keys::open(store.clone(), None, NOW).expect("the keys can be read");
        Self { dir: self.dir, store, keys }
    }
}

#[test]
fn a_key_is_known_by_its_text_alone_and_after_a_restart() {
    let room = room();
    assert!(room.keys.admits_anonymous());
    let made = room.create("read", &["a/*"]);
    assert!(!room.keys.admits_anonymous());
    let again = room.reopen();
    assert!(!again.keys.admits_anonymous());
    let caller = again.keys.find(&made.key, NOW).expect("it is known");
    assert_eq!((caller.role, caller.sends, &*caller.name), (Role::Read, false, "key:ci"));
    assert!(caller.scope.admits("a/b") && !caller.scope.admits("b"));
    let (of_pair, secret) = again.keys.signing_key(&made.access_key_id, NOW).expect("its pair is known");
    assert_eq!((&of_pair.name, &secret), (&caller.name, &made.secret_access_key));
    let mut wrong = made.key.clone();
    wrong.pop();
    for text in ["", "catat_", "catat__", &made.view.id, &wrong, &format!("{}0", made.key), &made.key.to_uppercase()] {
        assert!(again.keys.find(text, NOW).is_none(), "{text}");
    }
}

#[test]
fn nothing_that_is_kept_is_a_secret() {
    let room = room();
    let made = room.create("ingest", &["*"]);
    let secret = made.key.rsplit('_').next().expect("it has one").to_owned();
    let kept = format!("{:?}", room.store.settings().all(KIND).expect("the documents are there"));
    assert!(kept.contains(&made.view.id));
    for hidden in [&secret, &made.key, &made.secret_access_key] {
        assert!(!kept.contains(hidden.as_str()));
        assert!(!format!("{made:?}").contains(hidden.as_str()));
    }
}

#[test]
fn a_revoked_key_is_none_at_once_and_anonymous_access_stays_ended() {
    let room = room();
    let made = room.create("read", &["*"]);
    let caller = room.keys.find(&made.key, NOW).expect("it is known");
    room.keys.revoke(&made.view.id, &GroupScope::All).expect("it is there");
    assert!(!caller.validity.is_valid_at(NOW) && room.keys.find(&made.key, NOW).is_none());
    assert!(room.keys.signing_key(&made.access_key_id, NOW).is_none());
    assert!(matches!(room.keys.revoke(&made.view.id, &GroupScope::All), Err(KeyError::Unknown(_))));
    let again = room.reopen();
    assert!(again.keys.find(&made.key, NOW).is_none() && !again.keys.admits_anonymous());
}

#[test]
fn a_key_that_was_replaced_goes_on_until_its_time_is_over() {
    let room = room();
    let old = room.create("ingest", &["a"]);
    let until = Timestamp(NOW.0 + Timestamp::HOUR);
    let new = room.keys.rotate(&old.view.id, until, &GroupScope::All, NOW).expect("it is there");
    assert!(new.key != old.key && new.secret_access_key != old.secret_access_key);
    let room = room.reopen();
    let (of_old, of_new) = (room.keys.find(&old.key, NOW), room.keys.find(&new.key, NOW));
    assert_eq!(of_old.map(|caller| caller.batches.clone()), of_new.map(|caller| caller.batches.clone()));
    assert!(room.keys.find(&old.key, until).is_none() && room.keys.find(&new.key, until).is_some());
    assert_eq!(room.keys.list(&GroupScope::All, until).len(), 1);
    assert!(room.keys.rotate(&old.view.id, until, &GroupScope::All, until).is_err());
    room.keys.keep_uses(NOW, until).expect("the control store works");
    assert_eq!(room.store.settings().all(KIND).expect("the documents are there").len(), 1);
}

#[test]
fn who_reaches_some_groups_makes_no_key_for_others_and_sees_none() {
    let room = room();
    let narrow = GroupScope::Matching(vec![GroupPattern::new("a/*")]);
    let create = |groups: &[&str]| room.keys.create(&order("x", "admin", groups), &narrow, NOW);
    assert!(create(&["a/b", "a/b*", "a/*"]).is_ok());
    for wider in [&["*"][..], &["a*"], &["a/*", "b"], &["*/*"], &["a"]] {
        assert!(matches!(create(wider), Err(KeyError::OutOfScope)), "{wider:?}");
    }
    let other = room.create("read", &["b"]);
    assert_eq!(room.keys.list(&narrow, NOW).len(), 1);
    assert!(matches!(room.keys.revoke(&other.view.id, &narrow), Err(KeyError::Unknown(_))));
    assert!(room.keys.rotate(&other.view.id, NOW, &narrow, NOW).is_err());
}

#[test]
fn wrong_orders_are_refused_and_end_nothing() {
    let room = room();
    let long = "x".repeat(600);
    for (name, role, groups) in [
        ("", "read", &["*"][..]),
        ("a\r\nb", "read", &["*"]),
        (&long, "read", &["*"]),
        ("a", "none", &["*"]),
        ("a", "root", &["*"]),
        ("a", "read", &[]),
        ("a", "read", &[""]),
        ("a", "read", &["a b"]),
        ("a", "read", &[&long]),
    ] {
        let made = room.keys.create(&order(name, role, groups), &GroupScope::All, NOW);
        assert!(matches!(made, Err(KeyError::Bad(_))), "{name} {role} {groups:?}");
    }
    assert!(room.keys.admits_anonymous());
}

#[test]
fn when_a_key_was_used_is_kept_over_a_restart() {
    let room = room();
    let made = room.create("read", &["*"]);
    room.keys.find(&made.key, Timestamp(NOW.0 + 5)).expect("it is known");
    room.keys.keep_uses(NOW, NOW).expect("the control store works");
    let again = room.reopen();
    assert_eq!(again.keys.list(&GroupScope::All, NOW)[0].last_used, Some(Timestamp(NOW.0 + 5).to_string()));
}
