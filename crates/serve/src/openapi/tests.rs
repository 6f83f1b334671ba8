//! The description and the routes, which agree.

use std::collections::BTreeSet;

use super::*;

/// The description of all routes.
pub(crate) fn description() -> Value {
    serde_json::from_str(&describe(&crate::tests::entries())).expect("the description is JSON")
}

#[test]
fn the_description_names_every_route_with_its_role_and_no_other() {
    let description = description();
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
    let table = crate::tests::entries();
    let known: BTreeSet<(String, String, String)> =
        table.iter().map(|e| (e.path.to_owned(), e.method.to_owned(), role_of(e).name().to_owned())).collect();
    assert_eq!(known.symmetric_difference(&described).collect::<Vec<_>>(), Vec::<&(String, String, String)>::new());
}

#[test]
fn routes_of_other_systems_refer_to_a_page_of_the_manual_that_exists() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let own: Value = serde_json::from_str(OWN).expect("the description is JSON");
    for (start, _, _, page) in ORIGINALS {
        assert!(docs.join(format!("{page}.md")).is_file(), "{page}");
        assert!(crate::tests::entries().iter().any(|entry| entry.path.starts_with(start)), "{start} is a door");
        let mut described = own["paths"].as_object().into_iter().flatten().map(|(path, _)| path);
        assert_eq!(described.find(|path| path.starts_with(start)), None, "described by hand and by reference");
    }
}

#[test]
fn everything_that_is_referred_to_exists_and_is_referred_to() {
    let description: Value = serde_json::from_str(OWN).expect("the description is JSON");
    for rest in OWN.split("\"#/components/").skip(1) {
        let place = rest.split('"').next().unwrap_or_default();
        assert!(description.pointer(&format!("/components/{place}")).is_some(), "{place}");
    }
    for kind in ["schemas", "responses"] {
        for (name, _) in description["components"][kind].as_object().into_iter().flatten() {
            assert!(OWN.contains(&format!("\"#/components/{kind}/{name}\"")), "{kind}/{name} is used");
        }
    }
}
