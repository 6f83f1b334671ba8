//! Commands whose rows or columns come from elsewhere: other queries, tables, formats, spans of time without events.

use types::{Timestamp, Value};

use super::functions::equals;
use super::{Cell, Expected, Row, Run, answer, key};
use crate::events::{Event, table};
use crate::syntax::{Aggregate, Command, Expr, Item};

/// Columns of the common format.
const OF_ACCESS: [(&str, bool); 9] = [
    ("client", false),
    ("ident", false),
    ("user", false),
    ("time", false),
    ("method", false),
    ("path", false),
    ("protocol", false),
    ("status", true),
    ("bytes", true),
];

impl<'a> Run<'a> {
    pub(super) fn apply_other(&mut self, command: &Command) {
        match command {
            Command::Timechart { span, aggregates, by } => self.timechart(*span, aggregates, by.as_deref()),
            Command::FillMissing(fillings) => {
                let fill = |(value, name): &(i64, String)| (name.clone(), Value::Integer(*value));
                self.fill(&fillings.iter().map(fill).collect::<Vec<_>>());
            }
            Command::Join { keeps_all, sides, keys, other } => {
                let other = answer(other, self.events, self.range);
                self.join(*keeps_all, &sides.1, keys, &other);
            }
            Command::Lookup { table: name, keys, output } => self.lookup(name, keys, output),
            Command::AppendColumns { most, other } => {
                let other = answer(other, self.events, self.range);
                for (index, row) in self.rows.iter_mut().enumerate() {
                    let found = other.rows.get(index).filter(|_| most.is_none_or(|most| index < most));
                    for (column, name) in other.columns.iter().enumerate() {
                        row.made.insert(name.clone(), found.and_then(|found| found[column].clone()));
                    }
                }
            }
            Command::FilterIn { field, negated, other } => {
                // Queries inside conditions look at all times.
                let other = answer(other, self.events, (i64::MIN, i64::MAX));
                let is_level = field == "@level";
                self.rows.retain(|row| {
                    let value = row.field(field);
                    other.rows.iter().any(|found| equals(&value, &found[0], is_level)) != *negated
                });
            }
            Command::ParseRegex { field, regex, names } => {
                let regex = regex::Regex::new(regex).expect("a valid expression");
                self.parse(field, |text| {
                    let found = regex.captures(text)?;
                    let group = |name: &String| Some((name.clone(), Value::text(found.name(name)?.as_str())));
                    Some(names.iter().filter_map(group).collect())
                });
            }
            Command::ParseFormat { field, format, prefix } => match *format {
                "json" => self.parse_lines(prefix),
                format => self.parse(field, |text| {
                    let pairs = if format == "clf" { access(text)? } else { pairs(text) };
                    Some(pairs.into_iter().map(|(name, value)| (format!("{prefix}.{name}"), value)).collect())
                }),
            },
            other => panic!("no command: {other}"),
        }
    }

