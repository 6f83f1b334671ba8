//! Names and values of labels, for all parsers of lines.

use std::borrow::Cow;

/// Labels that one line may get from a parser that takes all it finds.
pub(super) const LABELS_MAX: usize = 1_000;

/// Returns the name of a label for a key: letters, digits and `_`, after what the key is in.
pub fn label_name<'a>(prefix: &str, key: Cow<'a, str>) -> Cow<'a, str> {
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

/// Returns the text with spaces for characters that were no UTF-8.
pub(super) fn valid(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\u{fffd}') { Cow::Owned(text.replace('\u{fffd}', " ")) } else { text }
}
