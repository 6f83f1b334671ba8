//! Planted incidents: eight kinds, each with noise of its own, from drawn seeds; the cause is among the first three findings.
//! An innocent day has none.

use types::Level;

use super::*;
use crate::lab::{DAY, Draft, HOUR, MINUTE, Random, SECOND, ask, runs_of};

/// Seeds of each incident.
const SEEDS: std::ops::Range<u64> = 1..7;

/// The range that is looked at; events begin three hours earlier.
const RANGE: (i64, i64) = (3 * HOUR, 4 * HOUR);

const SERVICES: [&str; 5] = ["web", "pay", "ledger", "search", "mail"];
const TENANTS: [&str; 12] =
    ["acme", "bolt", "cargo", "delta", "echo", "fox", "gale", "hill", "iris", "jade", "kiwi", "lime"];

fn host_of(n: usize) -> String {
    format!("node-{n}")
}

/// Hours of a shop with ten hosts: requests, some warnings and a few errors of several kinds, a restart now and then.
fn noise(random: &mut Random) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut at = 0;
    while at < RANGE.1 {
        at += random.interval(SECOND / 2);
        let service = random.pick(&SERVICES);
        let (level, text) = match random.below(400) {
            0 => (Level::Error, format!("connection reset by peer 10.0.{}.{}", random.below(9), random.below(250))),
            1 => (Level::Error, format!("cannot parse order {}: unexpected end", random.below(90_000))),
            2..8 => (Level::Warn, format!("slow query took {} ms", 500 + random.below(900))),
            8..40 => (Level::Info, format!("cache refreshed, {} entries", random.below(5_000))),
            n => (
                Level::Info,
                format!("{} /{}/{} 200", ["GET", "POST"][n % 2], ["cart", "item", "find"][n % 3], random.below(9_999)),
            ),
        };
        let host = random.below(10);
        drafts.push(event(random, at, service, host, level, text));
    }
    for _ in 0..3 {
        let (at, host) = (random.below(3 * 3600) as i64 * SECOND, random.below(10));
        drafts.push(event(random, at, "mail", host, Level::Info, "mail starting".into()));
    }
    drafts
}

fn event(random: &mut Random, at: i64, service: &'static str, host: usize, level: Level, text: String) -> Draft {
    Draft::new(DAY + at, "shop", level, text)
        .field("service", service)
        .field("host", host_of(host))
        .field("version", "v1.8.0")
        .field("tenant", random.pick(&TENANTS))
        .field("trace_id", format!("{:016x}", random.below(1 << 40)))
        .number("duration_ms", 3 + random.below(80) as i64)
}

/// Adds events at a mean interval from `begin` to the end of the range.
fn repeat(
    random: &mut Random,
    begin: i64,
    interval: i64,
    drafts: &mut Vec<Draft>,
    mut make: impl FnMut(&mut Random, i64) -> Draft,
) {
    let mut at = begin;
    loop {
        at += random.interval(interval);
        if at >= RANGE.1 {
            return;
        }
        let draft = make(random, at);
        drafts.push(draft);
    }
}

fn set(draft: &mut Draft, name: &str, value: &str) {
    if let Some((_, known)) = draft.fields.iter_mut().find(|(known, _)| *known == name) {
        *known = Value::text(value);
    }
}

fn look(drafts: &[Draft]) -> FirstLook {
    let runs = runs_of(drafts);
    ask("", RANGE, |set| first_look(set, &runs, None).expect("an answer"))
}

