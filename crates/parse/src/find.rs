//! Looking for a short text or for a byte in few bytes.

/// Where a text stands in the head of a line: `memmem` prepares for long texts, which takes longer than this needs.
pub(crate) fn find_short(head: &[u8], text: &[u8]) -> Option<usize> {
    // Blanks are everywhere.
    let anchor = text.iter().position(|byte| *byte != b' ').unwrap_or(0);
    let Some(rare) = text.get(anchor).copied() else { return Some(0) };
    memchr::memchr_iter(rare, head.get(anchor..)?).find(|at| head[*at..].starts_with(text))
}

/// Returns the place of the first of two bytes, or the length of the text; faster than `memchr` if the byte is near.
pub(crate) fn first_of(text: &[u8], one: u8, other: u8) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The lowest bit that is set is that of the first zero byte.
    let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & (ONES << 7);
    let (chunks, rest) = text.as_chunks();
    for (at, chunk) in chunks.iter().enumerate() {
        let bytes = u64::from_le_bytes(*chunk);
        let found = zeros(bytes ^ (ONES * u64::from(one))) | zeros(bytes ^ (ONES * u64::from(other)));
        if found != 0 {
            return 8 * at + found.trailing_zeros() as usize / 8;
        }
    }
    let in_rest = rest.iter().position(|byte| *byte == one || *byte == other);
    text.len() - rest.len() + in_rest.unwrap_or(rest.len())
}

/// A text before and behind its first blank; faster than `split_once`, as blanks are near.
pub(crate) fn split_blank(text: &str) -> Option<(&str, &str)> {
    let at = first_of(text.as_bytes(), b' ', b' ');
    Some((text.get(..at)?, text.get(at + 1..)?))
}
