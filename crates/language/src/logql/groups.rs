//! Groups that a selector can mean.

use types::GroupPattern;

/// Reports whether no name of a group has this character, and no expression for one needs it.
pub(super) fn is_foreign(c: char) -> bool {
    !c.is_ascii_alphanumeric() && !"._/#-\\+*?()|[]{}^$".contains(c)
}

/// Patterns of all groups that a matcher of the label `group` can mean; none where that cannot be told.
pub(super) fn group_patterns(sign: &str, value: &str) -> Vec<GroupPattern> {
    let is_plain = |text: &str| !text.contains(|c: char| "\\.+*?()|[]{}^$".contains(c));
    match sign {
        "=" if !value.is_empty() => vec![GroupPattern::new(value)],
        "=~" => {
            let pattern = |part: &str| match part.strip_suffix(".*").or_else(|| part.strip_suffix(".+")) {
                Some(prefix) => is_plain(prefix).then(|| GroupPattern::new(format!("{prefix}*"))),
                None => (is_plain(part) && !part.is_empty()).then(|| GroupPattern::new(part)),
            };
            value.split('|').map(pattern).collect::<Option<Vec<_>>>().unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
