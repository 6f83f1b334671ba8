//! The limit of copies, restarts, damage, and disks short of space.

use super::*;

const STORE: [u8; 16] = [3; 16];
const PAGE: usize = PAGE_BYTES as usize;
/// Bytes of the file of a page.
const FILE: u64 = (PAGE + HEADER_BYTES) as u64;

fn bytes_on_disk(dir: &Path) -> u64 {
    let files = fs::read_dir(dir.join("pages")).expect("readable").flatten();
    files.map(|file| file.metadata().expect("readable").len()).sum()
}

#[test]
fn no_more_is_kept_than_allowed_and_what_was_used_last_stays() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let cache = ReadCache::open(dir.path(), STORE, 3 * FILE + 5, 0);
    for page in 0..6 {
        cache.keep((1, page), &vec![page as u8; PAGE]);
        assert!(cache.read((1, 0), 3..5).is_some_and(|read| read == [0, 0]), "page 0 is used all the time");
        assert!(bytes_on_disk(dir.path()) <= 3 * FILE + 5);
    }
    let at_hand: Vec<u64> = (0..6).filter(|page| cache.has((1, *page))).collect();
    assert_eq!((at_hand, cache.used().n_bytes), (vec![0, 4, 5], 3 * FILE));
    cache.forget_segment(1);
    assert_eq!((cache.used().n_bytes, bytes_on_disk(dir.path())), (0, 0));
}

#[test]
fn a_restart_finds_what_was_kept_and_shrinks_it_to_a_smaller_bound() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let cache = ReadCache::open(dir.path(), STORE, 9 * FILE, 0);
    (0..4).for_each(|page| cache.keep((1, page), &vec![page as u8; PAGE]));
    cache.keep_end(1, 77, b"the end");
    fs::write(dir.path().join("pages/rubbish.tmp"), "x").expect("room");
    let cache = ReadCache::open(dir.path(), STORE, 2 * FILE, 0);
    assert_eq!(cache.used().n_bytes, 2 * FILE);
    assert_eq!(bytes_on_disk(dir.path()), 2 * FILE);
    let kept = (0..4).filter_map(|page| cache.read((1, page), 0..1).map(|read| (page as u8, read)));
    assert!(kept.into_iter().all(|(page, read)| read == [page]));
    assert_eq!(cache.end(1), Some((77, b"the end".to_vec())));
    cache.keep_ends_of(&|id| id != 1);
    assert_eq!(cache.end(1), None);
}

#[test]
fn a_damaged_torn_or_foreign_piece_is_a_miss() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join(format!("pages/{:032x}-{:06x}.piece", 1, 0));
    let spoils: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes[HEADER_BYTES + 9] ^= 1,
        |bytes| bytes[20] ^= 1,
        |bytes| bytes.truncate(HEADER_BYTES + 50),
        |bytes| bytes.truncate(3),
    ];
    for spoil in spoils {
        let cache = ReadCache::open(dir.path(), STORE, 9 * FILE, 0);
        cache.keep((1, 0), &[5; 100]);
        let mut bytes = fs::read(&path).expect("just written");
        spoil(&mut bytes);
        fs::write(&path, bytes).expect("room");
        let cache = ReadCache::open(dir.path(), STORE, 9 * FILE, 0);
        assert_eq!(cache.read((1, 0), 0..3), None);
        assert!(!path.exists(), "what is wrong goes");
    }
    let other = ReadCache::open(dir.path(), [4; 16], 9 * FILE, 0);
    other.keep((1, 0), &[5; 100]);
    assert_eq!(ReadCache::open(dir.path(), STORE, 9 * FILE, 0).read((1, 0), 0..3), None);
}

#[test]
fn copies_give_way_where_the_disk_is_short_of_room() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let cache = ReadCache::open(dir.path(), STORE, 9 * FILE, 0);
    (0..3).for_each(|page| cache.keep((1, page), &vec![0; PAGE]));
    let crowded = ReadCache::open(dir.path(), STORE, 9 * FILE, u64::MAX);
    crowded.keep((1, 7), &vec![0; PAGE]);
    assert!(!crowded.has((1, 7)));
    assert_eq!(bytes_on_disk(dir.path()), 2 * FILE, "and a page goes instead");
}

#[test]
fn without_a_directory_everything_is_a_miss() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    fs::write(dir.path().join("file"), "").expect("room");
    let cache = ReadCache::open(&dir.path().join("file"), STORE, 9 * FILE, 0);
    cache.keep((1, 0), &[5; 100]);
    cache.keep_end(1, 0, b"x");
    assert_eq!((cache.read((1, 0), 0..3), cache.end(1)), (None, None));
    assert_eq!(cache.used().n_bytes, 0);
}
