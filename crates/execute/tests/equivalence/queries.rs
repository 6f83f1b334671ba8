//! Random queries that the language accepts: they know which columns there are and what is in them.

#[path = "queries/expressions.rs"]
mod expressions;
#[path = "queries/others.rs"]
mod others;
#[path = "queries/ranges.rs"]
mod ranges;

use types::Timestamp;

use self::ranges::{closed_range, range};
use crate::random::Random;
use crate::syntax::{Aggregate, Command, Expr, Item};

/// A query and the range it is asked of.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) commands: Vec<Command>,
    /// Commands as they are written, with what is between them.
    pub(crate) text: String,
    /// First instant and the one after the last.
    pub(crate) range: (i64, i64),
}

impl Query {
    /// The same query over another range of time.
    pub(crate) fn over_another_range(&self, random: &mut Random) -> Self {
        let another = if self.has_reference() { range(random) } else { closed_range(random) };
        Self { range: another, ..self.clone() }
    }

    /// Whether the reference knows the answer.
    pub(crate) fn has_reference(&self) -> bool {
        !self.commands.iter().any(|command| matches!(command, Command::Unknown(_)))
    }
}

/// What is in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Values as they came, whose text is known.
    Stored,
    /// A computed number: 2 and 2.0 are one to readers, not to functions of text.
    Number,
    Time,
    /// Ordered by severity; what is computed of levels is, too, so that nothing is.
    Level,
    List,
    Truth,
}

/// Makes one query after the other.
pub(crate) struct Writer<'a> {
    random: &'a mut Random,
    columns: Vec<(String, Kind)>,
    is_events: bool,
    /// Whether several rows may be one event.
    is_multiplied: bool,
    n_aliases: usize,
}

impl<'a> Writer<'a> {
    /// A new query over events.
    pub(crate) fn query(random: &'a mut Random) -> Query {
        let mut writer = Self::of_events(random);
        let n_commands = writer.random.below(5);
        let mut commands: Vec<Command> = (0..n_commands).flat_map(|_| writer.commands()).collect();
        if writer.is_events && writer.random.once_in(3) {
            commands.push(writer.stats());
            if writer.random.once_in(2) {
                commands.extend(writer.commands());
            }
        }
        if writer.random.once_in(16) {
            commands = writer.unknown();
        }
        let text = writer.written(&commands);
        let is_unknown = commands.iter().any(|command| matches!(command, Command::Unknown(_)));
        let range = if is_unknown { closed_range(writer.random) } else { range(writer.random) };
        Query { commands, text, range }
    }

    fn of_events(random: &'a mut Random) -> Self {
        let mut writer = Self { random, columns: Vec::new(), is_events: true, is_multiplied: false, n_aliases: 0 };
        let stored =
            ["n", "host", "dur", "code", "mixed", "big", "user", "req.id", "req.path", "level", "msg", "@message"];
        writer.columns = stored.iter().map(|name| ((*name).to_owned(), Kind::Stored)).collect();
        writer.columns.push(("@level".to_owned(), Kind::Level));
        writer.columns.push(("tags".to_owned(), Kind::List));
        writer.columns.push(("ok".to_owned(), Kind::Truth));
        writer.columns.push(("nosuch".to_owned(), Kind::Stored));
        writer
    }

    /// The commands between pipes or on lines of their own, keywords in any case.
    fn written(&mut self, commands: &[Command]) -> String {
        let mut text = String::new();
        for (index, command) in commands.iter().enumerate() {
            if index > 0 {
                text += self.random.of(&[" | ", "|", "\n| ", "\n", " # note | sort x\n  | ", "\n\n\t"]);
            }
            let command = command.to_string();
            match command.split_once(' ') {
                Some((keyword, rest)) if self.random.once_in(6) => {
                    text += &format!("{} {rest}", keyword.to_uppercase())
                }
                _ => text += &command,
            }
        }
        text
    }

    fn alias(&mut self) -> String {
        self.n_aliases += 1;
        format!("{}{}", self.random.of(&["a", "x_", "ß", "total ", "t"]), self.n_aliases)
    }

