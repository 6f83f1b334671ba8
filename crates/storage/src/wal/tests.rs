//! What a damaged WAL file gives back.

mod model;

use types::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::reader::FileContext;
use super::record::Header;
use super::*;

const SALT: u64 = 0x1234_5678_9abc_def0;

fn header(salt: u64) -> FileHeader {
    FileHeader { version: VERSION, store: [7; 16], number: 3, salt, first_sequence: 1, previous: None }
}

fn file() -> Vec<u8> {
    header(SALT).encode().to_vec()
}

/// Appends records with these bodies as one group commit.
fn commit(file: &mut Vec<u8>, bodies: &[&[u8]]) {
    let commit_offset = file.len() as u64;
    for body in bodies {
        let header = Header {
            commit_offset,
            first_sequence: file.len() as u64,
            ingestion_time: Timestamp(5),
            group_ids: vec![1, 2],
            body_bytes: body.len(),
            body_hash: xxh3_64(body),
        };
        header.put(SALT, file);
        file.extend_from_slice(body);
    }
}

fn bodies(file: &[u8], contents: &reader::Contents) -> Vec<Vec<u8>> {
    contents.records.iter().map(|(header, range)| reader::body(file, header, range).to_vec()).collect()
}

#[test]
fn records_come_back_in_order() {
    let mut file = file();
    commit(&mut file, &[b"one", b""]);
    commit(&mut file, &[b"three"]);
    let contents = reader::read(&file, FileContext::Last).expect("an intact header");
    assert_eq!(bodies(&file, &contents), [b"one".to_vec(), b"".to_vec(), b"three".to_vec()]);
    assert_eq!((contents.damaged.len(), contents.torn_from), (0, None));
    assert_eq!(contents.header.number, 3);
}

#[test]
fn torn_tail_is_cut_at_every_byte_of_the_last_three_records() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    let mut starts = vec![file.len()];
    for body in [&b"two"[..], b"", b"the last record"] {
        commit(&mut file, &[body]);
        starts.push(file.len());
    }
    for end in starts[0]..file.len() {
        let contents = reader::read(&file[..end], FileContext::Last).expect("an intact header");
        let n_whole = starts.iter().filter(|start| **start <= end).count();
        assert_eq!(contents.records.len(), n_whole, "cut at {end}");
        let torn_from = starts[n_whole - 1];
        assert_eq!(contents.torn_from, (end > torn_from).then_some(torn_from), "cut at {end}");
        assert!(contents.damaged.is_empty() && contents.missing.is_none());
    }
}

#[test]
fn a_flipped_byte_of_the_last_record_is_a_torn_tail() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    let kept = file.len();
    commit(&mut file, &[b"the last record"]);
    for at in kept..file.len() {
        file[at] ^= 0x55;
        let contents = reader::read(&file, FileContext::Last).expect("an intact header");
        assert_eq!((contents.records.len(), contents.torn_from), (1, Some(kept)), "byte {at}");
        file[at] ^= 0x55;
    }
}

#[test]
fn a_flipped_byte_before_a_later_commit_is_damage_and_the_rest_is_kept() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    let from = file.len();
    commit(&mut file, &[b"two"]);
    let to = file.len();
    commit(&mut file, &[b"three"]);
    for at in from..to {
        file[at] ^= 0x55;
        let contents = reader::read(&file, FileContext::Last).expect("an intact header");
        assert_eq!(bodies(&file, &contents), [b"one".to_vec(), b"three".to_vec()], "byte {at}");
        assert!(contents.damaged.into_iter().eq(std::iter::once(from..to)));
        assert_eq!(contents.torn_from, None);
        file[at] ^= 0x55;
    }
}

#[test]
fn a_hole_inside_the_last_commit_is_torn_even_where_later_records_arrived() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    let from = file.len();
    commit(&mut file, &[b"two", b"three"]);
    file[from..from + 60].fill(0);
    let contents = reader::read(&file, FileContext::Last).expect("an intact header");
    assert_eq!(bodies(&file, &contents), [b"one".to_vec()]);
    assert_eq!((contents.torn_from, contents.damaged.len()), (Some(from), 0));
}

