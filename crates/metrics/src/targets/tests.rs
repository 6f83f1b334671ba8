//! Addresses of targets.

use super::*;

#[test]
fn addresses_of_the_own_machine_name_it_for_others() {
    let check = |url: &str, expected: &str| assert_eq!(global_url(url, "web-1"), expected);
    check("http://localhost:9100/metrics", "http://web-1:9100/metrics");
    check("https://127.0.0.1/metrics?a=b", "https://web-1/metrics?a=b");
    check("http://[::1]:9100/", "http://web-1:9100/");
    check("http://localhost.example:9100/", "http://localhost.example:9100/");
    check("http://db1:9100/metrics", "http://db1:9100/metrics");
}
