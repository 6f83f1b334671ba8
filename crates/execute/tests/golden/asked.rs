//! Runs `tests/golden/*.ask`: questions in several languages that find the same events.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono_tz::Tz;
use execute::execute;
use execute::{Request, Support};
use language::dsl::parse_query;
use language::mapping::Schema;
use language::{ParseOptions, logql, parse_insights, parse_kql, parse_lucene};
use plan::{Expr, Operator, Plan};
use types::{Run, TimeRange};

use super::case::{Case, Expected};
use super::{Runs, compare, folder, in_memory, now, stored};

/// More than there are events.
const LIMIT: u64 = 1_000;

/// A question in one or more languages, and what it finds.
struct Block<'t> {
    line: usize,
    questions: Vec<(&'t str, &'t str)>,
    expected: Found<'t>,
}

/// What a question finds, or why it is refused.
enum Found<'t> {
    Ids(Vec<i64>),
    Error(&'t str, &'t str),
}

/// The events and the blocks of a file.
fn read(text: &str) -> (Case, Vec<Block<'_>>) {
    let (_, rest) = text.split_once("\n--- events\n").expect("a file has events");
    let (events, _) = rest.split_once("\n--- questions\n").expect("a file has questions");
    let case = Case {
        name: "asked".into(),
        events: vec![(String::new(), events.trim().to_owned())],
        tables: Vec::new(),
        query: String::new(),
        language: None,
        time_zone: None,
        steps: None,
        window: None,
        expected: Expected::Runs,
    };
    let first = text.lines().position(|line| line == "--- questions").expect("a file has questions");
    let (mut blocks, mut questions) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().skip(first + 1) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let expected = match word {
            "" | "#" => continue,
            "finds" => Found::Ids(rest.split_whitespace().map(|id| id.parse().expect("an id")).collect()),
            "error" => {
                let (place, text) = rest.trim_start().split_once(' ').expect("a place and a text");
                Found::Error(place, text)
            }
            language => {
                questions.push((language, rest.trim_start()));
                continue;
            }
        };
        assert!(!questions.is_empty(), "line {} answers nothing", index + 1);
        blocks.push(Block { line: index + 1, questions: std::mem::take(&mut questions), expected });
    }
    assert!(questions.is_empty(), "the last question has no answer");
    (case, blocks)
}

/// Why a question is refused.
enum Refused {
    Query(plan::QueryErrors),
    Search(language::SearchError),
}

impl From<plan::QueryErrors> for Refused {
    fn from(errors: plan::QueryErrors) -> Self {
        Self::Query(errors)
    }
}

impl From<language::SearchError> for Refused {
    fn from(error: language::SearchError) -> Self {
        Self::Search(error)
    }
}

/// The plan of a question, and the time that it is about.
fn plan(language: &str, text: &str) -> Result<(Plan, TimeRange), Refused> {
    let plan = match language {
        "lucene" => parse_lucene(text, now())?,
        "kql" => parse_kql(text, now())?,
        "insights" => parse_insights(text, &ParseOptions { now: now(), time_zone: Tz::UTC })?,
        "logql" => match logql::parse(text)? {
            logql::Query::Log(log) => log.plan(logql::Direction::Backward, LIMIT),
            logql::Query::Metric(_) => panic!("{text}: a metric query finds no events"),
        },
        "elastic" => {
            let json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let selection = parse_query(Some(&json), now(), &Schema::default())?;
            return Ok((selection.plan(Vec::new(), Vec::new(), true), selection.range));
        }
        other => panic!("unknown language {other}"),
    };
    let range = plan.range(TimeRange::ALL, now(), Tz::UTC);
    Ok((plan, range))
}

