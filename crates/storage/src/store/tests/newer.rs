//! A store in which a later version wrote any file is refused by everything that opens a store, and stays as it is.

use xxhash_rust::xxh3::xxh3_64;

use super::*;
use crate::{DeletionOrder, OpenError, backup, repair, restore, unlock, verify};

/// A kind of file: where one is, and how it says that it is of version 9.
type Kind = (&'static str, fn(&mut Vec<u8>));

const KINDS: [Kind; 9] = [
    ("catalog.sqlite", |bytes| bytes[60..64].copy_from_slice(&9u32.to_be_bytes())),
    ("control.sqlite", |bytes| bytes[60..64].copy_from_slice(&9u32.to_be_bytes())),
    ("UPKEEP", rename_format),
    (".wal", |bytes| {
        bytes[8] = 9;
        let hash = xxh3_64(&bytes[..crate::wal::MARK_OFFSET]);
        bytes[120..128].copy_from_slice(&hash.to_le_bytes());
    }),
    (".ids", |bytes| {
        bytes[8] = 9;
        let hash = xxh3_64(&bytes[..32]);
        bytes[32..40].copy_from_slice(&hash.to_le_bytes());
    }),
    (".group", rename_format),
    (".receipt", rename_format),
    (".events", |bytes| bytes[8] = 9),
    (".seg", |bytes| {
        bytes[8] = 9;
        let hash = xxh3_64(&bytes[..56]);
        bytes[56..64].copy_from_slice(&hash.to_le_bytes());
    }),
];

fn rename_format(bytes: &mut Vec<u8>) {
    *bytes = String::from_utf8_lossy(bytes).replace("format 1", "format 9").into_bytes();
}

fn files(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("readable").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push((path.clone(), std::fs::read(path).expect("readable"))),
        }
    }
    found.sort();
    found
}

/// Fills a store with a file of every kind.
fn fill(dir: &Path) {
    let (store, _) = open(dir);
    store.append(keyed("gone", 0, 5, 1, 1)).expect("room");
    store.append(keyed("g", 0, 50, 2, 2)).expect("room");
    store.flush().expect("room");
    assert!(store.delete_group(&group("gone")).expect("room"));
    let order = DeletionOrder {
        range: TimeRange::ALL,
        query: String::new(),
        requested_by: "a test".into(),
        reason: String::new(),
    };
    let some = sequences(&store)[..5].iter().copied().collect();
    // It stays under way: nothing writes the segment again.
    let _held = store.upkeep.compactor.hold();
    store.delete_events(&group("g"), some, &order).expect("room");
    store.append(keyed("g", 100, 5, 3, 3)).expect("room");
    store.segments.look_at_clock();
    let names: Vec<_> = files(dir).into_iter().map(|(path, _)| path.display().to_string()).collect();
    for (name, _) in KINDS.iter().filter(|(name, _)| *name != ".receipt") {
        assert!(names.iter().any(|found| found.ends_with(name)), "{name}: {names:?}");
    }
    // As a kill leaves it, while the deletion is under way.
}

#[test]
fn each_kind_of_file_of_a_later_version_is_refused_by_all_who_open_a_store() {
    let from = tempfile::tempdir().expect("a scratch directory");
    fill(from.path());
    let receipt = "catat receipt\nformat 1\nid 1\n";
    std::fs::write(from.path().join("tombstones/0000000000000001.receipt"), receipt).expect("writable");
    for (kind, change) in KINDS {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let mut changed = None;
        for (path, mut bytes) in files(from.path()) {
            let to = dir.path().join(path.strip_prefix(from.path()).expect("below"));
            if path.to_string_lossy().ends_with(kind) && changed.is_none() {
                change(&mut bytes);
                changed = Some(to.clone());
            }
            std::fs::create_dir_all(to.parent().expect("a directory")).expect("room");
            std::fs::write(&to, &bytes).expect("room");
        }
        let changed = changed.expect("a file of each kind");
        let before = files(dir.path());
        let to = tempfile::tempdir().expect("a scratch directory");
        let options = options(dir.path());
        let mut refused: Vec<(&str, Option<String>)> = Vec::new();
        let is_newer = |error: &OpenError| matches!(error, OpenError::NewerFormat { found: 9, .. });
        let opened = Store::open(options.clone()).err().filter(is_newer);
        refused.push(("open", opened.map(|error| error.to_string())));
        refused.push(("verify", verify(&options).err().filter(is_newer).map(|error| error.to_string())));
        refused.push(("repair", repair(&options).err().filter(is_newer).map(|error| error.to_string())));
        refused.push(("unlock", unlock(dir.path()).err().filter(is_newer).map(|error| error.to_string())));
        refused.push(("backup", backup(&options, &to.path().join("b")).err().map(|error| error.to_string())));
        refused.push(("restore", restore(dir.path(), &to.path().join("r")).err().map(|error| error.to_string())));
        for (command, refused) in refused {
            let text = refused.unwrap_or_else(|| panic!("{command} takes {kind}"));
            let file = changed.file_name().expect("a name").to_string_lossy().into_owned();
            assert!(text.contains("format 9 is newer than") && text.contains(&file), "{command} {kind}: {text}");
        }
        assert_eq!(before, files(dir.path()), "{kind}");
        assert_eq!(files(to.path()), [], "{kind}");
    }
}
