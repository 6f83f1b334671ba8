//! Commands as operators of a plan, each checked against the columns that it sees.

use types::{TimeRange, Timestamp, ensure};

use super::checker::Checker;
use super::dissect;
use super::error::Result;
use super::kind::Kind;
use super::schema::{Schema, StoredColumn};
use super::scope::{Scope, computed};
use super::syntax::{Command, Expression, Field, Identifier, Node, Order, Query, Source};
use super::typed::is_present;
use language::dsl::Selection;
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Parse, ParseMethod, Plan, SortKey, Span, not};

/// Most columns of an answer.
const COLUMNS_MAX: usize = 10_000;

/// Rows of a query without a limit.
pub const ROWS_DEFAULT: u64 = 1_000;

/// Most rows of any query.
pub const ROWS_MAX: u64 = 10_000;

/// A query that was checked.
#[derive(Clone, Debug)]
pub struct CheckedQuery {
    /// What runs.
    pub plan: Plan,
    /// The time that the conditions leave.
    pub range: TimeRange,
    /// The columns of the answer with their types.
    pub columns: Vec<(String, Kind)>,
    /// What the author of the query should know.
    pub warnings: Vec<String>,
}

/// Checks a query.
pub(super) fn check(
    query: &Query,
    text: &str,
    schema: &Schema,
    filter: Option<&Selection>,
    now: Timestamp,
) -> Result<CheckedQuery> {
    let mut checker = Checker::new(text, now, &schema.1);
    checker.source(&query.source, schema, filter)?;
    let mut has_limit = false;
    for command in &query.commands {
        has_limit |= matches!(command, Command::Limit(_));
        checker.command(command)?;
    }
    let most = if has_limit { ROWS_MAX } else { ROWS_DEFAULT };
    checker.operators.push(Operator::Limit(most));
    if !has_limit {
        checker.warnings.push(format!("No limit defined, adding default limit of [{ROWS_DEFAULT}]"));
    }
    if checker.scope.columns.len() > COLUMNS_MAX {
        let message = format!("the answer would have more than {COLUMNS_MAX} columns; name some with KEEP");
        return Err(checker.verification(Span::default(), message));
    }
    let shown = |stored: &StoredColumn| match stored.kind {
        Kind::Unsupported => Expr::Literal(None),
        _ => stored.expr.clone(),
    };
    let columns = checker.scope.columns.iter().enumerate();
    let columns = columns.map(|(index, column)| (Name::from(format!("#{index}")), shown(&column.stored))).collect();
    checker.operators.push(Operator::Project { columns, is_events: checker.is_events });
    let columns = checker.scope.columns.into_iter().map(|column| (column.name, column.stored.kind)).collect();
    let plan = Plan::new(checker.operators);
    Ok(CheckedQuery { plan, range: checker.range, columns, warnings: checker.warnings })
}