/// Plants an incident from each seed; one of the first three findings has to name its cause. `plant` returns texts, one of
/// which the kind and the title of a finding have to contain.
fn check(plant: impl Fn(&mut Random, i64, &mut Vec<Draft>) -> Vec<String>) {
    for seed in SEEDS {
        let mut random = Random::new(seed);
        let mut drafts = noise(&mut random);
        let begin = RANGE.0 + (15 + random.below(25) as i64) * MINUTE;
        let causes = plant(&mut random, begin, &mut drafts);
        let found = look(&drafts);
        let shown: Vec<String> =
            found.findings.iter().map(|one| format!("{:.2} {} {}", one.score, one.kind.name(), one.title)).collect();
        let tells = |one: &Finding| {
            let said = format!("{} {}", one.kind.name(), one.title);
            causes.iter().any(|cause| said.contains(cause))
        };
        let is_found = found.findings.iter().take(3).any(tells);
        assert!(is_found, "seed {seed}: none of {causes:?} in {shown:#?}; onset {:?}, planted at {begin}", found.onset);
    }
}

#[test]
fn a_bad_deploy_on_one_of_ten_hosts() {
    check(|random, begin, drafts| {
        let host = host_of(random.below(10));
        let start =
            Draft::new(DAY + begin - 20 * SECOND, "shop", Level::Info, "pay v1.9.0 starting, pool max_size=8 (was 64)");
        drafts.push(start.field("service", "pay").field("host", &host).field("version", "v1.9.0"));
        for draft in drafts.iter_mut().filter(|draft| draft.at >= DAY + begin) {
            if draft.fields.iter().any(|(name, value)| *name == "host" && value.to_string() == host) {
                set(draft, "version", "v1.9.0");
            }
        }
        let of_host = host.clone();
        repeat(random, begin, 3 * SECOND, drafts, |random, at| {
            let text = format!("order {} failed: pool exhausted after 5000 ms", random.below(90_000));
            let mut draft = event(random, at, "pay", 0, Level::Error, text);
            set(&mut draft, "host", &of_host);
            set(&mut draft, "version", "v1.9.0");
            draft
        });
        vec!["v1.9.0".into(), format!("host = {host}")]
    });
}

#[test]
fn a_dependency_that_times_out() {
    check(|random, begin, drafts| {
        repeat(random, begin, 2 * SECOND, drafts, |random, at| {
            let text = format!("call to ledger-db timed out after {} ms", 5_000 + random.below(40));
            let (service, host) = (random.pick(&["pay", "ledger"]), random.below(10));
            let mut draft = event(random, at, service, host, Level::Error, text).field("dependency", "ledger-db");
            draft.fields[5].1 = Value::Integer(5_000 + random.below(40) as i64);
            draft
        });
        vec!["ledger-db".into()]
    });
}

#[test]
fn a_dependency_that_only_a_field_names() {
    check(|random, begin, drafts| {
        repeat(random, begin, 2 * SECOND, drafts, |random, at| {
            let ms = 5_000 + random.below(40);
            let (service, host) = (random.pick(&["pay", "ledger"]), random.below(10));
            let text = format!("call timed out after {ms} ms");
            let mut draft = event(random, at, service, host, Level::Error, text).field("dependency", "ledger-db");
            draft.fields[5].1 = Value::Integer(ms as i64);
            draft
        });
        vec!["dependency = ledger-db".into()]
    });
}

#[test]
fn a_full_disk() {
    check(|random, begin, drafts| {
        let host = random.below(10);
        repeat(random, begin, 5 * SECOND, drafts, |random, at| {
            let text = format!("write /var/lib/ledger/{}.log: no space left on device", random.below(500));
            event(random, at, "ledger", host, Level::Error, text)
        });
        vec!["no space left".into(), format!("host = {}", host_of(host))]
    });
}

#[test]
fn an_expired_certificate() {
    check(|random, begin, drafts| {
        repeat(random, begin, 4 * SECOND, drafts, |random, at| {
            let host = random.below(10);
            let text = format!("TLS handshake with 10.0.4.{} failed: certificate has expired", random.below(4));
            event(random, at, "mail", host, Level::Error, text)
        });
        vec!["certificate has expired".into()]
    });
}

