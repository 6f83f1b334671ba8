//! Parsers that take labels out of lines: `json`, `logfmt`, `pattern`, `unpack`.
//!
//! They read as Loki's do, which is more lenient than the formats are: what stands before a mistake becomes labels all the
//! same, and the mistake becomes the label `__error__`.

use std::borrow::Cow;

use super::label_set::LabelSet;

const JSON_ERROR: &str = "JSONParserErr";
const LOGFMT_ERROR: &str = "LogfmtParserErr";

/// Labels that one line may get from a parser that takes all it finds.
const LABELS_MAX: usize = 1_000;

/// How deep members of objects become labels.
const DEPTH_MAX: usize = 64;

// What Loki's clients read in `__error_details__`.
const BAD_OBJECT: &str = "Value looks like object, but can't find closing '}' symbol";
const BAD_ARRAY: &str = "Value is array, but can't find closing ']' symbol";
const BAD_STRING: &str = "Value is string, but can't find closing '\"' symbol";
const BAD_JSON: &str = "Malformed JSON error";
const BAD_TYPE: &str = "Unknown value type";
const NO_OBJECT: &str = "expecting json object(6), but it is not";

/// A value of JSON as it is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// Without its quotes.
    Text(&'a str),
    /// A number, `true` or `false`.
    Plain(&'a str),
    Null,
    Array(&'a str),
    Object(&'a str),
}

impl<'a> Token<'a> {
    /// The value as a label.
    fn label(self) -> Cow<'a, str> {
        match self {
            Self::Text(inner) => unescaped(inner),
            Self::Plain(spelt) | Self::Array(spelt) | Self::Object(spelt) => Cow::Borrowed(spelt),
            Self::Null => Cow::Borrowed(""),
        }
    }
}

fn unescaped(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(&format!("\"{inner}\"")).map_or(Cow::Borrowed(""), Cow::Owned)
}

/// Reads a value at the start of `text`; gives it and how many bytes it takes.
fn value(text: &str) -> Result<(Token<'_>, usize), &'static str> {
    let start = text.len() - text.trim_start().len();
    let rest = &text[start..];
    match rest.as_bytes().first() {
        None => Err(BAD_JSON),
        Some(b'"') => {
            let end = text_end(&rest[1..]).ok_or(BAD_STRING)?;
            Ok((Token::Text(&rest[1..=end]), start + end + 2))
        }
        Some(b'[') => block(rest, b'[', b']').map(|end| (Token::Array(&rest[..end]), start + end)).ok_or(BAD_ARRAY),
        Some(b'{') => block(rest, b'{', b'}').map(|end| (Token::Object(&rest[..end]), start + end)).ok_or(BAD_OBJECT),
        Some(first) => {
            let end = rest.find([' ', '\n', '\r', '\t', ',', '}', ']']).unwrap_or(rest.len());
            let spelt = &rest[..end];
            match spelt {
                "null" => Ok((Token::Null, start + end)),
                "true" | "false" => Ok((Token::Plain(spelt), start + end)),
                _ if first.is_ascii_digit() || *first == b'-' => Ok((Token::Plain(spelt), start + end)),
                _ => Err(BAD_TYPE),
            }
        }
    }
}

/// Where a text in quotes ends, behind its first quote.
fn text_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| match byte {
        _ if is_escaped => {
            is_escaped = false;
            false
        }
        b'\\' => {
            is_escaped = true;
            false
        }
        byte => byte == b'"',
    })
}

/// How long a value in brackets is.
fn block(text: &str, open: u8, close: u8) -> Option<usize> {
    let (mut at, mut depth, bytes) = (0, 0_usize, text.as_bytes());
    while let Some(byte) = bytes.get(at) {
        if *byte == b'"' {
            at += text_end(&text[at + 1..])? + 1;
        } else if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
        at += 1;
    }
    None
}

/// Hands over the members of the object that `text` begins with, until one is a mistake; that one too.
fn members<'a>(
    text: &'a str,
    each: &mut dyn FnMut(Cow<'a, str>, Result<Token<'a>, &'static str>) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut rest = text.trim_start().strip_prefix('{').ok_or(BAD_OBJECT)?.trim_start();
    if rest.is_empty() {
        return Err(BAD_JSON);
    }
    while !rest.starts_with('}') {
        let key = rest.strip_prefix('"').ok_or(BAD_OBJECT)?;
        let end = text_end(key).ok_or(BAD_JSON)?;
        let name = unescaped(&key[..end]);
        rest = key[end + 1..].trim_start().strip_prefix(':').ok_or(BAD_JSON)?;
        let read = value(rest);
        each(name, read.map(|(token, _)| token))?;
        let (_, n_bytes) = read?;
        rest = rest[n_bytes..].trim_start();
        match rest.as_bytes().first() {
            Some(b',') => rest = rest[1..].trim_start(),
            Some(b'}') => break,
            Some(_) => return Err(BAD_OBJECT),
            None => return Err(BAD_ARRAY),
        }
        if rest.is_empty() {
            return Err(BAD_JSON);
        }
    }
    Ok(())
}

/// The name of a label for a key: letters, digits and `_`, behind what the key stands in.
fn label_name<'a>(prefix: &str, key: Cow<'a, str>) -> Cow<'a, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts_with_digit = key.trim_start().starts_with(|c: char| c.is_ascii_digit());
    if prefix.is_empty() && !starts_with_digit && key.chars().all(is_plain) {
        return key;
    }
    let trimmed = key.trim();
    let mut name = String::with_capacity(prefix.len() + trimmed.len() + 1);
    name.push_str(prefix);
    if !trimmed.is_empty() && (!prefix.is_empty() || starts_with_digit) {
        name.push('_');
    }
    name.extend(trimmed.chars().map(|c| if is_plain(c) { c } else { '_' }));
    Cow::Owned(name)
}

