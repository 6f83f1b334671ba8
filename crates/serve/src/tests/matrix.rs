//! Who may do what, of every route: the table of routes against what the description says of each, asked as everybody.
//!
//! A route that the description does not have fails here, and so does one that needs no key and is not among [`OPEN`].
//! Then in any order, by every way of showing a key: some of that, and with `CATAT_FAULT_ROUNDS` all, so many times.

use axum::body::Body;
use axum::http::Request;
use data_encoding::BASE64;
use serde_json::json;

use super::House;
use super::scopes::Random;
use crate::openapi::tests::description;
use door::{Entry, Role};

/// What needs no key: life signs, the description, the manual, and doors that check who comes by themselves.
const OPEN: [&str; 16] = [
    "/-/healthy",
    "/-/ready",
    "/ready",
    "/api/openapi.json",
    "/docs",
    "/docs/{page}",
    "/docs/{folder}/{page}",
    "/cloudwatch",
    "/xray/",
    "/sns",
    "/api/v1/session",
    "/services/collector/health",
    // Nodes show a code instead of a key.
    "/api/v1/fleet/part",
    "/api/v1/fleet/scrapes",
    "/api/v1/fleet/sources",
    // Whoever has a link shows that.
    "/api/v1/for/{name}/by-link",
];

/// A route whose handler lets in whom it is about, besides administrators.
const OF_ONESELF: &str = "/api/v1/users/{name}/password";

/// Questions in any order, unless more are asked for.
const QUESTIONS: usize = 1_000;

