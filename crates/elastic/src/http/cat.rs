//! `_cat`: lists for people, as text or JSON.

use std::cmp::Ordering;

use axum::http::header;
use serde_json::{Map, Value as Json_, json};
use storage::GroupStatus;
use types::GroupPattern;

use super::alias_lookup::seen;
use super::catalog::{bytes_of, groups_of};
use super::state::{Call, Shared};
use super::{created_indices, info};
use door::{Outcome, Problem, Reply, Result};

/// The names of a column; the first one is shown.
type Column = &'static [&'static str];

/// A list with its columns.
struct List {
    columns: &'static [Column],
    rows: Vec<Vec<Cell>>,
}

/// A value in a list.
#[derive(Clone, Debug)]
enum Cell {
    Text(String),
    Bytes(u64),
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the text of the value; `unit` is the parameter `bytes`.
    fn shown(&self, unit: Option<&str>) -> String {
        match (self, unit) {
            (Self::Text(text), _) => text.clone(),
            (Self::Bytes(bytes), None) => in_words(*bytes),
            (Self::Bytes(bytes), Some(unit)) => {
                let power =
                    ["b", "k", "m", "g", "t", "p"].iter().position(|known| unit.starts_with(known)).unwrap_or(0);
                (bytes >> (10 * power)).to_string()
            }
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let number = |cell: &Self| match cell {
            Self::Text(text) => text.parse().ok(),
            Self::Bytes(bytes) => Some(*bytes as f64),
        };
        match (number(self), number(other)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => self.shown(None).cmp(&other.shown(None)),
        }
    }
}

/// Returns a size such as `272.4kb`.
fn in_words(bytes: u64) -> String {
    let units = ["b", "kb", "mb", "gb", "tb", "pb"];
    let power = (0..units.len() - 1).find(|power| bytes >> (10 * (power + 1)) == 0).unwrap_or(units.len() - 1);
    let number = format!("{:.1}", bytes as f64 / (1_u64 << (10 * power)) as f64);
    format!("{}{}", number.trim_end_matches(".0"), units[power])
}

fn unknown_column(name: &str, columns: &[Column]) -> Problem {
    let known: Vec<&str> = columns.iter().map(|column| column[0]).collect();
    let message = format!("Unable to sort by unknown sort key `{name}`; the columns are {}", known.join(", "));
    Problem::bad_request("illegal_argument_exception", message)
}

impl List {
    /// Answers with the list in the requested order, columns and format.
    fn answer(mut self, Call { parameters, parts, .. }: &Call) -> Outcome {
        let text = |text: String| Reply::content("text/plain; charset=UTF-8", text);
        let place = |name: &str| self.columns.iter().position(|column| column.contains(&name));
        if parameters.flag_or_bare("help") {
            let line = |column: &Column| format!("{} | {} | \n", column[0], column[1..].join(","));
            return Ok(text(self.columns.iter().map(line).collect()));
        }
        let mut keys = Vec::new();
        for key in parameters.all("s").flat_map(|keys| keys.split(',')).map(str::trim) {
            let (name, is_descending) = match key.strip_suffix(":desc") {
                Some(name) => (name, true),
                None => (key.strip_suffix(":asc").unwrap_or(key), false),
            };
            keys.push((place(name).ok_or_else(|| unknown_column(name, self.columns))?, is_descending));
        }
        let shown: Vec<(String, usize)> = match parameters.get("h") {
            // Columns have the requested names; unknown ones are left out.
            Some(names) => {
                let patterns = names.split(',').map(str::trim);
                let of_pattern = |pattern: &str| -> Vec<(String, usize)> {
                    let matching = GroupPattern::new(pattern);
                    let all = self.columns.iter().enumerate();
                    match pattern.contains('*') {
                        true => {
                            all.filter(|(_, c)| matching.matches(c[0])).map(|(at, c)| (c[0].to_owned(), at)).collect()
                        }
                        false => place(pattern).map(|at| (pattern.to_owned(), at)).into_iter().collect(),
                    }
                };
                patterns.flat_map(of_pattern).collect()
            }
            None => self.columns.iter().enumerate().map(|(at, column)| (column[0].to_owned(), at)).collect(),
        };
        self.rows.sort_by(|a, b| {
            let compared = keys.iter().map(|(at, is_descending)| {
                let order = a[*at].compare(&b[*at]);
                if *is_descending { order.reverse() } else { order }
            });
            compared.fold(Ordering::Equal, Ordering::then)
        });
        let unit = parameters.get("bytes");
        let cells = |row: &Vec<Cell>| -> Vec<String> { shown.iter().map(|(_, at)| row[*at].shown(unit)).collect() };
        let accepts = parts.headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
        let accepts_json = accepts.is_some_and(|kinds| kinds.contains("json"));
        match parameters.get("format") {
            Some("json") => {}
            None if accepts_json => {}
            Some("text") | None => {
                let head = parameters.flag_or_bare("v").then(|| shown.iter().map(|(name, _)| name.clone()).collect());
                return Ok(text(aligned(head.into_iter().chain(self.rows.iter().map(cells)).collect())));
            }
            Some(other) => {
                let message = format!("the format [{other}] is not supported here; text and json are");
                return Err(Problem::bad_request("illegal_argument_exception", message));
            }
        }
        let row = |row: &Vec<Cell>| -> Map<String, Json_> {
            shown.iter().map(|(name, _)| name.clone()).zip(cells(row).into_iter().map(Json_::from)).collect()
        };
        Ok(Reply::serialized(&self.rows.iter().map(row).collect::<Vec<_>>()))
    }
}

/// Returns lines with aligned columns.
fn aligned(lines: Vec<Vec<String>>) -> String {
    let n_columns = lines.first().map_or(0, Vec::len);
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let line = |line: &Vec<String>| {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join(" ").trim_end())
    };
    lines.iter().map(line).collect()
}

