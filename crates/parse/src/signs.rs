//! The kinds of characters that a text has.

/// Kinds of characters, each a bit: every mark of ASCII by itself, letters by their case, digits, blanks, and the rest.
pub(crate) type Signs = u64;

pub(crate) const BLANK: Signs = 1;
pub(crate) const DIGIT: Signs = 1 << 1;
pub(crate) const UPPER: Signs = 1 << 2;
pub(crate) const LOWER: Signs = 1 << 3;
pub(crate) const OTHER: Signs = 1 << 4;
/// The end of the line.
pub(crate) const END: Signs = 1 << 5;
pub(crate) const ANY: Signs = Signs::MAX;

const SIGNS: [Signs; 256] = {
    let mut signs = [OTHER; 256];
    let (mut byte, mut n_marks) = (0, 0);
    while byte < 256 {
        let sign = byte as u8;
        signs[byte] = match sign {
            b' ' | b'\t' => BLANK,
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            _ if sign.is_ascii_punctuation() => {
                n_marks += 1;
                1 << (5 + n_marks)
            }
            _ => OTHER,
        };
        byte += 1;
    }
    signs
};

/// The kind of a byte.
pub(crate) fn sign(byte: u8) -> Signs {
    SIGNS[usize::from(byte)]
}

/// The kinds that a text has.
pub(crate) fn signs(text: &[u8]) -> Signs {
    let (chunks, rest) = text.as_chunks::<8>();
    let of_chunks = chunks.iter().fold(0, |all, chunk| chunk.iter().fold(all, |all, byte| all | sign(*byte)));
    rest.iter().fold(of_chunks, |all, byte| all | sign(*byte))
}
