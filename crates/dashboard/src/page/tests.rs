//! Pages of boards, with hostile values at every place that takes a text.

use chrono_tz::Tz;
use types::{Locale, TimeRange, Timestamp, Value};

use super::{Page, PanelAnswer, Table, TableColumn, TableKind, page};
use crate::Language;
use crate::document::{Dashboard, Grade, LegendValue, Nulls, Panel, PanelKind, PanelQuery, Scale, Threshold, Variable};
use crate::fill::{Choice, Choices};

const HOSTILE: &str =
    "</style></svg><script src=//evil.example/x.js>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{202e}";

fn column(name: &str, kind: TableKind) -> TableColumn {
    TableColumn { name: name.to_owned(), kind }
}

fn at(minute: i64) -> Option<Value> {
    Some(Value::Timestamp(Timestamp(minute * Timestamp::MINUTE)))
}

/// Counts by minute and host.
fn by_time(host: &str) -> Table {
    let columns = vec![
        column("bin(1m)", TableKind::Time),
        column("host", TableKind::Name),
        column("count(*)", TableKind::Number),
    ];
    let row = |minute, n| vec![at(minute), Some(Value::text(host)), Some(Value::Integer(n))];
    let rows = (0..5).chain(8..10).map(|minute| row(minute, 100 * minute)).collect();
    Table { columns, rows, ..Table::default() }
}

fn panel(kind: PanelKind, id: &str) -> Panel {
    let (title, queries) = (format!("Panel {id}"), vec![PanelQuery::default()]);
    Panel { id: id.to_owned(), title, kind, w: 12, h: 8, queries, ..Panel::default() }
}

fn shown_in(locale: Locale, board: &Dashboard, answers: &[PanelAnswer], choices: &Choices) -> String {
    let range = TimeRange { from: Timestamp(0), to: Timestamp(10 * Timestamp::MINUTE) };
    let url = Some("https://logs.example/dashboards/x?a=1&b=2");
    page(&Page { board, answers, choices, range, at: range.to, time_zone: Tz::UTC, locale, url })
}

fn shown(panels: Vec<(Panel, Vec<Table>)>) -> String {
    let (panels, tables): (Vec<_>, Vec<_>) = panels.into_iter().unzip();
    let answers: Vec<_> = tables.into_iter().map(PanelAnswer::Tables).collect();
    let board = Dashboard { title: "Board".to_owned(), panels, ..Dashboard::default() };
    shown_in(Locale::English, &board, &answers, &Choices::default())
}

#[test]
fn every_kind_of_picture_has_its_numbers_beside_it() {
    for kind in
        [PanelKind::Line, PanelKind::Area, PanelKind::Bar, PanelKind::Heatmap, PanelKind::Number, PanelKind::Pie]
    {
        let page = shown(vec![(panel(kind, "a"), vec![by_time("web-1")])]);
        assert!(page.contains("<svg") && page.contains("<details><summary>Table</summary>"), "{kind:?}: {page}");
        assert!(page.contains("<td>1970-01-01 00:04:00</td><td class=\"number\">400</td>"), "{kind:?}: {page}");
    }
    let by_name = Table {
        columns: vec![column("status", TableKind::Name), column("n", TableKind::Number)],
        rows: vec![vec![Some(Value::Integer(500)), Some(Value::Integer(3))]],
        ..Table::default()
    };
    let page = shown(vec![(panel(PanelKind::Bar, "a"), vec![by_name.clone()])]);
    assert!(page.contains("<ol class=\"bars\">") && page.contains("<span>500</span><b>3</b>"), "{page}");
    let page = shown(vec![(panel(PanelKind::Table, "a"), vec![by_name])]);
    assert!(page.contains("<td class=\"value\">500</td><td class=\"number\">3</td>"), "{page}");
}