    fn timechart(&mut self, (written, length): (&'static str, i64), aggregates: &[Aggregate], by: Option<&str>) {
        let span = Item { expr: Expr::Bin(written, length), alias: Some(format!("bin({written})")) };
        let field = by.map(|name| Item { expr: Expr::Field(name.to_owned()), alias: None });
        let by = std::iter::once(span).chain(field).collect();
        self.apply(&Command::Stats { aggregates: aggregates.to_vec(), by });
        let counts = aggregates.iter().filter(|aggregate| ["count", "count_distinct"].contains(&aggregate.function));
        self.fill(&counts.map(|count| (count.name(), Value::Integer(0))).collect::<Vec<_>>());
    }

    /// Rule 23: a row for each span of the window, or from the first row to the last, and each series.
    fn fill(&mut self, values: &[(String, Value)]) {
        let Some((time, length, names)) = self.spans.clone() else { panic!("no spans of time") };
        let instant = |row: &Row<'_>| match row.field(&time) {
            Some(Value::Timestamp(time)) => time.0,
            other => panic!("no time: {other:?}"),
        };
        let cells = |row: &Row<'_>| names.iter().map(|name| row.field(name)).collect::<Vec<Cell>>();
        let mut series: Vec<Vec<Cell>> = if names.is_empty() { vec![Vec::new()] } else { Vec::new() };
        let place = |series: &[Vec<Cell>], cells: &[Cell]| {
            series.iter().position(|known| known.iter().map(key).eq(cells.iter().map(key)))
        };
        for row in &self.rows {
            let cells = cells(row);
            if place(&series, &cells).is_none() {
                series.push(cells);
            }
        }
        let known: Vec<(i64, Option<usize>)> =
            self.rows.iter().map(|row| (instant(row), place(&series, &cells(row)))).collect();
        let (from, to) = self.range;
        let first = if from == i64::MIN { known.iter().map(|(time, _)| *time).min() } else { Some(from) };
        let last = if to == i64::MAX { known.iter().map(|(time, _)| *time).max() } else { Some(to - 1) };
        let mut keyed: Vec<((i64, Option<usize>), Row<'a>)> =
            known.iter().copied().zip(std::mem::take(&mut self.rows)).collect();
        let (Some(first), Some(last)) = (first, last) else { return };
        let mut start = first - first.rem_euclid(length);
        while start <= last {
            for (index, cells) in series.iter().enumerate() {
                if known.contains(&(start, Some(index))) {
                    continue;
                }
                let at = (time.clone(), Some(Value::Timestamp(Timestamp(start))));
                let filled = values.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
                let made = names.iter().cloned().zip(cells.iter().cloned()).chain([at]).chain(filled).collect();
                keyed.push(((start, Some(index)), Row { event: None, made }));
            }
            start += length;
        }
        keyed.sort_by_key(|(key, _)| *key);
        self.rows = keyed.into_iter().map(|(_, row)| row).collect();
    }

    fn join(&mut self, keeps_all: bool, right: &str, keys: &[(String, String)], other: &Expected) {
        let column = |name: &String| other.columns.iter().position(|known| known == name).expect("a column");
        let keys: Vec<(&String, usize)> = keys.iter().map(|(mine, theirs)| (mine, column(theirs))).collect();
        let mut rows = Vec::new();
        for row in &self.rows {
            let is_partner = |found: &&Vec<Cell>| {
                keys.iter().all(|(mine, theirs)| equals(&row.field(mine), &found[*theirs], *mine == "@level"))
            };
            let partners: Vec<&Vec<Cell>> = other.rows.iter().filter(is_partner).collect();
            let with = |found: Option<&Vec<Cell>>| {
                let mut row = row.clone();
                for (index, name) in other.columns.iter().enumerate() {
                    row.made.insert(format!("{right}.{name}"), found.and_then(|found| found[index].clone()));
                }
                row
            };
            if partners.is_empty() && keeps_all {
                rows.push(with(None));
            }
            rows.extend(partners.into_iter().map(|found| with(Some(found))));
        }
        self.rows = rows;
    }

    fn lookup(&mut self, name: &str, keys: &[(&str, String)], output: &[(&str, String)]) {
        let (columns, rows) = table(name);
        let column = |name: &str| columns.iter().position(|known| *known == name).expect("a column");
        for row in &mut self.rows {
            let is_partner = |found: &&Vec<Cell>| {
                keys.iter().all(|(theirs, mine)| equals(&row.field(mine), &found[column(theirs)], mine == "@level"))
            };
            let found = rows.iter().find(is_partner);
            for (theirs, alias) in output {
                row.made.insert(alias.clone(), found.and_then(|found| found[column(theirs)].clone()));
            }
        }
    }

    /// Rows whose text does not match stay, without the new fields.
    fn parse(&mut self, field: &str, found: impl Fn(&str) -> Option<Vec<(String, Value)>>) {
        for row in &mut self.rows {
            let Some(text) = row.field(field) else { continue };
            for (name, value) in found(&text.to_string()).unwrap_or_default() {
                row.made.insert(name, Some(value));
            }
        }
    }

    /// `parse @message json`: only messages that are a whole line of JSON are JSON.
    fn parse_lines(&mut self, prefix: &str) {
        for row in &mut self.rows {
            let Some(event) = row.event.filter(|event: &&Event| event.message == event.line) else { continue };
            for (name, value) in &event.fields {
                row.made.insert(format!("{prefix}.{name}"), Some(value.clone()));
            }
        }
    }
}

/// `client ident user [time] "method path protocol" status bytes`; a `-` is a missing value.
fn access(text: &str) -> Option<Vec<(&'static str, Value)>> {
    let words: Vec<&str> = text.split(' ').collect();
    let [client, ident, user, time, zone, method, path, protocol, status, bytes] = words[..] else { return None };
    let time = format!("{time} {zone}");
    let time = time.trim_matches(['[', ']']);
    let values = [client, ident, user, time, method.trim_matches('"'), path, protocol.trim_matches('"'), status, bytes];
    let value = |((name, is_number), text): ((&'static str, bool), &str)| {
        let number = || text.parse().map_or_else(|_| Value::text(text), Value::Integer);
        (text != "-").then(|| (name, if is_number { number() } else { Value::text(text) }))
    };
    Some(OF_ACCESS.into_iter().zip(values).filter_map(value).collect())
}

/// `name=word` or `name="words"`.
fn pairs(text: &str) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    for name in ["user", "took", "note", "done"] {
        let Some((_, rest)) = text.split_once(&format!("{name}=")) else { continue };
        let value = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split(' ').next(),
        };
        found.push((name, Value::text(value.unwrap_or_default())));
    }
    found
}