#[test]
fn the_load_of_one_tenant() {
    check(|random, begin, drafts| {
        let tenant = random.pick(&TENANTS).to_owned();
        let of_tenant = tenant.clone();
        repeat(random, begin, SECOND / 8, drafts, |random, at| {
            let (service, host) = (random.pick(&["web", "search"]), random.below(10));
            let text = format!("GET /find/{} 200", random.below(9_999));
            let mut draft = event(random, at, service, host, Level::Info, text);
            set(&mut draft, "tenant", &of_tenant);
            draft
        });
        vec![format!("tenant = {tenant}")]
    });
}

#[test]
fn a_clock_that_jumped() {
    check(|random, begin, drafts| {
        let host = host_of(random.below(10));
        let of_host =
            |draft: &&mut Draft| draft.fields.iter().any(|(name, value)| *name == "host" && value.to_string() == host);
        // Half an hour back: the events arrive, and lie among earlier ones.
        for draft in drafts.iter_mut().filter(of_host).filter(|draft| draft.at >= DAY + begin) {
            draft.arrived = draft.at;
            draft.at -= 30 * MINUTE;
        }
        vec![format!("clock host {host}: its clock jumped")]
    });
}

#[test]
fn a_retry_storm() {
    check(|random, begin, drafts| {
        repeat(random, begin, SECOND / 10, drafts, |random, at| {
            let (host, attempt) = (random.below(10), 2 + random.below(8));
            let text = format!("retrying charge {}, attempt {attempt}", random.below(90_000));
            event(random, at, "pay", host, Level::Warn, text).number("attempt", attempt as i64)
        });
        vec!["retrying charge".into(), "attempt".into()]
    });
}

#[test]
fn a_silent_source() {
    check(|random, begin, drafts| {
        let host = host_of(random.below(10));
        let is_of_host =
            |draft: &Draft| draft.fields.iter().any(|(name, value)| *name == "host" && value.to_string() == host);
        drafts.retain(|draft| draft.at < DAY + begin || !is_of_host(draft));
        vec![format!("silence host {host} sends nothing")]
    });
}

#[test]
fn a_source_that_fell_silent_before_all_events_were_sent_together_is_silent() {
    check(|random, begin, drafts| {
        let host = host_of(random.below(10));
        let is_of_host =
            |draft: &Draft| draft.fields.iter().any(|(name, value)| *name == "host" && value.to_string() == host);
        drafts.retain(|draft| draft.at < DAY + begin || !is_of_host(draft));
        drafts.iter_mut().for_each(|draft| draft.arrived = DAY + RANGE.1);
        vec![format!("silence host {host} sends nothing")]
    });
}

#[test]
fn a_field_that_only_the_affected_events_have_is_named_and_neither_their_level_nor_a_time() {
    let mut random = Random::new(12);
    let mut drafts = noise(&mut random);
    drafts.iter_mut().for_each(|draft| draft.fields.push(("level", Value::text("info"))));
    repeat(&mut random, RANGE.0 + 30 * MINUTE, SECOND / 10, &mut drafts, |random, at| {
        let (host, attempt) = (random.below(10), 2 + random.below(8) as i64);
        let text = format!("retrying charge {}", random.below(90_000));
        event(random, at, "pay", host, Level::Warn, text).field("level", "warn").number("attempt", attempt)
    });
    let found = look(&drafts);
    let differing: Vec<&Finding> =
        found.findings.iter().filter(|finding| finding.kind == FindingKind::Differs).collect();
    assert!(differing.iter().any(|one| one.title.starts_with("attempt present: ")), "{differing:#?}");
    assert!(differing.iter().all(|one| !one.title.contains("level") && one.at.is_none()), "{differing:#?}");
}