/// Returns the groups that names match, including those without events, each with its events and bytes.
fn sizes(Call { server, parameters, path: [names, _], .. }: &Call) -> Result<Vec<(String, u64, u64)>> {
    let groups = groups_of(server, names, parameters)?;
    let size = |group: &GroupStatus| (group.name.to_string(), group.n_events, bytes_of(group));
    let mut sizes: Vec<(String, u64, u64)> = groups.iter().map(size).collect();
    let wanted: Vec<GroupPattern> = names.split(',').filter(|name| !name.is_empty()).map(GroupPattern::new).collect();
    let is_wanted = |name: &str| wanted.is_empty() || names == "_all" || GroupPattern::any_matches(&wanted, name);
    let empty = created_indices::empty(server)?.into_iter().filter(|name| is_wanted(name.as_str()));
    sizes.extend(empty.map(|name| (name.to_string(), 0, 0)));
    sizes.sort();
    Ok(sizes)
}

/// Answers `_cat/indices`.
pub(super) fn indices(call: Call) -> Outcome {
    const COLUMNS: &[Column] = &[
        &["health", "h"],
        &["status", "s"],
        &["index", "i", "idx"],
        &["uuid", "id"],
        &["pri", "p", "shards.primary", "shardsPrimary"],
        &["rep", "r", "shards.replica", "shardsReplica"],
        &["docs.count", "dc", "docsCount"],
        &["docs.deleted", "dd", "docsDeleted"],
        &["store.size", "ss", "storeSize"],
        &["pri.store.size"],
        &["dataset.size"],
    ];
    let health = match call.parameters.get("health") {
        Some(health @ ("green" | "yellow" | "red")) => Some(health),
        Some(other) => {
            let message = format!("unknown cluster health status [{other}]");
            return Err(Problem::bad_request("illegal_argument_exception", message));
        }
        None => None,
    };
    let sizes = sizes(&call)?;
    let row = |(name, n_events, bytes): (String, u64, u64)| {
        let text = |text: &str| Cell::text(text);
        let mut row = vec![text("green"), text("open"), text(&name), text(&name), text("1"), text("0")];
        row.extend([Cell::text(n_events.to_string()), text("0")]);
        row.extend([Cell::Bytes(bytes), Cell::Bytes(bytes), Cell::Bytes(bytes)]);
        row
    };
    let is_wanted = health.is_none_or(|health| health == "green");
    List { columns: COLUMNS, rows: sizes.into_iter().filter(|_| is_wanted).map(row).collect() }.answer(&call)
}

/// Answers `_cat/count`.
pub(super) fn count(call: Call) -> Outcome {
    const COLUMNS: &[Column] = &[&["epoch", "t", "time"], &["timestamp", "ts"], &["count", "dc", "docs.count"]];
    let count: u64 = sizes(&call)?.iter().map(|(_, n_events, _)| n_events).sum();
    let (epoch, clock) = clock(&call.server);
    List { columns: COLUMNS, rows: vec![vec![epoch, clock, Cell::text(count.to_string())]] }.answer(&call)
}

