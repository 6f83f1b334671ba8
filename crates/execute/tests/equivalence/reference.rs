//! The language once more, row by row: slow, without columns, indexes or partial results, and written from the
//! documents instead of from the executor. What both say of thousands of queries is compared.

#[path = "reference/aggregates.rs"]
mod aggregates;
#[path = "reference/functions.rs"]
mod functions;
#[path = "reference/others.rs"]
mod others;
#[path = "reference/values.rs"]
mod values;

use std::collections::{BTreeMap, BTreeSet};

use types::Value;

use crate::events::Event;
use crate::syntax::{Command, Expr, Item};
pub(crate) use functions::evaluate;
pub(crate) use values::{key, number, sort_order, strict_order};

/// A value, or none.
pub(crate) type Cell = Option<Value>;

/// A row on its way through the commands.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// The event it still is.
    pub(crate) event: Option<&'a Event>,
    /// Columns made by commands; they hide fields of the same name.
    pub(crate) made: BTreeMap<String, Cell>,
}

impl Row<'_> {
    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Cell {
        if let Some(made) = self.made.get(name) {
            return made.clone();
        }
        let event = self.event?;
        match name {
            "@timestamp" => return Some(Value::Timestamp(types::Timestamp(event.time))),
            "@message" => return Some(Value::text(event.message.as_str())),
            "@level" => return event.level.map(Value::text),
            _ => {}
        }
        if let Some(value) = event.fields.get(name) {
            return Some(value.clone());
        }
        // An object is put together from the paths below its name.
        let below = format!("{name}.");
        let members: Vec<(std::sync::Arc<str>, Cell)> = event
            .fields
            .iter()
            .filter_map(|(path, value)| Some((path.strip_prefix(&below)?.into(), Some(value.clone()))))
            .collect();
        (!members.is_empty()).then(|| Value::Object(members.into()))
    }
}

/// Which columns are shown.
enum Shown {
    Default,
    /// No one has chosen, but commands have made columns of their own next to the usual ones.
    Made(Vec<String>),
    Fields(Vec<String>),
    Display(Vec<String>),
}

/// What an answer should be.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

struct Run<'a> {
    /// All events and the range that is asked for.
    events: &'a [Event],
    range: (i64, i64),
    rows: Vec<Row<'a>>,
    /// Columns of the last aggregation that are groups; the first is the span of time, where there is one.
    spans: Option<(String, i64, Vec<String>)>,
    shown: Shown,
    /// Columns that are shown where no one has chosen.
    default: Vec<String>,
    is_events: bool,
    /// Columns that hold levels: they are ordered by severity.
    levels: BTreeSet<String>,
}

/// The answer to a query over events that were sent in this order.
pub(crate) fn answer(commands: &[Command], events: &[Event], range: (i64, i64)) -> Expected {
    let mut chosen: Vec<(usize, &Event)> =
        events.iter().enumerate().filter(|(_, event)| (range.0..range.1).contains(&event.time)).collect();
    chosen.sort_by_key(|(sequence, event)| std::cmp::Reverse((event.time, *sequence)));
    let row = |(_, event): (usize, _)| Row { event: Some(event), made: BTreeMap::new() };
    let mut run = Run {
        events,
        range,
        spans: None,
        rows: chosen.into_iter().map(row).collect(),
        shown: Shown::Default,
        default: vec!["@timestamp".to_owned(), "@message".to_owned()],
        is_events: true,
        levels: BTreeSet::from(["@level".to_owned()]),
    };
    commands.iter().for_each(|command| run.apply(command));
    let columns = run.columns();
    let rows = run.rows.iter().map(|row| columns.iter().map(|name| row.field(name)).collect()).collect();
    Expected { columns, rows }
}

impl<'a> Run<'a> {
    fn columns(&self) -> Vec<String> {
        match &self.shown {
            Shown::Made(names) | Shown::Fields(names) | Shown::Display(names) if !names.is_empty() => names.clone(),
            _ => self.default.clone(),
        }
    }

    fn show(&mut self, names: Vec<String>) {
        self.shown = match self.shown {
            Shown::Display(_) => Shown::Display(names),
            Shown::Fields(_) => Shown::Fields(names),
            Shown::Default | Shown::Made(_) => Shown::Made(names),
        };
    }

    fn show_also(&mut self, name: &str) {
        let mut columns = self.columns();
        if !columns.iter().any(|column| column == name) {
            columns.push(name.to_owned());
        }
        self.show(columns);
    }

    fn make(&mut self, name: &str, expr: &Expr) {
        for row in &mut self.rows {
            let value = evaluate(expr, row);
            row.made.insert(name.to_owned(), value);
        }
        let is_level = matches!(expr, Expr::Field(field) if self.levels.contains(field));
        if is_level {
            self.levels.insert(name.to_owned())
        } else {
            self.levels.remove(name)
        };
    }

