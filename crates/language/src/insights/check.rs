//! Syntax tree to plan: names, functions, where aggregates may stand, which columns are shown.
//!
//! Commands are checked in order against a scope: first the events, after each `stats` the table that it made.
//! A filter that speaks only of what `stats` removed is moved before it, a sort key of that kind is dropped, both
//! with a warning. Mistakes are collected, so that one look shows all of them.

mod aggregation;
mod arguments;
mod canonical;
mod checker;
mod columns;
mod conditions;
mod expression;
mod levels;
mod options;
mod other;
mod patterns;
mod rates;
mod rows;
mod scope;
mod stats;

use std::sync::Arc;

use super::phrase::Phrase;
use super::syntax::{Command, CommandKind, Item, Method, Name, Node, NodeKind, SortKey};
use super::{foreign, pattern};
use plan::{Expr, Operator, PlanDraft, QueryError, QueryErrors, Span, TextPattern, nearest};

pub(super) use self::checker::Checker;
use self::scope::{ShownColumns, Table, fields_of};

/// Most commands of a query.
const COMMANDS_MAX: usize = 1_000;

/// Reports whether a word with a colon looks like a field and its value, as Kibana has them: no time, no address.
fn is_term(name: &str, value: &str) -> bool {
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '@')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '@'));
    is_name && !value.is_empty() && !value.starts_with(['/', ':'])
}

