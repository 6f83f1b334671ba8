//! Texts with fields in them: `{app}-{env}`.

use std::borrow::Cow;

use types::Value;

use super::Draft;
use definition::{DefinitionError, Node};

/// A text with fields in it.
#[derive(Debug)]
pub(super) struct Template {
    /// A text, and the field behind it; the last has none.
    parts: Vec<(String, Option<String>)>,
}

impl Template {
    pub(super) fn compile(node: &Node<'_>) -> Result<Self, DefinitionError> {
        let mut parts = Vec::new();
        let mut rest = node.text()?;
        while let Some((text, behind)) = rest.split_once('{') {
            let (name, tail) = behind
                .split_once('}')
                .ok_or_else(|| node.error("a \"{\" has no closing \"}\"; fields are written as {name}"))?;
            types::ensure!(!name.is_empty(), node.error("\"{}\" names no field; fields are written as {name}"));
            parts.push((text.to_owned(), Some(name.to_owned())));
            rest = tail;
        }
        parts.push((rest.to_owned(), None));
        Ok(Self { parts })
    }

    /// Reports whether the template is a fixed text.
    pub(super) fn is_fixed(&self) -> bool {
        self.parts.iter().all(|(_, field)| field.is_none())
    }

    /// Returns the field if the template is just one: its value then keeps its type.
    fn only_field(&self) -> Option<&str> {
        match &*self.parts {
            [(before, Some(field)), (behind, None)] if before.is_empty() && behind.is_empty() => Some(field),
            _ => None,
        }
    }

    /// Returns the text; missing fields are empty, or make it `None` if all are required.
    pub(super) fn text(&self, draft: &Draft, needs_all: bool) -> Option<String> {
        let mut text = String::new();
        for (before, field) in &self.parts {
            text.push_str(before);
            let value = field.as_ref().map(|field| draft.text(field));
            match value {
                Some(Some(value)) => text.push_str(&value),
                Some(None) if needs_all => return None,
                _ => {}
            }
        }
        Some(text)
    }

    /// Returns the value that a field is set to.
    pub(super) fn value(&self, draft: &Draft) -> Option<Value> {
        match self.only_field() {
            Some(field) => draft.value(field).map(Cow::into_owned).or_else(|| draft.text(field).map(Value::text)),
            None => self.text(draft, false).map(Value::text),
        }
    }
}
