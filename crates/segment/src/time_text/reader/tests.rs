//! Spellings that are times, and those that are none.

use crate::time_text::writer::push;
use proptest::prelude::*;

use super::*;

/// 2026-11-19T08:07:06Z.
const NEAR: i64 = 1_795_075_626_000_000_000;

fn check(text: &str, form: &str, units: i64) {
    let found = find(text.as_bytes(), 0, NEAR).unwrap_or_else(|| panic!("{text} is a time"));
    assert_eq!((found.form.bytes().as_slice(), found.units), (form.as_bytes(), units), "{text}");
    let mut back = Vec::new();
    push(&mut back, found.form, found.units);
    assert_eq!(String::from_utf8_lossy(&back), text[..found.end], "{form}");
    assert_eq!(Form::of_bytes(&found.form.bytes()), Some(found.form));
}

#[test]
fn usual_spellings_are_numbers() {
    let seconds = NEAR / 1_000_000_000;
    check("2026-11-19 08:07:06", "a a-0", seconds);
    check("2026-11-19T08:07:06Z", "aTa-0", seconds);
    check("2026-11-19 08:07:06,045 x", "a a,3", seconds * 1000 + 45);
    check("2026/11/19 08:07:06.5", "b a.1", seconds * 10 + 5);
    check("2026.11.19-08.07.06.000001", "c-b.6", seconds * 1_000_000 + 1);
    check("20261119-8:7:6:045", "d-d:3", seconds * 1000 + 45);
    check("26/11/19 08:07:06", "e a-0", seconds);
    check("261119 080706 148", "f c-0", seconds);
    check("11-19 08:07:06.811", "g a.3", seconds * 1000 + 811);
    check("11.19 08:07:06]", "h a-0", seconds);
    check("Nov 19 08:07:06 host", "j a-0", seconds);
    check("Nov  9 08:07:06 host", "j a-0", seconds - 10 * 86_400);
    check("Nov 9 08:07:06 host", "m a-0", seconds - 10 * 86_400);
    check("Nov 09 08:07:06 host", "i a-0", seconds - 10 * 86_400);
    check("19/Nov/2026:08:07:06 +0000", "l:a-0", seconds);
    check("Thu Nov 19 08:07:06 2026", "n a-0", seconds);
    check("Mon Nov 09 08:07:06 2026", "k a-0", seconds - 10 * 86_400);
}

#[test]
fn what_would_not_be_written_back_is_no_time() {
    for text in [
        "2026-11-31 08:07:06",
        "2026-02-29 00:00:00",
        "2026-11-19 24:00:00",
        "2026-11-19 08:07:60",
        "2026-1-9 08:07:06",
        "Fri Nov 19 08:07:06 2026",
        "Nov 019 08:07:06",
        "20261119-08:7:6",
        "20261119-8:07:6",
        "2026-11-19 08:07:061",
        "1234567 080706",
        "2026-11-19",
        "2026-11-19x08:07:06",
        "nov 19 08:07:06",
        "2026-11-19 08:07",
        "",
        "Thu ",
    ] {
        assert_eq!(find(text.as_bytes(), 0, NEAR), None, "{text}");
    }
}

#[test]
fn a_time_without_a_year_is_the_one_nearest_to_its_event() {
    let new_year = 1_798_761_600_000_000_000i64;
    let found = find(b"Dec 31 23:59:59", 0, new_year).expect("a time");
    assert_eq!(found.units, new_year / 1_000_000_000 - 1);
    let leap_day = find(b"Feb 29 00:00:00", 0, 1_709_164_800_000_000_000).expect("a day of 2024");
    assert_eq!(leap_day.units, 1_709_164_800);
}

proptest! {
    #[test]
    fn whatever_is_found_is_written_back(
        text in "[A-Z][a-z]{2} [ 0-3]?[0-9] [0-2]?[0-9]:[0-5]?[0-9]:[0-6]?[0-9][.,:]?[0-9]{0,4}( 20[0-9]{2})?\
            |[0-9]{2,8}[-/. ]?[0-9]{1,2}[-/. ]?[0-9]{0,2}[ T:-][0-9]{1,2}[:.][0-9]{1,2}[:.][0-9]{1,2}[.,:]?[0-9]{0,10}Z?",
        near in any::<i64>(),
    ) {
        if let Some(found) = find(text.as_bytes(), 0, near) {
            let mut back = Vec::new();
            push(&mut back, found.form, found.units);
            prop_assert_eq!(&back, &text.as_bytes()[..found.end]);
        }
    }

    #[test]
    fn numbers_that_no_time_stands_for_never_panic(form in "[a-n][ T:_-][a-d][.,:-][0-9]", units in any::<i64>()) {
        let form = Form::of_bytes(form.as_bytes()).expect("made of known characters");
        push(&mut Vec::new(), form, units);
    }
}
