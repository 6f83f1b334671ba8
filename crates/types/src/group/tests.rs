//! Names of groups from outside and of rotated files.

use super::*;

#[test]
fn outside_names_become_valid_group_names() {
    assert_eq!(group_name_of_outside("/aws/lambda/pay").as_str(), "/aws/lambda/pay");
    assert_eq!(group_name_of_outside("../../etc/pass wd").as_str(), "etc/pass_wd");
    assert_eq!(group_name_of_outside("").as_str(), "default");
    assert_eq!(group_name_of_outside("é").as_str(), "_");
    assert_eq!(group_name_of_outside(&"x".repeat(2000)).as_str().len(), 511);
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
