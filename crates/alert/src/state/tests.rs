//! States that are saved and loaded, older ones and damaged ones.

use super::*;
use crate::state_file::{StateError, encode};

fn kept() -> AlertState {
    let state = RuleState { evaluated_at: Some(7), why: "x".into(), ..RuleState::default() };
    AlertState { rules: BTreeMap::from([("r".into(), state)]), ..AlertState::default() }
}

#[test]
fn what_was_saved_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (file, empty) = open(dir.path(), None).unwrap();
    assert_eq!(empty, AlertState::default());
    file.save(&kept()).unwrap();
    assert_eq!(open(dir.path(), None).unwrap().1, kept());
}

#[test]
fn a_state_of_before_there_were_desks_is_read() {
    let old: AlertState = serde_json::from_str(
        r#"{"rules":{},"queues":{"hook":[{"id":"a","body":{},"made_at":0,"due_at":0,"n_failed":0}]}}"#,
    )
    .unwrap();
    assert_eq!((old.queues.len(), old.fired.len(), old.channels.len()), (1, 0, 0));
}

#[test]
fn a_damaged_file_is_set_aside_wherever_the_damage_is() {
    let dir = tempfile::tempdir().unwrap();
    let whole = encode(&kept(), FILE.1);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(dir.path().join("alerts.state"), &bytes).unwrap();
        match open(dir.path(), None) {
            // A flipped bit in the version number looks like a newer format, which changes nothing.
            Err(StateError::Newer { .. }) => {}
            Err(error) => panic!("{error}"),
            Ok((_, found)) => {
                assert_eq!(found, AlertState::default(), "at {at}");
                assert_eq!(fs::read(dir.path().join("alerts.damaged")).unwrap(), bytes);
            }
        }
    }
}
