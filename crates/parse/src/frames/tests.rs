//! Frames of a stream: counted and ended ones, too long and wrong ones.

use super::*;

/// The frames of a stream that comes in pieces of `n_bytes`.
fn frames_of(stream: &[u8], n_bytes: usize) -> Vec<(String, u64)> {
    let (mut framer, mut frames) = (Framer::new(20), Frames::default());
    stream.chunks(n_bytes).for_each(|piece| framer.feed(piece, &mut frames));
    framer.finish(&mut frames);
    frames.iter().map(|(frame, n_cut)| (String::from_utf8_lossy(frame).into_owned(), n_cut)).collect()
}

fn check(stream: &str, expected: &[(&str, u64)]) {
    for n_bytes in 1..=stream.len() {
        let frames = frames_of(stream.as_bytes(), n_bytes);
        let shown: Vec<(&str, u64)> = frames.iter().map(|(text, n_cut)| (text.as_str(), *n_cut)).collect();
        assert_eq!(shown, expected, "{stream:?} in pieces of {n_bytes}");
    }
}

#[test]
fn counted_and_ended_frames_are_told_apart_however_the_stream_is_cut() {
    check("<1>a\n<2>b\r\n\n<3>c", &[("<1>a", 0), ("<2>b", 0), ("<3>c", 0)]);
    check("<1>a\0<2>b\0", &[("<1>a", 0), ("<2>b", 0)]);
    check("4 <1>a6 <2>b\nc3 <3>", &[("<1>a", 0), ("<2>b\nc", 0), ("<3>", 0)]);
    check("5 <1>a\n4 <2>b\n4 <3>c\n", &[("<1>a", 0), ("<2>b", 0), ("<3>c", 0)]);
    check("2026-11-20 it is\n4 <1>a\n", &[("2026-11-20 it is", 0), ("4 <1>a", 0)]);
}

#[test]
fn where_nul_ends_messages_newlines_are_part_of_them() {
    check("<1>a\0<2>b\n  c\n\0<3>d\0", &[("<1>a", 0), ("<2>b\n  c", 0), ("<3>d", 0)]);
    check("<1>a\0\n<2>b\n c\0\n", &[("<1>a", 0), ("<2>b\n c", 0)]);
    check("<1>a\0<2>01234567890\n23456789\0<3>c\0", &[("<1>a", 0), ("<2>01234567890\n23456", 3), ("<3>c", 0)]);
    check("<1>a\0<2>0123456789012345\nx<y\n<3>c\0", &[("<1>a", 0), ("<2>0123456789012345", 3), ("<3>c", 0)]);
}

#[test]
fn a_nul_in_a_text_does_not_make_one_message_of_the_lines_behind_it() {
    let frames = [("<1>a", 0), ("b", 0), ("<2>c", 0), ("<3>d", 0), ("e", 0)];
    check("<1>a\0b\n<2>c\n<3>d\ne\n", &frames);
    check("a\0b\nc\nd", &[("a", 0), ("b", 0), ("c", 0), ("d", 0)]);
}

#[test]
fn what_is_too_long_is_cut_and_the_connection_goes_on() {
    check("<1>0123456789012345678901234\n<2>b\n", &[("<1>01234567890123456", 8), ("<2>b", 0)]);
    check("25 <1>01234567890123456789014 <2>b", &[("<1>01234567890123456", 5), ("<2>b", 0)]);
}

#[test]
fn counts_that_lie_end_with_the_connection_and_take_no_memory() {
    check("999999999 <1>a", &[("<1>a", 999_999_995)]);
    check("99999999999 <1>a", &[("99999999999 <1>a", 0)]);
    check("4 <1>agarbage\n4 <2>b", &[("<1>a", 0), ("garbage", 0), ("<2>b", 0)]);
    check("0 <1>a\n", &[("0 <1>a", 0)]);
    check("12", &[("12", 0)]);
}

#[test]
fn objects_end_with_nul_or_with_a_newline_behind_them() {
    let cut_everywhere = |text: &str| {
        for at in 0..text.len() {
            let (mut framer, mut frames) = (Framer::of_objects(64), Frames::default());
            framer.feed(&text.as_bytes()[..at], &mut frames);
            framer.feed(&text.as_bytes()[at..], &mut frames);
            framer.finish(&mut frames);
            let found: Vec<&[u8]> = frames.iter().map(|(frame, _)| frame).collect();
            assert_eq!(found, [&b"{\"a\":1}"[..], b"{\n\"b\":2\n}"], "{text:?} cut at {at}");
        }
    };
    cut_everywhere("{\"a\":1}\0{\n\"b\":2\n}\0");
    cut_everywhere("{\"a\":1}\n{\n\"b\":2\n}\n");
    cut_everywhere("\n{\"a\":1}\r\n\n{\n\"b\":2\n}");
}

#[test]
fn lines_end_with_newlines_alone() {
    let (mut framer, mut frames) = (Framer::of_lines(8), Frames::default());
    framer.feed(b"3 a\0b\r\n\n<1>c\n0123456789\nd", &mut frames);
    framer.finish(&mut frames);
    let found: Vec<(&[u8], u64)> = frames.iter().collect();
    assert_eq!(found, [(&b"3 a\0b"[..], 0), (b"<1>c", 0), (b"01234567", 2), (b"d", 0)]);
}
