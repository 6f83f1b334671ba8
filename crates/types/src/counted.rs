//! Numbers of things in texts that people read: `1 file`, `2 files`.

use std::fmt::Display;

/// Returns a number with its noun, which is in the plural unless the number is one.
pub fn counted(n: impl Display, noun: &str) -> String {
    let n = n.to_string();
    if n == "1" { format!("1 {noun}") } else { format!("{n} {}", plural_of(noun)) }
}

/// Returns the form of a verb that goes with a number: `is` or `are`.
pub fn verb_for(n: impl Display, singular: &'static str, plural: &'static str) -> &'static str {
    if n.to_string() == "1" { singular } else { plural }
}

fn plural_of(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests;
