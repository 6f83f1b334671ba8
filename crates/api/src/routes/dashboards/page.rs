//! A dashboard as one file of HTML: its panels are asked as the page asks them, a few at once.

use std::sync::Arc;

use chrono_tz::Tz;
use dashboard::{Bins, Choices, Dashboard, Language, Page, Panel, PanelAnswer, PanelKind, PanelQuery, Program, Table};
use data_encoding::BASE64;
use execute::Answer;
use language::ParseOptions;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use types::{Locale, TimeRange, Timestamp};

use crate::answer::json_text;
use crate::ask::{Ask, Groups};
use crate::embedded::PAGE;
use crate::routes::query;
use crate::state::Shared;
use door::{Problem, Result};

/// Panels that are asked at once: others' queries must get through.
const AT_ONCE: usize = 4;

/// Most rows of a panel that is drawn, of one that is a table, and of one that shows events.
const DRAWN_MAX: usize = 10_000;
const TABLE_MAX: usize = 1_000;
const LOGS_MAX: usize = 200;

/// When a dashboard is asked, about what, and how it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The time that counts as now.
    pub(crate) now: Timestamp,
    /// The range.
    pub(crate) range: TimeRange,
    /// The zone whose clock it is shown by.
    pub(crate) time_zone: Tz,
    /// The language of labels and messages.
    pub(crate) locale: Locale,
}

/// Returns a dashboard with the answers of its panels, as the caller sees them. A panel that fails says why in its place.
pub(crate) async fn render(
    server: &Shared,
    document: Dashboard,
    choices: Choices,
    moment: Moment,
    url: Option<String>,
) -> Result<String> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let (document, choices) = (Arc::new(document), Arc::new(choices));
    // Dropped with the request, and then the queries end.
    let mut tasks = JoinSet::new();
    for at in 0..document.panels.len() {
        let (server, turns, document, choices) = (server.clone(), turns.clone(), document.clone(), choices.clone());
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            (at, answer_of(&server, &document.panels[at], &choices, &moment).await)
        });
    }
    let mut answers = vec![PanelAnswer::Tables(Vec::new()); document.panels.len()];
    while let Some(done) = tasks.join_next().await {
        let (at, answer) = done.map_err(|error| Problem::internal(error.to_string()))?;
        answers[at] = answer;
    }
    let draw = move || {
        let Moment { now, range, time_zone, locale } = moment;
        let (board, answers, choices, url) = (&*document, &answers[..], &*choices, url.as_deref());
        let [script, style, texts] =
            ["board_file.js", "board_file.css", "board_file_id.json"].map(|name| PAGE.text(name));
        let digest = BASE64.encode(&Sha256::digest(script.as_bytes()));
        let program = &Program { script: &script, digest: &digest, style: &style, texts: &texts };
        dashboard::page(&Page { board, answers, choices, range, at: now, time_zone, locale, url, program })
    };
    server.lookups.run(draw).await
}

async fn answer_of(server: &Shared, panel: &Panel, choices: &Choices, moment: &Moment) -> PanelAnswer {
    match tables_of(server, panel, choices, moment).await {
        Ok(tables) => PanelAnswer::Tables(tables),
        Err(problem) => PanelAnswer::Failed(problem.sentence()),
    }
}

async fn tables_of(server: &Shared, panel: &Panel, choices: &Choices, moment: &Moment) -> Result<Vec<Table>> {
    let bins = bins_of(server, panel, choices, moment).await?;
    let mut tables = Vec::new();
    for query in &panel.queries {
        tables.push(table_of(server, panel, query, choices, moment, bins).await?);
    }
    Ok(tables)
}

/// Returns the bins at whose ends the series of a panel are asked; `None` if the panel has no such bins.
async fn bins_of(server: &Shared, panel: &Panel, choices: &Choices, moment: &Moment) -> Result<Option<Bins>> {
    if panel.expression.is_none() || is_instant(panel) {
        return Ok(None);
    }
    let mut texts = Vec::new();
    for PanelQuery { query, language, groups, .. } in &panel.queries {
        texts.push(ask_of((query, *language, groups), choices, moment, DRAWN_MAX).filled(moment.now)?.query);
    }
    let (panel, range) = (panel.clone(), moment.range);
    let options = ParseOptions { now: moment.now, time_zone: moment.time_zone };
    server.lookups.run(move || Bins::of(&panel, &texts, range, &options)).await
}

/// Reports whether a panel shows its series at the last instant alone.
fn is_instant(panel: &Panel) -> bool {
    matches!(panel.kind, PanelKind::Pie | PanelKind::Table)
}

async fn table_of(
    server: &Shared,
    panel: &Panel,
    asked: &PanelQuery,
    choices: &Choices,
    moment: &Moment,
    bins: Option<Bins>,
) -> Result<Table> {
    let rows_max = match panel.kind {
        PanelKind::Logs => LOGS_MAX,
        PanelKind::Table => TABLE_MAX,
        _ => DRAWN_MAX,
    };
    let mut ask = ask_of((&asked.query, asked.language, &asked.groups), choices, moment, rows_max);
    let bins = bins.filter(|_| asked.is_series());
    ask.step = bins.map(|bins| format!("{}s", bins.width_s));
    if !is_instant(panel) {
        ask = ask.stepped(moment.now)?;
    }
    ask = ask.filled(moment.now)?;
    // Filled in before, the built-in variables follow from the range that was asked for.
    if let Some(bins) = bins {
        ask.from = Some(Value::String(bins.from.to_string()));
    }
    let step_ns = ask.step.as_deref().and_then(|step| types::parse_duration_ns(step).ok()).unwrap_or_default();
    let asked = json!({
        "query": ask.query,
        "step": step_ns / Timestamp::MILLISECOND,
        "ends": bins.map_or(0, |bins| bins.width_s * 1_000),
    });
    Ok(table(query::rows(server, ask).await?, asked))
}

/// Returns the question of a query of a dashboard.
pub(super) fn ask_of(
    (query, language, groups): (&str, Language, &[String]),
    choices: &Choices,
    moment: &Moment,
    rows_max: usize,
) -> Ask {
    let instant = |at: Timestamp| Some(Value::String(at.to_string()));
    Ask {
        query: query.to_owned(),
        from: instant(moment.range.from),
        // The last instant of a range that is asked for is in it.
        to: instant(Timestamp(moment.range.to.0.saturating_sub(1))),
        groups: Some(Groups::Many(groups.to_vec())),
        limit: Some(rows_max),
        language: Some(language.name().to_owned()),
        time_zone: Some(moment.time_zone.name().to_owned()),
        variables: Some(choices.clone()),
        ..Ask::default()
    }
}

/// Returns an answer as a file has it, and how it was asked for.
fn table(answer: Answer, asked: Value) -> Table {
    let notes = answer.partial_reasons.iter().map(|reason| reason.message.clone()).collect();
    let columns = answer.columns.iter().map(|column| column.name.clone()).collect();
    let (rows, is_cut) = (answer.rows.clone(), answer.more);
    let asked: Map<String, Value> = asked.as_object().cloned().unwrap_or_default();
    Table { columns, rows, is_cut, notes, json: json_text(answer, asked) }
}
