//! `/api/v1/doctor`: what is wrong with this server and its machine, and what to do. The judgements are those that `/-/ready`,
//! `/api/v1/status` and `/api/v1/sources` show, and what the executable finds about its machine.

use door::finding::{Finding, Severity};
use door::health::reasons;
use door::{Outcome, QueryRun, Reply, Result, Shared};
use ingest::{OWN_GROUPS, SourceState, SourceView};
use serde_json::{Value, json};
use types::{ByteSize, TimeRange, Timestamp};

use crate::routes::{clocks, sources, upkeep};
use crate::state::Call;
use crate::subject::{Row, SubjectReader, number, text};

/// Sources, and groups, that are named one by one.
const NAMED_MAX: usize = 20;

/// Fewest events of a group that tell whether its format has levels.
const EVENTS_MIN: f64 = 100.0;

pub(crate) fn get(Call { server, .. }: Call) -> Outcome {
    server.must_reach_everything()?;
    Ok(Reply::later(async move { Ok(Reply::json(&examine(&server).await?)) }))
}

async fn examine(server: &Shared) -> Result<Value> {
    let (view, missing) = sources::view(server).await?;
    let of_thread = server.clone();
    let mut findings = server.lookups.run(move || of_server(&of_thread)).await?;
    let mut found: Vec<Finding> = view.sources.iter().flat_map(of_source).take(NAMED_MAX).collect();
    found.extend(missing.iter().map(|reason| warning("sources", reason.message.clone(), "")));
    findings.extend(or_ok(found, "sources", "every shipper that is known sends what it has"));
    findings.extend(match server.read("groups without levels", without_levels).await {
        Ok(groups) => or_ok(of_groups(&groups), "levels", "every group with many events has levels"),
        Err(problem) => vec![warning("levels", format!("levels were not counted: {}", problem.message), "")],
    });
    findings.sort_by_key(|finding| finding.severity);
    Ok(json!({"version": server.app.version, "now": server.now().to_string(), "findings": findings}))
}

fn warning(check: &str, message: impl Into<String>, advice: &str) -> Finding {
    Finding::new(Severity::Warning, check, message, advice)
}

/// Returns the findings of a check; if there are none, that all is well.
fn or_ok(found: Vec<Finding>, check: &str, message: &str) -> Vec<Finding> {
    if found.is_empty() { vec![Finding::new(Severity::Ok, check, message, "")] } else { found }
}

/// Returns what the machine and the store say. Blocks.
fn of_server(server: &Shared) -> Vec<Finding> {
    let mut findings = server.app.examine.as_ref().map_or_else(Vec::new, |examine| examine());
    let status = server.whole_store().status();
    let warnings = upkeep::store_warnings(server, &status).into_iter().chain(upkeep::overflow_warning(server));
    let mut found: Vec<Finding> = warnings.map(|message| warning("ready", message, "")).collect();
    let problem = |message: String| Finding::new(Severity::Problem, "ready", message, "");
    found.extend(reasons(server, status).into_iter().map(problem));
    findings.extend(or_ok(found, "ready", "events are accepted, and answers are whole"));
    let found = clocks::warnings(server).into_iter().map(|message| warning("clocks", message, "")).collect();
    findings.extend(or_ok(found, "clocks", "the times of all sources fit their arrival"));
    findings
}

fn of_source(source: &SourceView) -> Vec<Finding> {
    let host = &source.host;
    let of_host = |message: String| warning("sources", message, "`catat sources --files`");
    let is_down = source.state == SourceState::Down;
    let down = is_down.then(|| of_host(format!("{host}: its shipper was last heard of at {}", source.last_seen)));
    let error = source.last_error.as_ref().map(|error| of_host(format!("{host}: {error}")));
    let gap = ByteSize(source.gap_bytes);
    let gap = (gap.0 > 0).then(|| of_host(format!("{host}: {gap} of its files never arrived")));
    let n_refused = source.refused_events + source.refused;
    let refused =
        (n_refused > 0).then(|| of_host(format!("{host}: {n_refused} of its events or batches were refused")));
    [down, error, gap, refused].into_iter().flatten().collect()
}

/// Returns groups of the last day with many events and not one level.
fn without_levels(run: &QueryRun<'_>) -> Result<Vec<String>> {
    let now = run.server.now();
    // An event of this instant counts.
    let range = TimeRange { from: Timestamp(now.0.saturating_sub(Timestamp::DAY)), to: Timestamp(now.0 + 1) };
    let reader = SubjectReader { run, range, now };
    let mut groups = reader.known_groups().lines;
    groups.retain(|group| !group.starts_with(OWN_GROUPS));
    let rows =
        reader.rows(&groups, "stats count(*) as n, count(@level) as levels by @log | sort n desc | limit 10000")?;
    let number_at = |row: &Row, at: usize| row.get(at).and_then(|cell| number(cell.as_ref())).unwrap_or_default();
    let is_without = |row: &&Row| number_at(row, 1) >= EVENTS_MIN && number_at(row, 2) == 0.0;
    Ok(rows.iter().filter(is_without).filter_map(|row| text(row.first())).collect())
}

fn of_groups(groups: &[String]) -> Vec<Finding> {
    let advice =
        "`catat check --sample FILE` shows what a line becomes; a format of your own or a pipeline gives it a level";
    let of_group = |group: &String| {
        let message = format!("group {group}: no event of the last day has a level, so that its errors are not found");
        Finding::new(Severity::Note, "levels", message, advice)
    };
    groups.iter().take(NAMED_MAX).map(of_group).collect()
}
