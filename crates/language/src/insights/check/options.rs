//! `key=value` options of commands: which there are, what their values may be, and what was meant by others.

use std::ops::RangeInclusive;

use super::checker::Checker;
use crate::insights::syntax::{Name, Setting};
use plan::nearest;

/// Returns the value given for `key`; of several the last, all but the first were refused.
pub(super) fn given<'s>(options: &'s [Setting], key: &str) -> Option<&'s Name> {
    options.iter().rfind(|option| option.key.text.eq_ignore_ascii_case(key)).map(|option| &option.value)
}

impl Checker<'_> {
    /// Refuses options that `command` does not have, and options that are given twice.
    pub(super) fn check_options(&mut self, command: &str, known: &[&'static str], options: &[Setting]) {
        for (index, Setting { key, .. }) in options.iter().enumerate() {
            let shown: String = key.text.chars().take(40).collect();
            if !known.iter().any(|name| name.eq_ignore_ascii_case(&key.text)) {
                let message = format!("`{command}` has no option `{shown}`");
                let hint = match (nearest(&shown, known.iter().copied()), known) {
                    (Some(near), _) => format!("did you mean \"{near}\"?"),
                    (None, []) => format!("`{command}` takes no options"),
                    (None, known) => format!("its options are {}", known.join(", ")),
                };
                self.error_with_hint("unknown-option", message, key.span, hint);
            } else if options[..index].iter().any(|earlier| earlier.key.text.eq_ignore_ascii_case(&key.text)) {
                self.error("option-given-twice", format!("`{shown}` is given twice"), key.span);
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, options: &[Setting], key: &str, usual: bool) -> bool {
        let words = [("true", true), ("false", false), ("t", true), ("f", false), ("1", true), ("0", false)];
        self.choice(options, key, &words, "true or false").unwrap_or(usual)
    }

    /// Returns one of the words; `None` where nothing, or nothing known, is given.
    pub(super) fn choice<T: Copy>(
        &mut self,
        options: &[Setting],
        key: &str,
        words: &[(&str, T)],
        shown: &str,
    ) -> Option<T> {
        let value = given(options, key)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&value.text)).map(|(_, meant)| *meant);
        if found.is_none() {
            self.bad_value(key, value, shown);
        }
        found
    }

    /// Returns a whole number of the range.
    pub(super) fn whole(&mut self, options: &[Setting], key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = given(options, key)?;
        let number = value.text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.bad_value(key, value, &format!("a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// Returns a number, not negative.
    pub(super) fn decimal(&mut self, options: &[Setting], key: &str) -> Option<f64> {
        let value = given(options, key)?;
        let is_plain = value.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number = value.text.parse().ok().filter(|number: &f64| is_plain && number.is_finite());
        if number.is_none() {
            self.bad_value(key, value, "a number such as 2.5");
        }
        number
    }

    pub(super) fn bad_value(&mut self, key: &str, value: &Name, expected: &str) {
        let shown: String = value.text.chars().take(40).collect();
        let message = format!("`{shown}` is no value of `{key}`");
        self.error_with_hint("bad-option", message, value.span, format!("write {key}= and {expected}"));
    }
}
