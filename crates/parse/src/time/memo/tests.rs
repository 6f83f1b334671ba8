//! Answers are the same with and without what is kept of a text.

use super::super::forms;
use super::TimeMemo;

#[test]
fn what_is_kept_of_a_time_changes_no_answer() {
    let lines = [
        "2026-11-20T06:47:13.123456789+01:00[Europe/Berlin] Nov 20 06:47:13 2026 x 20261120 06:47:13",
        "[20/Nov/2026:06:47:13 +0000] 081109 203615 Fri, 20 Nov 2026 06:47:13 PM GMT+2 x",
        "Nov 20 06:47:13 2026 CET 20261120-6:47:3:606|2026-11-20 06:47:13 Europe/Berlin",
    ];
    for line in lines.map(str::as_bytes) {
        let times = TimeMemo::default();
        for end in (0..=line.len()).rev() {
            for at in (0..end).chain((0..end).rev()) {
                let again = times.parse_at(&line[..end], at).is_some();
                assert_eq!(again, forms::parse_at(&line[..end], at).is_some(), "{at}..{end}");
            }
        }
        for at in 0..line.len() {
            assert_eq!(times.parse_at(line, at), forms::parse_at(&line[at..], 0).map(|(time, end)| (time, at + end)));
        }
    }
}

#[test]
fn the_first_line_is_known_whichever_part_was_asked_for_before() {
    let text = "<30>shop: one\ntwo\nthree";
    let first_line = |text: &str| text.lines().next().unwrap_or_default().len();
    let parts = [text, &text[4..], &text[..6], &text[4..6], &text[10..], &text[14..], &text[18..], &text[13..]];
    for first in parts {
        let times = TimeMemo::default();
        for part in std::iter::once(first).chain(parts) {
            assert_eq!(times.first_line(part).len(), first_line(part), "{part:?} behind {first:?}");
        }
    }
    let times = TimeMemo::default();
    times.learn_signs(times.first_line(text).as_bytes());
    assert!(times.lacks(&text[4..], b'=') && !times.lacks(text, b':') && !times.lacks(&text[18..], b'='));
    assert!(times.first_line(&text[18..]) == "three" && !times.lacks(&text[18..], b'='), "nobody has looked there");
}
