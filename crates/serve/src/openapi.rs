//! `/api/openapi.json`: the description of every route. A test walks the table of routes against it.

use axum::http::header;
use axum::response::IntoResponse;

/// The description, written by hand beside this crate.
pub(crate) const DESCRIPTION: &str = include_str!("../openapi.json");

pub(crate) async fn get() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], DESCRIPTION)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use door::access::Role;

    #[test]
    fn the_description_names_every_route_with_its_role_and_no_other() {
        let description: Value = serde_json::from_str(DESCRIPTION).expect("the description is JSON");
        let paths = description["paths"].as_object().expect("it has paths");
        let described: BTreeSet<(String, String, String)> = paths
            .iter()
            .flat_map(|(path, operations)| {
                operations.as_object().into_iter().flatten().map(move |(method, operation)| {
                    let role = operation["x-catat-role"].as_str().unwrap_or("missing");
                    (path.clone(), method.clone(), role.to_owned())
                })
            })
            .collect();
        let table = crate::router::entries();
        let known: BTreeSet<(String, String, String)> =
            table.iter().map(|e| (e.path.to_owned(), e.method.to_owned(), role_of(e).name().to_owned())).collect();
        assert_eq!(known.symmetric_difference(&described).collect::<Vec<_>>(), Vec::<&(String, String, String)>::new());
    }

    /// Returns the role that a request needs. CloudWatch, SNS and X-Ray check theirs themselves, with the signature.
    fn role_of(entry: &door::table::Entry) -> Role {
        let is_signed = ["/cloudwatch", "/xray/"].iter().any(|prefix| entry.path.starts_with(prefix));
        let is_sns = entry.path.starts_with("/sns") && entry.method == "post";
        if is_signed || is_sns { Role::Any } else { entry.role }
    }

    #[test]
    fn everything_that_is_referred_to_exists() {
        let description: Value = serde_json::from_str(DESCRIPTION).expect("the description is JSON");
        for rest in DESCRIPTION.split("\"#/components/").skip(1) {
            let place = rest.split('"').next().unwrap_or_default();
            assert!(description.pointer(&format!("/components/{place}")).is_some(), "{place}");
        }
    }
}