/// `| json`: all members that are no lists, those of objects too.
pub(crate) fn json<'a>(line: &'a str, set: &mut LabelSet<'a>) {
    let mut n_labels = 0;
    if let Err(details) = json_object("", line, 0, &mut n_labels, set) {
        set.fail(JSON_ERROR, details);
    }
}

fn json_object<'a>(
    prefix: &str,
    text: &'a str,
    depth: usize,
    n_labels: &mut usize,
    set: &mut LabelSet<'a>,
) -> Result<(), &'static str> {
    members(text, &mut |key, token| {
        let token = token?;
        let name = label_name(prefix, key);
        match token {
            Token::Object(inner) if depth < DEPTH_MAX => json_object(&name, inner, depth + 1, n_labels, set)?,
            Token::Text(_) | Token::Plain(_) if !name.is_empty() && *n_labels < LABELS_MAX => {
                *n_labels += 1;
                set.extract(name, token.label());
            }
            _ => {}
        }
        Ok(())
    })
}

/// A step of a path into JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathStep {
    Member(String),
    Element(usize),
}

/// Reads a path such as `user.tags[0]["first name"]`; `None` where it is none.
pub(crate) fn json_path(text: &str) -> Option<Vec<PathStep>> {
    let mut steps = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let inner = inner.trim_start();
            let after = if let Some(quoted) = inner.strip_prefix('"') {
                let end = text_end(quoted)?;
                steps.push(PathStep::Member(unescaped(&quoted[..end]).into_owned()));
                &quoted[end + 1..]
            } else {
                let end = inner.find(|c: char| !c.is_ascii_digit())?;
                steps.push(PathStep::Element(inner[..end].parse().ok()?));
                &inner[end..]
            };
            rest = after.trim_start().strip_prefix(']')?;
        } else {
            let name = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '@';
            if end == 0 || !name[..end].chars().all(is_name) {
                return None;
            }
            steps.push(PathStep::Member(name[..end].to_owned()));
            rest = &name[end..];
        }
    }
    (!steps.is_empty()).then_some(steps)
}

/// What stands at a path of a value; a mistake anywhere else does not matter.
fn at_path<'a>(mut token: Token<'a>, path: &[PathStep]) -> Result<Option<Token<'a>>, &'static str> {
    for step in path {
        let next = match (step, token) {
            (PathStep::Member(name), Token::Object(text)) => {
                let mut found = None;
                let _ = members(text, &mut |key, token| {
                    if found.is_none() && key == *name {
                        found = Some(token);
                    }
                    Ok(())
                });
                found.transpose()?
            }
            (PathStep::Element(index), Token::Array(text)) => element(text, *index),
            _ => None,
        };
        let Some(next) = next else { return Ok(None) };
        token = next;
    }
    Ok(Some(token))
}

fn element(array: &str, index: usize) -> Option<Token<'_>> {
    let mut rest = array.strip_prefix('[')?;
    for _ in 0..index {
        let (_, n_bytes) = value(rest).ok()?;
        rest = rest[n_bytes..].trim_start().strip_prefix(',')?;
    }
    value(rest).ok().map(|(token, _)| token)
}

