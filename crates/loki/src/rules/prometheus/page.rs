//! Pages of groups: `group_limit` and `group_next_token`, as Prometheus has them.

use door::{Parameters, Result};
use xxhash_rust::xxh3::xxh3_64;

use super::selection::invalid;

const LIMIT: &str = "group_limit";
const NEXT: &str = "group_next_token";

/// The requested page of groups.
#[derive(Debug)]
pub(super) struct Page<'p> {
    /// Most groups; `None` for all.
    limit: Option<usize>,
    /// The id of the first group; `None` for that of the whole list.
    first: Option<&'p str>,
}

/// The groups of a page, and the id of the group after them.
pub(super) type GroupPage<G> = (Vec<G>, Option<String>);

impl<'p> Page<'p> {
    pub(super) fn of(parameters: &'p Parameters) -> Result<Self> {
        let (limit, first) = (parameters.get(LIMIT), parameters.get(NEXT));
        if first.is_some() && limit.is_none() {
            return Err(invalid(NEXT, "group_limit needs to be present in order to paginate over the groups"));
        }
        let number = limit.map(str::parse::<i32>).transpose();
        let number =
            number.map_err(|error| invalid(LIMIT, format!("group_limit needs to be a valid number: {error}")))?;
        let limit = number.map(|number| usize::try_from(number).unwrap_or(0));
        types::ensure!(limit != Some(0), invalid(LIMIT, "group_limit needs to be greater than 0"));
        Ok(Self { limit, first })
    }

    /// Returns those of `groups`, each with its id, that are on the page. Groups without rules, `None`, are on none, but a page may
    /// begin with one.
    ///
    /// Errors: no group has the id of the page.
    pub(super) fn cut<G>(&self, groups: impl Iterator<Item = (String, Option<G>)>) -> Result<GroupPage<G>> {
        let (mut shown, mut is_reached) = (Vec::new(), self.first.is_none());
        for (id, group) in groups {
            is_reached |= self.first == Some(id.as_str());
            let Some(group) = group.filter(|_| is_reached) else { continue };
            if self.limit == Some(shown.len()) {
                return Ok((shown, Some(id)));
            }
            shown.push(group);
        }
        match self.first {
            Some(first) if !is_reached => {
                Err(invalid(NEXT, format!("invalid group_next_token '{first}'. were rule groups changed?")))
            }
            _ => Ok((shown, None)),
        }
    }
}

/// Returns the id of a group, with which the page that begins with it is requested.
pub(super) fn id_of(file: &str, group: &str) -> String {
    format!("{:016x}", xxh3_64(format!("{file};{group}").as_bytes()))
}

#[cfg(test)]
mod tests;
