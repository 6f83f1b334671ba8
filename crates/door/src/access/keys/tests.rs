//! Keys over their validity: made, found, changed, revoked, read back.

use storage::Options;
use tempfile::TempDir;
use types::GroupPattern;

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
    KeyOrder { name: name.to_owned(), role: role.to_owned(), groups, ..KeyOrder::default() }
}

impl Room {
    fn create(&self, role: &str, groups: &[&str]) -> NewKey {
        self.keys.create(&order("ci", role, groups), &GroupScope::All, NOW).expect("the order is right")
    }

    fn find(&self, text: &str, now: Timestamp) -> Option<Arc<Caller>> {
        self.keys.find(text, now).ok().flatten()
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
    let caller = again.find(&made.key, NOW).expect("it is known");
    assert_eq!((caller.role, caller.sends, &*caller.name), (Role::Read, false, "key:ci"));
    assert!(caller.scope.admits("a/b") && !caller.scope.admits("b"));
    let pair = again.keys.signing_key(&made.access_key_id, NOW).expect("it is valid");
    let (of_pair, secret) = pair.expect("its pair is known");
    assert_eq!((&of_pair.name, &secret), (&caller.name, &made.secret_access_key));
    let mut wrong = made.key.clone();
    wrong.pop();
    for text in ["", "catat_", "catat__", &made.view.id, &wrong, &format!("{}0", made.key), &made.key.to_uppercase()] {
        assert!(matches!(again.keys.find(text, NOW), Ok(None)), "{text}");
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
    let caller = room.find(&made.key, NOW).expect("it is known");
    room.keys.revoke(&made.view.id, &GroupScope::All, NOW).expect("it is there");
    assert!(!caller.validity.is_valid_at(NOW) && room.find(&made.key, NOW).is_none());
    assert!(matches!(room.keys.signing_key(&made.access_key_id, NOW), Ok(None)));
    assert!(matches!(room.keys.revoke(&made.view.id, &GroupScope::All, NOW), Err(KeyError::Unknown(_))));
    let again = room.reopen();
    assert!(again.find(&made.key, NOW).is_none() && !again.keys.admits_anonymous());
}

#[test]
fn a_key_that_was_replaced_goes_on_until_its_time_is_over() {
    let room = room();
    let old = room.create("ingest", &["a"]);
    let until = Timestamp(NOW.0 + Timestamp::HOUR);
    let new = room.keys.rotate(&old.view.id, until, &GroupScope::All, NOW).expect("it is there");
    assert!(new.key != old.key && new.secret_access_key != old.secret_access_key);
    let room = room.reopen();
    let (of_old, of_new) = (room.find(&old.key, NOW), room.find(&new.key, NOW));
    assert_eq!(of_old.map(|caller| caller.batches.clone()), of_new.map(|caller| caller.batches.clone()));
    assert!(room.find(&old.key, until).is_none() && room.find(&new.key, until).is_some());
    let states = |now| room.keys.list(&GroupScope::All, now).iter().map(|key| key.state.clone()).collect::<Vec<_>>();
    assert!(states(NOW).contains(&"replaced".into()) && states(until).contains(&"expired".into()));
    assert!(room.keys.rotate(&old.view.id, until, &GroupScope::All, until).is_err());
    room.keys.keep_uses(Timestamp(until.0 + 31 * Timestamp::DAY)).expect("the control store works");
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
    assert!(matches!(room.keys.revoke(&other.view.id, &narrow, NOW), Err(KeyError::Unknown(_))));
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
    assert!(!room.keys.take_save_of_uses());
    room.find(&made.key, Timestamp(NOW.0 + 5)).expect("it is known");
    assert!(room.keys.take_save_of_uses() && !room.keys.take_save_of_uses(), "one saves what all did");
    room.keys.keep_uses(NOW).expect("the control store works");
    assert!(!room.keys.take_save_of_uses());
    let again = room.reopen();
    let last_used = |room: &Room| room.keys.list(&GroupScope::All, NOW)[0].last_used.clone();
    assert_eq!(last_used(&again), Some(Timestamp(NOW.0 + 5).to_string()));
    assert!(again.find(&made.key, Timestamp(NOW.0 + 9)).is_some() && again.keys.take_first_uses().is_empty());
    again.keys.keep_uses(NOW).expect("the control store works");
    assert_eq!(last_used(&again.reopen()), Some(Timestamp(NOW.0 + 9).to_string()));
}

#[test]
fn saving_uses_brings_no_revoked_key_back_and_nodes_keep_the_later_use() {
    let room = room();
    let made = room.create("read", &["*"]);
    let other = Keys::open(room.store.clone(), None, NOW).expect("the keys can be read");
    other.find(&made.key, Timestamp(NOW.0 + 9)).expect("it can be read").expect("it is known");
    room.find(&made.key, Timestamp(NOW.0 + 5)).expect("it is known");
    other.keep_uses(NOW).expect("the control store works");
    room.keys.keep_uses(NOW).expect("the control store works");
    room.keys.reload(NOW).expect("the keys can be read");
    assert_eq!(room.keys.list(&GroupScope::All, NOW)[0].last_used, Some(Timestamp(NOW.0 + 9).to_string()));
    room.keys.revoke(&made.view.id, &GroupScope::All, NOW).expect("it is there");
    other.find(&made.key, Timestamp(NOW.0 + 10)).expect("it is known there for a moment");
    other.keep_uses(NOW).expect("the control store works");
    other.reload(NOW).expect("the keys can be read");
    drop(other);
    assert!(room.reopen().find(&made.key, NOW).is_none());
}

/// Returns a key that expires, and its order's problem if it is refused.
fn expiring(room: &Room, expires: &str) -> Result<NewKey, String> {
    let order = KeyOrder { expires: Some(expires.to_owned()), ..order("ci", "ingest", &["*"]) };
    room.keys.create(&order, &GroupScope::All, NOW).map_err(|error| error.to_string())
}

fn after(ns: i64) -> Timestamp {
    Timestamp(NOW.0 + ns)
}

#[test]
fn an_expired_key_is_refused_by_name_and_stays_in_the_list_for_a_month() {
    let room = room();
    let made = expiring(&room, "15d").expect("the order is right");
    let ends = after(15 * Timestamp::DAY);
    assert_eq!(made.view.expires, Some(ends.to_string()));
    let room = room.reopen();
    let state = |now| room.keys.list(&GroupScope::All, now).first().map(|key| key.state.clone()).unwrap_or_default();
    assert_eq!([NOW, after(Timestamp::DAY), ends].map(state), ["valid", "expiring", "expired"]);
    assert!(room.find(&made.key, Timestamp(ends.0 - 1)).is_some());
    let refused = room.keys.find(&made.key, ends).expect_err("it has expired").to_string();
    assert_eq!(refused, format!("the key \"ci\" ({}) expired at {ends}", made.view.id));
    assert!(matches!(room.keys.signing_key(&made.access_key_id, ends), Err(KeyError::Expired { .. })));
    // Who has not the whole key learns nothing.
    assert!(matches!(room.keys.find(&format!("{}0", made.key), ends), Ok(None)));
    room.keys.keep_uses(Timestamp(ends.0 + 29 * Timestamp::DAY)).expect("the control store works");
    assert!(room.keys.find(&made.key, ends).is_err());
    room.keys.keep_uses(Timestamp(ends.0 + 31 * Timestamp::DAY)).expect("the control store works");
    assert!(matches!(room.keys.find(&made.key, ends), Ok(None)) && room.reopen().keys.book().keys.is_empty());
}

#[test]
fn the_key_that_replaces_one_is_valid_for_as_long() {
    let room = room();
    let old = expiring(&room, "30d").expect("the order is right");
    let later = after(20 * Timestamp::DAY);
    let until = Timestamp(later.0 + Timestamp::HOUR);
    let new = room.keys.rotate(&old.view.id, until, &GroupScope::All, later).expect("it is there");
    assert_eq!(new.view.expires, Some(Timestamp(later.0 + 30 * Timestamp::DAY).to_string()));
    let expected = [("replaced".to_owned(), Some(until.to_string())), ("valid".to_owned(), new.view.expires)];
    let states = |keys: &Keys| keys.list(&GroupScope::All, later).into_iter().map(|key| (key.state, key.expires));
    assert_eq!(states(&room.keys).collect::<Vec<_>>(), expected);
    let other = Keys::open(room.store.clone(), None, NOW).expect("the keys can be read");
    let again = other.rotate(&new.view.id, until, &GroupScope::All, later).expect("it is there");
    room.keys.reload(later).expect("the keys can be read");
    assert_eq!(states(&room.keys).collect::<Vec<_>>(), states(&other).collect::<Vec<_>>());
    assert!(again.view.expires.is_some());
}

#[test]
fn times_that_are_none_or_over_are_refused() {
    let room = room();
    for wrong in ["", "soon", "0s", "-5d", "1969-01-01", "1970-01-01T00:16:40Z"] {
        let refused = expiring(&room, wrong).expect_err(wrong);
        assert!(refused.starts_with("expires: "), "{refused}");
    }
    assert!(room.keys.admits_anonymous());
    let made = expiring(&room, "2031-06-30").expect("the order is right");
    assert_eq!(made.view.expires.as_deref(), Some("2031-06-30T00:00:00Z"));
}

#[test]
fn documents_of_earlier_versions_are_read_and_theirs_read_ours() {
    let room = room();
    let made = room.create("read", &["*"]);
    let json = room.store.settings().get(KIND, &made.view.id).expect("it can be read").expect("it is there");
    let members = ["created_ns", "expires_ns", "groups", "hash", "line", "name", "role", "used_ns"];
    let document: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(&json).expect("JSON");
    assert_eq!(document.keys().collect::<Vec<_>>(), members, "as it always was, where nothing new is said");
    // One that was replaced and used, as an earlier version wrote it.
    let old = json.replace("\"expires_ns\":null", &format!("\"expires_ns\":{}", after(9).0));
    let old = old.replace("\"used_ns\":null", "\"used_ns\":7");
    room.store.settings().put(KIND, &made.view.id, &old).expect("it is put");
    let secret = room.store.settings().get(SECRET_KIND, SECRET_NAME).expect("it can be read").expect("it is there");
    assert!(!secret.contains("anonymous"), "{secret}");
    let again = room.reopen();
    let view = &again.keys.list(&GroupScope::All, NOW)[0];
    assert_eq!((view.state.as_str(), view.last_used.as_deref()), ("replaced", Some("1970-01-01T00:00:00.000000007Z")));
    assert!(again.find(&made.key, NOW).is_some() && again.keys.find(&made.key, after(9)).is_err());
}

#[test]
fn senders_without_a_key_are_given_time_with_the_first_key_alone() {
    let room = room();
    let first = |grace: &str| KeyOrder { anonymous_grace: Some(grace.to_owned()), ..order("ci", "ingest", &["*"]) };
    let create = |room: &Room, grace: &str| room.keys.create(&first(grace), &GroupScope::All, NOW);
    for wrong in ["never", "91d", "-1d"] {
        assert!(matches!(create(&room, wrong), Err(KeyError::Bad(_))), "{wrong}");
    }
    let open = room.keys.anonymous().caller(NOW).expect("there is no key yet");
    let upload = room.keys.anonymous().sender_of(&open);
    create(&room, "7d").expect("the order is right");
    assert!(!open.validity.is_valid_at(NOW) && upload.validity.is_valid_at(NOW), "what is being sent is taken");
    assert!(matches!(create(&room, "7d"), Err(KeyError::Bad(_))), "it is no longer the first");
    let ends = after(7 * Timestamp::DAY);
    let room = room.reopen();
    let sender = room.keys.anonymous().caller(NOW).expect("senders may go on");
    assert!(sender.sends && !sender.may(Role::Read) && !sender.may(Role::Operate) && !room.keys.admits_anonymous());
    assert_eq!(room.keys.anonymous().view(NOW)["until"], ends.to_string());
    assert!(room.keys.anonymous().caller(ends).is_none() && !sender.validity.is_valid_at(ends));
    let other = Keys::open(room.store.clone(), None, NOW).expect("the keys can be read");
    room.keys.end_grace(NOW).expect("there is one");
    other.reload(NOW).expect("the keys can be read");
    assert!(!sender.validity.is_valid_at(NOW) && other.anonymous().caller(NOW).is_none());
    drop(other);
    assert!(room.keys.end_grace(NOW).is_err() && room.reopen().keys.anonymous().caller(NOW).is_none());
}
