//! Replacements: what `$1`, `${1}` and `${name}` stand for.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A name or number after a dollar sign. It is as long as it can be: `$1x` names the group `1x`.
static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))").ok());

/// Writes a replacement with the groups of a match.
///
/// A group that is not there, or did not match, is the empty text; a dollar sign before anything else stands for itself.
pub fn expand(groups: &Captures<'_>, replacement: &str, out: &mut String) {
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let reference = REFERENCE.as_ref().and_then(|reference| reference.captures(after));
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(found) = reference {
            let name = found.get(1).or(found.get(2)).map_or("", |name| name.as_str());
            out.push_str(group(groups, name));
            rest = &after[found.get_match().end()..];
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

fn group<'t>(groups: &Captures<'t>, name: &str) -> &'t str {
    // With a zero in front it is a name.
    let is_number = name == "0" || !name.starts_with('0');
    let number = name.parse().ok().filter(|_| is_number);
    let group = number.map_or_else(|| groups.name(name), |number| groups.get(number));
    group.map_or("", |group| group.as_str())
}