#[test]
fn native_histograms_are_heatmaps_with_their_buckets() {
    let columns =
        vec![column("@timestamp", TableKind::Time), column("route", TableKind::Name), column("value", TableKind::Any)];
    let row = |minute, route: &str, text: &str| vec![at(minute), Some(Value::text(route)), Some(Value::text(text))];
    let rows = vec![
        row(1, "/a", "{count:1, sum:1, (0,1]:1}"),
        row(1, "/b", "{count:5, sum:9, (0,1]:1, (1,2]:4}"),
        row(2, "/b", "{count:2, sum:4, (2,4]:2}"),
    ];
    let table = Table { columns, rows, ..Table::default() };
    let queries = vec![PanelQuery { language: Language::Promql, ..PanelQuery::default() }];
    let of = |kind| Panel { queries: queries.clone(), ..panel(kind, "a") };
    let page = shown(vec![(of(PanelKind::Heatmap), vec![table.clone()])]);
    let names = page.find("<b>/b</b>").zip(page.find("<b>/a</b>"));
    assert!(names.is_some_and(|(first, second)| first < second), "{page}");
    assert!(page.contains("<span>≤ 4</span><span>≤ 2</span><span>≤ 1</span>"), "{page}");
    assert_eq!(page.matches("class=\"heat\"").count(), 7, "{page}");
    assert!(page.contains("<td>1970-01-01 00:02:00</td><td class=\"number\">2</td>"), "{page}");
    // Other pictures have no place for them: their rows are shown.
    let page = shown(vec![(of(PanelKind::Line), vec![table])]);
    assert!(page.contains("{count:5, sum:9, (0,1]:1, (1,2]:4}"), "{page}");
}

#[test]
fn a_line_is_broken_at_a_gap_unless_the_panel_says_otherwise() {
    let path = |nulls| {
        let page = shown(vec![(Panel { nulls, ..panel(PanelKind::Line, "a") }, vec![by_time("web-1")])]);
        let start = page.find("class=\"line").expect("a line");
        page[start..].split('"').nth(3).expect("its path").to_owned()
    };
    let moves = |d: &str| d.matches('M').count();
    assert_eq!([moves(&path(Nulls::Gap)), moves(&path(Nulls::Connect)), moves(&path(Nulls::Zero))], [2, 1, 1]);
    assert!(path(Nulls::Zero).contains("L500.0 1000.0H700.0"), "{}", path(Nulls::Zero));
}

#[test]
fn limits_grades_and_numbers_of_legends_are_words_too() {
    let thresholds = vec![Threshold { value: 300.0, level: Grade::Error }];
    let legend_values = vec![LegendValue::Last, LegendValue::Max];
    let of = |kind| Panel { thresholds: thresholds.clone(), legend_values: legend_values.clone(), ..panel(kind, "a") };
    let chart = shown(vec![(of(PanelKind::Line), vec![by_time("web-1")])]);
    assert!(chart.contains("bad 300") && chart.contains("<span class=\"dim\">max</span> <b>900</b>"), "{chart}");
    // The last bucket has only begun.
    let number = shown(vec![(Panel { scale: Scale::Log, ..of(PanelKind::Number) }, vec![by_time("web-1")])]);
    assert!(number.contains("<b>900</b><em>bad</em>"), "{number}");
}

#[test]
fn an_expression_is_computed_and_its_mistake_is_shown() {
    let two = vec![PanelQuery::default(), PanelQuery::default()];
    let of = |expression: &str| {
        let expression = Some(expression.to_owned());
        let panel = Panel { queries: two.clone(), expression, ..panel(PanelKind::Line, "a") };
        shown(vec![(panel, vec![by_time("web-1"), by_time("web-1")])])
    };
    assert!(of("a / b * 50").contains("<td>1970-01-01 00:01:00</td><td class=\"number\">50</td>"));
    assert!(of("a +").contains("<p class=\"wrong\">a query&#39;s id or a number is missing"));
}

#[test]
fn an_expression_computes_series_at_the_ends_of_bins_with_counts_at_their_starts() {
    let rates = Table { lag_ms: 60_000, ..by_time("web-1") };
    let queries = vec![PanelQuery::default(), PanelQuery { language: Language::Promql, ..PanelQuery::default() }];
    let of = |tables: Vec<Table>| {
        let (expression, queries) = (Some("a / b * 60".to_owned()), queries.clone());
        shown(vec![(Panel { expression, queries, ..panel(PanelKind::Line, "a") }, tables)])
    };
    // The bin of minute 3 holds 300; its end is minute 4, where the series is 400.
    let page = of(vec![by_time("web-1"), rates.clone()]);
    assert!(page.contains("<td>1970-01-01 00:03:00</td><td class=\"number\">45</td>"), "{page}");
    assert!(!page.contains("<td>1970-01-01 00:04:00</td>"), "{page}");
    let total = Table {
        columns: vec![column("count(*)", TableKind::Number)],
        rows: vec![vec![Some(Value::Integer(800))]],
        ..Table::default()
    };
    let page = of(vec![total, rates]);
    assert!(page.contains("<td>1970-01-01 00:04:00</td><td class=\"number\">120</td>"), "{page}");
}

