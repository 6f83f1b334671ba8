//! Texts of any kind come back and are found.

use proptest::prelude::*;

use super::*;
use crate::anchor::Anchor;

fn check(texts: &[String]) -> u8 {
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (mut plain, mut repeating, mut newest) = (Vec::new(), Vec::new(), Vec::new());
    put_texts(&mut plain, &borrowed);
    put_repeating(&mut repeating, &borrowed);
    put_tight(&mut newest, &borrowed);
    for bytes in [&plain, &repeating, &newest] {
        let mut cursor = Cursor::new(bytes);
        let back = take_texts(&mut cursor, texts.len()).expect("just written");
        assert!(cursor.is_at_end());
        assert_eq!(back.iter().collect::<Vec<_>>(), borrowed);
        for n in [1, 3, 20] {
            let chosen = RowSet::of(texts.len(), |place| place % n == n / 2);
            let mut cursor = Cursor::new(bytes);
            let some = take_chosen_texts(&mut cursor, texts.len(), &chosen).expect("just written");
            assert!(cursor.is_at_end());
            assert_eq!(some.iter().collect::<Vec<_>>(), chosen.iter().map(|place| borrowed[place]).collect::<Vec<_>>());
        }
        let mut literals =
            vec![("a".to_owned(), false), ("A1".into(), true), ("00".into(), false), ("1b".into(), false)];
        // Pieces of a text, all of it, and one character more.
        let text: Vec<char> = texts[texts.len() / 2].chars().collect();
        let piece = |from: usize, n: usize| text.iter().skip(from).take(n).collect::<String>();
        literals.extend([(0, 40), (1, 40), (0, 3), (2, 4), (1, 2)].map(|(from, n)| (piece(from, n), n == 3)));
        literals.extend([(piece(0, 40) + "1", false), ("1".to_owned() + &piece(0, 40), false)]);
        // The end of a text, and its last characters but one.
        let n_before = |n: usize| text.len().saturating_sub(n);
        literals.extend([(piece(n_before(3), 3), false), (piece(n_before(3), 2), true)]);
        literals.retain(|(literal, _)| !literal.is_empty());
        for ((literal, ignores_case), anchor) in
            literals.iter().flat_map(|literal| Anchor::ALL.map(|anchor| (literal, anchor)))
        {
            let ignores_case = *ignores_case && literal.is_ascii();
            let needle = Needle::anchored(literal, ignores_case, anchor);
            let spelled = |text: &str| if ignores_case { text.to_ascii_lowercase() } else { text.to_owned() };
            let sought = spelled(literal);
            let is_expected = |text: &str| match anchor {
                Anchor::Both => text == sought,
                Anchor::Start => text.starts_with(&sought),
                Anchor::End => text.ends_with(&sought),
                Anchor::Anywhere => text.contains(&sought),
            };
            let places = (0u32..).zip(texts).filter(|(_, text)| is_expected(&spelled(text)));
            let expected: Vec<u32> = places.map(|(place, _)| place).collect();
            let mut found = Vec::new();
            let mut cursor = Cursor::new(bytes);
            find_texts(&mut cursor, texts.len(), &needle, &mut |place| found.push(place)).expect("just written");
            assert_eq!((found, cursor.is_at_end()), (expected, true), "{literal} {anchor:?}");
        }
        let back = Texts::take(&mut Cursor::new(bytes), texts.len()).expect("just written");
        assert!(borrowed.iter().enumerate().all(|(place, text)| back.get(place) == Some(text)));
        assert_eq!(back.get(texts.len()), None);
        let mut cursor = Cursor::new(bytes);
        skip_texts(&mut cursor, texts.len()).expect("just written");
        assert!(cursor.is_at_end());
    }
    newest[0]
}

proptest! {
    #[test]
    fn texts_of_any_kind_round_trip(
        any in prop::collection::vec("\\PC{0,6}", 1..30),
        numbered in prop::collection::vec("a0*[0-9]{1,3}b", 1..30),
        few in prop::collection::vec("[ab]{1,2}", 1..30),
        hex in prop::collection::vec("[0-9a-f]{16}", 1..30),
        addresses in prop::collection::vec("(1?[1-9]{1,2}\\.){3}1?[1-9]{1,2}", 1..30),
        prefixed in prop::collection::vec("u[1-9][0-9]{0,6}", 2..30),
        equally_long in prop::collection::vec("[a-z2-7]{12}", 70..200), others in prop::collection::vec((0usize..70, "[a-c]{0,3}"), 0..8),
    ) {
        let mut equally_long = equally_long;
        for (place, other) in others {
            equally_long[place] = other;
        }
        check(&equally_long);
        check(&hex);
        check(&addresses);
        check(&prefixed);
        check(&any);
        check(&numbered);
        check(&few);
    }

    #[test]
    fn damaged_texts_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), n in 0usize..40) {
        let _ = take_texts(&mut Cursor::new(&bytes), n);
        let _ = Texts::take(&mut Cursor::new(&bytes), n);
        let _ = take_chosen_texts(&mut Cursor::new(&bytes), n, &RowSet::of(n, |place| place % 3 == 0));
        let _ = skip_texts(&mut Cursor::new(&bytes), n);
        let _ = find_texts(&mut Cursor::new(&bytes), n, &Needle::new("a", n % 2 == 0), &mut |_| ());
    }
}

#[test]
fn numbers_are_taken_out_of_texts() {
    let texts = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    assert_eq!(check(&(100..200).map(|number| format!("{number}-abcdef{}", number % 7)).collect::<Vec<_>>()), 6);
    assert_eq!(check(&texts(&["u1", "u20"])), 3);
    assert_eq!(check(&texts(&["u001", "u020"])), 4);
    assert_eq!(check(&texts(&["1ms", "20ms"])), 4);
    assert_eq!(check(&texts(&["01ms", "20ms"])), 4);
    assert_eq!(check(&texts(&["1ms", "02ms"])), 0);
}
