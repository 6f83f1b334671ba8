//! Writes one flat JSON object, key by key, without a tree in between.

use std::collections::BTreeMap;
use std::io::Write;

/// An object under construction at the end of a buffer.
pub(crate) struct Object<'a> {
    /// Usual name of a field → its name in this corpus, where that is another one.
    names: &'a BTreeMap<&'static str, &'static str>,
    out: &'a mut Vec<u8>,
    is_first: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn open(names: &'a BTreeMap<&'static str, &'static str>, out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { names, out, is_first: true }
    }

    fn key(&mut self, name: &str) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
        write_string(self.names.get(name).copied().unwrap_or(name), self.out);
        self.out.push(b':');
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        write_string(value, self.out);
    }

    /// A number or anything else whose display form is JSON already.
    pub(crate) fn plain(&mut self, name: &str, value: impl std::fmt::Display) {
        self.key(name);
        write!(self.out, "{value}").expect("a Vec takes every write");
    }

    /// A decimal of at most three places, always with a point.
    pub(crate) fn decimal(&mut self, name: &str, value: f64) {
        let rounded = (value * 1000.0).round() / 1000.0;
        self.plain(name, format_args!("{rounded:?}"));
    }

    /// Closes the object and ends the line.
    pub(crate) fn close_line(self) {
        self.out.extend_from_slice(b"}\n");
    }
}

fn write_string(value: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in value.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
    out.push(b'"');
}
