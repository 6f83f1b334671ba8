//! Rules as they are written, and whom they fit.

use super::*;

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = ["user:ani@example.org = admin", "shop = operate shop/* web/*", "CN=logs = read", "* = read public/*"];
    let rules = RoleRules(rules.iter().map(|rule| rule.parse().expect("a rule")).collect());
    let check = |user: &str, groups: &[&str], role: Role, patterns: Option<&[&str]>| {
        let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let patterns = patterns.map(|patterns| patterns.iter().map(ToString::to_string).collect());
        assert_eq!(rules.grant(user, &groups), Some(&Grant { role, groups: patterns }), "{user} {groups:?}");
    };
    check("ani@example.org", &["shop"], Role::Admin, None);
    check("budi", &["CN=logs", "shop"], Role::Operate, Some(&["shop/*", "web/*"]));
    check("budi", &["CN=logs"], Role::Read, None);
    check("user", &["user:ani@example.org", "*"], Role::Read, Some(&["public/*"]));
    assert_eq!(RoleRules::default().grant("ani", &["shop".to_owned()]), None);
}

#[test]
fn a_rule_that_cannot_be_read_is_refused_with_the_form_of_one() {
    for wrong in ["shop", "= read", "user: = read", "shop =", "shop = root", "shop = ingest", "shop = read a b?c"] {
        let refused = wrong.parse::<RoleRule>().expect_err(wrong);
        assert!(refused.contains("write \"GROUP = ROLE\""), "{refused}");
    }
}
