//! Runs `tests/golden/*.test` through parser and executor, on one batch, on a batch per event, and on a store that
//! holds one half of the events of each group in a segment and the other in memory.
//!
//! `tests/golden/README.md` describes the format. Cases that need what is not built yet are in
//! `tests/golden/PENDING`; the run fails when one of them begins to pass, so that the list only shrinks.

#[path = "golden/asked.rs"]
mod asked;
#[path = "golden/case.rs"]
mod case;
#[path = "golden/compare.rs"]
mod compare;
#[path = "golden/esql.rs"]
mod esql;
#[path = "golden/loki.rs"]
mod loki;
#[path = "golden/records.rs"]
mod records;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use case::{Case, Expected};
use chrono_tz::Tz;
use execute::{Answer, Request, Support, execute_with_subqueries};
use language::{ParseOptions, parse_filter_pattern, parse_insights};
use parse::{ArrivalContext, Zone};
use plan::Plan;
use plan::read_csv;
use storage::{Clock, Delivery, Options, Part, Store};
use types::{Batch, BatchRun, Column, GroupName, GroupPattern, Limits, Run, TimeRange, Timestamp, Value};

/// When the cases are sent and asked: after every event in them, and within a day of the newest.
const NOW: &str = "2026-11-20T12:00:00Z";

/// The group that events without a group's name go to.
const GROUP: &str = "golden/case";

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).expect("a valid time")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// The files of cases.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the folder of the cases")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .collect();
    files.sort();
    files
}

/// The runs that a case is asked of, with the names of their groups.
type Runs = Vec<(String, Arc<dyn Run>)>;

