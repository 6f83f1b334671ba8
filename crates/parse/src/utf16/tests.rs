//! Halves of characters and units.

use proptest::prelude::*;

use super::*;

fn written(text: &str, encoding: Utf16) -> Vec<u8> {
    let bytes = |unit| match encoding {
        Utf16::LittleEndian => u16::to_le_bytes(unit),
        Utf16::BigEndian => u16::to_be_bytes(unit),
    };
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

proptest! {
    #[test]
    fn a_text_comes_back_and_its_lines_end_where_they_did(text in "[a-zé日😀\u{a0a}\r\n]{0,60}", is_big: bool) {
        let encoding = if is_big { Utf16::BigEndian } else { Utf16::LittleEndian };
        let bytes = written(&text, encoding);
        prop_assert_eq!(Utf16::of_mark(&bytes), Some(encoding));
        prop_assert_eq!(encoding.to_utf8(&bytes, 0), text.as_bytes());
        let transcript = Transcript::of(encoding, &bytes, 0);
        prop_assert_eq!(&transcript.text, text.as_bytes());
        for end in transcript.line_ends(text.len()) {
            let read = transcript.read_until(end);
            prop_assert_eq!(encoding.to_utf8(&bytes[..read], 0), &text.as_bytes()[..end]);
            prop_assert_eq!(encoding.to_utf8(&bytes[read..], read as u64), &text.as_bytes()[end..]);
        }
        let n_lines = text.split_inclusive('\n').count();
        prop_assert_eq!(transcript.line_ends(text.len()).count(), n_lines);
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..40), place in 0u64..4) {
        let read = Transcript::of(Utf16::LittleEndian, &bytes, place);
        prop_assert!(read.read_until(read.text.len()) <= bytes.len());
    }
}

#[test]
fn a_half_of_a_pair_is_no_character_and_a_half_unit_is_left() {
    assert_eq!(Utf16::LittleEndian.to_utf8(b"a\0\x3d\xd8b\0c", 0), b"a\xffb");
    assert_eq!(Utf16::LittleEndian.to_utf8(b"\0b\0", 7), b"b");
    assert_eq!(Utf16::named(Utf16::BigEndian.name()), Some(Utf16::BigEndian));
}
