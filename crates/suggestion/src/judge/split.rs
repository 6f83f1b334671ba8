//! Groups that hold two things: services that write nothing in common, or formats that are read in different ways.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::candidate::{Candidate, Kind, Reason, SPLIT_SHARE_MAX, SPLIT_SHARE_MIN, name};
use crate::profile::{MESSAGE, Profile, Services};

/// Most services that a group is split into.
const SERVICES_MAX: usize = 20;

/// Events that several services may write alike, as a share.
const SHARED_MAX: f64 = 0.2;

/// Events that must name their service.
const NAMED_MIN: f64 = 0.9;

/// An access log begins with an address, and has a date in brackets before its request.
const ACCESS: &str = r#"^\S+ \S+ [^\[]{1,80}\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[^\]]+\] ""#;
const JSON: &str = r"^\s*\{";

pub(super) fn candidates(group: &str, profile: &Profile) -> Vec<Candidate> {
    let by_service = profile.services.iter().find(|(_, services)| are_apart(services, profile.n_events));
    match by_service {
        Some((field, services)) => vec![of_services(group, field, services)],
        None => of_formats(group, profile).into_iter().collect(),
    }
}

/// Reports whether the values of a field are services with little in common.
fn are_apart(services: &Services, n_events: u64) -> bool {
    let n_named: u64 = services.values.values().sum();
    let share = |count: u64| count as f64 / n_events.max(1) as f64;
    let n_large = services.values.values().filter(|count| share(**count) >= SPLIT_SHARE_MIN).count();
    let most = services.values.values().copied().max().unwrap_or(0);
    let n_shared: u64 = services
        .of_text
        .values()
        // What the most frequent one writes is its own; the rest is shared.
        .map(|values| values.values().sum::<u64>() - values.values().copied().max().unwrap_or(0))
        .sum();
    !services.is_cut
        && services.values.len() <= SERVICES_MAX
        && n_large >= 2
        && share(n_named) >= NAMED_MIN
        && share(most) <= SPLIT_SHARE_MAX
        && n_shared as f64 <= SHARED_MAX * n_named as f64
}

fn of_services(group: &str, field: &str, services: &Services) -> Candidate {
    Candidate {
        kind: Kind::Split,
        reason: Reason::Services,
        pattern: None,
        fields: [field.to_owned()].into_iter().chain(services.values.keys().cloned()).collect(),
        definition: json!({
            "name": name(Reason::Services, group, field),
            "match": {"group": group, "has": [field]},
            "steps": [{"route": format!("{group}/{{{field}}}")}],
        }),
    }
}

/// Returns how texts of the message are read: as an access log, as JSON, as a text.
fn format_of(sample: &str, access: &regex::Regex) -> &'static str {
    if access.is_match(sample) {
        "access"
    } else if sample.trim_start().starts_with('{') {
        "json"
    } else {
        "text"
    }
}

fn of_formats(group: &str, profile: &Profile) -> Option<Candidate> {
    let access = regex::Regex::new(ACCESS).ok()?;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for ((field, _), text) in &profile.texts {
        // A text that is a field is that of a JSON line, or of a record.
        let format = if *field == MESSAGE {
            text.samples.first().map_or("text", |text| format_of(text, &access))
        } else {
            "json"
        };
        *counts.entry(format).or_insert(0) += text.n_events();
    }
    let share = |format: &str| counts.get(format).copied().unwrap_or(0) as f64 / profile.n_events.max(1) as f64;
    let (format, regex) = [("access", ACCESS), ("json", JSON)]
        .into_iter()
        .find(|(format, _)| (SPLIT_SHARE_MIN..=1.0 - SPLIT_SHARE_MIN).contains(&share(format)))?;
    let of: Json = json!({"group": group, "matches": regex});
    Some(Candidate {
        kind: Kind::Split,
        reason: Reason::Formats,
        pattern: None,
        fields: vec![format.to_owned()],
        definition: json!({
            "name": name(Reason::Formats, group, format), "match": of, "steps": [{"route": format!("{group}/{format}")}],
        }),
    })
}
