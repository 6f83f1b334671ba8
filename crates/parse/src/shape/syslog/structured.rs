//! Structured data of RFC 5424, and Check Point's pairs in its place.

use crate::shape::cursor::enclosed;
use crate::shape::parts::PartSink;

/// The end of the structured data at the start of a text; 0 if there is none, or it is malformed.
pub(crate) fn data_end(text: &[u8]) -> usize {
    let mut rest = text;
    while rest.starts_with(b"[") {
        let Some(end) = element_end(rest) else { return 0 };
        rest = &rest[end + 1..];
    }
    if rest.is_empty() || rest.starts_with(b" ") { text.len() - rest.len() } else { 0 }
}

/// Where the bracket stands that closes an element: the first outside of quotes, within which a backslash guards what follows.
fn element_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut is_quoted) = (0, false);
    loop {
        at += memchr::memchr3(b'\\', b'"', b']', text.get(at..)?)?;
        match text[at] {
            b']' if !is_quoted => return Some(at),
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
        at += 1;
    }
}

/// One element of structured data: `[id name="value" …]`.
pub(super) fn element<'t>(rest: &mut &'t str, found: &mut PartSink<'t, '_>) -> Option<()> {
    let mut inner = rest.strip_prefix('[')?;
    // Check Point's pairs: `[action:"Drop"; src:"192.0.2.7"]`.
    if inner.split(' ').next()?.contains(":\"") {
        while let Some((name, behind)) = inner.split_once(':').filter(|_| !inner.starts_with(']')) {
            inner = behind;
            found.pair(name, enclosed(&mut inner, b'"', b'"')?, false);
            inner = inner.trim_start_matches([';', ' ']);
        }
        *rest = inner.strip_prefix(']')?;
        return Some(());
    }
    let end = inner.find([' ', ']'])?;
    let id = &inner[..end];
    inner = inner[end..].trim_start_matches(' ');
    if inner.starts_with(']') {
        found.member(id, None);
    }
    while !inner.starts_with(']') {
        let (name, behind) = inner.split_once('=')?;
        inner = behind;
        found.member(id, Some((name, enclosed(&mut inner, b'"', b'"')?)));
        inner = inner.trim_start_matches(' ');
    }
    *rest = &inner[1..];
    Some(())
}
