//! Resolves names of indices into groups: lists, patterns, exclusions.

use axum::http::StatusCode;
use serde_json::Value as Json;
use types::{GroupName, GroupPattern, ensure, group_name_of_outside};

use super::alias_lookup::targets;
use super::created_indices;
use super::state::Shared;
use door::{Parameters, Problem, Result};

/// Longest list of names in bytes.
const NAMES_BYTES_MAX: usize = 64 << 10;

/// The treatment of names that match nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leniency {
    pub(super) ignores_missing: bool,
    pub(super) allows_nothing: bool,
}

impl Leniency {
    /// Reads the parameters of an address.
    pub(super) fn of_parameters(parameters: &Parameters) -> Result<Self> {
        let allows_nothing = parameters.get("allow_no_indices") != Some("false");
        Ok(Self { ignores_missing: parameters.flag("ignore_unavailable")?, allows_nothing })
    }

    /// Returns the leniency with the options of an `_msearch` header.
    pub(super) fn or_header(self, header: &Json) -> Self {
        let flag = |name: &str, usual: bool| match header.get(name) {
            Some(Json::Bool(flag)) => *flag,
            Some(Json::String(flag)) => flag == "true",
            _ => usual,
        };
        Self {
            ignores_missing: flag("ignore_unavailable", self.ignores_missing),
            allows_nothing: flag("allow_no_indices", self.allows_nothing),
        }
    }
}

/// Returns the names in an `_msearch` header; `None` if it has none.
pub(super) fn of_header(header: &Json) -> Option<String> {
    match header.get("index").or_else(|| header.get("indices"))? {
        Json::String(names) => Some(names.clone()),
        Json::Array(names) => Some(names.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(",")),
        _ => None,
    }
}

/// Resolves names into patterns of groups: an empty list for all groups, `None` for no group.
pub(super) fn resolve(server: &Shared, names: &str, leniency: Leniency) -> Result<Option<Vec<GroupPattern>>> {
    if names.len() > NAMES_BYTES_MAX {
        let message = format!("the names of indices have more than {NAMES_BYTES_MAX} bytes");
        return Err(Problem::bad_request("illegal_argument_exception", message));
    }
    let (mut wanted, mut excluded, mut is_all) = (Vec::new(), Vec::new(), false);
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match name {
            "_all" | "*" => is_all = true,
            name if name.starts_with('-') && (is_all || !wanted.is_empty()) => {
                excluded.push(GroupPattern::new(&name[1..]));
            }
            name if name.contains('*') => {
                wanted.push(GroupPattern::new(name));
                wanted.extend(targets(server, name)?);
            }
            name => {
                let group = group_name_of_outside(name);
                let of_alias = targets(server, name)?;
                let exists = server.store().has_group(&group) || created_indices::has(server, &group)?;
                if exists && server.reaches(group.as_str()) {
                    wanted.push(GroupPattern::new(group.as_str()));
                } else if !leniency.ignores_missing && !reaches_any(server, &of_alias) {
                    return Err(missing(name));
                }
                wanted.extend(of_alias);
            }
        }
    }
    let has_names = names.split(',').any(|name| !name.trim().is_empty());
    if is_all || !has_names {
        wanted.clear();
    }
    let is_everything = is_all || !has_names;
    if !excluded.is_empty() {
        let known = server.groups().into_iter().map(|group| group.name);
        let is_meant = |name: &str| is_everything || wanted.iter().any(|pattern| pattern.matches(name));
        let is_excluded = |name: &str| excluded.iter().any(|pattern| pattern.matches(name));
        let kept = known.filter(|name| is_meant(name.as_str()) && !is_excluded(name.as_str()));
        let kept: Vec<GroupPattern> = kept.map(|name| GroupPattern::new(name.as_str())).collect();
        return Ok((!kept.is_empty()).then_some(kept));
    }
    if is_everything {
        return Ok(Some(Vec::new()));
    }
    let finds_nothing = || {
        let known = server.groups();
        !wanted.iter().any(|pattern| known.iter().any(|group| pattern.matches(group.name.as_str())))
    };
    ensure!(leniency.allows_nothing || !finds_nothing(), missing(names));
    Ok((!wanted.is_empty()).then_some(wanted))
}

/// Reports whether these patterns match a group that exists for the caller.
fn reaches_any(server: &Shared, patterns: &[GroupPattern]) -> bool {
    let names = || server.groups();
    !patterns.is_empty() && names().iter().any(|group| GroupPattern::any_matches(patterns, group.name.as_str()))
}

/// Resolves names into single groups that exist for the caller, including created indices.
pub(super) fn named(server: &Shared, names: &str, leniency: Leniency) -> Result<Vec<GroupName>> {
    let patterns = resolve(server, names, leniency)?;
    let mut groups: Vec<GroupName> = server.groups().into_iter().map(|group| group.name).collect();
    groups.extend(created_indices::empty(server)?);
    groups.retain(|group| {
        patterns.as_ref().is_some_and(|of| of.is_empty() || GroupPattern::any_matches(of, group.as_str()))
    });
    Ok(groups)
}

/// Returns the error for an index that does not exist.
pub(super) fn missing(name: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "index_not_found_exception", format!("no such index [{name}]"))
}
