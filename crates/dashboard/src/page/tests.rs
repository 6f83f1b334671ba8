//! Pages of boards, with hostile values at every place that takes a text.

use chrono_tz::Tz;
use serde_json::json;
use types::{Locale, TimeRange, Timestamp, Value};

use super::{Page, PanelAnswer, Program, Table, page};
use crate::document::{Dashboard, Panel, PanelKind, PanelQuery, Variable};
use crate::fill::{Choice, Choices};

const SCRIPT: &str = "draw()";

const HOSTILE: &str =
    "</style></svg><script src=//evil.example/x.js>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{202e}";

fn at(minute: i64) -> Option<Value> {
    Some(Value::Timestamp(Timestamp(minute * Timestamp::MINUTE)))
}

/// An answer with the JSON that the API makes of it.
fn table(columns: &[&str], rows: Vec<Vec<Option<Value>>>) -> Table {
    let mut written: Vec<String> = Vec::new();
    for row in &rows {
        let mut cells: Vec<String> = Vec::new();
        for value in row {
            let mut json = String::new();
            match value {
                Some(value) => value.write_json(&mut json),
                None => json.push_str("null"),
            }
            cells.push(json);
        }
        written.push(format!("[{}]", cells.join(",")));
    }
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let head = json!(columns.iter().map(|name| json!({"name": name})).collect::<Vec<_>>());
    let json = format!("{{\"columns\":{head},\"rows\":[{}]}}", written.join(","));
    Table { columns, rows, json, ..Table::default() }
}

/// Counts by minute and host.
fn by_time(host: &str) -> Table {
    let row = |minute, n| vec![at(minute), Some(Value::text(host)), Some(Value::Integer(n))];
    table(&["bin(1m)", "host", "count(*)"], (0..5).chain(8..10).map(|minute| row(minute, 100 * minute)).collect())
}

fn panel(kind: PanelKind, id: &str) -> Panel {
    let (title, queries) = (format!("Panel {id}"), vec![PanelQuery::default()]);
    Panel { id: id.to_owned(), title, kind, w: 12, h: 8, queries, ..Panel::default() }
}

fn shown_in(locale: Locale, board: &Dashboard, answers: &[PanelAnswer], choices: &Choices) -> String {
    let range = TimeRange { from: Timestamp(0), to: Timestamp(10 * Timestamp::MINUTE) };
    let url = Some("https://logs.example/dashboards/x?a=1&b=2");
    let program = &Program { script: SCRIPT, digest: "c2hh", style: "p{}", texts: "{\"Time\":\"Waktu\"}" };
    page(&Page { board, answers, choices, range, at: range.to, time_zone: Tz::UTC, locale, url, program })
}

/// Returns what the script of a page reads.
fn data_in(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"board-data\">").expect("data");
    let (data, _) = rest.split_once("</script>").expect("its end");
    serde_json::from_str(data).expect("JSON")
}

fn shown(panels: Vec<(Panel, Vec<Table>)>) -> String {
    let (panels, tables): (Vec<_>, Vec<_>) = panels.into_iter().unzip();
    let answers: Vec<_> = tables.into_iter().map(PanelAnswer::Tables).collect();
    let board = Dashboard { title: "Board".to_owned(), panels, ..Dashboard::default() };
    shown_in(Locale::English, &board, &answers, &Choices::default())
}

#[test]
fn every_picture_has_a_place_its_answers_and_their_rows() {
    for kind in [
        PanelKind::Line,
        PanelKind::Area,
        PanelKind::Bar,
        PanelKind::Heatmap,
        PanelKind::Number,
        PanelKind::Pie,
        PanelKind::Table,
        PanelKind::Logs,
    ] {
        let page = shown(vec![(panel(kind, "a"), vec![by_time("web-1")])]);
        let name = json!(kind);
        let place = format!("<div class=\"board-panel kind-{}\" data-panel=\"0\"", name.as_str().expect("a name"));
        assert!(page.contains(&place) && page.contains("<details open><summary>Table</summary>"), "{kind:?}: {page}");
        assert!(page.contains("<tr><td>1970-01-01 00:04:00<td>web-1<td>400"), "{kind:?}: {page}");
        let data = data_in(&page);
        assert_eq!(data["panels"][0]["panel"]["kind"], name);
        assert_eq!(data["panels"][0]["answers"][0]["rows"][1], json!(["1970-01-01T00:01:00Z", "web-1", 100]));
    }
}

