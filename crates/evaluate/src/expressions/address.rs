//! IPv4 addresses as texts: values of a field that some blocks keep as numbers.

/// What a part of an address is written as, a point after it.
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

/// Returns the text of an address.
pub fn text_of(address: u32) -> String {
    let mut out = [0; 16];
    let n_bytes = write(address, &mut out);
    out[..n_bytes].iter().map(|byte| char::from(*byte)).collect()
}

/// Returns the address that a text writes, if it is written as [`text_of`] writes it.
#[inline]
pub fn number_of(text: &[u8]) -> Option<u32> {
    match text {
        // Most texts that are no address are distinguished here.
        [first, .., last] if text.len() <= 15 && first.is_ascii_digit() && last.is_ascii_digit() => parsed(text),
        _ => None,
    }
}

fn parsed(text: &[u8]) -> Option<u32> {
    let mut n_parts = 0;
    let mut address = 0u32;
    for part in text.split(|byte| *byte == b'.') {
        let number = match part {
            [only @ b'0'..=b'9'] => u32::from(only - b'0'),
            [b'1'..=b'9', rest @ ..] if rest.len() <= 2 && rest.iter().all(u8::is_ascii_digit) => {
                part.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
            }
            _ => return None,
        };
        if number > 255 || n_parts == 4 {
            return None;
        }
        address = address << 8 | number;
        n_parts += 1;
    }
    (n_parts == 4).then_some(address)
}

/// Returns the hash of an address, which is that of its text too: no two addresses have the same (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
#[inline]
pub fn hash_of(address: u32) -> u64 {
    let mut mixed = u64::from(address).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
