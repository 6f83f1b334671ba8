//! Stars, bases and hostile patterns.

use super::*;

fn check(pattern: &str, path: &str) -> bool {
    let (base, glob) = Glob::split(Path::new(pattern));
    Path::new(path).strip_prefix(&base).is_ok_and(|below| glob.matches(below))
}

#[test]
fn a_star_stays_within_its_path_part() {
    assert!(check("/var/log/*.log", "/var/log/a.log"));
    assert!(!check("/var/log/*.log", "/var/log/nginx/a.log"));
    assert!(check("/var/log/*/a?.log", "/var/log/nginx/a1.log"));
    assert!(!check("/var/log/*.log", "/var/log/a.log.1"));
}

#[test]
fn two_stars_cross_path_parts() {
    assert!(check("/srv/**/*.log", "/srv/a.log"));
    assert!(check("/srv/**/*.log", "/srv/a/b/c.log"));
    assert!(check("/srv/**", "/srv/a/b/c"));
    assert!(!check("/srv/**/logs/*.log", "/srv/a/b/c.log"));
}

#[test]
fn a_hostile_pattern_costs_no_more_than_the_product_of_lengths() {
    assert!(!check(&format!("/{}b", "*a".repeat(500)), &format!("/{}", "a".repeat(5000))));
}

#[test]
fn the_base_is_what_stands_before_the_first_star() {
    let (base, glob) = Glob::split(Path::new("/var/log/ng*/x/*.log"));
    assert_eq!(base, Path::new("/var/log"));
    assert_eq!(glob.depth_max(), Some(3));
    assert_eq!(Glob::split(Path::new("/a/**/b")).1.depth_max(), None);
}
