//! Splits a JSON document whose values are fields of the event.
//!
//! A document and the fields made of it say the same twice. Here the template keeps what the fields do not say: the keys in
//! their order, punctuation and spaces. A value is left to its field where the field gives back how the document
//! spells it, byte for byte; any other is a variable of the message. A key with a digit is a quoted text, since words with
//! digits occur in no template.

use super::kind::Kind;
use super::split::{Granularity, Parts, split_on};
use crate::time_text;

/// Longest document in bytes that is split by its fields.
const DOCUMENT_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting that is followed.
const DEPTH_MAX: usize = 64;

/// The fields of an event, by where their values stand in its document. A *node* is such a place.
pub(crate) trait EventFields {
    /// Returns the node of the document as a whole.
    fn document(&self) -> u32;

    /// Returns the node of the member `key` of the object at `node`.
    fn member(&mut self, node: u32, key: &str) -> u32;

    /// Returns the number of the field at `node` if the event's value of it is the text `text`.
    fn of_text(&self, node: u32, text: &str) -> Option<u16>;

    /// The same if the value is spelled `json`, which is a text in quotes only where it has escapes.
    fn of_json(&mut self, node: u32, json: &str) -> Option<u16>;
}

/// Splits the message of an event of time `timestamp` if it is a JSON object; `false` if it is none, or must be split in another
/// way.
pub(crate) fn split_document<'m>(
    message: &'m str,
    timestamp: i64,
    fields: &mut impl EventFields,
    parts: &mut Parts<'m>,
) -> bool {
    parts.clear();
    if !message.starts_with('{') || message.len() > DOCUMENT_BYTES_MAX {
        return false;
    }
    let node = fields.document();
    let mut walk = Walk { message, timestamp, fields, parts, at: 0 };
    walk.object(node, DEPTH_MAX).and_then(|()| walk.spaces()).is_some() && walk.at == message.len()
}

struct Walk<'m, 'p, F> {
    message: &'m str,
    timestamp: i64,
    fields: &'p mut F,
    parts: &'p mut Parts<'m>,
    at: usize,
}

