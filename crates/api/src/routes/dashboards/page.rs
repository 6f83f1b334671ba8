//! A dashboard as one file of HTML: its panels are asked as the page asks them, a few at once.

use std::sync::Arc;

use chrono_tz::Tz;
use dashboard::{
    Choices, Dashboard, Language, Page, Panel, PanelAnswer, PanelKind, PanelQuery, Table, TableColumn, TableKind,
};
use execute::{Answer, ColumnInfo, ColumnKind};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use types::{Locale, TimeRange, Timestamp};

use crate::ask::{Ask, Groups};
use crate::routes::query;
use crate::state::Shared;
use door::problem::Problem;

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
) -> Result<String, Problem> {
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
        dashboard::page(&Page { board, answers, choices, range, at: now, time_zone, locale, url })
    };
    server.lookups.run(draw).await
}

async fn answer_of(server: &Shared, panel: &Panel, choices: &Choices, moment: &Moment) -> PanelAnswer {
    let mut tables = Vec::new();
    for query in &panel.queries {
        match table_of(server, panel, query, choices, moment).await {
            Ok(table) => tables.push(table),
            Err(problem) => return PanelAnswer::Failed(problem.sentence()),
        }
    }
    PanelAnswer::Tables(tables)
}

async fn table_of(
    server: &Shared,
    panel: &Panel,
    asked: &PanelQuery,
    choices: &Choices,
    moment: &Moment,
) -> Result<Table, Problem> {
    let rows_max = match panel.kind {
        PanelKind::Logs => LOGS_MAX,
        PanelKind::Table => TABLE_MAX,
        _ => DRAWN_MAX,
    };
    let mut ask = ask_of((&asked.query, asked.language, &asked.groups), choices, moment, rows_max);
    // Pies and tables show the last instant alone.
    if !matches!(panel.kind, PanelKind::Pie | PanelKind::Table) {
        ask = ask.stepped(moment.now)?;
    }
    let (answer, grouped_by) = query::rows(server, ask.filled(moment.now)?).await?;
    Ok(table(answer, &grouped_by))
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

fn table(answer: Answer, grouped_by: &[String]) -> Table {
    let notes = answer.partial_reasons.iter().map(|reason| reason.message.clone()).collect();
    let columns =
        answer.columns.into_iter().map(|column| TableColumn { kind: kind_of(&column, grouped_by), name: column.name });
    Table { columns: columns.collect(), rows: answer.rows, is_cut: answer.more, notes }
}

fn kind_of(column: &ColumnInfo, grouped_by: &[String]) -> TableKind {
    match column.kind {
        ColumnKind::Timestamp => TableKind::Time,
        _ if grouped_by.contains(&column.name) => TableKind::Name,
        ColumnKind::Integer | ColumnKind::Float => TableKind::Number,
        ColumnKind::Any => TableKind::Any,
        _ => TableKind::Name,
    }
}
