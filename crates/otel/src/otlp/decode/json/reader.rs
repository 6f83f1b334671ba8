//! A reader of protobuf's JSON form: objects, lists and scalars.

use std::borrow::Cow;
use std::fmt::Display;

use parse::JsonCursor;

use super::super::body::bad;
use ingest::IngestError;

/// Deepest nesting of objects and lists: a nested value takes four of them.
const NESTING_MAX: usize = 280;

/// A value that is neither an object nor a list.
pub(super) enum Scalar<'t> {
    Text(Cow<'t, str>),
    /// A number, `true` or `false`, as written.
    Word(&'t str),
}

/// Returns the error for an invalid value of a field.
#[cold]
pub(super) fn wrong(name: &str, found: impl Display) -> IngestError {
    let mut found = found.to_string();
    found.truncate(found.floor_char_boundary(100));
    bad(format_args!("{found:?} is not a valid value of {name}"))
}

/// A position in a request.
pub(super) struct Reader<'t> {
    pub(super) json: JsonCursor<'t>,
    /// The number of objects and lists around the position.
    depth: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { json: JsonCursor::new(text), depth: 0 }
    }

    /// Reads an object; `member` reads the value of each name.
    #[inline]
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        self.enter()?;
        self.json.expect(b'{', "expected an object").map_err(bad)?;
        let mut is_first = true;
        while self.json.has_next(is_first, b'}').map_err(bad)? {
            is_first = false;
            let name = self.json.name().map_err(bad)?;
            member(self, &name)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads the object that is the value of a name, or each object of a list. `null` is absent.
    pub(super) fn each(
        &mut self,
        name: &str,
        read: &mut impl FnMut(&mut Self) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        match self.json.peek() {
            Some(b'{') => read(self),
            Some(b'[') => {
                self.enter()?;
                self.json.expect(b'[', "expected a list").map_err(bad)?;
                let mut is_first = true;
                while self.json.has_next(is_first, b']').map_err(bad)? {
                    is_first = false;
                    self.each(name, read)?;
                }
                self.depth -= 1;
                Ok(())
            }
            _ => self.no_object(name),
        }
    }

    /// Skips an unknown value.
    pub(super) fn skip(&mut self) -> Result<(), IngestError> {
        self.json.skip().map(drop).map_err(bad)
    }

    /// Reads values that were skipped before.
    pub(super) fn again(
        &mut self,
        postponed: Vec<JsonCursor<'t>>,
        mut read: impl FnMut(&mut Self) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        for place in postponed {
            let behind = std::mem::replace(&mut self.json, place);
            read(self)?;
            self.json = behind;
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), IngestError> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(bad(format_args!("the request is nested more than {NESTING_MAX} levels deep")));
        }
        Ok(())
    }

    /// Reads the value of a name. `null` is absent.
    pub(super) fn scalar(&mut self, name: &str) -> Result<Option<Scalar<'t>>, IngestError> {
        match self.json.peek() {
            Some(b'"') => self.json.string().map(|text| Some(Scalar::Text(text))).map_err(bad),
            Some(b'{') => Err(wrong(name, "an object")),
            Some(b'[') => Err(wrong(name, "a list")),
            _ => match self.json.scalar().map_err(bad)? {
                "null" => Ok(None),
                word @ ("true" | "false") => Ok(Some(Scalar::Word(word))),
                number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                    Ok(Some(Scalar::Word(number)))
                }
                other => Err(wrong(name, other)),
            },
        }
    }

    /// Reads a scalar in place of an object: only `null` is valid.
    #[cold]
    fn no_object(&mut self, name: &str) -> Result<(), IngestError> {
        match self.scalar(name)? {
            None => Ok(()),
            Some(Scalar::Text(text)) => Err(wrong(name, text)),
            Some(Scalar::Word(word)) => Err(wrong(name, word)),
        }
    }
}

/// Returns the bytes of a text; none without a text.
pub(super) fn bytes_of(text: Option<Cow<'_, str>>) -> Cow<'_, [u8]> {
    match text.unwrap_or_default() {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