/// The ids of the events that a question finds, in order.
fn ids(language: &str, text: &str, runs: &Runs) -> Result<Vec<i64>, Refused> {
    let (mut plan, range) = plan(language, text)?;
    plan.edit(|operators| {
        operators.retain(|operator| !matches!(operator, Operator::Project { .. }));
        operators.push(Operator::Project { columns: vec![("id".into(), Expr::Field("id".into()))], is_events: true });
    });
    let cancelled = AtomicBool::new(false);
    let request = Request {
        range,
        limit: None,
        time_zone: Tz::UTC,
        now: now(),
        memory_bytes_max: 64 << 20,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 2,
        progress: None,
        support: Support::default(),
    };
    let runs: Vec<Arc<dyn Run>> = runs.iter().map(|(_, run)| run.clone()).collect();
    let answer = execute(&plan, &runs, &request).expect("a question fits into memory");
    let place = answer.columns.iter().position(|column| column.name == "id").expect("the ids");
    let id = |row: &Vec<Option<types::Value>>| match &row[place] {
        Some(types::Value::Integer(id)) => *id,
        other => panic!("{text}: an event with the id {other:?}"),
    };
    let mut ids: Vec<i64> = answer.rows.iter().map(id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Asks a question; says what is wrong.
fn check(language: &str, text: &str, expected: &Found<'_>, runs: &Runs) -> Result<(), String> {
    match (expected, ids(language, text, runs)) {
        (Found::Ids(expected), Ok(ids)) if *expected == ids => Ok(()),
        (Found::Ids(expected), Ok(ids)) => Err(format!("finds {ids:?}, not {expected:?}")),
        (Found::Ids(_), Err(Refused::Query(errors))) => Err(format!("was refused: {errors}")),
        (Found::Ids(_), Err(Refused::Search(error))) => Err(format!("was refused: {error}")),
        (Found::Error(..), Ok(_)) => Err("was accepted, but is an error".into()),
        (Found::Error(place, text), Err(Refused::Query(errors))) => compare::error(place, text, &errors),
        (Found::Error(_, text), Err(Refused::Search(error))) if error.reason.contains(text) => Ok(()),
        (Found::Error(..), Err(Refused::Search(error))) => Err(format!("was refused: {error}")),
    }
}

/// Asks all questions of a file over events in memory, one by one and in a store; gives how often each language is
/// asked.
fn ask(name: &str, languages: &[&str]) -> Vec<usize> {
    let text = std::fs::read_to_string(folder().join(name)).expect("a readable file");
    let (case, blocks) = read(&text);
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let (store, in_store) = stored(&case, scratch.path());
    let states = [in_memory(&case, false), in_memory(&case, true), in_store];
    let mut problems = Vec::new();
    for block in &blocks {
        for (language, question) in &block.questions {
            let mut found = states.iter().map(|runs| check(language, question, &block.expected, runs));
            let problem = found.find_map(Result::err);
            problems
                .extend(problem.map(|problem| format!("line {}: {language} {question}\n    {problem}", block.line)));
        }
    }
    store.close().expect("a store that can be closed");
    assert!(problems.is_empty(), "{name}: {} questions failed:\n{}", problems.len(), problems.join("\n"));
    let asked = |language: &&str| {
        let known = blocks.iter().flat_map(|block| &block.questions).filter(|(known, _)| known == language);
        known.count()
    };
    languages.iter().map(asked).collect()
}

#[test]
fn elasticsearchs_languages_find_what_the_file_says() {
    let n_asked = ask("elastic.ask", &["lucene", "kql", "elastic"]);
    assert!(n_asked.iter().all(|n| *n >= 60), "{n_asked:?}");
}

#[test]
fn lists_words_and_dates_are_what_elasticsearch_makes_of_them() {
    let n_asked = ask("elastic-values.ask", &["lucene", "kql", "elastic"]);
    assert!(n_asked.iter().all(|n| *n >= 10), "{n_asked:?}");
}

#[test]
fn operators_of_query_strings_have_lucenes_meaning() {
    let n_asked = ask("elastic-operators.ask", &["lucene", "elastic"]);
    assert!(n_asked.iter().all(|n| *n >= 10), "{n_asked:?}");
}

#[test]
fn one_question_finds_the_same_in_every_dialect() {
    let n_asked = ask("dialects.ask", &["insights", "logql", "lucene", "kql"]);
    assert!(n_asked.iter().all(|n| *n >= 20), "{n_asked:?}");
}
