//! `filter_path`: which keys of an answer its reader wants. Agents leave out what they do not read.

use ingest::Action;

/// Keys of an item's answer, in the order in which they are written.
pub(super) const KEYS: [&str; 9] =
    ["_index", "_id", "_version", "result", "_shards", "_seq_no", "_primary_term", "status", "error"];

/// Most patterns that are looked at; nobody has use for more.
const PATTERNS_MAX: usize = 32;

/// What is wanted of the answer to a bulk request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) errors: bool,
    pub(super) took: bool,
    /// Of items of each action, each of [`KEYS`].
    items: [[bool; KEYS.len()]; Action::ALL.len()],
}

impl Filter {
    /// Reads patterns separated by commas, such as `errors,items.*.error`; all is wanted where there are none.
    pub(super) fn new(text: &str) -> Self {
        let patterns = || text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).take(PATTERNS_MAX);
        let taken: Vec<&str> = patterns().filter(|pattern| !pattern.starts_with('-')).collect();
        let left: Vec<&str> = patterns().filter_map(|pattern| pattern.strip_prefix('-')).collect();
        let wants = |path: &[&str]| {
            let is_taken = taken.is_empty() || taken.iter().any(|pattern| reaches(pattern, path));
            is_taken && !left.iter().any(|pattern| covers(pattern, path))
        };
        Self {
            errors: wants(&["errors"]),
            took: wants(&["took"]),
            items: Action::ALL.map(|action| KEYS.map(|key| wants(&["items", action.name(), key]))),
        }
    }

    /// Which of [`KEYS`] are wanted of an item.
    pub(super) fn keys(&self, action: Action) -> &[bool; KEYS.len()] {
        let place = Action::ALL.iter().position(|known| *known == action).unwrap_or_default();
        &self.items[place]
    }
}

/// Whether a pattern takes what stands at `path`, or something within it.
fn reaches(pattern: &str, path: &[&str]) -> bool {
    let mut parts = pattern.split('.');
    for name in path {
        match parts.next() {
            // It ended above: everything below is wanted.
            None | Some("**") => return true,
            Some(part) if !matches(part, name) => return false,
            Some(_) => {}
        }
    }
    true
}

/// Whether a pattern takes all of what stands at `path`.
fn covers(pattern: &str, path: &[&str]) -> bool {
    pattern.contains("**") || pattern.split('.').count() <= path.len() && reaches(pattern, path)
}

/// Whether a name is as a part of a pattern says, in which `*` stands for any letters.
fn matches(part: &str, name: &str) -> bool {
    types::GroupPattern::new(part).matches(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let filter = Filter::new(text);
        let keys = filter.keys(Action::Create).iter().zip(KEYS).filter(|(wanted, _)| **wanted).map(|(_, key)| key);
        let own = [(filter.errors, "errors"), (filter.took, "took")];
        own.iter().filter(|(wanted, _)| *wanted).map(|(_, key)| *key).chain(keys).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_is_asked_for_is_wanted() {
        let all = format!("errors took {}", KEYS.join(" "));
        assert_eq!(shown(""), all);
        assert_eq!(shown("*"), all);
        assert_eq!(shown("errors,items.*.error,items.*.status"), "errors status error");
        assert_eq!(shown("errors,items.index.status"), "errors");
        assert_eq!(shown("items.*.error.type,items.*._i*"), "_index _id error");
        assert_eq!(shown("took, items"), format!("took {}", KEYS.join(" ")));
        assert_eq!(
            shown("-took,-items.*._shards,-items.*.error.reason"),
            all.replace("took ", "").replace("_shards ", "")
        );
        assert_eq!(shown("nothing"), "");
    }
}
