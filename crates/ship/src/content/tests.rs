//! Hashes of ranges of a file.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn the_hash_does_not_depend_on_how_bytes_are_cut(bytes in proptest::collection::vec(any::<u8>(), 0..200),
                                                    cuts in proptest::collection::vec(0usize..200, 0..5)) {
        let whole = Content::begin(7).with(&bytes);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let parts = cuts.windows(2).fold(Content::begin(7), |content, cut| content.with(&bytes[cut[0]..cut[1]]));
        prop_assert_eq!(whole, parts);
        if let Some(first) = bytes.first() {
            let mut other = bytes.clone();
            other[0] = first.wrapping_add(1);
            prop_assert!(Content::begin(7).with(&other) != whole);
        }
    }
}

#[test]
fn ranges_of_a_file_have_the_hashes_of_what_was_sent_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let text: Vec<u8> = (0..300_000u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    let path = dir.path().join("f");
    std::fs::write(&path, &text).unwrap();
    let file = File::open(&path).unwrap();
    let rules = Rules::default();
    let mut hasher = Hasher::new(&file, &rules);
    let end = text.len() as u64;
    let ranges = [(0, 100), (100, end), (0, end), (0, end + 1)];
    let sent = |from: usize, to: usize| Some(Content::begin(from as u64).with(&text[from..to]).text());
    let hashes = hasher.hashes(&ranges, &|| true).unwrap();
    assert_eq!(hashes, [sent(0, 100), sent(100, text.len()), sent(0, text.len()), None]);
    assert!(Hasher::new(&file, &rules).hashes(&ranges, &|| false).is_err());
}

#[test]
fn a_file_that_grew_is_read_on_from_where_it_was_compared() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    let (file, rules) = (File::open(&path).unwrap(), Rules::default());
    let mut hasher = Hasher::new(&file, &rules);
    hasher.hashes(&[(0, 4)], &|| true).unwrap();
    assert_eq!(
        hasher.hashes(&[(0, 8), (0, 2)], &|| true).unwrap(),
        [Some(Content::begin(0).with(b"one\ntwo\n").text()), None]
    );
}