/// A header with which somebody shows who they are.
type Shown = (&'static str, String);

/// Somebody, and what they may do.
struct Person {
    name: String,
    /// Ways to show who they are; nobody has none.
    shown: Vec<Shown>,
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

    /// Returns the status of an answer whose body is left alone.
    async fn status(&self, entry: Entry, shown: Option<&Shown>) -> u16 {
        let (method, path) = (entry.method.to_uppercase(), path_of(entry));
        let mut request = Request::builder().method(&*method).uri(path).header("content-type", "application/json");
        if let Some((name, value)) = shown {
            request = request.header(*name, value);
        }
        self.start(request.body(Body::empty()).expect("a request")).await.status().as_u16()
    }
}

const ALL: &[Role] = &[Role::None, Role::Any, Role::Ingest, Role::Read, Role::Operate, Role::Admin];

/// Returns the ways to show a key.
fn ways(key: &str) -> Vec<Shown> {
    let pair = |user: &str| BASE64.encode(format!("{user}:{key}").as_bytes());
    vec![
        ("authorization", format!("Bearer {key}")),
        ("authorization", format!("Basic {}", pair("any"))),
        ("authorization", format!("ApiKey {}", pair("id"))),
        ("x-catat-key", key.to_owned()),
    ]
}

const OF_ROLE: [(&str, &[Role]); 4] = [
    ("ingest", &[Role::None, Role::Any, Role::Ingest]),
    ("read", &[Role::None, Role::Any, Role::Read]),
    ("operate", &[Role::None, Role::Any, Role::Read, Role::Operate]),
    ("admin", ALL),
];

const SCOPES: [&[&str]; 2] = [&["*"], &["elsewhere/*"]];

fn stranger(name: &str, shown: Vec<Shown>) -> Person {
    Person { name: name.to_owned(), shown, roles: &[Role::None], refused: 401, is_narrow: false }
}

async fn people(house: &House) -> Vec<Person> {
    let bad = ways("catat_0123456789abcdef_00");
    let mut people = vec![stranger("nobody", Vec::new()), stranger("a bad key", bad)];
    for (role, roles) in OF_ROLE {
        for groups in SCOPES {
            let (_, key) = house.key(role, groups).await;
            let (name, is_narrow) = (format!("{role} of {groups:?}"), groups[0] != "*");
            people.push(Person { name, shown: ways(&key), roles, refused: 403, is_narrow });
        }
        let (id, key) = house.key(role, &["*"]).await;
        assert_eq!(house.administer("DELETE", &format!("/api/v1/keys/{id}"), "").await.status, 200);
        people.push(stranger(&format!("a revoked key of {role}"), ways(&key)));
    }
    people
}

/// Returns the same of people who signed in, and of one who signed out again.
async fn signed_in(house: &House) -> Vec<Person> {
    let mut people = Vec::new();
    for (at, (role, roles)) in OF_ROLE.into_iter().enumerate().filter(|(_, (role, _))| *role != "ingest") {
        for groups in SCOPES {
            let (user, is_narrow) = (format!("{role}-{}", groups[0].len() + at), groups[0] != "*");
            house.add_user(&user, role, groups).await;
            let shown = vec![("cookie", house.cookie(&user).await)];
            people.push(Person {
                name: format!("signed in as {role} of {groups:?}"),
                shown,
                roles,
                refused: 403,
                is_narrow,
            });
        }
    }
    house.add_user("gone", "admin", &["*"]).await;
    let cookie = house.cookie("gone").await;
    let parting = Request::delete("/api/v1/session").header("cookie", &cookie).body(Body::empty());
    assert_eq!(house.send(parting.expect("a request")).await.status, 200);
    people.push(stranger("signed out", vec![("cookie", cookie)]));
    people
}

/// Returns a path of an entry, something in the place of its variables.
fn path_of(entry: Entry) -> String {
    let parts = entry.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Returns all routes but those that check who comes by themselves, which have words of their own.
fn asked() -> Vec<Entry> {
    let is_asked = |entry: &Entry| entry.role != Role::None || entry.path.ends_with('y');
    crate::tests::entries().iter().copied().filter(is_asked).collect()
}

/// Returns what is wrong with an answer to somebody.
fn fault(entry: Entry, person: &Person, status: u16) -> Option<String> {
    // Splunk says of a key that it does not know that it is forbidden.
    let refused = if entry.path.starts_with("/services/") { [person.refused, 403] } else { [person.refused; 2] };
    let may_be_narrow = person.is_narrow || entry.path == OF_ONESELF;
    let is_right = if person.roles.contains(&entry.role) {
        status != 401 && (status != 403 || may_be_narrow) && (status < 500 || status == 503)
    } else {
        refused.contains(&status)
    };
    (!is_right).then(|| format!("{} {} as {}: {status}", entry.method, entry.path, person.name))
}

async fn walk(house: &House, people: &[Person]) {
    let mut wrong = Vec::new();
    for entry in asked() {
        for person in people {
            let status = house.status(entry, person.shown.first()).await;
            wrong.extend(fault(entry, person, status));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_route_is_described_with_its_role_and_those_without_are_listed() {
    let description = description();
    for entry in crate::tests::entries() {
        let described = &description["paths"][entry.path][entry.method]["x-catat-role"];
        // The role that CloudWatch's operations need is checked behind the door, with the signature.
        let of_amazon = entry.path.starts_with("/cloudwatch") || entry.path.starts_with("/xray/");
        let is_signed = entry.role == Role::None && of_amazon;
        let needed =
            if is_signed || entry.path.starts_with("/sns") && entry.method == "post" { Role::Any } else { entry.role };
        assert_eq!(described, needed.name(), "{} {} is described", entry.method, entry.path);
        // Docker's driver asks without its token whether there is a collector; nothing is said but that.
        let asks_collector = entry.method == "options" && entry.path.starts_with("/services/collector");
        let is_open = asks_collector || OPEN.iter().any(|open| entry.path.starts_with(open));
        assert!(entry.role != Role::None || is_open, "{} needs a key or is known to need none", entry.path);
    }
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
    let roles: &[Role] = &[Role::None, Role::Any, Role::Ingest, Role::Read, Role::Operate];
    let local = |shown: Vec<Shown>| Person {
        name: format!("anonymous with {shown:?}"),
        shown,
        roles,
        refused: 401,
        is_narrow: false,
    };
    walk(&house, &[local(Vec::new()), local(ways("any"))]).await;
}

/// Everything that can be asked: a route, as somebody, by one of the ways to show that.
fn questions(people: &[Person]) -> Vec<(Entry, &Person, Option<&Shown>)> {
    let mut all = Vec::new();
    for entry in asked() {
        for person in people {
            all.extend(person.shown.is_empty().then_some((entry, person, None)));
            all.extend(person.shown.iter().map(|shown| (entry, person, Some(shown))));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_before_and_how_a_key_is_shown_changes_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let seed = number("CATAT_FAULT_SEED").unwrap_or(7);
    let house = House::new();
    let mut people = people(&house).await;
    people.extend(signed_in(&house).await);
    let mut all = questions(&people);
    let n_asked = number("CATAT_FAULT_ROUNDS").map_or(QUESTIONS, |rounds| rounds * all.len());
    let (mut random, mut wrong) = (Random(seed as u64), Vec::new());
    for at in (0..all.len()).cycle().take(n_asked) {
        // Each once in a round, in an order of its own (Fisher and Yates).
        let other = at + random.below(all.len() - at);
        all.swap(at, other);
        let (entry, person, shown) = all[at];
        wrong.extend(fault(entry, person, house.status(entry, shown).await));
    }
    eprintln!("{n_asked} questions of {} (CATAT_FAULT_SEED={seed})", all.len());
    assert_eq!(wrong, Vec::<String>::new());
}