impl Checker<'_> {
    fn source(&mut self, source: &Source, schema: &Schema, filter: Option<&Selection>) -> Result<()> {
        match source {
            Source::From { metadata, .. } => {
                self.scope = Scope::of(schema);
                for field in metadata {
                    let Some(stored) = Schema::metadata(&field.name) else {
                        return Err(self.parsing(field.span, format!("unsupported metadata field [{}]", field.name)));
                    };
                    self.scope.put(&field.name, stored, None);
                }
                if let Some(filter) = filter {
                    self.range = filter.range;
                    self.operators.extend(filter.operators.iter().cloned());
                }
                Ok(())
            }
            Source::Row(fields) => {
                // An aggregation of no events has one row.
                let name = self.fresh();
                let count = Aggregate { name, kind: AggregateKind::Count, argument: None };
                self.operators.push(Operator::Aggregate { by: Vec::new(), aggregates: vec![count] });
                self.range = TimeRange { from: Timestamp(0), to: Timestamp(0) };
                self.is_events = false;
                self.limited_by = Some("ROW");
                self.eval(fields)
            }
        }
    }

    fn command(&mut self, command: &Command) -> Result<()> {
        match command {
            Command::Where(condition) => self.filter(condition),
            Command::Eval(fields) => self.eval(fields),
            Command::Stats { aggregates, groups, span } => {
                self.stats(aggregates, groups, *span)?;
                self.is_events = false;
                self.limited_by = Some("STATS");
                Ok(())
            }
            Command::Sort(orders) => self.sort(orders),
            Command::Limit(most) => {
                self.operators.push(Operator::Limit(*most));
                self.limited_by = Some("LIMIT");
                Ok(())
            }
            Command::Keep(patterns) => self.scope.keep(patterns, self.text),
            Command::Drop(patterns) => self.scope.remove(patterns, self.text),
            Command::Rename(pairs) => self.rename(pairs),
            Command::Dissect { text, pattern, separator } => self.dissect(text, pattern, separator),
            Command::Grok { text, pattern } => self.grok(text, pattern),
        }
    }

    fn filter(&mut self, condition: &Expression) -> Result<()> {
        let parts = match &condition.node {
            Node::All(parts) => parts.iter().collect(),
            _ => vec![condition],
        };
        for part in parts {
            self.is_in_where = true;
            let typed = self.expression(part);
            self.is_in_where = false;
            let typed = typed?;
            let holds = self.holds(&typed, part.span)?;
            if self.limited_by.is_none() {
                self.narrow_range(part)?;
            }
            self.operators.push(Operator::Filter(holds));
        }
        Ok(())
    }

    fn eval(&mut self, fields: &[Field]) -> Result<()> {
        for field in fields {
            let typed = self.expression(&field.expression)?;
            if typed.kind == Kind::Duration {
                let message = format!(
                    "EVAL does not support type [{}] as the return data type of expression [{}]",
                    typed.kind.name(),
                    self.written(field.expression.span)
                );
                return Err(self.verification(field.expression.span, message));
            }
            let name = self.name_of(field);
            let stored = match &field.expression.node {
                // Another name of a column stays that column, so that conditions on it use what is known of it.
                Node::Name(_) if typed.narrow.is_some() => StoredColumn {
                    kind: typed.kind,
                    expr: typed.expr(),
                    is_list: typed.is_list,
                    narrow: typed.narrow.clone(),
                    conflict: Vec::new(),
                },
                _ => {
                    let internal = self.extend(typed.expr());
                    computed(typed.kind, &internal, typed.is_list)
                }
            };
            self.scope.put(&name, stored, None);
        }
        Ok(())
    }

    /// Returns the name of a column that an expression becomes.
    pub(super) fn name_of(&self, field: &Field) -> String {
        match (&field.name, &field.expression.node) {
            (Some(name), _) => name.name.clone(),
            (None, Node::Name(name)) => name.clone(),
            (None, _) => self.written(field.expression.span).to_owned(),
        }
    }

    fn sort(&mut self, orders: &[Order]) -> Result<()> {
        let mut keys = Vec::new();
        for order in orders {
            let typed = self.expression(&order.expression)?;
            if matches!(typed.kind, Kind::Unsupported | Kind::Duration) {
                return Err(self.verification(order.expression.span, format!("cannot sort on {}", typed.kind.name())));
            }
            let nulls_first = order.nulls_first.unwrap_or(order.descending);
            let key = typed.key(order.descending);
            let is_always_there = matches!(&key, Expr::Field(name) if **name == *"@timestamp");
            if nulls_first && !is_always_there {
                keys.push(SortKey { expr: not(is_present(key.clone())), descending: true });
            }
            keys.push(SortKey { expr: key, descending: order.descending });
        }
        self.operators.push(Operator::Sort(keys));
        Ok(())
    }

    fn rename(&mut self, pairs: &[(Identifier, Identifier)]) -> Result<()> {
        for (old, new) in pairs {
            ensure!(self.scope.find(&old.name).is_some(), self.verification(old.span, self.scope.unknown(&old.name)));
            self.scope.rename(&old.name, &new.name);
        }
        Ok(())
    }

    fn dissect(&mut self, text: &Expression, pattern: &Identifier, separator: &str) -> Result<()> {
        let input = self.text_input(text, "Dissect")?;
        let made = dissect::read(&pattern.name).map_err(|message| self.parsing(pattern.span, message))?;
        let regex = self.regex(&made.source, pattern.span)?;
        let groups: Vec<(Name, usize)> = made.groups.iter().map(|group| (self.fresh(), *group)).collect();
        let method = ParseMethod::Regex { regex, names: groups.clone() };
        self.operators.push(Operator::Parse(Parse { text: input, method }));
        for field in &made.fields {
            let parts: Vec<Expr> = field.groups.iter().map(|at| Expr::Field(groups[*at].0.clone())).collect();
            let internal = self.extend(dissect::joined(parts, separator));
            self.scope.put(&field.name, computed(Kind::Keyword, &internal, false), None);
        }
        Ok(())
    }

    fn grok(&mut self, text: &Expression, pattern: &Identifier) -> Result<()> {
        let input = self.text_input(text, "Grok")?;
        let grok = parse::Grok::new(&pattern.name).map_err(|error| {
            self.parsing(pattern.span, format!("Invalid grok pattern [{}]: [{error}]", pattern.name))
        })?;
        let fields = &grok.fields;
        let is_repeated = |at: usize| fields[..at].iter().any(|field| field.name == fields[at].name);
        if let Some(at) = (0..fields.len()).find(|at| is_repeated(*at)) {
            let message = format!("a name that occurs twice in a grok pattern is not supported: [{}]", fields[at].name);
            return Err(self.parsing(pattern.span, message));
        }
        let names: Vec<(Name, usize)> = fields.iter().map(|field| (self.fresh(), field.group)).collect();
        let method = ParseMethod::Regex { regex: grok.regex.clone(), names: names.clone() };
        self.operators.push(Operator::Parse(Parse { text: input, method }));
        for (field, (internal, _)) in fields.iter().zip(&names) {
            let kind = match field.kind {
                parse::GrokType::Text => Kind::Keyword,
                parse::GrokType::Integer => Kind::Integer,
                parse::GrokType::Float => Kind::Double,
            };
            let found = Expr::Field(internal.clone());
            let internal = match kind {
                Kind::Keyword => internal.clone(),
                kind => self.extend(super::typed::call(plan::function::TypedFunction::To(kind.typed()), vec![found])),
            };
            self.scope.put(&field.name, computed(kind, &internal, false), None);
        }
        Ok(())
    }

    fn text_input(&mut self, text: &Expression, command: &str) -> Result<Expr> {
        let typed = self.expression(text)?;
        if !typed.kind.is_text() && typed.kind != Kind::Null {
            let message = format!(
                "{command} only supports KEYWORD or TEXT values, found expression [{}] type [{}]",
                self.written(text.span),
                typed.kind.name().to_uppercase()
            );
            return Err(self.verification(text.span, message));
        }
        Ok(typed.single())
    }
}
