//! Looks up aliases: the groups that they name, and those of them that exist for the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json_, json};
use types::GroupPattern;

use super::alias::{Alias, Aliases, KIND};
use super::state::Shared;
use door::Result;

pub(super) fn all(server: &Shared) -> Result<Arc<Aliases>> {
    server.state.aliases.get(|| Ok(server.settings().read(KIND)?.into_iter().collect()))
}

/// Returns the groups that the aliases of a name or pattern contain, whether they exist or not.
pub(super) fn targets(server: &Shared, written: &str) -> Result<Vec<GroupPattern>> {
    let pattern = GroupPattern::new(written);
    let aliases = all(server)?;
    let meant = aliases.iter().filter(|(name, _)| pattern.matches(name));
    Ok(meant.flat_map(|(_, alias)| &alias.indices).map(GroupPattern::new).collect())
}

/// Returns the groups of each alias that exist for the caller. Aliases without any are left out.
pub(super) fn seen(server: &Shared) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let (groups, aliases) = (server.groups(), all(server)?);
    let groups_of = |alias: &Alias| -> BTreeSet<String> {
        let patterns: Vec<GroupPattern> = alias.indices.iter().map(GroupPattern::new).collect();
        let names = groups.iter().map(|group| group.name.as_str());
        names.filter(|name| GroupPattern::any_matches(&patterns, name)).map(str::to_owned).collect()
    };
    let seen = aliases.iter().map(|(name, alias)| (name.clone(), groups_of(alias)));
    Ok(seen.filter(|(_, groups)| !groups.is_empty()).collect())
}

/// Returns the aliases of a group as JSON.
pub(super) fn shown(seen: &BTreeMap<String, BTreeSet<String>>, group: &str) -> Json_ {
    let of_group = seen.iter().filter(|(_, groups)| groups.contains(group));
    of_group.map(|(name, _)| (name.clone(), json!({}))).collect::<Map<_, _>>().into()
}
