//! Looking for a short text in few bytes.

/// Where a text stands in the head of a line: `memmem` prepares for long texts, which takes longer than this needs.
pub(crate) fn find_short(head: &[u8], text: &[u8]) -> Option<usize> {
    // Blanks are everywhere.
    let anchor = text.iter().position(|byte| *byte != b' ').unwrap_or(0);
    let Some(rare) = text.get(anchor).copied() else { return Some(0) };
    memchr::memchr_iter(rare, head.get(anchor..)?).find(|at| head[*at..].starts_with(text))
}
