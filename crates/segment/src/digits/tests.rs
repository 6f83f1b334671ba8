//! Digits of numbers and addresses.

use crate::needle::Needle;
use proptest::prelude::*;

use super::*;
use crate::template::{push_address, push_integer};

fn text_of(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8(out).expect("digits and points")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn digits_are_where_the_spelling_has_them(number in any::<u64>(), scale in 0u32..20, width in 0u32..12,
        from in 0usize..20, length in 1usize..8, other in "[01]{1,4}") {
        let number = number / 10u64.saturating_pow(scale);
        let spelled = number.to_string();
        let part: String = spelled.chars().skip(from).take(length).collect();
        for text in [&part, &other] {
            let Some(digits) = Digits::of(text) else { continue };
            prop_assert_eq!(digits.are_in(number), spelled.contains(text.as_str()), "{} in {}", text, spelled);
            prop_assert_eq!(digits.begin(number), spelled.starts_with(text.as_str()), "{} before {}", text, spelled);
            let narrow = number % 10u64.pow(width);
            let padded = if width > 0 { format!("{narrow:0width$}", width = width as usize) } else { String::new() };
            prop_assert_eq!(digits.are_in_padded(narrow, width), padded.contains(text.as_str()), "{} in {}", text, padded);
        }
    }

    #[test]
    fn numbers_hold_what_their_texts_hold(
        number in prop_oneof![0i64..1200, 0i64..1_000_000, 0i64..1_000_000_000_000_000_000],
        part in "0{0,2}[0-9]{1,4}", from in 0usize..19, length in 1usize..19,
        anchor in prop::sample::select(Anchor::ALL.to_vec()),
    ) {
        let text = text_of(|out| push_integer(out, number));
        let cut: String = text.chars().skip(from).take(length).collect();
        for part in [part, cut, text.clone(), format!("0{text}")] {
            let needle = Needle::anchored(&part, false, anchor);
            let holds = needle.in_numbers().is_some_and(|digits| digits.is_in(number));
            prop_assert_eq!(holds, !part.is_empty() && needle.is_in(&text), "{} in {}", part, text);
        }
    }

    #[test]
    fn addresses_hold_what_their_texts_hold(
        numbers in prop::collection::vec(prop_oneof![0u8..12, any::<u8>()], 4),
        part in "[0-2.]{1,5}", from in 0usize..15, length in 1usize..16,
        anchor in prop::sample::select(Anchor::ALL.to_vec()),
    ) {
        let address = numbers.iter().fold(0u32, |address, number| address << 8 | u32::from(*number));
        let text = text_of(|out| push_address(out, address));
        let cut: String = text.chars().skip(from).take(length).collect();
        for part in [part, cut, text.clone(), format!("{text}.1")] {
            let needle = Needle::anchored(&part, false, anchor);
            prop_assert_eq!(AddressNeedle::new(&part, anchor).is_in(address), needle.is_in(&text), "{} in {}", part, text);
        }
    }
}

#[test]
fn a_text_that_is_no_part_of_a_number_is_none() {
    assert!(["", "1a", "-1", "1.5", "1234567890123456789"].iter().all(|text| Digits::of(text).is_none()));
    let address = |text: &str| AddressNeedle::new(text, Anchor::Anywhere);
    assert!(["1.2.3.4.5", "1.256.", "1.01.2", "1..2", "a"].iter().all(|text| address(text).is_nowhere()));
}