impl<'m, F: EventFields> Walk<'m, '_, F> {
    fn byte(&self) -> Option<u8> {
        self.message.as_bytes().get(self.at).copied()
    }

    /// Puts what stands from here to `end` into the template.
    fn keep_to(&mut self, end: usize) {
        self.parts.template.extend_from_slice(&self.message.as_bytes()[self.at..end]);
        self.at = end;
    }

    fn keep(&mut self, expected: u8) -> Option<()> {
        (self.byte()? == expected).then(|| self.keep_to(self.at + 1))
    }

    fn spaces(&mut self) -> Option<()> {
        let rest = &self.message.as_bytes()[self.at..];
        let n = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.keep_to(self.at + n);
        Some(())
    }

    fn object(&mut self, node: u32, depth: usize) -> Option<()> {
        self.keep(b'{')?;
        self.spaces()?;
        if self.byte()? == b'}' {
            return self.keep(b'}');
        }
        loop {
            let key = self.key()?;
            let member = self.fields.member(node, key);
            self.spaces()?;
            self.keep(b':')?;
            self.spaces()?;
            self.value(member, depth)?;
            self.spaces()?;
            if self.byte()? == b'}' {
                return self.keep(b'}');
            }
            self.keep(b',')?;
            self.spaces()?;
        }
    }

    fn key(&mut self) -> Option<&'m str> {
        let (end, has_escapes) = string_end(self.message.as_bytes(), self.at)?;
        let key = &self.message[self.at + 1..end];
        if has_escapes {
            return None;
        }
        if key.bytes().any(|byte| byte.is_ascii_digit()) {
            self.quoted(end);
        } else {
            self.keep_to(end + 1);
        }
        Some(key)
    }

    /// Takes the string that begins here and ends at `end` as quoted texts: one, or what stands between its quotes.
    fn quoted(&mut self, end: usize) {
        self.keep_to(self.at + 1);
        let inner = &self.message[self.at..end];
        for (number, text) in inner.split('"').enumerate() {
            if number > 0 {
                self.parts.template.push(b'"');
            }
            if !text.is_empty() {
                self.parts.push(Kind::Quoted, text, 0);
            }
        }
        self.at = end;
        self.keep_to(end + 1);
    }

    fn value(&mut self, node: u32, depth: usize) -> Option<()> {
        match self.byte()? {
            b'"' => self.string(node),
            b'{' => self.object(node, depth.checked_sub(1)?),
            b'[' => {
                let end = list_end(self.message.as_bytes(), self.at)?;
                self.spelled(node, end)
            }
            _ => {
                let rest = &self.message.as_bytes()[self.at..];
                let is_inside = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                let n = rest.iter().take_while(is_inside).count();
                (n > 0).then(|| self.spelled(node, self.at + n))?
            }
        }
    }

    fn string(&mut self, node: u32) -> Option<()> {
        let (end, has_escapes) = string_end(self.message.as_bytes(), self.at)?;
        let text = &self.message[self.at + 1..end];
        if text.is_empty() {
            self.keep_to(end + 1);
            return Some(());
        }
        if has_escapes {
            let json = &self.message[self.at..=end];
            match self.fields.of_json(node, json) {
                Some(field) => self.field(field, json),
                None => self.quoted(end),
            }
            return Some(());
        }
        if let Some(field) = self.fields.of_text(node, text) {
            self.keep_to(self.at + 1);
            self.parts.push_field(Kind::Quoted, field, text);
            self.at = end;
            self.keep_to(end + 1);
            return Some(());
        }
        // Most texts that no field has are the time of the event.
        let bytes = &self.message.as_bytes()[..end];
        let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if text.as_bytes()[0].is_ascii_digit()
            && time_text::may_begin(bytes, self.at + 1, length, true)
            && let Some(found) = time_text::find(bytes, self.at + 1, self.timestamp)
        {
            self.keep_to(self.at + 1);
            self.parts.push(Kind::Time, &self.message[self.at..found.end], found.units);
            self.parts.template.extend_from_slice(&found.form.bytes());
            split_on(&self.message[..end], found.end, self.timestamp, Granularity::Fine, self.parts).then_some(())?;
            self.at = end;
            self.keep_to(end + 1);
            return Some(());
        }
        self.quoted(end);
        Some(())
    }

    /// Leaves what is spelled here to a field.
    fn field(&mut self, field: u16, json: &'m str) {
        self.parts.push_field(Kind::Json, field, json);
        self.at += json.len();
    }

    /// Takes what stands from here to `end`: a number, a list, `true`, `false` or `null`.
    fn spelled(&mut self, node: u32, end: usize) -> Option<()> {
        let json = &self.message[self.at..end];
        match self.fields.of_json(node, json) {
            Some(field) => {
                self.field(field, json);
                return Some(());
            }
            None => {
                split_on(&self.message[..end], self.at, self.timestamp, Granularity::Coarse, self.parts).then_some(())?
            }
        }
        self.at = end;
        Some(())
    }
}

/// Returns where the string that begins at `at` has its second quote, and whether it has escapes; `None` if it is none of JSON.
fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let from = at + 1;
    let mut end = from;
    let mut has_escapes = false;
    (*bytes.get(at)? == b'"').then_some(())?;
    loop {
        end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
        if bytes[end] == b'"' {
            break;
        }
        has_escapes = true;
        end += 2;
    }
    // Control characters have to be escaped.
    bytes[from..end].iter().all(|byte| *byte >= b' ').then_some((end, has_escapes))
}

/// Returns where the list that begins at `at` ends.
fn list_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match *bytes.get(at)? {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b'"' => at = string_end(bytes, at)?.0,
            byte if byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n') => return None,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}
