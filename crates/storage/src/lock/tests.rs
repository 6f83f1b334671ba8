//! Directories that are a store, and those that are not.

use super::*;

#[test]
fn a_store_is_known_by_its_file() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    assert_eq!(read_store(dir.path()).expect("nothing there"), None);
    let uuid = create_store(dir.path()).expect("room");
    assert_eq!(read_store(dir.path()).expect("a store"), Some(uuid));
    let text = std::fs::read_to_string(dir.path().join("STORE")).expect("readable");
    let write = |text: String| std::fs::write(dir.path().join("STORE"), text).expect("writable");
    write(text.replace("format 1", "format 2"));
    assert!(matches!(read_store(dir.path()), Err(OpenError::NewerFormat { found: 2, known: 1, .. })));
    write(text.replace("uuid ", "uuid 0"));
    assert!(matches!(read_store(dir.path()), Err(OpenError::NotAStore { .. })));
    write(String::new());
    assert!(matches!(read_store(dir.path()), Err(OpenError::NotAStore { .. })));
}

#[test]
fn a_directory_with_data_but_no_store_file_is_not_taken_for_new() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    std::fs::create_dir(dir.path().join("segments")).expect("room");
    assert!(matches!(create_store(dir.path()), Err(OpenError::NotAStore { .. })));
}