#[test]
fn panels_keep_their_answers_wherever_they_stand() {
    let low = Panel { y: 9, ..panel(PanelKind::Line, "low") };
    let page = shown(vec![(low, vec![by_time("web-1")]), (panel(PanelKind::Line, "high"), vec![by_time("web-2")])]);
    let (first, second) = (page.find("data-panel=\"1\""), page.find("data-panel=\"0\""));
    assert!(first.is_some() && first < second, "{page}");
    assert_eq!(data_in(&page)["panels"][1]["answers"][0]["rows"][0][1], "web-2");
    let two = vec![PanelQuery::default(), PanelQuery::default()];
    let of_two = Panel { queries: two, ..panel(PanelKind::Line, "a") };
    let page = shown(vec![(of_two, vec![by_time("web-1"), by_time("web-2")])]);
    assert!(page.contains("<caption>a</caption>") && page.contains("<caption>b</caption>"), "{page}");
}

#[test]
fn the_script_is_the_only_one_that_may_run_and_knows_how_to_show() {
    let page = shown(vec![(panel(PanelKind::Line, "a"), vec![by_time("web-1")])]);
    let policy = "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-c2hh'\"";
    assert!(page.contains(policy) && page.contains(&format!("<script>{SCRIPT}</script>")), "{page}");
    assert_eq!(page.matches("<script").count(), 2);
    assert!(page.contains("<noscript>Scripts do not run here"), "{page}");
    let data = data_in(&page);
    assert_eq!((&data["language"], &data["zone"], &data["texts"]), (&json!("en"), &json!("UTC"), &json!({})));
    assert_eq!(data["range"], json!({"from": 0, "to": 600_000, "isOpen": true}));
    let choices = Choices::from([
        ("v".to_owned(), Choice::One("x".to_owned())),
        ("w".to_owned(), Choice::All { all: vec!["y".to_owned()] }),
    ]);
    let data = data_in(&shown_in(Locale::Indonesian, &Dashboard::default(), &[], &choices));
    assert_eq!((&data["language"], &data["texts"]), (&json!("id"), &json!({"Time": "Waktu"})));
    let chosen = json!({"v": {"values": ["x"], "isAll": false}, "w": {"values": ["y"], "isAll": true}});
    assert_eq!(data["choices"], chosen);
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
    assert_eq!(page.matches("data-panel").count(), 1);
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
    let mut table = table(&["bin(1m)", HOSTILE], vec![vec![at(1), Some(Value::text(HOSTILE))]]);
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
    let data = data_in(&page);
    assert_eq!(
        (&data["panels"][0]["panel"]["title"], &data["choices"]["v"]["values"][0]),
        (&json!(HOSTILE), &json!(HOSTILE))
    );
    assert_eq!(data["panels"][0]["answers"][0]["rows"][0][1], HOSTILE);
    for bad in ["<img", "onerror=alert(1)>&quot;", "\u{202e}", "<a href=\"javascript:"] {
        assert!(!page.contains(bad), "{bad}");
    }
    for (own, n) in [("<script", 2), ("</script", 2), ("</style>", 1), ("<svg", 0), ("<!--", 0)] {
        assert_eq!(page.matches(own).count(), n, "{own}");
    }
    // What the file itself leads to is the dashboard alone, and nothing is loaded.
    let addresses: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(addresses, ["https://logs.example/dashboards/x?a=1&amp;b=2"]);
    assert!(!page.contains(" src=\"") && !page.contains("@import"));
}
