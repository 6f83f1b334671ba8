//! Pages of groups: `group_limit` and `group_next_token`, as Prometheus has them.

use door::parameters::Parameters;
use door::problem::Problem;
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
    pub(super) fn of(parameters: &'p Parameters) -> Result<Self, Problem> {
        let (limit, first) = (parameters.get(LIMIT), parameters.get(NEXT));
        if first.is_some() && limit.is_none() {
            return Err(invalid(NEXT, "group_limit needs to be present in order to paginate over the groups"));
        }
        let number = limit.map(str::parse::<i32>).transpose();
        let number =
            number.map_err(|error| invalid(LIMIT, format!("group_limit needs to be a valid number: {error}")))?;
        let limit = number.map(|number| usize::try_from(number).unwrap_or(0));
        if limit == Some(0) {
            return Err(invalid(LIMIT, "group_limit needs to be greater than 0"));
        }
        Ok(Self { limit, first })
    }

    /// Returns those of `groups`, each with its id, that are on the page. Groups without rules, `None`, are on none, but a page may
    /// begin with one.
    ///
    /// Errors: no group has the id of the page.
    pub(super) fn cut<G>(&self, groups: impl Iterator<Item = (String, Option<G>)>) -> Result<GroupPage<G>, Problem> {
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
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)], expected: Result<(&[i32], Option<&str>), &str>) {
        let parameters =
            Parameters(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
        let groups = [("a", Some(1)), ("b", None), ("c", Some(3)), ("d", Some(4))];
        let groups = groups.into_iter().map(|(id, group)| (id.to_owned(), group));
        let paged = Page::of(&parameters).and_then(|page| page.cut(groups)).map_err(|problem| problem.message);
        let paged = paged.as_ref().map(|(groups, next)| (&groups[..], next.as_deref())).map_err(String::as_str);
        match expected {
            Err(expected) => assert!(paged.is_err_and(|error| error.starts_with(expected)), "{pairs:?}: {paged:?}"),
            Ok(_) => assert_eq!(paged, expected, "{pairs:?}"),
        }
    }

    #[test]
    fn a_page_ends_at_its_limit_and_the_next_one_begins_there() {
        check(&[], Ok((&[1, 3, 4], None)));
        check(&[("group_limit", "2")], Ok((&[1, 3], Some("d"))));
        check(&[("group_limit", "2"), ("group_next_token", "d")], Ok((&[4], None)));
        check(&[("group_limit", "1"), ("group_next_token", "b")], Ok((&[3], Some("d"))));
        check(&[("group_limit", "3")], Ok((&[1, 3, 4], None)));
    }

    #[test]
    fn pages_that_do_not_exist_are_refused() {
        let of_limit = "invalid parameter \"group_limit\": group_limit needs to be";
        check(&[("group_limit", "x")], Err(&format!("{of_limit} a valid number")));
        check(&[("group_limit", "-1")], Err(&format!("{of_limit} greater than 0")));
        check(&[("group_limit", "0")], Err(&format!("{of_limit} greater than 0")));
        check(
            &[("group_next_token", "d")],
            Err("invalid parameter \"group_next_token\": group_limit needs to be present"),
        );
        let gone = "invalid parameter \"group_next_token\": invalid group_next_token 'e'. were rule groups changed?";
        check(&[("group_limit", "1"), ("group_next_token", "e")], Err(gone));
    }
}
