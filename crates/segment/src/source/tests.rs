//! More files than may be open.

use super::*;

#[test]
fn more_files_are_read_than_are_open() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let pool = FilePool::new(3);
    let files: Vec<LocalFile> = (0..20u8)
        .map(|number| {
            let path = dir.path().join(number.to_string());
            std::fs::write(&path, [number; 10]).expect("room");
            pool.open(&path).expect("just written")
        })
        .collect();
    for round in 0..2 {
        for (number, file) in files.iter().enumerate() {
            assert_eq!(file.read_at(4, 3).expect("whole"), [number as u8; 3], "round {round}");
            assert!(pool.n_open() <= 3);
        }
    }
    assert!(files[0].read_at(8, 3).is_err(), "a read beyond the end is an error");
    drop(files);
    assert_eq!(pool.n_open(), 0);
}

#[test]
fn the_files_used_last_stay_open() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let pool = FilePool::new(2);
    let open = |name: &str| {
        std::fs::write(dir.path().join(name), name).expect("room");
        pool.open(&dir.path().join(name)).expect("just written")
    };
    let (used, _unused) = (open("a"), open("b"));
    used.read_at(0, 1).expect("whole");
    let _new = open("c");
    std::fs::remove_file(dir.path().join("a")).expect("removable");
    assert_eq!(used.read_at(0, 1).expect("still open"), b"a");
}
