//! Numbers, addresses and hex digits as they are spelled in texts.

/// Returns the value of an address in the form that [`push_address`] writes back.
pub(crate) fn parse_address(text: &str) -> u32 {
    text.split('.').fold(0, |sum, part| sum << 8 | part.bytes().fold(0, |n, b| n * 10 + u32::from(b - b'0')))
}

pub(crate) fn push_address(out: &mut Vec<u8>, address: u32) {
    // Four numbers of three digits and the dots after them, except the last.
    let mut text = [0; 16];
    let mut length = 0;
    for part in address.to_be_bytes() {
        let digits = [b'0' + part / 100, b'0' + part / 10 % 10, b'0' + part % 10, b'.'];
        let n_zeros = usize::from(part < 100) + usize::from(part < 10);
        let n_digits = digits.len() - n_zeros;
        text[length..length + n_digits].copy_from_slice(&digits[n_zeros..]);
        length += n_digits;
    }
    out.extend_from_slice(&text[..length - 1]);
}

pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

/// Writes a number as people do. The standard library's way through a formatter takes several times as long.
pub(crate) fn push_integer(out: &mut Vec<u8>, number: i64) {
    // An i64 has at most 19 digits.
    let mut digits = [0; 19];
    let mut from = digits.len();
    let mut rest = number.unsigned_abs();
    while rest >= 10 && from > 1 {
        from -= 1;
        digits[from] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    if number < 0 {
        out.push(b'-');
    }
    out.push(b'0' + rest as u8);
    out.extend_from_slice(&digits[from..]);
}

/// Fewest digits of hex that is packed.
const HEX_DIGITS_MIN: usize = 8;

/// Reports whether a text can be packed as hex: an even number of lower-case digits.
pub(crate) fn may_be_packed(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() >= HEX_DIGITS_MIN && text.len().is_multiple_of(2) && text.bytes().all(is_digit)
}

/// Packs lower-case hex digits; bytes that are none are skipped (the dashes of a UUID).
pub(crate) fn pack_hex(out: &mut Vec<u8>, text: &str) {
    let mut digits = text.bytes().filter_map(|b| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    });
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        out.push(high << 4 | low);
    }
}
