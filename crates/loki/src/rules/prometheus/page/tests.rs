//! Pages and their limits.

use super::*;

fn check(pairs: &[(&str, &str)], expected: Result<(&[i32], Option<&str>), &str>) {
    let parameters = Parameters(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect());
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
    check(&[("group_next_token", "d")], Err("invalid parameter \"group_next_token\": group_limit needs to be present"));
    let gone = "invalid parameter \"group_next_token\": invalid group_next_token 'e'. were rule groups changed?";
    check(&[("group_limit", "1"), ("group_next_token", "e")], Err(gone));
}
