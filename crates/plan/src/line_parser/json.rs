//! `| json` and `| unpack`.

use std::borrow::Cow;

use parse::{JsonMistake, JsonToken, json_members, json_text, json_text_end, json_trimmed, json_value};

use super::super::label_set::LabelSet;
use super::label_name::{LABELS_MAX, label_name, valid};

const JSON_ERROR: &str = "JSONParserErr";

/// How deep members of objects become labels.
const DEPTH_MAX: usize = 64;

/// What Loki's clients read in `__error_details__` of a line that is no object.
const NO_OBJECT: &str = "expecting json object(6), but it is not";

/// Returns the text of a string as a label; with a wrong escape it is empty.
fn text(inner: &str) -> Cow<'_, str> {
    json_text(inner).map_or(Cow::Borrowed(""), valid)
}

/// Returns the value as a label.
fn label(token: JsonToken<'_>) -> Cow<'_, str> {
    match token {
        // Paths lead to arrays as well, and what they hold is read like a text.
        JsonToken::Text(inner) | JsonToken::Array(inner) => text(inner),
        JsonToken::Plain(spelt) | JsonToken::Object(spelt) => Cow::Borrowed(spelt),
        JsonToken::Null => Cow::Borrowed(""),
    }
}

/// `| json`: all members that are no lists, those of objects too.
pub fn json<'a>(line: &'a str, set: &mut LabelSet<'a>) {
    let mut n_labels = 0;
    if let Err(mistake) = object("", line, 0, &mut n_labels, set) {
        set.fail(JSON_ERROR, mistake.details());
    }
}

fn object<'a>(
    prefix: &str,
    text: &'a str,
    depth: usize,
    n_labels: &mut usize,
    set: &mut LabelSet<'a>,
) -> Result<(), JsonMistake> {
    json_members(text, &mut |key, token| {
        let name = label_name(prefix, key);
        match token {
            JsonToken::Object(inner) if depth < DEPTH_MAX => object(&name, inner, depth + 1, n_labels, set)?,
            JsonToken::Text(_) | JsonToken::Plain(_) if !name.is_empty() && *n_labels < LABELS_MAX => {
                *n_labels += 1;
                set.extract(name, label(token));
            }
            _ => {}
        }
        Ok(())
    })
}

/// A step of a path into JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// A member of an object.
    Member(String),
    /// An element of a list, from 0.
    Element(usize),
}

/// Reads a path such as `user.tags[0]["first name"]`; `None` where it is none.
pub fn json_path(text: &str) -> Option<Vec<PathStep>> {
    let mut steps = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let inner = inner.trim_start();
            let after = if let Some(quoted) = inner.strip_prefix('"') {
                let end = json_text_end(quoted)?;
                steps.push(PathStep::Member(json_text(&quoted[..end])?.into_owned()));
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

/// A search for what is at some paths of a line.
///
/// It goes from string to string and from bracket to bracket and looks at values only where a path ends, so that
/// mistakes elsewhere do not matter.
struct Search<'a, 'p> {
    line: &'a str,
    paths: &'p [(String, Vec<PathStep>)],
    /// The value at each path, the first one there is.
    found: Vec<Option<JsonToken<'a>>>,
    /// Paths that were found, though perhaps not what they lead to.
    is_done: Vec<bool>,
    /// Keys of the objects that are open.
    trail: Vec<String>,
    level: usize,
    /// Why a value that a path leads to could not be read.
    mistake: Option<JsonMistake>,
}

impl<'a> Search<'a, '_> {
    fn run(&mut self) -> Option<()> {
        let bytes = self.line.as_bytes();
        let mut at = 0;
        while at < bytes.len() && self.is_done.contains(&false) {
            at = match bytes[at] {
                b'"' => self.string(at)?,
                b'[' => self.array(at)?,
                b'{' => {
                    self.level += 1;
                    at + 1
                }
                b'}' | b']' => {
                    self.level = self.level.checked_sub(1)?;
                    at + 1
                }
                _ => at + 1,
            };
        }
        Some(())
    }

    /// Reports whether the open objects are those that a path goes through.
    fn is_on_way(&self, path: &[PathStep]) -> bool {
        let is_key = |(step, key): (&PathStep, &String)| matches!(step, PathStep::Member(name) if name == key);
        self.trail.len() >= self.level && path.iter().zip(&self.trail[..self.level]).all(is_key)
    }

    /// Reads a string, which may be a key. Returns where to continue.
    fn string(&mut self, at: usize) -> Option<usize> {
        let end = at + 1 + json_text_end(&self.line[at + 1..])?;
        let rest = json_trimmed(&self.line[end + 1..]);
        let next = self.line.len() - rest.len();
        let Some(value) = rest.strip_prefix(':') else { return (!rest.is_empty()).then_some(next) };
        if self.level == 0 {
            self.mistake = Some(JsonMistake::Malformed);
            return None;
        }
        let key = json_text(&self.line[at + 1..end])?;
        self.trail.resize(self.level, String::new());
        self.trail[self.level - 1] = key.into_owned();
        for (index, (_, path)) in self.paths.iter().enumerate() {
            if path.len() == self.level && !self.is_done[index] && self.is_on_way(path) {
                self.is_done[index] = true;
                match json_value(value) {
                    Ok((token, _)) => self.found[index] = Some(token),
                    Err(mistake) => self.mistake = Some(mistake),
                }
            }
        }
        Some(next + 1)
    }

    /// Reads an array, and looks for elements of it. Returns where to continue.
    fn array(&mut self, at: usize) -> Option<usize> {
        let array = &self.line[at..];
        for (index, (_, path)) in self.paths.iter().enumerate() {
            let Some((PathStep::Element(element), deeper)) = path.get(self.level..).and_then(<[_]>::split_first) else {
                continue;
            };
            if !self.is_done[index] && self.is_on_way(&path[..self.level]) {
                let token = self::element(array, *element);
                self.is_done[index] |= token.is_some();
                self.found[index] = token.and_then(|token| at_path(token, deeper));
            }
        }
        json_value(array).ok().map(|(_, n_bytes)| at + n_bytes)
    }
}

/// Returns an element of the array that `array` begins with.
fn element(array: &str, index: usize) -> Option<JsonToken<'_>> {
    let mut rest = array.strip_prefix('[')?;
    for _ in 0..index {
        let (_, n_bytes) = json_value(rest).ok()?;
        rest = json_trimmed(&rest[n_bytes..]).strip_prefix(',')?;
    }
    json_value(rest).ok().map(|(token, _)| token)
}

