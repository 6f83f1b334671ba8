//! Commands whose rows or columns come from elsewhere: other queries, tables, formats, spans of time without events.

use types::Timestamp;

use super::{Kind, Writer};
use crate::syntax::{Aggregate, Command, Expr, Item};

/// Queries of which only this is known: their answers are the same in every state.
const UNKNOWN: [&[&str]; 9] = [
    &["pattern @message"],
    &["pattern msg", "sort @sampleCount desc, @pattern"],
    &["filter @level >= \"warn\"", "pattern @message", "diff"],
    &["pattern @message", "diff previousDay"],
    &["stats count(*) as a, sum(n) as b by host", "logcompare timeshift 1d"],
    &["stats count(*) as a by bin(1h) as t", "diff"],
    &["timechart span=1h count(*) as a by host", "anomaly"],
    &["pattern user", "anomaly"],
    &["diff"],
];

impl Writer<'_> {
    /// One command, or some that belong together.
    pub(super) fn commands(&mut self) -> Vec<Command> {
        if self.columns.is_empty() {
            return vec![Command::Limit(5)];
        }
        match self.random.below(40) {
            0 if self.is_events => vec![self.timechart()],
            1 if self.is_events => self.filled(),
            2 | 3 => self.join(),
            4 | 5 => self.lookup(),
            6 => self.append_columns(),
            7 | 8 => vec![self.filter_in()],
            9 | 10 if self.is_events => vec![self.parse()],
            _ => vec![self.command()],
        }
    }

    /// A whole query that nothing here has an answer to.
    pub(super) fn unknown(&mut self) -> Vec<Command> {
        self.random.of(&UNKNOWN).iter().map(|text| Command::Unknown(text)).collect()
    }

    fn aggregates(&mut self) -> (Vec<Aggregate>, Vec<(String, Kind)>) {
        let (mut aggregates, mut columns) = (Vec::new(), Vec::new());
        for _ in 0..1 + self.random.below(2) {
            let (mut aggregate, kind) = self.aggregate();
            aggregate.alias = Some(self.alias());
            columns.push((aggregate.name(), kind));
            aggregates.push(aggregate);
        }
        (aggregates, columns)
    }

    fn timechart(&mut self) -> Command {
        let span = self.random.of(&[("1h", Timestamp::HOUR), ("1d", Timestamp::DAY), ("90m", 90 * Timestamp::MINUTE)]);
        let by = if self.random.once_in(2) { self.column(&[Kind::Stored]) } else { None };
        let (aggregates, columns) = self.aggregates();
        let time = (format!("bin({})", span.0), Kind::Time);
        let field = by.iter().map(|name| (name.clone(), Kind::Stored));
        self.columns = std::iter::once(time).chain(field).chain(columns).collect();
        self.is_events = false;
        Command::Timechart { span, aggregates, by }
    }

    /// A `stats` by spans of time, and its gaps filled.
    fn filled(&mut self) -> Vec<Command> {
        let span = self.random.of(&[("1h", Timestamp::HOUR), ("1d", Timestamp::DAY)]);
        let time = Item { expr: Expr::Bin(span.0, span.1), alias: Some(self.alias()) };
        let mut columns = vec![(time.name(), Kind::Time)];
        let mut by = vec![time];
        for _ in 0..self.random.below(3) {
            let Some(name) = self.column(&[Kind::Stored, Kind::Truth]) else { continue };
            let item = Item { expr: Expr::Field(name), alias: Some(self.alias()) };
            columns.push((item.name(), Kind::Stored));
            by.insert(self.random.below(by.len() + 1), item);
        }
        let (aggregates, of_aggregates) = self.aggregates();
        let mut fillings = Vec::new();
        for (name, kind) in &of_aggregates {
            if *kind == Kind::Number && !self.random.once_in(3) {
                fillings.push((self.random.below(4) as i64 - 1, name.clone()));
            }
        }
        columns.extend(of_aggregates);
        self.columns = columns;
        self.is_events = false;
        vec![Command::Stats { aggregates, by }, Command::FillMissing(fillings)]
    }

    /// Another query with columns of these names, and few rows.
    fn other(&mut self, names: &[String]) -> Vec<Command> {
        let mut writer = Writer::of_events(self.random);
        let mut commands = Vec::new();
        if writer.random.once_in(2) {
            commands.push(Command::Filter(writer.condition(1)));
        }
        let field = |writer: &mut Writer<'_>, name: &String| {
            let column = writer.column(&[Kind::Stored]).unwrap_or("host".to_owned());
            Item { expr: Expr::Field(column), alias: Some(name.clone()) }
        };
        match names {
            [by, counts @ ..] if !counts.is_empty() && writer.random.once_in(3) => {
                let count = |name: &String| Aggregate {
                    function: "count",
                    argument: None,
                    parameter: None,
                    alias: Some(name.clone()),
                };
                let by = vec![field(&mut writer, by)];
                commands.push(Command::Stats { aggregates: counts.iter().map(count).collect(), by });
            }
            names => {
                if writer.random.once_in(3) {
                    commands.push(writer.sort());
                }
                let items = names.iter().map(|name| field(&mut writer, name)).collect();
                commands.push(Command::Fields(items));
            }
        }
        commands.push(Command::Limit(writer.random.below(13) as u64));
        commands
    }

    /// Shows what was added, so that the answer holds it.
    fn shown(&mut self, names: Vec<String>) -> Command {
        let known = self.any_column();
        self.columns.extend(names.iter().map(|name| (name.clone(), Kind::Stored)));
        let mut shown = vec![known];
        shown.extend(names);
        Command::Display(shown)
    }

    fn join(&mut self) -> Vec<Command> {
        let Some(first) = self.column(&[Kind::Stored, Kind::Level, Kind::Stored]) else { return Vec::new() };
        self.n_aliases += 1;
        let n = self.n_aliases;
        let names: Vec<String> = ["k", "m", "v"].iter().map(|name| format!("{name}{n}")).collect();
        let mut keys = vec![(first, names[0].clone())];
        if self.random.once_in(4)
            && let Some(second) = self.column(&[Kind::Stored])
        {
            keys.push((second, names[1].clone()));
        }
        let other = self.other(&names);
        let sides = (format!("l{n}"), format!("r{n}"));
        let made = names.iter().map(|name| format!("r{n}.{name}")).collect();
        self.is_multiplied = true;
        let join = Command::Join { keeps_all: self.random.once_in(2), sides, keys, other };
        vec![join, self.shown(made)]
    }

    fn lookup(&mut self) -> Vec<Command> {
        let kinds = [Kind::Stored, Kind::Level, Kind::Stored, Kind::Truth];
        let Some(first) = self.column(&kinds) else { return Vec::new() };
        let name = self.alias();
        let lookup = if self.random.once_in(2) {
            Command::Lookup { table: "numbers", keys: vec![("number", first)], output: vec![("name", name.clone())] }
        } else {
            let mut keys = vec![("host", first)];
            if self.random.once_in(4)
                && let Some(second) = self.column(&[Kind::Stored])
            {
                keys.push(("rack", second));
            }
            Command::Lookup { table: "hosts", keys, output: vec![("zone", name.clone())] }
        };
        vec![lookup, self.shown(vec![name])]
    }

    fn append_columns(&mut self) -> Vec<Command> {
        self.n_aliases += 1;
        let names = vec![format!("p{}", self.n_aliases), format!("q{}", self.n_aliases)];
        let most = self.random.once_in(2).then(|| 1 + self.random.below(8));
        let other = self.other(&names);
        vec![Command::AppendColumns { most, other }, self.shown(names)]
    }

    fn filter_in(&mut self) -> Command {
        let kinds = [Kind::Stored, Kind::Stored, Kind::Level, Kind::Truth];
        let Some(field) = self.column(&kinds) else { return Command::Limit(8) };
        self.n_aliases += 1;
        let other = self.other(&[format!("i{}", self.n_aliases)]);
        Command::FilterIn { field, negated: self.random.once_in(3), other }
    }

    fn parse(&mut self) -> Command {
        self.n_aliases += 1;
        let n = self.n_aliases;
        if self.random.once_in(3) {
            let names: Vec<String> = ["ga", "gb", "gc"].iter().map(|name| format!("{name}{n}")).collect();
            let [a, b, c] = &names[..] else { return Command::Limit(9) };
            let regex = match self.random.below(3) {
                0 => format!("user (?<{a}>u\\d) took (?<{b}>\\d+)ms(?: for step (?<{c}>[0-3])\\b)?"),
                1 => format!("(?<{a}>worker-(?<{b}>\\d)): (?<{c}>.+) refused$"),
                _ => format!("^(?:(?<{a}>connection)|(?<{b}>disk)|(?<{c}>Ü\\w*))"),
            };
            self.columns.extend(names.iter().map(|name| (name.clone(), Kind::Stored)));
            return Command::ParseRegex { field: "@message", regex, names };
        }
        let (field, format, found) = self.random.of(&[
            ("@message", "json", &["n", "host", "mixed", "big", "req.id", "code"][..]),
            ("access", "clf", &["client", "user", "path", "status", "bytes"]),
            ("pairs", "logfmt", &["user", "took", "note", "done"]),
        ]);
        let prefix = format!("f{n}");
        self.columns.extend(found.iter().map(|name| (format!("{prefix}.{name}"), Kind::Stored)));
        Command::ParseFormat { field, format, prefix }
    }
}
