//! Addresses are written and counted as their texts.

use std::net::Ipv4Addr;

use crate::operators::aggregate;
use evaluate::Cell;
use evaluate::expressions::address::{hash_of, number_of, text_of};

#[test]
fn only_what_an_address_is_written_as_is_one() {
    for text in
        ["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.1000", "1..2.3", "1.2.3.4 ", "a.1.2.3", "1.2.3.+4"]
    {
        assert_eq!(number_of(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn addresses_are_written_and_hashed_as_their_texts() {
    let spread = (0..100_000u32).map(|number| number.wrapping_mul(2_654_435_761));
    for number in spread.chain([0, u32::MAX, 0x0a00_6307]) {
        let text = Ipv4Addr::from(number).to_string();
        assert_eq!((text_of(number), number_of(text.as_bytes())), (text.clone(), Some(number)));
        let mut distinct = aggregate::Distinct::default();
        distinct.add(Cell::Text(&text));
        distinct.add_hash(hash_of(number));
        assert_eq!(distinct.estimate(), 1, "{text}");
    }
}