#[test]
fn a_mark_before_an_onset_comes_first_where_it_concerns_what_is_affected() {
    let mut random = Random::new(9);
    let mut drafts = noise(&mut random);
    let begin = RANGE.0 + 30 * MINUTE;
    drafts.push(Draft::new(DAY + begin - MINUTE, "marks", Level::Info, "deploy pay 1.9.0").field("service", "pay"));
    drafts.push(Draft::new(DAY + begin - MINUTE, "marks", Level::Info, "deploy mail 3.2").field("service", "mail"));
    repeat(&mut random, begin, 2 * SECOND, &mut drafts, |random, at| {
        let (host, text) = (random.below(10), format!("charge {} refused", random.below(9_999)));
        event(random, at, "pay", host, Level::Error, text)
    });
    let found = look(&drafts);
    let places: Vec<&str> = found.findings.iter().map(|one| one.kind.name()).collect();
    assert!(found.findings[0].title.starts_with("deploy pay 1.9.0 "), "{:#?}", found.findings);
    let other = found.findings.iter().find(|one| one.title.contains("deploy mail")).expect("told, too");
    assert!(other.score < 0.4, "{places:?}");
    assert!(places.contains(&"onset") && places.contains(&"trace"));
    assert_eq!(found.signal.as_deref(), Some("filter @level >= \"error\""));
}

/// Calls before and since an onset; 3 of 1,000 fail before it.
fn calls(from: &str, to: &str, n_errors: u64) -> crate::CallCounts {
    let durations = [vec![(12.0, 300)], vec![(12.0, 1_000)]];
    let (n_calls, n_errors) = ([300, 1_000], [n_errors, 3]);
    crate::CallCounts { from: from.into(), to: to.into(), is_service: true, n_calls, n_errors, durations }
}

#[test]
fn calls_that_became_red_are_findings_and_what_is_usual_at_this_hour_is_told() {
    let mut random = Random::new(11);
    let mut drafts = noise(&mut random);
    for day in [1, 2] {
        let earlier = noise(&mut random).into_iter();
        drafts.extend(earlier.map(|draft| Draft { at: draft.at - day * 24 * HOUR, arrived: draft.arrived, ..draft }));
    }
    repeat(&mut random, RANGE.0 + 30 * MINUTE, 2 * SECOND, &mut drafts, |random, at| {
        let (host, text) = (random.below(10), format!("charge {} refused", random.below(9_999)));
        event(random, at, "pay", host, Level::Error, text)
    });
    let runs = runs_of(&drafts);
    let asked = std::cell::Cell::new(None);
    let count = |ranges: [TimeRange; 2]| {
        asked.set(Some(ranges));
        (vec![calls("web", "pay", 90), calls("pay", "ledger-db", 90), calls("search", "index", 90)], Vec::new())
    };
    let found = ask("", RANGE, |set| first_look(set, &runs, Some(&count)).expect("an answer"));
    let [since, before] = asked.get().expect("an onset");
    assert_eq!((Some(since.from), before.to), (found.onset.began, since.from));
    let place = |title: &str| found.findings.iter().position(|one| one.title.starts_with(title)).expect(title);
    let last = place("calls pay → ledger-db: 30% fail, 0.3% before");
    assert!(last < 3, "{:#?}", found.findings);
    // Of the same change, what follows from it and what the affected events have nothing to do with come later.
    assert!(last < place("calls web → pay: ") && last < place("calls search → index: "));
    let usual = found.usual.as_ref().expect("days before");
    assert_eq!(usual.days.len(), 2);
    assert!(usual.ends()[1] < 3.0 && usual.per_minute > 20.0, "{usual:?}");
    assert!(found.findings[place("usual at this hour: ")].title.contains(" on the 2 days before; now 3"), "{usual:?}");
}

#[test]
fn an_innocent_day_has_no_findings() {
    for seed in 100..112 {
        let found = look(&noise(&mut Random::new(seed)));
        assert_eq!(found.findings, [], "seed {seed}");
        assert_eq!(found.onset.began, None);
    }
    assert_eq!(look(&[]).findings, []);
}
