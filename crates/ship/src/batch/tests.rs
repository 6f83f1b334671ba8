//! Parts of batches and their places.

use super::*;

/// Returns a batch of these bytes, which begin at 100 in their file.
pub(crate) fn batch(bytes: &str, lengths: Option<&[u64]>) -> FileBatch {
    FileBatch {
        group: types::group_name_of_outside("a/b#c"),
        stream: "h:/var/log/a b".into(),
        header: Header {
            source: "s".into(),
            file: "f".into(),
            generation: 0,
            start: 100,
            begin: 0,
            lengths: lengths.map(<[u64]>::to_vec),
            host: "h".into(),
            path: "/var/log/a b".into(),
            zone: None,
            format: None,
            encoding: None,
            modified: None,
            content: None,
            samples: false,
            fields: BTreeMap::new(),
        },
        bytes: Arc::new(bytes.into()),
        at: PathBuf::new(),
        key: FileKey { device: 0, inode: 0 },
        mark_after: Mark::default(),
        content_after: None,
        unasked: None,
    }
}

/// Splits until nothing can be split, and returns every event with its place.
fn events(batch: FileBatch) -> Vec<(u64, String)> {
    match batch.split() {
        Some((first, second)) => {
            assert!(!first.bytes.is_empty() && !second.bytes.is_empty());
            assert_eq!(
                (first.header.start, first.end(), second.end()),
                (batch.header.start, second.header.start, batch.end())
            );
            [events(first), events(second)].concat()
        }
        None => vec![(batch.header.start, String::from_utf8_lossy(&batch.bytes).into_owned())],
    }
}

#[test]
fn a_batch_splits_into_its_events_which_keep_their_places() {
    let expect = |batch: FileBatch, texts: &[&str]| {
        let mut start = 100;
        let mut expected = Vec::new();
        for text in texts {
            expected.push((start, (*text).to_string()));
            start += text.len() as u64;
        }
        assert_eq!(events(batch), expected);
    };
    expect(batch("one\ntwo\n\nthree", None), &["one\n", "two\n", "\n", "three"]);
    expect(batch("one", None), &["one"]);
    expect(batch("", None), &[""]);
    let long = format!("{}\n", "x".repeat(1000));
    expect(batch(&format!("a\nb\n{long}"), None), &["a\n", "b\n", &long]);
    expect(batch(&format!("{long}a\nb"), None), &[&long, "a\n", "b"]);
    expect(batch("E\n at x\nnext\n\nF\n at y\n", Some(&[8, 6, 8])), &["E\n at x\n", "next\n\n", "F\n at y\n"]);
}

#[test]
fn comments_between_samples_are_known_as_such() {
    let check = |bytes: &str, samples: bool| {
        let mut batch = batch(bytes, None);
        batch.header.samples = samples;
        batch.has_comments_alone()
    };
    let comment = "# {\"metadata\":{}}\n";
    assert!(check(&comment.repeat(2), true) && !check(comment, false));
    assert!(!check(&format!("{comment}{{}} 1 2\n"), true));
}

#[test]
fn a_part_of_a_batch_is_its_events_within_a_range() {
    let whole = batch("E\n at x\nnext\n\nF\n at y\n", Some(&[8, 6, 8]));
    let part = whole.part(108..114).expect("an event is there");
    assert_eq!((part.header.start, &part.bytes[..], part.header.lengths), (108, &b"next\n\n"[..], Some(vec![6])));
    let rest = whole.part(108..200).expect("events are there");
    assert_eq!(rest.header.lengths, Some(vec![6, 8]));
    assert!(whole.part(122..130).is_none() && whole.part(0..100).is_none());
}