#[test]
fn an_expression_without_a_value_says_why() {
    let expression = Some("a / b".to_owned());
    let queries = vec![PanelQuery::default(), PanelQuery::default()];
    let panels = vec![Panel { expression, queries, ..panel(PanelKind::Number, "a") }];
    let board = Dashboard { panels, ..Dashboard::default() };
    let of = |locale, b: Table| {
        let answers = [PanelAnswer::Tables(vec![by_time("web-1"), b])];
        shown_in(locale, &board, &answers, &Choices::default())
    };
    let empty = of(Locale::English, Table::default());
    assert!(empty.contains("<p class=\"dim\">The expression has no value: query b found no numbers"), "{empty}");
    let other = of(Locale::Indonesian, Table { lag_ms: 1, ..by_time("web-1") });
    assert!(other.contains("kueri tidak punya titik pada waktu yang sama"), "{other}");
}

#[test]
fn what_is_missing_is_said() {
    let mut cut = by_time("web-1");
    (cut.is_cut, cut.notes) = (true, vec!["a segment is damaged".to_owned()]);
    let page = shown(vec![
        (panel(PanelKind::Table, "a"), vec![cut]),
        (panel(PanelKind::Line, "b"), vec![Table::default()]),
        (Panel { queries: Vec::new(), ..panel(PanelKind::Map, "c") }, Vec::new()),
    ]);
    for text in ["a segment is damaged", "there are more.", "Nothing in this range.", "a file does not have it"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let board = Dashboard { panels: vec![panel(PanelKind::Line, "a")], ..Dashboard::default() };
    let failed = [PanelAnswer::Failed("no such field".to_owned())];
    let page = shown_in(Locale::Indonesian, &board, &failed, &Choices::default());
    assert!(page.contains("Ini tidak dapat dijawab: no such field") && page.contains("<html lang=\"id\">"), "{page}");
}

/// Everything that a person or a sender writes is data.
#[test]
fn hostile_values_are_shown_and_run_nowhere() {
    let kinds = [
        PanelKind::Line,
        PanelKind::Area,
        PanelKind::Bar,
        PanelKind::Pie,
        PanelKind::Number,
        PanelKind::Table,
        PanelKind::Logs,
        PanelKind::Heatmap,
        PanelKind::Text,
    ];
    let mut table = by_time(HOSTILE);
    table.columns[1].name = HOSTILE.to_owned();
    table.notes = vec![HOSTILE.to_owned()];
    let text = format!("{HOSTILE}\n\n[go](javascript:alert(1)) ![x](http://evil.example/p.png) $v `{HOSTILE}`");
    let panels: Vec<Panel> = kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| Panel {
            title: HOSTILE.to_owned(),
            unit: Some(HOSTILE.to_owned()),
            text: Some(text.clone()),
            section: Some(HOSTILE.to_owned()),
            ..panel(*kind, &at.to_string())
        })
        .collect();
    let mut answers = vec![PanelAnswer::Tables(vec![table]); kinds.len()];
    answers.push(PanelAnswer::Failed(HOSTILE.to_owned()));
    let variables = vec![Variable { name: "v".to_owned(), label: HOSTILE.to_owned(), ..Variable::default() }];
    let panels = [panels, vec![panel(PanelKind::Line, "x")]].concat();
    let (title, description) = (format!("{HOSTILE}$v"), HOSTILE.to_owned());
    let board = Dashboard { title, description, variables, panels, ..Dashboard::default() };
    let choices = Choices::from([("v".to_owned(), Choice::One(HOSTILE.to_owned()))]);
    let page = shown_in(Locale::English, &board, &answers, &choices);
    assert!(page.matches("&lt;script").count() > 20);
    for bad in ["<script", "<img", "onerror=alert(1)>", "javascript:", "\u{202e}", "evil.example/p.png"] {
        assert!(!page.contains(bad), "{bad}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    // What the file itself leads to is the dashboard alone, and nothing is loaded.
    let addresses: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(addresses, ["https://logs.example/dashboards/x?a=1&amp;b=2"]);
    assert!(!page.contains("src=\"") && !page.contains("url(") && !page.contains("@import"));
}
