//! Names of time zones.

use super::*;

#[test]
fn zone_names_are_told_from_paths_and_rules() {
    assert_eq!(zone_of_link(Path::new("/usr/share/zoneinfo/Asia/Jakarta")).as_deref(), Some("Asia/Jakarta"));
    assert!(is_zone_name("Etc/UTC"));
    assert!(!is_zone_name("/usr/share/zoneinfo/UTC"));
    assert!(!is_zone_name("CET-1CEST,M3.5.0,M10.5.0/3"));
    assert!(!is_zone_name(""));
}
