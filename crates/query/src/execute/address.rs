//! IPv4 addresses as texts: values of a field that some blocks keep as numbers.

use super::aggregate;
use super::cell::Cell;

/// Addresses whose hash is remembered, as an exponent of two: as many as the caches of a core hold beside other things.
const REMEMBERED_BITS: u32 = 14;

/// The text of an address.
pub(crate) fn text_of(address: u32) -> String {
    let mut text = String::with_capacity(15);
    push(&mut text, address);
    text
}

fn push(text: &mut String, address: u32) {
    for (place, part) in address.to_be_bytes().into_iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        if part >= 100 {
            text.push(char::from(b'0' + part / 100));
        }
        if part >= 10 {
            text.push(char::from(b'0' + part / 10 % 10));
        }
        text.push(char::from(b'0' + part % 10));
    }
}

/// Hashes of addresses, those seen last remembered: an address that is there comes again.
#[derive(Debug, Default)]
pub(crate) struct AddressHashes {
    known: Vec<(u32, u64)>,
    /// The text of the last one that was hashed.
    text: String,
}

impl AddressHashes {
    /// The hash of an address, which is that of its text.
    pub(crate) fn of(&mut self, address: u32) -> u64 {
        if self.known.is_empty() {
            // Every place knows an address from the start: the first one.
            self.known = vec![(0, self.hash(0)); 1 << REMEMBERED_BITS];
        }
        let place = (address.wrapping_mul(0x9e37_79b1) >> (u32::BITS - REMEMBERED_BITS)) as usize;
        if self.known[place].0 != address {
            self.known[place] = (address, self.hash(address));
        }
        self.known[place].1
    }

    fn hash(&mut self, address: u32) -> u64 {
        self.text.clear();
        push(&mut self.text, address);
        aggregate::hash(Cell::Text(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn addresses_hash_as_their_texts() {
        let mut hashes = AddressHashes::default();
        for round in 0..2 {
            for number in (0..200_000u32).map(|number| number.wrapping_mul(2_654_435_761)).chain([0, u32::MAX]) {
                let text = Ipv4Addr::from(number).to_string();
                assert_eq!(text_of(number), text);
                assert_eq!(hashes.of(number), aggregate::hash(Cell::Text(&text)), "{text}, round {round}");
            }
        }
    }
}