    fn column(&mut self, kinds: &[Kind]) -> Option<String> {
        let fitting: Vec<&(String, Kind)> = self.columns.iter().filter(|(_, kind)| kinds.contains(kind)).collect();
        (!fitting.is_empty()).then(|| self.random.of(&fitting).0.clone())
    }

    /// A column of the answer so far, any kind.
    fn any_column(&mut self) -> String {
        self.random.of(&self.columns).0
    }

    fn command(&mut self) -> Command {
        if !self.is_events && self.columns.is_empty() {
            return Command::Limit(5);
        }
        match self.random.below(20) {
            0..6 => Command::Filter(self.condition(3)),
            6 | 7 => self.fields(),
            8 => {
                let name = self.alias();
                let (expr, kind) = self.value(2);
                self.columns.push((name.clone(), kind));
                Command::Eval(name, expr)
            }
            9..12 => self.sort(),
            12 => Command::Limit(self.random.below(30) as u64),
            13 => Command::Tail(self.random.below(30) as u64),
            14 => Command::Dedup((0..1 + self.random.below(2)).map(|_| self.any_column()).collect()),
            15 => self.rename_or_drop(),
            16 if self.is_events => self.unnest(),
            17 if self.is_events => self.glob(),
            18 => self.top(),
            _ => self.stats(),
        }
    }