/// Returns the seconds since 1970 and the time of day.
fn clock(server: &Shared) -> (Cell, Cell) {
    let seconds = server.now().0.div_euclid(1_000_000_000);
    let (hours, minutes) = (seconds.div_euclid(3600).rem_euclid(24), seconds.div_euclid(60).rem_euclid(60));
    (Cell::text(seconds.to_string()), Cell::text(format!("{hours:02}:{minutes:02}:{:02}", seconds.rem_euclid(60))))
}

/// Answers `_cat/health`.
pub(super) fn health(call: Call) -> Outcome {
    const COLUMNS: &[Column] = &[
        &["epoch", "t", "time"],
        &["timestamp", "ts"],
        &["cluster", "cl"],
        &["status", "st"],
        &["node.total", "nt"],
        &["node.data", "nd"],
        &["shards", "t", "shards.total"],
        &["pri", "p", "shards.primary"],
        &["relo", "r"],
        &["init", "i"],
        &["unassign", "u"],
        &["pending_tasks", "pt"],
        &["max_task_wait_time", "mtwt"],
        &["active_shards_percent", "asp"],
    ];
    let (epoch, clock) = clock(&call.server);
    let n_groups = call.server.groups().len().to_string();
    let rest =
        [info::NAME, info::state(&call.server), "1", "1", &n_groups, &n_groups, "0", "0", "0", "0", "-", "100.0%"];
    let row = [epoch, clock].into_iter().chain(rest.iter().map(|text| Cell::text(*text))).collect();
    List { columns: COLUMNS, rows: vec![row] }.answer(&call)
}

/// Answers `_cat/nodes`.
pub(super) fn nodes(call: Call) -> Outcome {
    const COLUMNS: &[Column] = &[
        &["ip", "i"],
        &["node.role", "r", "role", "nodeRole"],
        &["master", "m"],
        &["name", "n"],
        &["version", "v"],
        &["id", "nodeId"],
    ];
    let host = call.parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let ip = host.rsplit_once(':').map_or(host, |(ip, _)| ip);
    let row = [ip, "dim", "*", info::NAME, info::VERSION, info::ID].iter().map(|text| Cell::text(*text)).collect();
    List { columns: COLUMNS, rows: vec![row] }.answer(&call)
}

/// Answers `_cat/shards`.
pub(super) fn shards(call: Call) -> Outcome {
    const COLUMNS: &[Column] = &[
        &["index", "i", "idx"],
        &["shard", "s"],
        &["prirep", "p", "pr", "primaryOrReplica"],
        &["state", "st"],
        &["docs", "d", "dc"],
        &["store", "sto"],
        &["node", "n"],
    ];
    let row = |(name, n_events, bytes): (String, u64, u64)| {
        let [zero, primary, started, node] = ["0", "p", "STARTED", info::NAME].map(Cell::text);
        vec![Cell::text(name), zero, primary, started, Cell::text(n_events.to_string()), Cell::Bytes(bytes), node]
    };
    List { columns: COLUMNS, rows: sizes(&call)?.into_iter().map(row).collect() }.answer(&call)
}

/// Answers `_cat/aliases`.
pub(super) fn aliases(call: Call) -> Outcome {
    const COLUMNS: &[Column] = &[
        &["alias", "a"],
        &["index", "i", "idx"],
        &["filter", "f", "fi"],
        &["routing.index", "ri", "routingIndex"],
        &["routing.search", "rs", "routingSearch"],
        &["is_write_index", "w", "isWriteIndex"],
    ];
    let names = if call.path[0].is_empty() { "*" } else { &call.path[0] };
    let patterns: Vec<GroupPattern> = names.split(',').map(GroupPattern::new).collect();
    let seen = seen(&call.server)?;
    let meant = seen.iter().filter(|(name, _)| GroupPattern::any_matches(&patterns, name));
    let row = |(alias, group): (&String, &String)| {
        [alias.as_str(), group, "-", "-", "-", "-"].iter().map(|text| Cell::text(*text)).collect()
    };
    let rows = meant.flat_map(|(alias, groups)| groups.iter().map(move |group| (alias, group))).map(row).collect();
    List { columns: COLUMNS, rows }.answer(&call)
}

/// Answers with an empty list: there are no plugins.
pub(super) fn nothing(_: Call) -> Outcome {
    Ok(Reply::json(&json!([])))
}

#[cfg(test)]
mod tests;
