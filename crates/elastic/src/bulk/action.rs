//! The lines of a bulk request: actions, and the documents behind them.
//!
//! An unreadable action costs itself, and the line behind it unless that is an action: it was its document then.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::item::{Action, Refusal};

/// What stands behind an action's name. Everything else that Elasticsearch knows there changes nothing here.
#[derive(Clone, Debug, Default, Deserialize)]
struct Meta<'b> {
    #[serde(borrow, default, rename = "_index")]
    index: Option<Text<'b>>,
    #[serde(borrow, default, rename = "_id")]
    id: Option<Text<'b>>,
    #[serde(borrow, default)]
    op_type: Option<Text<'b>>,
    #[serde(borrow, default)]
    pipeline: Option<Text<'b>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ActionName<'b> {
    #[serde(borrow)]
    Index(Meta<'b>),
    Create(Meta<'b>),
    Update(Meta<'b>),
    Delete(Meta<'b>),
}

/// A text, borrowed from the body where it has no escapes. Some senders write ids as numbers.
#[derive(Clone, Debug)]
struct Text<'b>(Cow<'b, str>);

impl<'de: 'b, 'b> Deserialize<'de> for Text<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// One action as read.
#[derive(Clone, Debug)]
pub(super) enum Line<'b> {
    /// An action, with its document where it has one.
    Action {
        action: Action,
        index: Option<Cow<'b, str>>,
        id: Option<Cow<'b, str>>,
        source: Option<&'b [u8]>,
        pipeline: Option<Cow<'b, str>>,
    },
    /// No action.
    Unreadable(Refusal),
}

/// Reads a body action by action.
#[derive(Debug)]
pub(super) struct Actions<'b> {
    rest: &'b [u8],
    line_number: usize,
    is_lenient: bool,
    /// The action line before and what it says: most requests repeat one and the same.
    last: Option<(&'b [u8], Action, Meta<'b>)>,
}

impl<'b> Actions<'b> {
    pub(super) fn new(body: &'b [u8], is_lenient: bool) -> Self {
        // Some programs begin every text with a byte order mark.
        let rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        Self { rest, line_number: 0, is_lenient, last: None }
    }

    /// The next action; none at the end of the body.
    pub(super) fn next(&mut self) -> Option<Line<'b>> {
        let line = loop {
            let line = self.next_line()?;
            if !line.is_empty() {
                break line;
            }
        };
        let (action, meta) = match self.read_action(line) {
            Ok(read) => read,
            Err(problem) => {
                let refusal = Refusal::NoAction { line: self.line_number, problem };
                self.skip_document();
                return Some(Line::Unreadable(refusal));
            }
        };
        let source = if action == Action::Delete { None } else { self.next_line().filter(|line| !line.is_empty()) };
        let (index, id, pipeline) = (meta.index, meta.id, meta.pipeline);
        let [index, id, pipeline] = [index, id, pipeline].map(|text| text.map(|text| text.0));
        Some(Line::Action { action, index, id, source, pipeline })
    }

    fn next_line(&mut self) -> Option<&'b [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.line_number += 1;
        let (line, rest) = match memchr::memchr(b'\n', self.rest) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &b""[..]),
        };
        self.rest = rest;
        Some(line.trim_ascii())
    }

    /// Passes over the next line unless it is an action.
    fn skip_document(&mut self) {
        let (rest, line_number) = (self.rest, self.line_number);
        let is_action = self.next_line().is_some_and(|line| self.read_action(line).is_ok());
        if is_action {
            (self.rest, self.line_number) = (rest, line_number);
        }
    }

    fn read_action(&mut self, line: &'b [u8]) -> Result<(Action, Meta<'b>), String> {
        if let Some((_, action, meta)) = self.last.as_ref().filter(|(known, ..)| *known == line) {
            return Ok((*action, meta.clone()));
        }
        let named = serde_json::from_slice(line).or_else(|error| match first_of(line) {
            Some(first) if self.is_lenient => Ok(first),
            Some(_) => Err("expected END_OBJECT after the action".to_owned()),
            None => Err(error.to_string()),
        });
        let named: ActionName<'b> = named?;
        let (action, meta) = match named {
            ActionName::Index(meta) if meta.op_type.as_ref().is_some_and(|op| op.0 == "create") => {
                (Action::Create, meta)
            }
            ActionName::Index(meta) => (Action::Index, meta),
            ActionName::Create(meta) => (Action::Create, meta),
            ActionName::Update(meta) => (Action::Update, meta),
            ActionName::Delete(meta) => (Action::Delete, meta),
        };
        self.last = Some((line, action, meta.clone()));
        Ok((action, meta))
    }
}

/// Returns the action that a line begins with, whatever follows it.
fn first_of(line: &[u8]) -> Option<ActionName<'_>> {
    struct First<'f, 'b>(&'f mut Option<ActionName<'b>>);
    impl<'de> Visitor<'de> for First<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an action")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let name = map.next_key::<Text<'de>>()?;
            let meta = map.next_value::<Meta<'de>>()?;
            *self.0 = match name.as_ref().map(|name| &*name.0) {
                Some("index") => Some(ActionName::Index(meta)),
                Some("create") => Some(ActionName::Create(meta)),
                Some("update") => Some(ActionName::Update(meta)),
                Some("delete") => Some(ActionName::Delete(meta)),
                _ => None,
            };
            Ok(())
        }
    }
    let mut found = None;
    // What follows is an error to the reader, which comes after the action was taken.
    let _ = serde_json::Deserializer::from_slice(line).deserialize_map(First(&mut found));
    found
}

/// Whether a document has a field of its own where an id that came beside it is kept.
pub(super) fn has_own_id(document: &[u8]) -> bool {
    // Objects within a document may well have an id: only where the letters occur is it worth a closer look.
    static WORDS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["_id\"", "@id\"", "\\u"].map(Finder::new));
    WORDS.iter().any(|word| word.find(document).is_some())
        && serde_json::from_slice::<OwnId>(document).is_ok_and(|own| own.0)
}

/// Whether one of an object's own keys is that of an id.
struct OwnId(bool);

impl<'de> Deserialize<'de> for OwnId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = OwnId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnId, A::Error> {
                let mut found = false;
                while let Some((key, IgnoredAny)) = map.next_entry::<Text<'de>, IgnoredAny>()? {
                    found |= matches!(&*key.0, "_id" | "@id");
                }
                Ok(OwnId(found))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}