#[test]
fn a_sealed_file_has_no_torn_tail_but_damage() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    let kept = file.len();
    commit(&mut file, &[b"two"]);
    let contents = reader::read(&file[..kept + 20], FileContext::Followed(None)).expect("an intact header");
    assert_eq!(contents.torn_from, None);
    assert!(contents.damaged.into_iter().eq(std::iter::once(kept..kept + 20)));
}

#[test]
fn records_of_another_file_are_never_replayed() {
    let mut other = header(99).encode().to_vec();
    let mut file = file();
    commit(&mut file, &[b"old"]);
    other.extend_from_slice(&file[FILE_HEADER_BYTES..]);
    let contents = reader::read(&other, FileContext::Last).expect("an intact header");
    assert_eq!((contents.records.len(), contents.torn_from), (0, Some(FILE_HEADER_BYTES)));
    let mut inside = self::file();
    let event = file[FILE_HEADER_BYTES..].to_vec();
    commit(&mut inside, &[&event]);
    assert_eq!(reader::read(&inside, FileContext::Last).expect("an intact header").records.len(), 1);
}

#[test]
fn a_damaged_file_header_is_named() {
    let intact = file();
    for at in (0..MARK_OFFSET).chain(120..FILE_HEADER_BYTES) {
        let mut file = intact.clone();
        file[at] ^= 1;
        assert_eq!(FileHeader::decode(&file), Err(HeaderError::Damaged), "byte {at}");
    }
    assert!(FileHeader::decode(&intact[..FILE_HEADER_BYTES - 1]).is_err());
    assert_eq!(FileHeader::decode(&intact), Ok(header(SALT)));
    let mut newer = intact;
    newer[8] = VERSION as u8 + 1;
    let hash = xxh3_64(&newer[..MARK_OFFSET]);
    newer[120..].copy_from_slice(&hash.to_le_bytes());
    assert_eq!(FileHeader::decode(&newer), Err(HeaderError::Version(VERSION + 1)));
}

#[test]
fn a_damaged_mark_is_named_and_every_record_read() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    for at in MARK_OFFSET..MARK_OFFSET + MARK_BYTES {
        file[at] ^= 1;
        let contents = reader::read(&file, FileContext::Last).expect("an intact header");
        assert!(contents.is_mark_damaged && contents.records.len() == 1, "byte {at}");
        file[at] ^= 1;
    }
    assert!(!reader::read(&file, FileContext::Last).expect("an intact header").is_mark_damaged);
}

#[test]
fn what_the_mark_covers_is_damage_and_no_torn_tail() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    let kept = file.len();
    commit(&mut file, &[b"two"]);
    let n_bytes = file.len() as u64;
    mark(&mut file, n_bytes);
    for at in kept..file.len() {
        file[at] ^= 0x55;
        let contents = reader::read(&file, FileContext::Last).expect("an intact header");
        assert_eq!((contents.records.len(), contents.torn_from), (1, None), "byte {at}");
        assert!(contents.damaged.into_iter().eq(std::iter::once(kept..file.len())), "byte {at}");
        file[at] ^= 0x55;
        let contents = reader::read(&file[..at], FileContext::Last).expect("an intact header");
        assert_eq!((contents.records.len(), contents.torn_from), (1, None), "cut at {at}");
        assert_eq!(contents.missing, Some(at as u64..file.len() as u64), "also where a record ends");
    }
    let synced = file.len();
    commit(&mut file, &[b"three"]);
    for end in synced + 1..file.len() {
        let contents = reader::read(&file[..end], FileContext::Last).expect("an intact header");
        assert_eq!((contents.records.len(), contents.torn_from, contents.missing), (2, Some(synced), None));
    }
    assert_eq!(reader::read(&file, FileContext::Last).expect("an intact header").unproven_from, synced);
}

