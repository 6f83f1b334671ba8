//! Entries as the journal writes them, as nobody should, and cut anywhere.

use proptest::prelude::*;

use super::*;

type Field = (String, Vec<u8>);

/// Entries and faults by their numbers, and the number of the entry within which a stream ended.
type Read = (Vec<(u64, Vec<Field>)>, Vec<(u64, String)>, Option<u64>);

/// Reads a stream in pieces of so many bytes.
fn read(stream: &[u8], n_piece: usize, bytes_max: usize) -> Read {
    let (mut reader, mut entries) = (JournalReader::new(bytes_max), JournalEntries::default());
    for piece in stream.chunks(n_piece.max(1)) {
        reader.feed(piece, &mut entries);
        assert!(reader.n_held_bytes() <= bytes_max + 2 * HEAD_BYTES, "{} bytes are held", reader.n_held_bytes());
    }
    let cut = reader.finish(&mut entries).err();
    let owned =
        |entry: JournalEntry<'_>| entry.fields().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    let taken = entries.iter().map(|(number, entry)| (number, owned(entry))).collect();
    let faults = entries.faults.iter().map(|(number, fault)| (*number, fault.to_string())).collect();
    (taken, faults, cut)
}

fn binary(name: &str, length: u64, bytes: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b"\n", &length.to_le_bytes(), bytes, b"\n"].concat()
}

/// What is taken and what is refused, shortly.
fn check(stream: &[u8], expected: &[&str]) {
    for n_piece in [1, 7, stream.len()] {
        let (taken, faults, cut) = read(stream, n_piece, 1_000);
        let show = |(number, fields): &(u64, Vec<Field>)| {
            let fields = fields.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
            format!("{number} {}", fields.collect::<Vec<_>>().join(","))
        };
        let mut shown: Vec<String> = taken.iter().map(show).collect();
        shown.extend(faults.iter().map(|(number, fault)| format!("{number}! {fault}")));
        shown.extend(cut.map(|number| format!("{number} is cut off")));
        assert_eq!(shown, expected, "in pieces of {n_piece}: {}", String::from_utf8_lossy(stream));
    }
}

#[test]
fn entries_are_read_with_texts_and_bytes() {
    let lines = binary("MESSAGE", 7, b"a\nb\n\nc=");
    check(&[b"A=1\nB=x=y\n".as_slice(), &lines, b"\n\n\nC=\n\n"].concat(), &["1 A=1,B=x=y,MESSAGE=a\nb\n\nc=", "2 C="]);
    check(&binary("EMPTY", 0, b""), &["1 EMPTY="]);
    check(b"A=1\nA=2\n", &["1 A=1,A=2"]);
    check(b"", &[]);
    check(b"\n\n", &[]);
}

#[test]
fn a_broken_entry_is_named_and_costs_nobody_else() {
    check(b"A=1\n\nb=2\nC=3\n\nD=4\n\n", &["1 A=1", "3 D=4", "2! field \"b\" has no name that fields may have"]);
    check(b"hello world\nA=1\n\nD=4\n\n", &["2 D=4", "1! field \"hello world\" has no name that fields may have"]);
    check(
        b"=1\n\n0A=1\n\n",
        &["1! field \"\" has no name that fields may have", "2! field \"0A\" has no name that fields may have"],
    );
    let short = [b"A\n".as_slice(), &2u64.to_le_bytes(), b"xyz\nB=1\n\nC=1\n\n"].concat();
    check(&short, &["2 C=1", "1! field A: no newline after its bytes"]);
}

#[test]
fn what_is_too_large_is_read_over_by_its_own_length() {
    let large = [b"A=1\n".as_slice(), &binary("B", 2_000, &[b'\n'; 2_000]), b"C=1\n\nD=1\n\n"].concat();
    check(&large, &["2 D=1", "1! field B: entry is larger than 1000 bytes with it"]);
    let line = format!("A=1\nMESSAGE={}\nB\n\u{1}\0\0\0\0\0\0\0\n\n\nD=1\n\n", "x".repeat(2_000));
    check(line.as_bytes(), &["2 D=1", "1! field MESSAGE: entry is larger than 1000 bytes with it"]);
    let many = "A=\n".repeat(FIELDS_MAX + 1);
    let (taken, faults, _) = read(format!("{many}\nD=1\n\n").as_bytes(), 1_000, 1 << 20);
    assert_eq!((taken.len(), faults), (1, vec![(1, JournalFault::TooManyFields.to_string())]));
}

#[test]
fn lengths_that_nothing_can_have_and_ends_in_the_midst_are_survived() {
    for length in [u64::MAX, u64::MAX - 7, 1 << 63, 1 << 32] {
        check(&binary("A", length, &[b'x'; 3_000]), &["1 is cut off"]);
    }
    for cut in [b"A=1".as_slice(), b"A", b"A\n", b"A\n\x01\0", b"A\n\x01\0\0\0\0\0\0\0", b"B=1\nA\n\x01\0\0\0\0\0\0\0x"]
    {
        check(cut, &["1 is cut off"]);
    }
    check(&[b'A'; 5_000], &["1 is cut off"]);
}

fn any_entry() -> impl Strategy<Value = Vec<Field>> {
    let value = prop_oneof!["[ -~]{0,20}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..40)];
    prop::collection::vec(("[A-Z_][A-Z0-9_]{0,63}", value), 1..8)
}

/// As the journal writes it: bytes where a text would be no line.
fn encoded(entries: &[Vec<Field>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for entry in entries {
        for (name, value) in entry {
            if value.iter().all(|byte| *byte >= b' ' && *byte < 0x7f) {
                stream.extend([name.as_bytes(), b"=", value, b"\n"].concat());
            } else {
                stream.extend(binary(name, value.len() as u64, value));
            }
        }
        stream.push(b'\n');
    }
    stream
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_it_is_cut(entries in prop::collection::vec(any_entry(), 0..6), n_piece in 1usize..50) {
        let (taken, faults, cut) = read(&encoded(&entries), n_piece, 1 << 20);
        let expected: Vec<_> = (1..).zip(entries).collect();
        prop_assert_eq!((taken, faults, cut), (expected, vec![], None));
    }

    #[test]
    fn any_bytes_are_read_alike_however_they_are_cut(
        entries in prop::collection::vec(any_entry(), 1..4),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        n_piece in 1usize..50,
    ) {
        let mut stream = encoded(&entries);
        let at = at.index(stream.len());
        stream[at] = byte;
        prop_assert_eq!(read(&stream, n_piece, 200), read(&stream, stream.len(), 200));
    }

    #[test]
    fn noise_is_survived(stream in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'='), Just(b'A'), Just(0), any::<u8>()], 0..300)) {
        prop_assert_eq!(read(&stream, 1, 100), read(&stream, 1_000, 100));
    }
}