    fn fields(&mut self) -> Command {
        if self.random.once_in(3) {
            let mut shown: Vec<String> = (0..1 + self.random.below(3)).map(|_| self.any_column()).collect();
            let mut seen = Vec::new();
            shown.retain(|name| {
                !seen.contains(name) && {
                    seen.push(name.clone());
                    true
                }
            });
            return Command::Display(shown);
        }
        let mut items = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            if self.random.once_in(2) {
                let whole = self.is_events && self.random.once_in(6);
                let name = if whole { "req".to_owned() } else { self.any_column() };
                items.push(Item { expr: Expr::Field(name), alias: None });
                continue;
            }
            let (expr, kind) = self.value(2);
            // Now and then the name of a field, which later commands then see changed.
            let alias = if self.random.once_in(5) && self.is_events { "n".to_owned() } else { self.alias() };
            if items.iter().any(|item: &Item| item.name() == alias) {
                continue;
            }
            self.columns.retain(|(name, _)| *name != alias);
            self.columns.push((alias.clone(), kind));
            items.push(Item { expr, alias: Some(alias) });
        }
        if items.is_empty() {
            items.push(Item { expr: Expr::Field(self.any_column()), alias: None });
        }
        Command::Fields(items)
    }

    fn sort(&mut self) -> Command {
        let keys = (0..1 + self.random.below(2)).map(|_| {
            let key = match self.random.below(6) {
                0 => self.number(2),
                1 if self.is_events => Expr::Field("@timestamp".to_owned()),
                _ => Expr::Field(self.any_column()),
            };
            (key, self.random.once_in(2))
        });
        Command::Sort(keys.collect())
    }

    fn rename_or_drop(&mut self) -> Command {
        let plain = |name: &str| !name.starts_with('@') && !name.contains('.');
        let names: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).filter(|name| plain(name)).collect();
        if names.len() < 2 {
            return Command::Limit(7);
        }
        let from = self.random.of(&names);
        let kind = self.columns.iter().find(|(name, _)| *name == from).map_or(Kind::Stored, |(_, kind)| *kind);
        self.columns.retain(|(name, _)| *name != from);
        if self.random.once_in(2) {
            return Command::Drop(from);
        }
        let to = self.alias();
        self.columns.push((to.clone(), kind));
        Command::Rename(from, to)
    }

    fn unnest(&mut self) -> Command {
        self.is_multiplied = true;
        let list = self.column(&[Kind::List]).unwrap_or("n".to_owned());
        let name = self.alias();
        self.columns.push((name.clone(), Kind::Stored));
        Command::Unnest(list, name)
    }

    fn glob(&mut self) -> Command {
        let literals = self.random.of(&[
            &["user ", " took ", "ms"][..],
            &["took ", "ms for step ", ""],
            &["[", "] worker-", ": ", ""],
            &["", " "],
            &["worker-", ": "],
        ]);
        let names: Vec<String> = (1..literals.len()).map(|_| self.alias()).collect();
        self.columns.extend(names.iter().map(|name| (name.clone(), Kind::Stored)));
        Command::Glob { literals: literals.to_vec(), names }
    }

    fn top(&mut self) -> Command {
        let Some(first) = self.column(&[Kind::Stored]) else { return Command::Tail(4) };
        let by = self.column(&[Kind::Stored]).filter(|name| *name != first && self.random.once_in(2));
        let columns = by.iter().chain([&first]).map(|name| (name.clone(), Kind::Stored));
        self.columns = columns.chain(["count", "share"].map(|name| (name.to_owned(), Kind::Number))).collect();
        self.is_events = false;
        Command::Top {
            rarest: self.random.once_in(2),
            most: self.random.once_in(2).then(|| self.random.below(4) as u64 + 1),
            names: vec![first],
            by: by.into_iter().collect(),
        }
    }

    fn stats(&mut self) -> Command {
        let mut by = Vec::new();
        let mut columns = Vec::new();
        for _ in 0..self.random.below(3) {
            let (expr, kind) = match self.random.below(5) {
                0 if self.is_events => (Expr::Bin("1h", Timestamp::HOUR), Kind::Time),
                1 if self.is_events => (Expr::Bin("1d", Timestamp::DAY), Kind::Time),
                2 => (self.text(2), Kind::Stored),
                _ => {
                    let (name, kind) = self.random.of(&self.columns);
                    (Expr::Field(name), kind)
                }
            };
            let item = Item { expr, alias: Some(self.alias()) };
            columns.push((item.name(), kind));
            by.push(item);
        }
        let mut aggregates = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let (mut aggregate, kind) = self.aggregate();
            if self.random.once_in(2) || aggregates.iter().any(|other: &Aggregate| other.name() == aggregate.name()) {
                aggregate.alias = Some(self.alias());
            }
            columns.push((aggregate.name(), kind));
            aggregates.push(aggregate);
        }
        self.columns = columns.into_iter().filter(|(name, _)| !name.contains('`')).collect();
        self.is_events = false;
        Command::Stats { aggregates, by }
    }

    fn aggregate(&mut self) -> (Aggregate, Kind) {
        let of = |function, argument, parameter| Aggregate { function, argument, parameter, alias: None };
        match self.random.below(12) {
            0..3 => (of("count", None, None), Kind::Number),
            3 => {
                let name = self.any_column();
                let function = self.random.of(&["count", "count_distinct"]);
                (of(function, Some(Expr::Field(name)), None), Kind::Number)
            }
            4..8 => {
                let function = self.random.of(&["sum", "avg", "stddev", "variance", "median", "p90"]);
                let argument = self.small_number();
                (of(function, Some(argument), None), Kind::Number)
            }
            8 => {
                (of("pct", Some(self.small_number()), Some(self.random.of(&["12.5", "99", "0", "100"]))), Kind::Number)
            }
            9 => {
                let name = self.any_column();
                let kind =
                    self.columns.iter().find(|(known, _)| *known == name).map_or(Kind::Stored, |(_, kind)| *kind);
                let function = if kind == Kind::Level { "count" } else { self.random.of(&["min", "max"]) };
                (of(function, Some(Expr::Field(name)), None), if kind == Kind::Level { Kind::Number } else { kind })
            }
            10 if self.is_events => {
                let function = if self.is_multiplied {
                    self.random.of(&["first", "last", "list"])
                } else {
                    self.random.of(&["first", "last", "list", "earliest", "latest", "mode"])
                };
                let kind = if function == "list" { Kind::List } else { Kind::Stored };
                let name = self.column(&[Kind::Stored]).unwrap_or("n".to_owned());
                (of(function, Some(Expr::Field(name)), None), kind)
            }
            _ => {
                let name = self.column(&[Kind::Stored]).unwrap_or("n".to_owned());
                let parameter = self.random.once_in(2).then_some("3");
                (of("values", Some(Expr::Field(name)), parameter), Kind::List)
            }
        }
    }
}