#[test]
fn whatever_is_short_or_changed_of_acknowledged_files_is_named() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut writer = writer::Writer::create(dir.path(), [7; 16], 1, 1, None, Default::default()).expect("room");
    for _ in 0..2 {
        for body in [&b"one"[..], b"the last record"] {
            let mut bytes = Vec::new();
            let header = Header {
                commit_offset: writer.end(),
                first_sequence: 1,
                ingestion_time: Timestamp(5),
                group_ids: vec![1],
                body_bytes: body.len(),
                body_hash: xxh3_64(body),
            };
            header.put(writer.salt(), &mut bytes);
            writer.append(&[&bytes, body].concat()).expect("room");
        }
        if writer.number() == 1 {
            writer.rotate(2).expect("room");
        }
    }
    let files = [1, 2].map(|number| std::fs::read(path_of(dir.path(), number)).expect("readable"));
    let is_whole_or_named = |bytes: &[u8], place| {
        reader::read(bytes, place).map_or(true, |contents| {
            let is_named = !contents.damaged.is_empty() || contents.missing.is_some() || contents.is_mark_damaged;
            is_named || contents.records.len() == 2
        })
    };
    let n_bytes = files[0].len() as u64;
    let places = [FileContext::Followed(Some(n_bytes)), FileContext::Followed(None), FileContext::Last];
    for (file, place) in [(0, places[0]), (0, places[1]), (1, places[2])] {
        let mut bytes = files[file].clone();
        for at in 0..bytes.len() {
            assert!(is_whole_or_named(&bytes[..at], place), "{place:?} cut at {at}");
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                assert!(is_whole_or_named(&bytes, place), "{place:?} bit {bit} of byte {at}");
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn the_file_that_follows_tells_how_long_this_one_is() {
    let mut file = file();
    commit(&mut file, &[b"one"]);
    let kept = file.len();
    commit(&mut file, &[b"two"]);
    let place = FileContext::Followed(Some(file.len() as u64));
    let contents = reader::read(&file[..kept], place).expect("an intact header");
    assert_eq!((contents.records.len(), contents.missing), (1, Some(kept as u64..file.len() as u64)));
    assert_eq!(reader::read(&file, place).expect("an intact header").missing, None);
}

#[test]
fn files_of_format_1_are_read() {
    let mut old = file()[..56].to_vec();
    old[8] = 1;
    let hash = xxh3_64(&old);
    old.extend_from_slice(&hash.to_le_bytes());
    let first = old.len();
    commit(&mut old, &[b"one", b"two"]);
    let kept = old.len();
    commit(&mut old, &[b"three"]);
    let contents = reader::read(&old, FileContext::Last).expect("an intact header");
    assert_eq!((contents.header.version, contents.records.len(), contents.records[0].1.start), (1, 3, first));
    let contents = reader::read(&old[..kept + 9], FileContext::Last).expect("an intact header");
    assert_eq!((contents.records.len(), contents.torn_from), (2, Some(kept)));
    old[20] ^= 1;
    assert_eq!(FileHeader::decode(&old), Err(HeaderError::Damaged));
}

#[test]
fn the_last_file_of_a_copy_names_no_other_one() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut writer = writer::Writer::create(dir.path(), [7; 16], 1, 1, None, Default::default()).expect("room");
    writer.append(b"whatever stands here").expect("room");
    writer.rotate(2).expect("room");
    let missing = || chain::Chain::read(dir.path(), &[1], 1, 1).expect("readable").missing;
    assert_eq!(missing(), [2..=2]);
    let path = path_of(dir.path(), 1);
    let mut bytes = std::fs::read(&path).expect("readable");
    unseal(&mut bytes);
    std::fs::write(&path, &bytes).expect("room");
    assert_eq!(missing(), []);
    assert!(!reader::read(&bytes, FileContext::Last).expect("an intact header").is_mark_damaged);
}
