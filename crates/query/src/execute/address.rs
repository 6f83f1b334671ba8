//! IPv4 addresses as texts: values of a field that some blocks keep as numbers.

use super::aggregate;

/// What a part of an address is written as, a point behind it.
const PARTS: [[u8; 4]; 256] = {
    let mut parts = [[b'.'; 4]; 256];
    let mut number = 0;
    while number < 256 {
        let digits = [b'0' + (number / 100) as u8, b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8];
        let skipped = 3 - n_digits(number);
        let mut place = skipped;
        while place < 3 {
            parts[number][place - skipped] = digits[place];
            place += 1;
        }
        number += 1;
    }
    parts
};

const fn n_digits(number: usize) -> usize {
    1 + (number >= 10) as usize + (number >= 100) as usize
}

/// Writes an address; gives how many bytes it has.
fn write(address: u32, out: &mut [u8; 16]) -> usize {
    let mut end = 0;
    for part in address.to_be_bytes() {
        // Four parts of at most three digits, each with its point, are the sixteen bytes.
        out[end..end + 4].copy_from_slice(&PARTS[usize::from(part)]);
        end += n_digits(usize::from(part)) + 1;
    }
    end - 1
}

/// The text of an address.
pub(crate) fn text_of(address: u32) -> String {
    let mut out = [0; 16];
    let n_bytes = write(address, &mut out);
    out[..n_bytes].iter().map(|byte| char::from(*byte)).collect()
}

/// The hash of an address, which is that of its text.
pub(crate) fn hash_of(address: u32) -> u64 {
    let mut out = [0; 16];
    let n_bytes = write(address, &mut out);
    aggregate::hash_of_text(&out[..n_bytes])
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::cell::Cell;
    use super::*;

    #[test]
    fn addresses_are_written_and_hashed_as_their_texts() {
        let spread = (0..100_000u32).map(|number| number.wrapping_mul(2_654_435_761));
        for number in spread.chain([0, u32::MAX, 0x0a00_6307]) {
            let text = Ipv4Addr::from(number).to_string();
            assert_eq!(text_of(number), text);
            let mut distinct = aggregate::Distinct::default();
            distinct.add(Cell::Text(&text));
            distinct.add_hash(hash_of(number));
            assert_eq!(distinct.estimate(), 1, "{text}");
        }
    }
}