/// `| json a="b.c[0]"`: what stands at each path, under the name given.
pub(crate) fn json_paths<'a>(line: &'a str, paths: &'a [(String, Vec<PathStep>)], set: &mut LabelSet<'a>) {
    if line.is_empty() {
        return;
    }
    if !line.starts_with(['"', '{', '[']) {
        return set.fail(JSON_ERROR, "");
    }
    let whole = if line.starts_with('[') { Token::Array(line) } else { Token::Object(line) };
    for (name, path) in paths {
        match at_path(whole, path) {
            Ok(Some(token)) => {
                set.extract_named(name, token.label());
                continue;
            }
            Ok(None) => {}
            Err(details) => set.fail(JSON_ERROR, details),
        }
        if set.get(name).is_none() {
            set.set(name.as_str(), "");
        }
    }
}

/// `| unpack`: members of an object that hold texts, and the line in `_entry`; without one there are no labels.
pub(crate) fn unpack<'a>(line: &'a str, set: &mut LabelSet<'a>) {
    if line.is_empty() {
        return;
    }
    if !line.starts_with('{') {
        return set.fail(JSON_ERROR, NO_OBJECT);
    }
    let (mut found, mut is_packed) = (Vec::new(), false);
    let read = members(line, &mut |key, token| {
        let token = token?;
        match token {
            Token::Text(_) if key == "_entry" => is_packed = true,
            Token::Text(_) => found.push((key, token.label())),
            _ => {}
        }
        Ok(())
    });
    match read {
        Err(details) => set.fail(JSON_ERROR, details),
        Ok(()) if is_packed => {
            for (key, value) in found.into_iter().take(LABELS_MAX) {
                let name = set.extracted_name(key);
                set.set(label_name("", name), value);
            }
        }
        Ok(()) => {}
    }
}

/// The line in `_entry`, where there is one.
pub(crate) fn unpacked_line(line: &str) -> Option<Cow<'_, str>> {
    let mut entry = None;
    let read = members(line, &mut |key, token| {
        let token = token?;
        if let ("_entry", Token::Text(_)) = (&*key, token) {
            entry = Some(token.label());
        }
        Ok(())
    });
    read.ok().and(entry)
}

/// How `logfmt` reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Logfmt {
    pub(crate) is_strict: bool,
    pub(crate) keeps_empty: bool,
}

/// Hands over pairs until there are no more, or until `each` says `false`.
///
/// Errors: the last mistake there was; with `is_strict` the first, behind which nothing is read.
fn pairs<'a>(line: &'a str, is_strict: bool, each: &mut dyn FnMut(&'a str, Cow<'a, str>)) -> Result<(), String> {
    let bytes = line.as_bytes();
    let (mut at, mut problem) = (0, Ok(()));
    while at < bytes.len() {
        if bytes[at] <= b' ' {
            at += 1;
            continue;
        }
        match pair(line, &mut at) {
            Ok((key, value)) => each(key, value),
            Err(error) => {
                problem = Err(format!("logfmt syntax error at pos {} : {error}", at + 1));
                if is_strict {
                    break;
                }
                // What is left of the word belongs to the mistake.
                at += bytes[at..].iter().position(|byte| *byte <= b' ').unwrap_or(bytes.len() - at);
            }
        }
    }
    problem
}

/// Reads a pair, or a key alone; leaves `at` behind it, or at the mistake.
fn pair<'a>(line: &'a str, at: &mut usize) -> Result<(&'a str, Cow<'a, str>), String> {
    let bytes = line.as_bytes();
    let until = |from: usize, is_end: fn(u8) -> bool| {
        bytes[from..].iter().position(|byte| is_end(*byte)).map_or(bytes.len(), |length| from + length)
    };
    let start = *at;
    let end = until(start, |byte| byte <= b' ' || byte == b'=' || byte == b'"');
    *at = end;
    let key = &line[start..end];
    match bytes.get(end) {
        Some(b'"') => return Err("unexpected '\"'".to_owned()),
        Some(b'=') if key.is_empty() => return Err("unexpected '='".to_owned()),
        Some(b'=') => {}
        _ => return Ok((key, Cow::Borrowed(""))),
    }
    *at += 1;
    if bytes.get(*at) == Some(&b'"') {
        let inner = &line[*at + 1..];
        let Some(length) = text_end(inner) else {
            *at = bytes.len();
            return Err("unterminated quoted value".to_owned());
        };
        *at += length + 2;
        let inner = &inner[..length];
        let is_escaped = inner.contains('\\');
        let value = unescaped(inner);
        return if is_escaped && value.is_empty() { Err("invalid quoted value".to_owned()) } else { Ok((key, value)) };
    }
    let from = *at;
    let end = until(from, |byte| byte <= b' ' || byte == b'=' || byte == b'"');
    *at = end;
    match bytes.get(end) {
        Some(byte) if *byte > b' ' => Err(format!("unexpected {:?}", char::from(*byte))),
        _ => Ok((key, Cow::Borrowed(&line[from..end]))),
    }
}

