//! Names of groups from outside and of rotated files.

use super::*;

#[test]
fn outside_names_become_valid_group_names() {
    assert_eq!(group_name_of_outside("/aws/lambda/pay").as_str(), "/aws/lambda/pay");
    assert_eq!(group_name_of_outside("../../etc/pass wd").as_str(), "etc/pass_wd");
    assert_eq!(group_name_of_outside("").as_str(), "default");
    assert_eq!(group_name_of_outside("é").as_str(), "_");
    assert_eq!(group_name_of_outside("/../").as_str(), "default");
}

#[test]
fn long_names_stay_apart_and_are_taken_as_they_are_again() {
    let (long, most) = ("x".repeat(2000), "x".repeat(512));
    let made = group_name_of_outside(&long);
    assert_eq!((made.as_str().len(), made.as_str().starts_with("xxx")), (512, true));
    assert_eq!(group_name_of_outside(made.as_str()), made);
    assert_eq!(group_name_of_outside(&most).as_str(), most);
    let all = [long.clone(), format!("{long}y"), format!("/{long}"), format!("{most}x"), format!("/{most}"), most];
    let names: std::collections::HashSet<GroupName> = all.iter().map(|name| group_name_of_outside(name)).collect();
    assert_eq!(names.len(), all.len());
    assert!(names.iter().all(|name| GroupName::new(name.as_str()).is_some()));
}

#[test]
fn a_rotated_file_belongs_to_the_group_of_the_live_one() {
    for path in ["", ".1", ".12.gz", "-20261120", "-20261120.zst", ".2026-11-20.gz"] {
        let path = format!("/var/log/nginx/access.log{path}");
        assert_eq!(group_name_of_file(&path).as_str(), "nginx/access.log", "{path}");
    }
    assert_eq!(group_name_of_file("/srv/app/1").as_str(), "srv/app/1");
    assert_eq!(group_name_of_file("/srv/app/.gz").as_str(), "srv/app/.gz");
}
