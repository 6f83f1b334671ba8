//! Addresses at the root.

use axum::http::HeaderValue;

use super::*;

#[test]
fn what_can_only_be_meant_for_this_door_is_found_at_the_root() {
    let check = |path: &str, accept: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        moved(&Method::GET, path, &headers)
    };
    for (path, expected) in [
        ("/_bulk", "/elasticsearch/_bulk"),
        ("/_bulk/", "/elasticsearch/_bulk"),
        ("//_cat/health", "/elasticsearch/_cat/health"),
        ("/logs-app/_bulk", "/elasticsearch/logs-app/_bulk"),
        ("/logs/_doc/a%2Fb", "/elasticsearch/logs/_doc/a%2Fb"),
        ("/elasticsearch//_bulk", "/elasticsearch/_bulk"),
        ("/elasticsearch/_bulk/", "/elasticsearch/_bulk"),
    ] {
        assert_eq!(check(path, "*/*").as_deref(), Some(expected), "{path}");
    }
    for path in ["/", "/api/v1/query", "/loki/api/v1/push", "/-/ready", "/elasticsearch/", "/elasticsearch/_bulk"] {
        assert_eq!(check(path, "application/json, */*"), None, "{path}");
    }
    assert_eq!(check("/", "application/json").as_deref(), Some("/elasticsearch/"));
    assert_eq!(check("/", "text/html"), None);
    let of_library = "application/vnd.elasticsearch+json; compatible-with=8";
    assert_eq!(check("/logs", of_library).as_deref(), Some("/elasticsearch/logs"));
    assert_eq!(check("/metrics", "application/json"), None);
    let with = |name: &'static str, value: &'static str| {
        HeaderMap::from_iter([(header::HeaderName::from_static(name), HeaderValue::from_static(value))])
    };
    let (json, client) = (with("accept", "application/json"), with("user-agent", "opensearch-py/3.2.0 (Python 3.13)"));
    for (method, path, headers, expected) in [
        (Method::HEAD, "/logs", &json, Some("/elasticsearch/logs")),
        (Method::HEAD, "/logs", &client, Some("/elasticsearch/logs")),
        (Method::DELETE, "/logs", &client, Some("/elasticsearch/logs")),
        (Method::GET, "/", &client, Some("/elasticsearch/")),
        (Method::HEAD, "/", &with("x-elastic-client-meta", "es=9.4.3"), Some("/elasticsearch/")),
        (Method::HEAD, "/logs", &with("user-agent", "curl/8.5.0"), None),
        (Method::GET, "/", &with("user-agent", "curl/8.5.0"), None),
    ] {
        assert_eq!(moved(&method, path, headers).as_deref(), expected, "{method} {path} {headers:?}");
    }
    assert_eq!(moved(&Method::PUT, "/logs", &HeaderMap::new()).as_deref(), Some("/elasticsearch/logs"));
}