/// `| logfmt`: all pairs.
pub(crate) fn logfmt<'a>(line: &'a str, how: Logfmt, set: &mut LabelSet<'a>) {
    let mut n_labels = 0;
    let read = pairs(line, how.is_strict, &mut |key, value| {
        let name = label_name("", Cow::Borrowed(key));
        if !name.is_empty() && n_labels < LABELS_MAX && (how.keeps_empty || !value.is_empty()) {
            n_labels += 1;
            set.extract(name, value);
        }
    });
    note_logfmt(read, how, set);
}

fn note_logfmt(read: Result<(), String>, how: Logfmt, set: &mut LabelSet<'_>) {
    if let Err(details) = read
        && how.is_strict
    {
        set.fail(LOGFMT_ERROR, details);
    }
}

/// `| logfmt a="b"`: the values of some keys, under the names given.
pub(crate) fn logfmt_keys<'a>(line: &'a str, how: Logfmt, keys: &'a [(String, String)], set: &mut LabelSet<'a>) {
    for (name, _) in keys {
        if *set.extracted_name(Cow::Borrowed(name)) == **name {
            set.set(name.as_str(), "");
        }
    }
    let read = pairs(line, how.is_strict, &mut |key, value| {
        let found = label_name("", Cow::Borrowed(key));
        for (name, _) in keys.iter().filter(|(_, key)| *key == found) {
            set.extract_named(name, value.clone());
        }
    });
    note_logfmt(read, how, set);
}

/// A piece of `| pattern`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    /// `_` is `None`.
    Capture(Option<String>),
}

/// Takes a pattern apart: `<name>` captures what stands between two literals.
///
/// Errors: why it is none.
pub(crate) fn pieces(pattern: &str) -> Result<Vec<Piece>, &'static str> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut rest, mut literal) = (pattern, String::new());
    while !rest.is_empty() {
        let Some((at, end)) = capture(rest) else {
            literal.push_str(rest);
            break;
        };
        literal.push_str(&rest[..at]);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        } else if matches!(pieces.last(), Some(Piece::Capture(_))) {
            return Err("two captures stand side by side: where one ends cannot be told");
        }
        let name = &rest[at + 1..end];
        let name = (name != "_").then(|| name.to_owned());
        if name.is_some() && pieces.iter().any(|piece| matches!(piece, Piece::Capture(known) if *known == name)) {
            return Err("two captures have the same name");
        }
        pieces.push(Piece::Capture(name));
        rest = &rest[end + 1..];
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    if pieces.iter().any(|piece| matches!(piece, Piece::Capture(Some(_)))) {
        Ok(pieces)
    } else {
        Err("nothing in it has a name")
    }
}

/// Where the next `<name>` begins and ends.
fn capture(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('<').map(|at| at + from) {
        let name = text[at + 1..].find('>').map(|end| &text[at + 1..at + 1 + end]);
        let is_name = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if let Some(name) = name.filter(is_name) {
            return Some((at, at + 1 + name.len()));
        }
        from = at + 1;
    }
    None
}

/// `| pattern "<ip> - <_>"`: what stands between the literals, as far as the line fits.
pub(crate) fn pattern<'a>(line: &'a str, pieces: &'a [Piece], set: &mut LabelSet<'a>) {
    if line.is_empty() {
        return;
    }
    let (mut rest, mut pieces) = (line, pieces);
    if let [Piece::Literal(first), others @ ..] = pieces {
        let Some(after) = rest.strip_prefix(first.as_str()) else { return };
        (rest, pieces) = (after, others);
    }
    while let [Piece::Capture(name), others @ ..] = pieces {
        let (found, after) = match others.first() {
            Some(Piece::Literal(literal)) => match rest.find(literal.as_str()) {
                Some(at) => (&rest[..at], Some(&rest[at + literal.len()..])),
                None => (rest, None),
            },
            _ => (rest, None),
        };
        if let Some(name) = name {
            set.extract(Cow::Borrowed(name.as_str()), found);
        }
        let Some(after) = after else { return };
        (rest, pieces) = (after, others.get(1..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests;
