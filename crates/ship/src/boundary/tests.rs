//! Where events begin and end, in every encoding and within bounds.

use proptest::prelude::*;

use super::*;

fn check(text: &str, settled: TailState, expected: &[&str]) {
    check_joined(text, settled, &Multiline::Auto, expected);
}

fn check_joined(text: &str, settled: TailState, multiline: &Multiline, expected: &[&str]) {
    let cut = cut(text.as_bytes(), Place::default(), settled, multiline);
    assert_eq!(cut.n_bytes, expected.iter().map(|event| event.len()).sum::<usize>(), "{text:?}");
    let mut at = 0;
    for (i, event) in expected.iter().enumerate() {
        assert_eq!(&text[at..at + event.len()], *event);
        if let Some(lengths) = &cut.lengths {
            assert_eq!(lengths.get(i), Some(&(event.len() as u64)), "{text:?}");
        } else {
            assert!(event.trim_matches(['\r', '\n']).lines().count() <= 1, "{event:?} has lines but no length");
        }
        at += event.len();
    }
    if let Some(lengths) = cut.lengths {
        assert_eq!(lengths.len(), expected.len(), "{text:?}");
    }
}

#[test]
fn the_last_event_waits_until_nothing_follows() {
    check("a\nb\nc", TailState::Growing, &["a\n"]);
    check("a\nb\nc", TailState::Lines, &["a\n", "b\n"]);
    check("a\nb\nc", TailState::All, &["a\n", "b\n", "c"]);
    check("a\n", TailState::Growing, &[]);
    check("abc", TailState::Lines, &[]);
    check("", TailState::All, &[]);
}

#[test]
fn an_event_to_which_more_may_belong_waits_longer_than_a_whole_one() {
    for whole in ["a\n", "2026-11-20 06:47:13 INFO on\n", "{\"level\":\"error\"}\n", "level=error msg=lost\n"] {
        check(whole, TailState::Pausing, &[whole]);
    }
    for growing in ["2026-11-20 06:47:13 ERROR lost\n", "a\n b\n", "panic: lost\n", "a:\n", "a\nhalf"] {
        check(growing, TailState::Pausing, &[]);
    }
    check(
        "2026-11-20 06:47:13 ERROR lost\n2026-11-20 06:47:13 ERROR lost\n",
        TailState::Pausing,
        &["2026-11-20 06:47:13 ERROR lost\n"],
    );
}

#[test]
fn continuation_lines_belong_to_the_event_before() {
    let trace = "ERROR x\n\tat a.B\n\tat a.C\nCaused by: y\n... 3 more\n";
    check(&format!("{trace}next\n"), TailState::Lines, &[trace, "next\n"]);
    check(&format!("{trace}next\n"), TailState::Growing, &[trace]);
    check("a\n  b", TailState::All, &["a\n  b"]);
    check("a\n  b", TailState::Lines, &["a\n"]);
}

#[test]
fn a_python_traceback_ends_with_the_line_that_names_the_exception() {
    let trace = "ERROR x\nTraceback (most recent call last):\n  File \"a.py\", line 1\nValueError: y\n";
    check(&format!("{trace}next\n"), TailState::Lines, &[trace, "next\n"]);
}

#[test]
fn joining_is_bounded_in_lines_and_in_bytes() {
    let many = format!("start\n{}", " x\n".repeat(2500));
    let cut_many = cut(many.as_bytes(), Place::default(), TailState::Lines, &Multiline::Auto);
    assert_eq!(cut_many.lengths.map(|lengths| lengths.len()), Some(3));
    let long = format!("start\n{}", format!(" {}\n", "x".repeat(100 << 10)).repeat(5));
    let cut_long = cut(long.as_bytes(), Place::default(), TailState::Lines, &Multiline::Auto);
    assert!(cut_long.lengths.unwrap().iter().all(|n| *n <= 256 << 10));
}

#[test]
fn empty_lines_belong_to_the_event_before_and_never_to_the_one_after() {
    check("a\n\nb\n", TailState::Lines, &["a\n\n", "b\n"]);
    check("\n\na\n  b\n", TailState::Lines, &["\n\n", "a\n  b\n"]);
    check("a\n\n", TailState::Growing, &[]);
}

#[test]
fn a_carriage_return_is_part_of_the_line_end() {
    check("a\r\n\r\nb\r\n", TailState::Lines, &["a\r\n\r\n", "b\r\n"]);
}

#[test]
fn where_there_is_no_newline_lines_end_with_carriage_returns() {
    let cut_all = cut(b"a\rb\r\rc", Place::default(), TailState::All, &Multiline::Auto);
    assert_eq!(cut_all, Cut { n_bytes: 6, lengths: Some(vec![2, 3, 1]) });
    // As long as it may continue, and beside newlines, it is text: how far something is.
    check("10 %\r20 %\r", TailState::Lines, &[]);
    check("10 %\r20 %\rdone\nnext", TailState::All, &["10 %\r20 %\rdone\n", "next"]);
    let forced = cut_at_returns(b"a\rb\rhalf", &Multiline::Auto);
    assert_eq!(forced, Cut { n_bytes: 4, lengths: Some(vec![2, 2]) });
    assert_eq!(cut_at_returns(b"half", &Multiline::Auto).n_bytes, 0);
}

#[test]
fn who_says_how_events_begin_is_believed() {
    let dated = Multiline::Start(Regex::new("^#").expect("valid"));
    check_joined("#a\nb\n\nc\n#d\n", TailState::Lines, &dated, &["#a\nb\n\nc\n", "#d\n"]);
    check_joined("a\nb\n#c\n", TailState::Growing, &dated, &["a\nb\n"]);
    check_joined("ERROR x\n\tat a.B\n", TailState::Lines, &Multiline::None, &["ERROR x\n", "\tat a.B\n"]);
    let endless = format!("#a\n{}", "b\n".repeat(2500));
    let cut = cut(endless.as_bytes(), Place::default(), TailState::Lines, &dated);
    assert_eq!(cut.lengths.map(|lengths| lengths.len()), Some(3));
}

proptest! {
    #[test]
    fn utf_16_is_cut_where_the_same_text_in_utf_8_is(
        text in "(at |Caused by|  |[a-zé日😀]{0,5}|\r?\n){0,24}",
        settled in prop_oneof![Just(TailState::Growing), Just(TailState::Pausing), Just(TailState::Lines), Just(TailState::All)],
        is_within: bool,
    ) {
        let raw: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        // A unit before them may have been cut in two.
        let raw = if is_within { [&b"\0"[..], &raw].concat() } else { raw };
        let place = u64::from(is_within);
        let expected = cut(text.as_bytes(), Place::default(), settled, &Multiline::Auto);
        let found = cut_utf16(Utf16::BigEndian, &raw, place, settled, &Multiline::Auto);
        prop_assert_eq!(Utf16::BigEndian.to_utf8(&raw[..found.n_bytes], place), &text.as_bytes()[..expected.n_bytes]);
        let lengths = found.lengths.expect("lengths are always told");
        prop_assert_eq!(lengths.iter().sum::<u64>(), found.n_bytes as u64);
        if let Some(expected) = expected.lengths {
            prop_assert_eq!(lengths.len(), expected.len());
        }
    }
}