/// The events of a case in a store: of each group the first half in a segment, the second in memory.
fn stored(case: &Case, dir: &Path) -> (Arc<Store>, Runs) {
    let options = Options { clock: Clock::new(now), disk_reserve_bytes: 0, ..Options::new(dir) };
    let store = Store::open(options).expect("a store that can be opened").0;
    for (group, events) in &case.events {
        let group = GroupName::new(if group.is_empty() { GROUP } else { group }).expect("a valid group");
        let lines: Vec<&str> = events.lines().collect();
        let (before, after) = lines.split_at(lines.len() / 2);
        for (half, is_flushed) in [(before, true), (after, false)] {
            let limits = Limits::default();
            let received =
                ArrivalContext { at: now(), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
            let mut take = |mut batch: Batch| {
                batch.streams = Column::constant(Value::text("s"), batch.len());
                let part = Part { group: group.clone(), batch };
                let delivery = Delivery { key: None, position: None, raw_bytes: 1, parts: vec![part] };
                store.append(delivery).expect("a store that takes events");
            };
            records::batch_of_records(&half.join("\n"), &received).map(&mut take);
            if is_flushed {
                store.flush().expect("a flush");
            }
        }
    }
    let snapshot = store.snapshot(&[], TimeRange::ALL);
    assert!(snapshot.damaged.is_empty());
    let runs = snapshot.runs.into_iter().map(|run| (run.info().group.as_str().to_owned(), run)).collect();
    (store, runs)
}

/// The events of a case as runs; `each` puts every event into a batch of its own.
fn in_memory(case: &Case, each: bool) -> Runs {
    let mut runs: Runs = Vec::new();
    let mut sequence = 0;
    for (group_id, (group, events)) in case.events.iter().enumerate() {
        let group = if group.is_empty() { GROUP } else { group };
        let texts: Vec<&str> = if each { events.lines().collect() } else { vec![events] };
        for text in texts {
            let limits = Limits::default();
            let received =
                ArrivalContext { at: now(), modified: None, previous: None, zone: Zone::UTC, limits: &limits };
            let mut take = |mut batch: Batch| {
                let n_rows = batch.len();
                batch.sequences = (sequence..sequence + n_rows as u64).collect();
                batch.ingestion_times = vec![now().0; n_rows].into();
                batch.streams = Column::constant(Value::text("s"), n_rows);
                sequence += n_rows as u64;
                let name = GroupName::new(group).expect("a valid group");
                runs.push((group.to_owned(), Arc::new(BatchRun::new(name, group_id as u32 + 1, Arc::new(batch)))));
            };
            records::batch_of_records(text, &received).map(&mut take);
        }
    }
    runs
}

fn answer(case: &Case, all: &Runs) -> Result<Answer, plan::QueryErrors> {
    if case.language.as_deref() == Some("logql") {
        return loki::answer(case, &mut |plan, range| execute_plan(case, all, plan, range));
    }
    if case.language.as_deref() == Some("esql") {
        return esql::answer(case, all, &mut |plan, range| execute_plan(case, all, plan, range));
    }
    let time_zone: Tz = case.time_zone.as_deref().map_or(Tz::UTC, |name| name.parse().expect("a known zone"));
    let plan = match case.language.as_deref() {
        None => parse_insights(&case.query, &ParseOptions { now: now(), time_zone })?,
        Some("filter-pattern") => parse_filter_pattern(&case.query)?,
        Some(other) => panic!("{}: unknown language {other}", case.name),
    };
    let range = case.window.as_ref().map_or(TimeRange::ALL, |(from, to)| TimeRange {
        from: Timestamp::parse_rfc3339(from).expect("a valid time"),
        to: Timestamp(Timestamp::parse_rfc3339(to).expect("a valid time").0 + 1),
    });
    let range = plan.range(range, now(), Tz::UTC);
    Ok(execute_plan(case, all, &plan, range))
}

/// Runs a plan over a range of the events of a case.
fn execute_plan(case: &Case, all: &Runs, plan: &Plan, range: TimeRange) -> Answer {
    let time_zone: Tz = case.time_zone.as_deref().map_or(Tz::UTC, |name| name.parse().expect("a known zone"));
    let is_wanted = |group: &str| match plan.sources.is_empty() {
        true => group == GROUP,
        false => GroupPattern::any_matches(&plan.sources, group),
    };
    let wanted: Vec<Arc<dyn Run>> =
        all.iter().filter(|(group, _)| is_wanted(group)).map(|(_, run)| run.clone()).collect();
    let mut runs_of = |patterns: &[GroupPattern]| {
        let is_asked = |group: &str| {
            if patterns.is_empty() { is_wanted(group) } else { GroupPattern::any_matches(patterns, group) }
        };
        all.iter().filter(|(group, _)| is_asked(group)).map(|(_, run)| run.clone()).collect()
    };
    let table_of = |name: &str| {
        let (_, text) = case.tables.iter().find(|(known, _)| known == name)?;
        Some(Arc::new(read_csv(text).expect("a table")))
    };
    let cancelled = AtomicBool::new(false);
    let request = Request {
        range,
        limit: None,
        time_zone,
        now: now(),
        memory_bytes_max: 64 << 20,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 2,
        progress: None,
        support: Support { tables: Some(&table_of), ..Support::default() },
    };
    execute_with_subqueries(plan, &wanted, &request, &mut runs_of).expect("a case fits into memory")
}

/// Asks a case of these runs; says what is wrong.
fn check(case: &Case, runs: &Runs) -> Result<(), String> {
    let answered = answer(case, runs);
    match (&case.expected, answered) {
        (Expected::Error { place, text }, Err(errors)) => compare::error(place, text, &errors),
        (Expected::Error { .. }, Ok(_)) => Err("was accepted, but is an error".into()),
        (_, Err(errors)) => Err(format!("was refused: {errors}")),
        (Expected::Runs, Ok(_)) => Ok(()),
        (Expected::Rows { columns, rows, any_order, warnings }, Ok(answer)) => {
            compare::answer(&answer, columns, rows, *any_order)?;
            compare::warnings(&answer, warnings)
        }
    }
}

#[test]
fn golden_cases_are_answered_as_the_language_says() {
    let folder = folder();
    let pending = std::fs::read_to_string(folder.join("PENDING")).unwrap_or_default();
    let pending: BTreeSet<&str> =
        pending.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let (mut problems, mut seen, mut n_passed) = (Vec::new(), BTreeSet::new(), 0);
    for file in files() {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).expect("a readable file");
        for case in case::read(&text) {
            let id = format!("{name}: {}", case.name);
            let result = check(&case, &in_memory(&case, false))
                .and_then(|()| check(&case, &in_memory(&case, true)).map_err(|e| format!("in batches: {e}")));
            match (result, pending.contains(&*id)) {
                (Ok(()), false) => n_passed += 1,
                (Ok(()), true) => problems.push(format!("{id}\n    passes now: take it out of PENDING")),
                (Err(problem), false) => problems.push(format!("{id}\n    {problem}")),
                (Err(_), true) => {}
            }
            seen.insert(id);
        }
    }
    let unknown = pending.iter().filter(|id| !seen.contains(**id));
    problems.extend(unknown.map(|id| format!("{id}\n    stands in PENDING, but there is no such case")));
    assert!(problems.is_empty(), "{} of {} cases failed:\n{}", problems.len(), seen.len(), problems.join("\n"));
    println!("{n_passed} cases passed, {} are pending", pending.len());
}

/// The events of a case, by group, with the store that they are in.
type Known = (Vec<(String, String)>, Arc<Store>, Runs);

