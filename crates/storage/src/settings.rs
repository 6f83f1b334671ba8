//! Settings of a store: documents that people have set, and none of its events.

use database::waiting;
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::control::states::DocumentWriter;
use crate::segments::Segments;

/// The documents of the control store: JSON texts, each with a kind and a name. The owner of a kind decides what its
/// documents look like. Code that is given `Settings` instead of the
/// store cannot read or delete events. Every function may be called on a thread of an asynchronous runtime.
#[derive(Clone, Copy)]
pub struct Settings<'s> {
    segments: &'s Segments,
    /// Why nothing may be changed, if so.
    locked: Option<&'s str>,
}

impl<'s> Settings<'s> {
    pub(crate) fn new(segments: &'s Segments, locked: Option<&'s str>) -> Self {
        Self { segments, locked }
    }

    /// Returns the documents of a kind: name and text.
    ///
    /// # Errors
    /// If the control store cannot be read; so for the other functions.
    pub fn all(self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        Ok(waiting(|| self.segments.control().documents(kind))?)
    }

    /// Reads the documents of a kind, by name. One of another version, or a damaged one, is left out: it has no effect.
    pub fn read<T: DeserializeOwned>(self, kind: &str) -> Result<Vec<(String, T)>, StoreError> {
        let read = |(name, json): (String, String)| Some((name, serde_json::from_str(&json).ok()?));
        Ok(self.all(kind)?.into_iter().filter_map(read).collect())
    }

    /// Returns the text of a document.
    pub fn get(self, kind: &str, name: &str) -> Result<Option<String>, StoreError> {
        let documents = self.all(kind)?;
        Ok(documents.into_iter().find_map(|(known, json)| (known == name).then_some(json)))
    }

    /// Puts a document in the place of the one with its kind and name; it is durable then.
    pub fn put(self, kind: &str, name: &str, json: &str) -> Result<(), StoreError> {
        self.check_lock()?;
        Ok(waiting(|| self.segments.control().put(kind, name, json))?)
    }

    /// Takes a document away; one that is not there is no error.
    pub fn remove(self, kind: &str, name: &str) -> Result<(), StoreError> {
        self.check_lock()?;
        Ok(waiting(|| self.segments.control().remove(kind, name))?)
    }

    /// Replaces the text `before` of a document, named by kind and name, with `json`; `false` if the document has
    /// another text.
    ///
    /// # Errors
    /// In a fleet, it is refused if this node may not write as `by`.
    pub fn exchange(
        self,
        (kind, name): (&str, &str),
        before: &str,
        json: &str,
        by: DocumentWriter,
    ) -> Result<bool, StoreError> {
        self.check_lock()?;
        if let Some(follower) = self.segments.follower() {
            return Ok(follower.exchange((kind, name), (before, json), by)?);
        }
        let mut control = self.segments.control();
        let is_there = control.documents(kind)?.iter().any(|(known, text)| known == name && text == before);
        if is_there {
            control.put(kind, name, json)?;
        }
        Ok(is_there)
    }

    fn check_lock(self) -> Result<(), StoreError> {
        self.locked.map_or(Ok(()), |reason| Err(StoreError::Locked(reason.to_owned())))
    }
}
