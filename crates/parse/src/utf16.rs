//! Text in UTF-16, as some programs on Windows write their logs: known by the mark that a file begins with.
//!
//! Units stand at even places of their file. Of bytes that begin at an odd place the first is the rest of a unit before them.

/// The mark that a file begins with.
const MARK: char = '\u{feff}';

types::named! {
    /// How units of 16 bits are written.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Utf16 {
        /// The lower byte first.
        LittleEndian = "utf-16le",
        /// The higher byte first.
        BigEndian = "utf-16be",
    }
}

impl Utf16 {
    /// What the first bytes of a file say.
    pub fn of_mark(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xfe, ..] => Some(Self::LittleEndian),
            [0xfe, 0xff, ..] => Some(Self::BigEndian),
            _ => None,
        }
    }

    /// The characters of bytes at a place in their file, each with where it ends among the bytes; `None` is a half of a pair.
    /// A unit that is not whole at the end is left out.
    pub fn characters(self, bytes: &[u8], place: u64) -> impl Iterator<Item = (Option<char>, usize)> {
        let mut end = usize::from(place % 2 == 1).min(bytes.len());
        let units = bytes[end..].as_chunks::<2>().0.iter().map(move |pair| match self {
            Self::LittleEndian => u16::from_le_bytes(*pair),
            Self::BigEndian => u16::from_be_bytes(*pair),
        });
        char::decode_utf16(units).map(move |read| {
            let character = read.ok();
            end += 2 * character.map_or(1, char::len_utf16);
            (character, end)
        })
    }

    /// The same as UTF-8 without marks; halves of pairs become a byte that is none.
    pub fn to_utf8(self, bytes: &[u8], place: u64) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() / 2);
        for (character, _) in self.characters(bytes, place) {
            push(&mut text, character);
        }
        text
    }
}

/// Writes a character that was read.
pub(crate) fn push(text: &mut Vec<u8>, character: Option<char>) {
    match character {
        Some(MARK) => {}
        Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => text.push(0xff),
    }
}

/// Text in UTF-16 as UTF-8, and where its lines end in both.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The text.
    pub text: Vec<u8>,
    /// Where lines end, behind a newline or a carriage return, and where the text does: in the text, and in what was read.
    ends: Vec<(usize, usize)>,
}

impl Transcript {
    /// Reads bytes that stand at a place in their file.
    pub fn of(encoding: Utf16, bytes: &[u8], place: u64) -> Self {
        let mut transcript = Self { text: Vec::with_capacity(bytes.len() / 2), ends: Vec::new() };
        let mut last = 0;
        for (character, end) in encoding.characters(bytes, place) {
            push(&mut transcript.text, character);
            if matches!(character, Some('\n' | '\r')) {
                transcript.ends.push((transcript.text.len(), end));
            }
            last = end;
        }
        if transcript.ends.last().is_none_or(|(end, _)| *end < transcript.text.len()) {
            transcript.ends.push((transcript.text.len(), last));
        }
        transcript
    }

    /// How many of the bytes read stand before the end of a line that is at `end` in the text.
    pub fn read_until(&self, end: usize) -> usize {
        match self.ends.binary_search_by_key(&end, |(of_text, _)| *of_text) {
            Ok(at) => self.ends[at].1,
            Err(at) => at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, read)| *read),
        }
    }

    /// Where lines that end with a newline end in the text, and the text itself, up to `end`.
    pub fn line_ends(&self, end: usize) -> impl Iterator<Item = usize> {
        let is_end = move |at: &usize| *at <= end && (*at == end || self.text.get(at - 1) == Some(&b'\n'));
        self.ends.iter().map(|(of_text, _)| *of_text).filter(|at| *at > 0).filter(is_end)
    }
}

#[cfg(test)]
mod tests;
