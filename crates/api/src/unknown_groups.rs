//! Group names of a question that no group has.

use plan::Warning;
use storage::GroupStatus;
use types::GroupPattern;

/// Most groups proposed for a name.
const PROPOSED_MAX: usize = 3;

/// Returns one warning for each pattern that matches none of the groups that the caller may see.
pub(crate) fn unknown_groups(groups: &[GroupStatus], patterns: &[GroupPattern]) -> Vec<Warning> {
    let matches = |pattern: &GroupPattern| groups.iter().any(|group| pattern.matches(group.name.as_str()));
    patterns.iter().filter(|pattern| !matches(pattern)).map(|pattern| unknown_group(groups, pattern)).collect()
}

fn unknown_group(groups: &[GroupStatus], pattern: &GroupPattern) -> Warning {
    let name = pattern.as_str();
    let proposed = proposals(groups.iter().map(|group| group.name.as_str()), name);
    let hint = match proposed.as_slice() {
        [] => "GET /api/v1/groups lists the groups".to_owned(),
        names => format!("did you mean {}?", names.join(" or ")),
    };
    let message = format!("there is no group `{name}`");
    Warning { code: "unknown-group", message, line: None, column: None, hint: Some(hint) }
}

/// Returns the groups that `name` probably means: those that end in it, contain it, or are spelled alike.
fn proposals<'a>(groups: impl Iterator<Item = &'a str> + Clone, name: &str) -> Vec<&'a str> {
    let wanted = name.replace('*', "").to_lowercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    let ends = |group: &&str| group.to_lowercase().ends_with(&format!("/{wanted}"));
    let contains = |group: &&str| group.to_lowercase().contains(&wanted);
    let ending: Vec<&str> = groups.clone().filter(ends).take(PROPOSED_MAX).collect();
    if !ending.is_empty() {
        return ending;
    }
    let containing: Vec<&str> = groups.clone().filter(contains).take(PROPOSED_MAX).collect();
    if !containing.is_empty() {
        return containing;
    }
    plan::nearest(&wanted, groups).into_iter().collect()
}

#[cfg(test)]
mod tests;