impl Checker<'_> {
    /// Starts with a search for words.
    pub(crate) fn phrase(&mut self, phrase: &Phrase) {
        let any = Box::new(Expr::Field("@any".into()));
        self.operators.push(Operator::Filter(Expr::Match(any, TextPattern::Phrase(phrase.words.clone()))));
        let first = phrase.words.first().map_or("", String::as_str);
        let term =
            phrase.words.iter().find_map(|word| word.split_once(':').filter(|(name, value)| is_term(name, value)));
        let regex = first.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|_| phrase.words.len() == 1);
        let hint = match (phrase.near, foreign::command(first), term) {
            _ if regex.is_some_and(|inner| !inner.is_empty()) => {
                format!("searched with its slashes; as a regular expression: filter @any like {first}")
            }
            (Some(command), ..) => format!("did you mean the command \"{command}\"?"),
            (_, Some(hint), _) if phrase.words.len() > 1 => format!("`{first}` is no command; {hint}"),
            (.., Some((name, value))) => format!("did you mean filter {name} = \"{value}\"?"),
            _ => format!("the same as a query: filter @any like \"{}\"", phrase.words.join(" ")),
        };
        let message = "these words are no query, so they were searched as a phrase in every text of the events";
        self.warn("phrase-search", message, phrase.span, Some(hint));
    }

    /// Checks the commands and returns the draft of their plan.
    pub(crate) fn draft(mut self, commands: &[Command]) -> Result<PlanDraft, QueryErrors> {
        self.checked(commands)
    }

    fn checked(&mut self, commands: &[Command]) -> Result<PlanDraft, QueryErrors> {
        if let Some(command) = commands.get(COMMANDS_MAX) {
            let message = format!("the query has more than {COMMANDS_MAX} commands");
            return Err(QueryError::new("too-many-commands", message, self.text, command.span).into());
        }
        for (index, command) in commands.iter().enumerate() {
            if matches!(command.kind, CommandKind::Source { .. }) && index > 0 {
                self.error("misplaced-source", "`source` must be the first command", command.span);
            }
            self.command(command);
        }
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|error| (error.line, error.column));
            self.errors.dedup();
            return Err(QueryErrors(std::mem::take(&mut self.errors)));
        }
        let columns = self.shown_columns().into_iter().map(|name| (name.clone(), Expr::Field(name))).collect();
        self.operators.push(Operator::Project { columns, is_events: self.tables.is_empty() });
        self.settle_joins();
        Ok(PlanDraft {
            sources: std::mem::take(&mut self.sources),
            times: std::mem::take(&mut self.times),
            operators: std::mem::take(&mut self.operators),
            warnings: std::mem::take(&mut self.warnings),
        })
    }

    fn command(&mut self, command: &Command) {
        match &command.kind {
            CommandKind::Fields(items) => self.fields(items),
            CommandKind::Display(items) => self.display(items),
            CommandKind::Filter(node) => self.filter(node, command.span),
            CommandKind::Stats(stats) => self.stats(&stats.items, &stats.by, stats.offset.as_ref()),
            CommandKind::Timechart { length, stats } => self.timechart(length.as_ref(), stats, command.span),
            CommandKind::Ranking { most, names, by, rarest_first } => self.ranking(*most, names, by, *rarest_first),
            CommandKind::FillMissing(fillings) => self.fill_missing(fillings, command.span),
            CommandKind::FillDown(arguments) => self.fill_down(arguments),
            CommandKind::Unnest { list, name } => self.unnest(list, name),
            CommandKind::Sort(keys) => self.sort(keys),
            CommandKind::Limit(count) => self.operators.push(Operator::Limit(*count)),
            CommandKind::Tail(count) => self.operators.push(Operator::Tail(*count)),
            CommandKind::Dedup(names) => {
                let names = names.iter().map(|name| self.resolved(name)).collect();
                self.operators.push(Operator::Dedup(names));
            }
            CommandKind::Drop(names) => names.iter().for_each(|name| self.drop_field(name)),
            CommandKind::Rename(pairs) => pairs.iter().for_each(|(from, to)| self.rename(from, to)),
            CommandKind::Eval(assignments) => assignments.iter().for_each(|(name, node)| self.assign(name, node)),
            CommandKind::Parse { source, method } => self.parse(source.as_ref(), method),
            CommandKind::Pattern(text) => self.pattern(text),
            CommandKind::Compare { window, .. } => self.compare(window, command.span),
            CommandKind::Anomaly => self.anomaly(command.span),
            CommandKind::Expand(arguments) => self.expand(arguments, command.span),
            CommandKind::AddTotals(arguments) => self.add_totals(arguments, command.span),
            CommandKind::Outlier(arguments) => self.outlier(arguments),
            CommandKind::Autoregress { field, alias, options } => self.autoregress(field, alias.as_ref(), options),
            CommandKind::Sessionize { fields, pause, alias } => {
                self.sessionize(fields, pause.as_ref(), alias.as_ref(), command.span);
            }
            CommandKind::Lookup { table, keys, outputs } => self.lookup(table, keys, outputs),
            CommandKind::Join { options, keys, other } => self.join(options, keys, other, command.span),
            CommandKind::AppendColumns { options, other } => self.append_columns(options, other),
            CommandKind::Source { groups, tests, options } => self.source(groups, tests, options),
        }
    }

    /// Checks an item of `fields` or `display`; gives the name under which it is shown.
    fn item(&mut self, item: &Item) -> plan::Name {
        let expr = self.expr(&item.expr);
        let name: plan::Name = match (&item.alias, &expr) {
            (Some(alias), _) => Arc::from(&*alias.text),
            (None, Expr::Field(name)) if matches!(&item.expr.kind, NodeKind::Field(field) if **field == **name) => {
                self.warn_of_unknown(&expr, item.expr.span);
                return name.clone();
            }
            (None, _) => match &item.expr.kind {
                NodeKind::Field(field) => Arc::from(&**field),
                _ => Arc::from(self.written(item.expr.span)),
            },
        };
        if matches!(&expr, Expr::Field(field) if *field == name) {
            return name;
        }
        self.define(&name, expr);
        name
    }

    fn fields(&mut self, items: &[Item]) {
        let names: Vec<plan::Name> = items.iter().map(|item| self.item(item)).collect();
        self.shown.add_fields(names);
    }

    fn display(&mut self, items: &[Item]) {
        let names: Vec<plan::Name> = items.iter().map(|item| self.item(item)).collect();
        self.shown = ShownColumns::Display(names);
    }

    fn assign(&mut self, name: &Name, node: &Node) {
        let expr = self.expr(node);
        let name: plan::Name = Arc::from(&*name.text);
        self.define(&name, expr);
        let before = self.shown_columns();
        self.shown.append(before, name);
    }

    fn rename(&mut self, from: &Name, to: &Name) {
        let (old, new): (plan::Name, plan::Name) = (self.resolved(from), Arc::from(&*to.text));
        if old == new {
            return;
        }
        self.define(&new, Expr::Field(old.clone()));
        self.define(&old, Expr::Literal(None));
        let columns = self.shown_columns();
        if columns.contains(&old) {
            let renamed = columns.into_iter().filter(|name| *name != new);
            let renamed = renamed.map(|name| if name == old { new.clone() } else { name }).collect();
            self.shown.set(renamed);
        }
        if let Some(table) = self.tables.last_mut() {
            table.forget(&old);
        }
    }

    fn drop_field(&mut self, name: &Name) {
        let name = self.resolved(name);
        let before = self.shown_columns();
        if before.contains(&name) {
            self.shown.set(before.into_iter().filter(|column| *column != name).collect());
        }
        self.define(&name, Expr::Literal(None));
        if let Some(table) = self.tables.last_mut() {
            table.forget(&name);
        }
    }

    fn parse(&mut self, source: Option<&Node>, method: &Method) {
        let text = source.map_or_else(|| Expr::Field("@message".into()), |node| self.expr(node));
        let pattern_span = match method {
            Method::Grok(pattern) | Method::Regex(pattern) => Some(pattern.span),
            _ => None,
        };
        if pattern_span.is_some_and(|span| !self.may_compile(span)) {
            return;
        }
        let prefix_of = |prefix: &Option<Name>| prefix.as_ref().map(|name| Arc::from(&*name.text));
        let checked = match method {
            Method::Glob { text, names, span } => pattern::glob(text, names, *span, self.text),
            Method::Format { format, prefix } => {
                Ok(plan::ParseMethod::Format { format: *format, prefix: prefix_of(prefix) })
            }
            Method::Grok(pattern) => match parse::Grok::new(&pattern.text) {
                Ok(grok) => {
                    let names = grok.fields.iter().map(|field| (field.name.clone(), field.group)).collect();
                    Ok(plan::ParseMethod::Regex { regex: grok.regex.clone(), names })
                }
                Err(error) => Err(QueryError::new("bad-grok", grok_message(&error), self.text, pattern.span)),
            },
            Method::Regex(regex) => pattern::regex(regex, self.text).and_then(|compiled| {
                let names: Vec<(plan::Name, usize)> = (compiled.capture_names().enumerate())
                    .filter_map(|(index, name)| Some((Arc::from(name?), index)))
                    .collect();
                if names.is_empty() {
                    let message = "this regular expression has no named group, so nothing is taken out";
                    return Err(QueryError::new("no-named-group", message, self.text, regex.span)
                        .with_hint("name what to take, such as /user=(?<user>\\S+)/"));
                }
                Ok(plan::ParseMethod::Regex { regex: compiled, names })
            }),
        };
        match checked {
            Ok(method) => {
                if let Some(table) = self.tables.last_mut() {
                    table.columns.extend(scope::names_made_by(&method));
                }
                self.operators.push(Operator::Parse(plan::Parse { text, method }));
            }
            Err(error) => self.fail(error),
        }
    }

    fn sort(&mut self, keys: &[SortKey]) {
        let mut checked = Vec::new();
        for key in keys {
            let expr = self.expr(&key.expr);
            match self.unknown_field(&expr) {
                Some(field) => {
                    let message = format!("sorting by `{field}` changes nothing: `stats` has removed that field");
                    let hint = format!("sort by a column of `stats`, or put the `sort` by `{field}` before it");
                    self.warn("sort-without-effect", message, key.expr.span, Some(hint));
                }
                None => checked.push(plan::SortKey { expr: self.ordered(expr), descending: key.descending }),
            }
        }
        if !checked.is_empty() {
            self.operators.push(Operator::Sort(checked));
        }
    }

    fn filter(&mut self, node: &Node, span: Span) {
        let (n_regexes, n_subqueries) = (self.n_regexes, self.n_subqueries);
        self.check_condition(node);
        let condition = self.expr(node);
        let fields = fields_of(&condition);
        let is_known = |table: &Table| fields.iter().any(|field| table.knows(field));
        let n_passed = match fields.is_empty() {
            true => 0,
            false => self.tables.iter().rev().take_while(|table| !is_known(table)).count(),
        };
        if n_passed == 0 {
            self.warn_of_unknown(&condition, span);
            self.operators.push(Operator::Filter(condition));
            return;
        }
        let first_passed = self.tables.len() - n_passed;
        // Read once more, where it will stand: there the fields may be levels, and calls other columns.
        (self.n_regexes, self.n_subqueries) = (n_regexes, n_subqueries);
        let passed = self.tables.split_off(first_passed);
        let levels = passed.first().map(|table| table.levels_before.clone()).unwrap_or_default();
        let levels = std::mem::replace(&mut self.levels, levels);
        let condition = self.expr(node);
        self.levels = levels;
        self.tables.extend(passed);
        let is_aggregate = |operator: &Operator| matches!(operator, Operator::Aggregate { .. } | Operator::Patterns(_));
        let at = (self.operators.iter().enumerate())
            .filter(|(_, operator)| is_aggregate(operator))
            .nth(first_passed)
            .map_or(0, |(index, _)| index);
        self.operators.insert(at, Operator::Filter(condition));
        let names: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        let message = format!("{} is gone after `stats`, so this filter was applied before it", names.join(", "));
        let hint = format!("{} | stats …", self.written(span));
        self.warn("filter-moved", message, span, Some(hint));
    }
}

/// Returns what is wrong with a grok pattern, and the name that was probably meant.
fn grok_message(error: &parse::GrokError) -> String {
    let near = match error {
        parse::GrokError::Unknown(name) => nearest(name, parse::Grok::patterns()),
        _ => None,
    };
    near.map_or_else(|| error.to_string(), |near| format!("{error}; did you mean {near}?"))
}
