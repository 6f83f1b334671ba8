//! Labels and annotations as they are written, each with its place.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

/// Texts by name. A value that is not written (`team:`) is empty, and an entry whose name is null is left out, as in Prometheus.
#[derive(Default, Deserialize)]
#[serde(from = "BTreeMap<Option<String>, Spanned<Option<String>>>")]
pub(super) struct TextMap(BTreeMap<String, Spanned<String>>);

impl TextMap {
    /// Returns names and texts in the order of names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Spanned<String>)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text))
    }

    /// Returns the texts without their places.
    pub(super) fn into_texts(self) -> BTreeMap<String, String> {
        self.0.into_iter().map(|(name, text)| (name, text.value)).collect()
    }
}

impl From<BTreeMap<Option<String>, Spanned<Option<String>>>> for TextMap {
    fn from(written: BTreeMap<Option<String>, Spanned<Option<String>>>) -> Self {
        let named = written.into_iter().filter_map(|(name, text)| {
            let Spanned { value, referenced, defined, .. } = text;
            Some((name?, Spanned::new(value.unwrap_or_default(), referenced, defined)))
        });
        Self(named.collect())
    }
}
