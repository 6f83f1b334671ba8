//! Who may do what, of every route: the table of routes against what the description says of each, asked as everybody.
//!
//! A route that the description does not have fails here, and so does one that needs no key and is not among [`OPEN`].

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::House;
use crate::access::Role;
use crate::routes::openapi::DESCRIPTION;

/// What needs no key: life signs, the description, and doors that check who comes by themselves.
const OPEN: [&str; 7] = [
    "/-/healthy",
    "/-/ready",
    "/ready",
    "/api/openapi.json",
    "/cloudwatch",
    "/api/v1/session",
    "/services/collector/health",
];

/// A route whose handler lets in whom it is about, besides administrators.
const OF_ONESELF: &str = "/api/v1/users/{name}/password";

/// Somebody, and what they may do.
struct Person {
    name: String,
    header: Option<String>,
    roles: &'static [Role],
    refused: u16,
    is_narrow: bool,
}

impl House {
    /// Makes a key and gives it.
    pub(super) async fn key(&self, role: &str, groups: &[&str]) -> (String, String) {
        let order = json!({"name": format!("{role} of {groups:?}"), "role": role, "groups": groups}).to_string();
        let made = self.administer("POST", "/api/v1/keys", order).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let text = |name: &str| made.json()[name].as_str().unwrap_or_default().to_owned();
        (text("id"), text("key"))
    }

    /// The status of an answer whose body is left alone.
    async fn status(&self, method: &str, path: &str, key: Option<&str>) -> u16 {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.start(request.body(Body::empty()).expect("a request")).await.status().as_u16()
    }
}

const ALL: &[Role] = &[Role::None, Role::Ingest, Role::Read, Role::Operate, Role::Admin];

async fn people(house: &House) -> Vec<Person> {
    let of_role: [(&str, &'static [Role]); 4] = [
        ("ingest", &[Role::None, Role::Ingest]),
        ("read", &[Role::None, Role::Read]),
        ("operate", &[Role::None, Role::Read, Role::Operate]),
        ("admin", ALL),
    ];
    let stranger = |name: &str, header: Option<String>| Person {
        name: name.to_owned(),
        header,
        roles: &[Role::None],
        refused: 401,
        is_narrow: false,
    };
    let mut people = vec![stranger("nobody", None), stranger("a bad key", Some("catat_0123456789abcdef_00".into()))];
    for (role, roles) in of_role {
        for groups in [&["*"][..], &["elsewhere/*"]] {
            let (_, key) = house.key(role, groups).await;
            let is_narrow = groups[0] != "*";
            let name = format!("{role} of {groups:?}");
            people.push(Person { name, header: Some(key), roles, refused: 403, is_narrow });
        }
        let (id, key) = house.key(role, &["*"]).await;
        assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await.status, 200);
        people.push(stranger(&format!("a revoked key of {role}"), Some(key)));
    }
    people
}

async fn walk(house: &House, people: &[Person]) {
    let description: Value = serde_json::from_str(DESCRIPTION).expect("the description is JSON");
    let mut wrong = Vec::new();
    for entry in crate::router::table().entries() {
        let described = &description["paths"][entry.path][entry.method]["x-catat-role"];
        assert_eq!(described, entry.role.name(), "{} {} is described", entry.method, entry.path);
        // Docker's driver asks without its token whether there is a collector; nothing is said but that.
        let asks_collector = entry.method == "options" && entry.path.starts_with("/services/collector");
        let is_open = asks_collector || OPEN.iter().any(|open| entry.path.starts_with(open));
        assert!(entry.role != Role::None || is_open, "{} needs a key or is known to need none", entry.path);
        // Those that check who comes by themselves have words of their own.
        if entry.role == Role::None && !entry.path.ends_with('y') {
            continue;
        }
        let path: String = entry.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).fold(
            String::new(),
            |path, part| if path.is_empty() && part.is_empty() { path } else { format!("{path}/{part}") },
        );
        for person in people {
            let status = house.status(&entry.method.to_uppercase(), &path, person.header.as_deref()).await;
            // Splunk says of a key that it does not know that it is forbidden.
            let refused = if path.starts_with("/services/") { [person.refused, 403] } else { [person.refused; 2] };
            let may_be_narrow = person.is_narrow || entry.path == OF_ONESELF;
            let is_right = if person.roles.contains(&entry.role) {
                status != 401 && (status != 403 || may_be_narrow) && (status < 500 || status == 503)
            } else {
                refused.contains(&status)
            };
            if !is_right {
                wrong.push(format!("{} {path} as {}: {status}", entry.method, person.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_open_to_those_who_may_and_to_nobody_else() {
    let house = House::new();
    let people = people(&house).await;
    walk(&house, &people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_first_key_all_but_administration_is_open_on_this_machine() {
    let house = House::new();
    let roles: &[Role] = &[Role::None, Role::Ingest, Role::Read, Role::Operate];
    let local = |header: Option<&str>| Person {
        name: format!("anonymous with {header:?}"),
        header: header.map(str::to_owned),
        roles,
        refused: 401,
        is_narrow: false,
    };
    walk(&house, &[local(None), local(Some("any"))]).await;
}
