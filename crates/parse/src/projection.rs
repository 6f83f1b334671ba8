//! Which parts of events somebody asks for: what nobody does is read over, and never becomes a column.
//!
//! Leaving parts out changes neither which events there are nor their times; a part that is asked for is the same as
//! where everything is.

use std::sync::Arc;

use types::path;

use crate::exception::{FIELDS, TRACE_KEYS};

/// Keys that tell the level of a request where no key of a level is there, whether the journal's means anything, and whose
/// scale a number is of.
const LEVEL_KEYS: [&str; 14] = [
    "status", "status_code", "method", "path", "uri", "url", "request", "_TRANSPORT", "s", "c", "ctx", "reqId",
    "short_message", "channel",
];

/// The parts of events that are asked for.
#[derive(Clone, Debug)]
pub struct Projection {
    has_message: bool,
    has_level: bool,
    /// Whether something that is read from a trace is wanted.
    pub has_exception: bool,
    /// Names of fields, which may be paths; `None` where all are wanted.
    names: Option<Vec<Arc<str>>>,
    /// First bytes of the names: most keys are told apart by them.
    is_first: [bool; 256],
}

impl Default for Projection {
    fn default() -> Self {
        Self { has_message: true, has_level: true, has_exception: true, names: None, is_first: [true; 256] }
    }
}

impl Projection {
    /// What `names` can be read from; `@any` needs everything.
    pub fn of(names: impl IntoIterator<Item = Arc<str>>) -> Self {
        let names: Vec<Arc<str>> = names.into_iter().collect();
        let has = |name: &str| names.iter().any(|known| **known == *name);
        if has("@any") {
            return Self::default();
        }
        let mut is_first = [false; 256];
        // Names of the system are few, and say of an event what must not get lost.
        is_first[usize::from(b'@')] = true;
        names.iter().filter_map(|name| name.bytes().next()).for_each(|byte| is_first[usize::from(byte)] = true);
        // A name may be empty, and everything whose name begins with a dot is below it.
        is_first[usize::from(b'.')] |= has("");
        let (has_message, has_level) = (has("@message"), has("@level"));
        let mut wanted = Self { has_message, has_level, has_exception: false, names: Some(names), is_first };
        wanted.has_exception = FIELDS.iter().any(|name| wanted.has_field(name));
        wanted
    }

    /// Whether the text is wanted.
    pub fn has_message(&self) -> bool {
        self.has_message
    }

    /// Whether everything is wanted.
    pub fn has_all(&self) -> bool {
        self.names.is_none()
    }

    /// The same, with the keys that records have for their texts where the text is wanted.
    pub fn with_text_keys(&self) -> Self {
        let Some(names) = self.names.as_ref().filter(|_| self.has_message) else { return self.clone() };
        Self::of(names.iter().cloned().chain(crate::TEXT_KEYS.map(Arc::from)).chain(["_message".into()]))
    }

    /// Whether the level is wanted.
    pub fn has_level(&self) -> bool {
        self.has_level
    }

    /// Whether the form of a line matters: it gives fields and the level.
    pub(crate) fn has_shape(&self) -> bool {
        const OF_ALL: [&str; 4] = ["@message", "@timestamp", "@log", "@logStream"];
        self.has_level || self.names.as_ref().is_none_or(|names| names.iter().any(|name| !OF_ALL.contains(&&**name)))
    }

    /// Whether something that is asked for may be read from the field `name`: it itself, a path into it, or an object
    /// that it is a member of.
    pub fn has_field(&self, name: &str) -> bool {
        let Some(names) = &self.names else { return true };
        match name.bytes().next() {
            Some(b'@') => true,
            Some(byte) if !self.is_first[usize::from(byte)] => false,
            _ => names.iter().any(|known| path::is_at_or_below(known, name) || path::is_at_or_below(name, known)),
        }
    }

    /// Whether the value of the record's own key `name` is needed, be it for the level.
    pub fn has_key(&self, name: &str) -> bool {
        self.names.is_none()
            || self.has_field(name)
            || (self.has_exception && TRACE_KEYS.contains(&name))
            || (self.has_level && (crate::level::level_field(name).is_some() || LEVEL_KEYS.contains(&name)))
    }
}

#[cfg(test)]
mod tests;
