//! What is put is there whole or is said to have failed, whatever the object store does.

use std::path::PathBuf;

use super::fake::{FakeS3, Trouble};
use super::*;

const STORE: [u8; 16] = [0xab; 16];

fn objects(fake: &FakeS3) -> Objects {
    Objects::new(&fake.options(), &STORE, Arc::default()).expect("a valid object store")
}

fn file_of(dir: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join("file");
    std::fs::write(&path, bytes).expect("room");
    path
}

/// Returns bytes that differ everywhere.
fn noise(n_bytes: usize) -> Vec<u8> {
    (0..n_bytes).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Returns a generator of small numbers that can be repeated.
fn dice(mut seed: u64) -> impl FnMut(u64) -> u64 + Send {
    move |n| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    }
}

#[test]
fn what_was_put_is_read_back_in_ranges_and_removed() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let (objects, bytes) = (objects(&fake), noise(100_000));
    let path = file_of(&dir, &bytes);
    assert_eq!(objects.put_file("a/b.seg", &path, |_| panic!("small")).expect("put"), 100_000);
    assert_eq!(fake.names(), [format!("/logs/some/prefix/{}/a/b.seg", "ab".repeat(16))]);
    assert_eq!(objects.url_of("a/b.seg"), format!("s3://logs/some/prefix/{}/a/b.seg", "ab".repeat(16)));
    let read = objects.read_many("a/b.seg", &[5..10, 99_990..100_000]).expect("there");
    assert_eq!(read, [&bytes[5..10], &bytes[99_990..]]);
    assert_eq!(objects.n_bytes("a/b.seg").expect("there"), 100_000);
    objects.remove("a/b.seg").expect("there");
    objects.remove("a/b.seg").expect("gone is as good as removed");
    let error = objects.read("a/b.seg", 0..1).expect_err("gone");
    assert_eq!((error.kind(), objects.unreachable()), (io::ErrorKind::NotFound, None));
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn a_large_file_is_put_in_parts_and_an_upload_that_fails_is_ended() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let (objects, bytes) = (objects(&fake), noise(PUT_BYTES_MAX as usize + 12_345));
    let path = file_of(&dir, &bytes);
    let mut begun = String::new();
    let note = |begun: &mut String, upload: &str| {
        upload.clone_into(begun);
        Ok(())
    };
    objects.put_file("large", &path, |upload| note(&mut begun, upload)).expect("put");
    assert_eq!((fake.names().len(), fake.n_uploads()), (1, 0));
    assert_eq!(begun, "large?uploadId=upload-1");
    let mut is_lost = false;
    fake.fail(move |request| {
        let is_last_step = request.method == "POST" && request.query.contains("uploadId");
        (is_last_step && !std::mem::replace(&mut is_lost, true)).then_some(Trouble::LostAnswer)
    });
    objects.put_file("large", &path, |_| Ok(())).expect("complete, though the answer was lost");
    fake.fail(|request| request.query.contains("partNumber=3").then_some(Trouble::Status(403)));
    objects.put_file("other", &path, |_| Ok(())).expect_err("a part was refused");
    assert_eq!((fake.names().len(), fake.n_uploads()), (1, 0));
    fake.fail(|request| matches!(&*request.method, "PUT" | "DELETE").then_some(Trouble::Status(403)));
    objects.put_file("other", &path, |upload| note(&mut begun, upload)).expect_err("everything was refused");
    assert_eq!(fake.n_uploads(), 1, "the upload could not be ended");
    fake.fail(|_| None);
    objects.remove(&begun).expect("permitted again");
    assert_eq!(fake.n_uploads(), 0);
}

#[test]
fn what_arrives_short_or_wrong_is_never_taken_for_put() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let (objects, path) = (objects(&fake), file_of(&dir, &noise(1000)));
    for trouble in [Trouble::ShortBody, Trouble::WrongByte] {
        for method in ["PUT", "GET"] {
            fake.fail(move |request| (request.method == method).then_some(trouble));
            let put = objects.put_file("x", &path, |_| Ok(()));
            assert!(put.is_err(), "{trouble:?} of {method}");
        }
    }
    fake.fail(|_| None);
    objects.put_file("x", &path, |_| Ok(())).expect("the same name is put again");
}

#[test]
fn most_puts_succeed_where_one_request_in_five_fails_and_none_is_wrong() {
    let (fake, dir) = (FakeS3::start(), tempfile::tempdir().expect("a scratch directory"));
    let objects = objects(&fake);
    let mut random = dice(7);
    fake.fail(move |_| match random(25) {
        0 => Some(Trouble::Status(500)),
        1 => Some(Trouble::Status(503)),
        2 => Some(Trouble::LostAnswer),
        3 => Some(Trouble::ShortBody),
        4 => Some(Trouble::WrongByte),
        _ => None,
    });
    let mut put = Vec::new();
    for i in 0..400usize {
        let path = file_of(&dir, &noise(200 + i));
        if objects.put_file(&format!("{i}"), &path, |_| Ok(())).is_ok() {
            put.push(i);
        }
    }
    fake.fail(|_| None);
    assert!(put.len() > 300, "{} of 400", put.len());
    for i in put {
        assert_eq!(objects.read(&format!("{i}"), 0..200 + i as u64).expect("there"), noise(200 + i), "{i}");
    }
}

#[test]
fn a_store_that_does_not_answer_is_not_asked_again_at_once() {
    let fake = FakeS3::start();
    let mut options = fake.options();
    (options.patience, options.answer_timeout) = (Duration::from_secs(60), Duration::from_millis(30));
    let objects = Objects::new(&options, &STORE, Arc::default()).expect("a valid object store");
    fake.fail(|_| Some(Trouble::Silence));
    let error = objects.read("x", 0..1).expect_err("no answer");
    assert!(objects.unreachable().is_some_and(|problem| problem == error.to_string()));
    let asked = fake.take_requests("GET");
    assert!(asked > 1, "it was tried again");
    objects.read("x", 0..1).expect_err("still the same");
    assert_eq!(fake.take_requests("GET"), 0);
    fake.fail(|_| None);
    objects.probe();
    assert_eq!(objects.unreachable(), None);
}

#[test]
fn closing_ends_what_is_waited_for() {
    let fake = FakeS3::start();
    let options = ObjectStoreOptions { answer_timeout: Duration::from_secs(600), ..fake.options() };
    let objects = Objects::new(&options, &STORE, Arc::default()).expect("a valid object store");
    let (asked, is_asked) = sync_channel(1);
    fake.fail(move |_| {
        let _ = asked.try_send(());
        Some(Trouble::Silence)
    });
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| objects.read("x", 0..1));
        is_asked.recv().expect("a request");
        objects.close();
        reader.join().expect("no panic").expect_err("closed");
    });
    objects.read("x", 0..1).expect_err("closed for good");
}
