//! The number of requests for pages.

use super::*;
use crate::objects::fake::{FakeS3, Trouble};

const STORE: [u8; 16] = [9; 16];

/// Returns an object of some whole pages and a partial one, whose bytes are the numbers of their pages, and a cache.
fn object_of(fake: &FakeS3, dir: &tempfile::TempDir, n_pages: u64, cache_bytes: u64) -> RemoteObject {
    let objects = Objects::new(&fake.options(), &STORE, Arc::default()).expect("a valid object store");
    let path = dir.path().join("file");
    let bytes: Vec<u8> = (0..n_pages * PAGE_BYTES + 100).map(|at| (at / PAGE_BYTES) as u8).collect();
    std::fs::write(&path, &bytes).expect("room");
    let n_bytes = objects.put_file("x", &path, |_| Ok(())).expect("put");
    fake.take_requests("GET");
    RemoteFiles::new(objects, ReadCache::open(dir.path(), STORE, cache_bytes, 0)).open("x", 1, n_bytes)
}

#[test]
fn neighbouring_pages_come_with_one_request_and_none_is_asked_for_twice() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let object = object_of(&fake, &dir, 13, u64::MAX);
    let page = |page: u64| page * PAGE_BYTES + 7..page * PAGE_BYTES + 9;
    object.prefetch(&[page(5), page(1), page(2), page(6), page(12)]);
    assert_eq!(fake.take_requests("GET"), 3);
    object.prefetch(&[page(1), page(5)]);
    assert_eq!(object.read_at(6 * PAGE_BYTES - 2, 4).expect("there"), [5, 5, 6, 6]);
    assert_eq!(fake.take_requests("GET"), 0);
    let whole = object.read_at(0, object.n_bytes() as usize).expect("there");
    assert_eq!(whole.len() as u64, object.n_bytes());
    assert!(whole.iter().enumerate().all(|(at, byte)| *byte as usize == at / PAGE_BYTES as usize));
    assert_eq!(fake.take_requests("GET"), 4, "what was missing: 0, 3-4, 7-11, 13");
    assert!(object.read_at(object.n_bytes() - 1, 2).is_err(), "a read beyond the end is an error");
}

#[test]
fn threads_that_miss_the_same_page_ask_once() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let object = object_of(&fake, &dir, 3, u64::MAX);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(object.read_at(2 * PAGE_BYTES, 3).expect("there"), [2, 2, 2]));
        }
    });
    assert_eq!(fake.take_requests("GET"), 1);
}

#[test]
fn what_is_expected_is_asked_for_once_and_its_readers_wait_for_it() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let object = object_of(&fake, &dir, 9, u64::MAX);
    let page = |page: u64| page * PAGE_BYTES + 7..page * PAGE_BYTES + 9;
    object.expect(&[page(1), page(4), page(4)]);
    object.expect(&[page(4), page(8)]);
    for page in [8, 1, 4] {
        assert_eq!(object.read_at(page * PAGE_BYTES, 2).expect("there"), [page as u8; 2]);
    }
    assert_eq!(fake.take_requests("GET"), 3);
}

#[test]
fn whoever_waits_for_what_was_expected_in_vain_asks_again() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let object = object_of(&fake, &dir, 3, u64::MAX);
    let mut n_asked = 0;
    fake.fail(move |request| {
        n_asked += usize::from(request.method == "GET");
        (request.method == "GET" && n_asked == 1).then_some(Trouble::ShortBody)
    });
    object.expect(std::slice::from_ref(&(2 * PAGE_BYTES..2 * PAGE_BYTES + 1)));
    assert_eq!(object.read_at(2 * PAGE_BYTES, 2).expect("there"), [2, 2]);
    fake.fail(|request| (request.method == "GET").then_some(Trouble::Silence));
    object.expect(std::slice::from_ref(&(0..1)));
    object.files.objects.close();
    assert!(object.read_at(0, 2).is_err(), "nobody brings it any longer");
}

#[test]
fn without_room_for_copies_the_pages_read_last_are_still_at_hand() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let object = object_of(&fake, &dir, 3, 0);
    for _ in 0..5 {
        (0..3).for_each(|page| {
            let read = object.read_at(page * PAGE_BYTES, 2).expect("there");
            assert_eq!(read, [page as u8; 2]);
        });
    }
    assert_eq!(fake.take_requests("GET"), 3);
}