/// Returns what is at a path of a value.
fn at_path<'a>(mut token: JsonToken<'a>, path: &[PathStep]) -> Option<JsonToken<'a>> {
    for step in path {
        token = match (step, token) {
            (PathStep::Member(name), JsonToken::Object(text)) => {
                let mut found = None;
                // A mistake after the member does not matter.
                let _ = json_members(text, &mut |key, token| {
                    if found.is_none() && key == *name {
                        found = Some(token);
                    }
                    Ok::<(), JsonMistake>(())
                });
                found?
            }
            (PathStep::Element(index), JsonToken::Array(text)) => element(text, *index)?,
            _ => return None,
        };
    }
    Some(token)
}

/// `| json a="b.c[0]"`: what is at each path, under the name given.
pub fn json_paths<'a>(line: &'a str, paths: &'a [(String, Vec<PathStep>)], set: &mut LabelSet<'a>) {
    if line.is_empty() {
        return;
    }
    if !line.starts_with(['"', '{', '[']) {
        return set.fail(JSON_ERROR, "");
    }
    let mut search = Search {
        line,
        paths,
        found: vec![None; paths.len()],
        is_done: vec![false; paths.len()],
        trail: Vec::new(),
        level: 0,
        mistake: None,
    };
    search.run();
    for ((name, _), token) in paths.iter().zip(&search.found) {
        if let Some(token) = token {
            let name = set.extracted_name(Cow::Borrowed(name.as_str()));
            set.set(name, label(*token));
        }
    }
    for (name, _) in paths {
        if set.get(name).is_none() {
            set.set(name.as_str(), "");
        }
    }
    if let Some(mistake) = search.mistake {
        set.fail(JSON_ERROR, mistake.details());
    }
}

/// `| unpack`: members of an object that hold texts, and the line in `_entry`; without one there are no labels.
pub fn unpack<'a>(line: &'a str, set: &mut LabelSet<'a>) {
    if line.is_empty() {
        return;
    }
    if !line.starts_with('{') {
        return set.fail(JSON_ERROR, NO_OBJECT);
    }
    let (mut found, mut is_packed) = (Vec::new(), false);
    let read = json_members(line, &mut |key, token| {
        match token {
            JsonToken::Text(inner) if key == "_entry" => {
                json_text(inner).ok_or(JsonMistake::Escape)?;
                is_packed = true;
            }
            JsonToken::Text(_) => found.push((key, label(token))),
            _ => {}
        }
        Ok::<(), JsonMistake>(())
    });
    match read {
        Err(mistake) => set.fail(JSON_ERROR, mistake.details()),
        Ok(()) if is_packed => {
            found.retain(|(key, _)| !set.is_extracted(&set.extracted_name(Cow::Borrowed(key))));
            for (key, value) in found.into_iter().take(LABELS_MAX) {
                let name = set.extracted_name(key);
                set.set(label_name("", name), value);
            }
        }
        Ok(()) => {}
    }
}

/// Returns the line in `_entry`, where there is one.
pub fn unpacked_line(line: &str) -> Option<Cow<'_, str>> {
    if !line.starts_with('{') {
        return None;
    }
    let mut entry = None;
    let read = json_members(line, &mut |key, token| {
        if let ("_entry", JsonToken::Text(inner)) = (&*key, token) {
            entry = Some(json_text(inner).ok_or(JsonMistake::Escape)?);
        }
        Ok::<(), JsonMistake>(())
    });
    read.ok().and(entry)
}