#[test]
fn golden_cases_are_answered_the_same_over_segments_and_memory() {
    let (mut problems, mut n_asked) = (Vec::new(), 0);
    for file in files() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let text = std::fs::read_to_string(&file).expect("a readable file");
        // Cases that share their events share their store.
        let mut known: Option<Known> = None;
        for (index, case) in case::read(&text).iter().enumerate() {
            if matches!(case.expected, Expected::Error { .. }) {
                continue;
            }
            if known.as_ref().is_none_or(|(events, ..)| *events != case.events) {
                if let Some((_, store, _)) = known.take() {
                    store.close().expect("a store that can be closed");
                }
                let (store, runs) = stored(case, &scratch.path().join(index.to_string()));
                known = Some((case.events.clone(), store, runs));
            }
            if let Some((.., runs)) = &known {
                n_asked += 1;
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                problems.extend(check(case, runs).err().map(|problem| format!("{name}: {}\n    {problem}", case.name)));
            }
        }
        if let Some((_, store, _)) = known.take() {
            store.close().expect("a store that can be closed");
        }
    }
    assert!(n_asked > 1_000, "{n_asked} cases");
    assert!(problems.is_empty(), "{} of {n_asked} cases failed:\n{}", problems.len(), problems.join("\n"));
}

/// The examples of the reference's tables, as `expression` → `JSON`, with the events in front of them.
fn examples() -> Vec<(String, String, String)> {
    let reference = include_str!("../../../grammar/README.md");
    let (mut events, mut examples, mut is_json) = (String::new(), Vec::new(), false);
    for line in reference.lines() {
        match line {
            "```json" => {
                is_json = true;
                events.clear();
            }
            "```" => is_json = false,
            line if is_json => events.extend([line, "\n"]),
            line if line.starts_with('|') => {
                let Some((left, right)) = line.split_once("` → `") else { continue };
                let expression = left.rsplit('`').next().unwrap_or_default();
                let value = right.split("` |").next().unwrap_or_default();
                examples.push((events.clone(), expression.to_owned(), value.to_owned()));
            }
            _ => {}
        }
    }
    examples
}

#[test]
fn the_examples_of_the_reference_give_what_it_says() {
    let mut problems = Vec::new();
    let examples = examples();
    for (events, expression, value) in &examples {
        let command = if events.lines().count() > 1 { "stats" } else { "fields" };
        let query = format!("{command} {expression} as x");
        let text = format!(
            "\n=== {expression}\n--- events\n{events}--- query\n{query}\n--- columns\n[\"x\"]\n--- rows\n[{value}]\n"
        );
        for case in case::read(&text) {
            problems
                .extend(check(&case, &in_memory(&case, false)).err().map(|problem| format!("{expression}: {problem}")));
        }
    }
    assert!(examples.len() > 110, "{} examples", examples.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_function_has_an_example() {
    let examples = examples();
    for signature in plan::function::SIGNATURES {
        let call = format!("{}(", signature.name);
        let is_shown = examples.iter().any(|(_, expression, _)| expression.contains(&call));
        assert!(is_shown || matches!(signature.name, "upper" | "lower"), "{}", signature.name);
    }
}

/// Rules of a coverage table with the cases that it names for each.
fn coverage(text: &str) -> Vec<(String, Vec<String>)> {
    let mut rules: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix("    "), rules.last_mut()) {
            (Some(case), Some((_, cases))) => cases.push(case.to_owned()),
            _ => rules.push((line.split(' ').next().unwrap_or_default().to_owned(), Vec::new())),
        }
    }
    rules
}

#[test]
fn every_rule_of_the_language_has_a_case() {
    let read = |name: &str| std::fs::read_to_string(folder().join(name)).expect("a readable file");
    let rules = coverage(&read("COVERAGE"));
    let decided = read("README.md");
    let is_rule = |line: &&str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let decided: Vec<String> =
        decided.lines().filter(is_rule).filter_map(|line| Some(format!("G{}", line.split_once('.')?.0))).collect();
    assert!(decided.len() >= 34, "{decided:?}");
    let mut problems: Vec<String> = Vec::new();
    let known: BTreeSet<&str> = rules.iter().map(|(rule, _)| rule.as_str()).collect();
    problems
        .extend(decided.iter().filter(|rule| !known.contains(rule.as_str())).map(|rule| format!("{rule}: not listed")));
    problems.extend((rules.len() != known.len()).then(|| "a rule is listed twice".to_owned()));
    for (rule, cases) in &rules {
        problems.extend(cases.is_empty().then(|| format!("{rule}: no case")));
        for case in cases {
            let (file, name) = case.split_once(": ").unwrap_or((case, ""));
            let text = std::fs::read_to_string(folder().join(file)).unwrap_or_default();
            if !case::read(&text).iter().any(|case| case.name == name) {
                problems.push(format!("{rule}: there is no case \"{case}\""));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