    fn apply(&mut self, command: &Command) {
        match command {
            Command::Fields(items) => self.fields(items),
            Command::Display(names) => self.shown = Shown::Display(names.clone()),
            Command::Filter(condition) => self.rows.retain(|row| functions::is_true(condition, row)),
            Command::Eval(name, expr) => {
                self.make(name, expr);
                self.show_also(name);
            }
            Command::Rename(from, to) => {
                self.make(to, &Expr::Field(from.clone()));
                self.make(from, &Expr::Literal(None));
                let columns = self.columns();
                if columns.contains(from) {
                    let renamed = columns.into_iter().filter(|name| name != to);
                    self.show(renamed.map(|name| if name == *from { to.clone() } else { name }).collect());
                }
                self.forget(from);
            }
            Command::Drop(name) => {
                let columns = self.columns();
                if columns.contains(name) {
                    self.show(columns.into_iter().filter(|column| column != name).collect());
                }
                self.make(name, &Expr::Literal(None));
                self.forget(name);
            }
            Command::Sort(keys) => self.sort(keys),
            Command::Limit(most) => self.rows.truncate(*most as usize),
            Command::Tail(most) => drop(self.rows.drain(..self.rows.len().saturating_sub(*most as usize))),
            Command::Dedup(names) => self.dedup(names),
            Command::Unnest(list, name) => self.unnest(list, name),
            Command::Glob { literals, names } => self.glob(literals, names),
            Command::Stats { aggregates, by } => {
                self.rows = aggregates::stats(&self.rows, aggregates, by, &self.levels);
                let is_level = |item: &&Item| matches!(&item.expr, Expr::Field(name) if self.levels.contains(name));
                self.levels = by.iter().filter(is_level).map(Item::name).collect();
                let span = by.iter().find_map(|item| match item.expr {
                    Expr::Bin(_, length) => Some((item.name(), length)),
                    _ => None,
                });
                self.spans = span.map(|(time, length)| {
                    let series = by.iter().map(Item::name).filter(|name| *name != time);
                    (time.clone(), length, series.collect())
                });
                let names = by.iter().map(Item::name).chain(aggregates.iter().map(|aggregate| aggregate.name()));
                self.became_table(names.collect());
            }
            Command::Top { rarest, most, names, by } => {
                self.rows = aggregates::top(&self.rows, *rarest, most.unwrap_or(10), names, by, &self.levels);
                let shown = by.iter().chain(names).map(String::as_str).chain(["count", "share"]);
                self.became_table(shown.map(str::to_owned).collect());
            }
            others => self.apply_other(others),
        }
    }

    fn became_table(&mut self, columns: Vec<String>) {
        self.default = columns;
        self.shown = Shown::Default;
        self.is_events = false;
    }

    fn forget(&mut self, name: &str) {
        if !self.is_events {
            self.default.retain(|column| column != name);
        }
    }

    fn fields(&mut self, items: &[Item]) {
        for item in items {
            if item.alias.is_some() || !matches!(item.expr, Expr::Field(_)) {
                self.make(&item.name(), &item.expr);
            }
        }
        let mut names = match std::mem::replace(&mut self.shown, Shown::Default) {
            Shown::Default | Shown::Made(_) => Vec::new(),
            Shown::Fields(names) => names,
            display => return self.shown = display,
        };
        for item in items {
            if !names.contains(&item.name()) {
                names.push(item.name());
            }
        }
        self.shown = Shown::Fields(names);
    }

    fn sort(&mut self, keys: &[(Expr, bool)]) {
        let key_of = |expr: &Expr, row: &Row<'_>| match (expr, evaluate(expr, row)) {
            (Expr::Field(name), Some(Value::String(level))) if self.levels.contains(name) => {
                values::severity(&level).map(Value::Integer)
            }
            (_, value) => value,
        };
        let mut keyed: Vec<(Vec<Cell>, Row<'a>)> = std::mem::take(&mut self.rows)
            .into_iter()
            .map(|row| (keys.iter().map(|(expr, _)| key_of(expr, &row)).collect(), row))
            .collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let orders = keys.iter().zip(a.iter().zip(b)).map(|((_, descending), (a, b))| match (a, b) {
                (Some(_), Some(_)) if *descending => sort_order(b, a),
                // Missing values are last in both directions.
                _ => sort_order(a, b),
            });
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        self.rows = keyed.into_iter().map(|(_, row)| row).collect();
    }

    fn dedup(&mut self, names: &[String]) {
        let mut seen: BTreeSet<Vec<String>> = BTreeSet::new();
        self.rows.retain(|row| {
            let values: Vec<Cell> = names.iter().map(|name| row.field(name)).collect();
            values.iter().any(Option::is_none) || seen.insert(values.iter().map(key).collect())
        });
    }

    fn unnest(&mut self, list: &str, name: &str) {
        let mut rows = Vec::new();
        for row in &self.rows {
            let elements = match row.field(list) {
                None => Vec::new(),
                Some(Value::List(items)) => items.to_vec(),
                Some(single) => vec![Some(single)],
            };
            for element in elements {
                let mut row = row.clone();
                row.made.insert(name.to_owned(), element);
                rows.push(row);
            }
        }
        self.rows = rows;
        self.show_also(name);
    }

    /// The literals must appear in order, the first may start anywhere, stars are lazy, a final star takes the rest.
    fn glob(&mut self, literals: &[&str], names: &[String]) {
        for row in &mut self.rows {
            let Some(Value::String(text)) = row.field("@message") else { continue };
            let parts = cut(&text, literals);
            for (index, name) in names.iter().enumerate() {
                let value = parts.as_ref().map(|parts| Value::text(parts[index].as_str()));
                row.made.insert(name.clone(), value);
            }
        }
    }
}

fn cut(text: &str, literals: &[&str]) -> Option<Vec<String>> {
    let (first, others) = literals.split_first()?;
    let mut rest = &text[text.find(first)? + first.len()..];
    let mut parts = Vec::new();
    for (index, literal) in others.iter().enumerate() {
        let is_last = index + 1 == others.len();
        let at = if is_last && literal.is_empty() { rest.len() } else { rest.find(literal)? };
        parts.push(rest[..at].to_owned());
        rest = &rest[at + literal.len()..];
    }
    Some(parts)
}
