//! Documents of JSON that are lists of records: `[{…}, {…}]`, and CloudTrail's `{"Records": [{…}, {…}]}`.

use std::io;

use super::{RECORD_BYTES_MAX, Rewrite, invalid, without_mark};

/// What stands before the records in a document that is an object, without blanks.
const BEFORE_RECORDS: &[u8] = b"{\"Records\":[";

/// In place of the depth of a list, behind it.
const BEHIND_LIST: usize = 0;

/// Makes a line of each record.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// The text of the current record so far, or of what precedes the first one, without blanks.
    text: Vec<u8>,
    /// Objects and lists that are open.
    depth: usize,
    is_in_text: bool,
    is_escaped: bool,
    /// How many of them are open between records, once that is known.
    depth_of_list: Option<usize>,
}

impl Documents {
    /// Reports whether a file that begins with `head` consists of such documents.
    pub(crate) fn are_in(head: &[u8]) -> bool {
        let dense: Vec<u8> = without_mark(head).iter().copied().filter(|byte| !is_blank(*byte)).take(16).collect();
        [&b"[{\""[..], b"[{}", BEFORE_RECORDS].iter().any(|begin| dense.starts_with(begin))
    }

    /// Follows texts, objects and lists; reports whether the byte is more than a blank between them.
    fn follow(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.is_in_text => self.is_escaped = true,
            b'"' => self.is_in_text = !self.is_in_text,
            _ if self.is_in_text => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            byte => return !is_blank(byte),
        }
        true
    }

    fn take_one(&mut self, byte: u8, lines: &mut Vec<u8>) -> io::Result<()> {
        let (was_in_text, before) = (self.is_in_text, self.depth);
        if !self.follow(byte) {
            return Ok(());
        }
        // Only broken records have ends of lines within a text.
        self.text.push(if matches!(byte, b'\n' | b'\r') { b' ' } else { byte });
        match self.depth_of_list {
            None if self.text == b"[" || self.text == BEFORE_RECORDS => {
                self.depth_of_list = Some(self.depth);
                self.text.clear();
            }
            None if BEFORE_RECORDS.starts_with(&self.text) => {}
            None => return Err(invalid("what stands here is no list of records")),
            // What else the object has does not matter.
            Some(BEHIND_LIST) => {
                self.text.clear();
                self.depth_of_list = self.depth_of_list.filter(|_| self.depth > 0);
            }
            Some(depth) if self.depth < depth => {
                self.text.pop();
                self.end_record(lines);
                self.depth_of_list = (self.depth > 0).then_some(BEHIND_LIST);
            }
            Some(depth) if before == depth && !was_in_text && byte == b',' => {
                self.text.pop();
                self.end_record(lines);
            }
            Some(depth) if before > depth && self.depth == depth => self.end_record(lines),
            Some(_) if self.text.len() > RECORD_BYTES_MAX => {
                return Err(invalid(format!("a record of the list has more than {RECORD_BYTES_MAX} bytes")));
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn end_record(&mut self, lines: &mut Vec<u8>) {
        if !self.text.is_empty() {
            lines.append(&mut self.text);
            lines.push(b'\n');
        }
    }
}

impl Rewrite for Documents {
    fn take(&mut self, bytes: &[u8], lines: &mut Vec<u8>) -> io::Result<()> {
        without_mark(bytes).iter().try_for_each(|byte| self.take_one(*byte, lines))
    }

    fn finish(&mut self, _lines: &mut Vec<u8>) -> io::Result<()> {
        if self.depth == 0 && self.text.is_empty() {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the list of records breaks off"))
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
