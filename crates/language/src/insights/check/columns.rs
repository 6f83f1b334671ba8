//! Commands that make columns of columns: sums, values of earlier rows, sessions, outliers, elements of lists.

use std::sync::Arc;

use super::checker::Checker;
use super::options::given;
use crate::insights::syntax::{Arguments, Name, Node, Setting};
use plan::{AddTotals, Autoregress, ColumnTotals, Expr, Operator, Outlier, Sessionize, Span, nearest};

/// Most rows that `autoregress` looks back.
const LAG_MAX: usize = 10_000;

/// Most columns that one `autoregress` makes.
const LAGS_MAX: usize = 100;

/// Pause that ends a session, unless `maxspan` says another.
const PAUSE: plan::Length = plan::Length::Nanoseconds(30 * types::Timestamp::MINUTE);

/// How many distances of the quartiles a number may lie outside, unless `param` says another.
const OUTLIER_FACTOR: f64 = 2.5;

/// Reports whether `name` fits a pattern in which `*` stands for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

impl Checker<'_> {
    /// Returns the columns that names and patterns mean; without any, all that are shown.
    pub(super) fn columns_named(&mut self, names: &[Name]) -> Vec<plan::Name> {
        let shown = self.shown_columns();
        if names.is_empty() {
            return shown;
        }
        let mut columns: Vec<plan::Name> = Vec::new();
        for name in names {
            let found: Vec<plan::Name> = if name.text.contains('*') {
                shown.iter().filter(|column| fits(&name.text, column)).cloned().collect()
            } else {
                vec![self.resolved(name)]
            };
            if found.is_empty() {
                let message = format!("no column shown fits `{}`", name.text);
                let hint = format!("shown are {}", shown.iter().take(20).map(|n| &**n).collect::<Vec<_>>().join(", "));
                self.error_with_hint("unknown-column", message, name.span, hint);
            }
            for column in found {
                if !columns.contains(&column) {
                    self.warn_of_unknown(&Expr::Field(column.clone()), name.span);
                    columns.push(column);
                }
            }
        }
        columns
    }

    /// Makes a column known and shows it after the others.
    pub(super) fn show_new(&mut self, name: &plan::Name) {
        let before = self.shown_columns();
        if let Some(table) = self.tables.last_mut() {
            table.columns.insert(name.clone());
        }
        self.shown.append(before, name.clone());
    }

    pub(super) fn add_totals(&mut self, arguments: &Arguments, span: Span) {
        let options = &arguments.options;
        self.check_options("addtotals", &["fieldname", "row", "col", "label", "labelfield"], options);
        let fields = self.columns_named(&arguments.names);
        let text = |key: &str, usual: &str| plan::Name::from(given(options, key).map_or(usual, |name| &*name.text));
        let row = self.boolean(options, "row", true).then(|| text("fieldname", "Total"));
        let is_column = self.boolean(options, "col", false);
        let label_field = given(options, "labelfield").map(|name| plan::Name::from(&*name.text));
        let column = is_column.then(|| ColumnTotals { label_field, label: text("label", "Total") });
        if row.is_none() && column.is_none() {
            let hint = "row=true adds up rows, col=true columns".to_owned();
            self.warn("without-effect", "`addtotals` with row=false adds up nothing", span, Some(hint));
        }
        let made = column.iter().filter_map(|column| column.label_field.clone()).chain(row.clone());
        let made: Vec<plan::Name> = made.collect();
        self.operators.push(Operator::AddTotals(AddTotals { fields, row, column }));
        made.iter().for_each(|name| self.show_new(name));
    }

    pub(super) fn autoregress(&mut self, field: &Name, alias: Option<&Name>, options: &[Setting]) {
        self.check_options("autoregress", &["p"], options);
        let source = self.resolved(field);
        self.warn_of_unknown(&Expr::Field(source.clone()), field.span);
        let (first, last) = given(options, "p").map_or((1, 1), |value| self.lags(value));
        let base = alias.map_or(&field.text, |alias| &alias.text);
        let name = |lag: usize| match alias {
            Some(alias) if first == last => Arc::from(&*alias.text),
            _ => Arc::from(format!("{base}_p{lag}")),
        };
        let lags: Vec<(plan::Name, usize)> = (first..=last).map(|lag| (name(lag), lag)).collect();
        let made: Vec<plan::Name> = lags.iter().map(|(name, _)| name.clone()).collect();
        self.operators.push(Operator::Autoregress(Autoregress { field: source, lags }));
        made.iter().for_each(|name| self.show_new(name));
    }

    /// `3` or `1-4`.
    fn lags(&mut self, value: &Name) -> (usize, usize) {
        let (first, last) = value.text.split_once('-').unwrap_or((&value.text, &value.text));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|lag| (1..=LAG_MAX).contains(lag));
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last && last - first < LAGS_MAX => (first, last),
            (Some(first), Some(last)) if first <= last => {
                let message = format!("`autoregress` makes at most {LAGS_MAX} columns");
                self.error("too-many-columns", message, value.span);
                (1, 1)
            }
            _ => {
                self.bad_value("p", value, &format!("rows to look back, 1 to {LAG_MAX}, such as 1 or 1-4"));
                (1, 1)
            }
        }
    }

    pub(super) fn sessionize(&mut self, fields: &[Name], pause: Option<&Node>, alias: Option<&Name>, span: Span) {
        let time = Expr::Field("@timestamp".into());
        if self.unknown_field(&time).is_some() {
            let message = "`sessionize` needs the times of events, and `stats` has removed `@timestamp`";
            self.error_with_hint("no-time", message, span, "write it before `stats`");
        }
        let pause = pause.map_or(PAUSE, |node| self.length(node).unwrap_or(PAUSE));
        let names: Vec<plan::Name> = fields.iter().map(|field| self.resolved(field)).collect();
        for (name, field) in names.iter().zip(fields) {
            self.warn_of_unknown(&Expr::Field(name.clone()), field.span);
        }
        let name: plan::Name = Arc::from(alias.map_or("session_id", |alias| &alias.text));
        self.operators.push(Operator::Sessionize(Sessionize { fields: names, pause, name: name.clone() }));
        self.show_new(&name);
    }

    pub(super) fn outlier(&mut self, arguments: &Arguments) {
        let options = &arguments.options;
        self.check_options("outlier", &["action", "param", "uselower", "mark", "type"], options);
        let fields = self.columns_named(&arguments.names);
        let actions = [("remove", true), ("rm", true), ("transform", false), ("tf", false)];
        let removes = self.choice(options, "action", &actions, "remove or transform").unwrap_or(false);
        self.choice(options, "type", &[("iqr", ())], "iqr");
        let factor = self.decimal(options, "param").unwrap_or(OUTLIER_FACTOR);
        let uses_lower = self.boolean(options, "uselower", false);
        let is_marked = self.boolean(options, "mark", false);
        let mark = |field: &plan::Name| Arc::from(format!("{field}_outlier"));
        let marks: Vec<plan::Name> = fields.iter().filter(|_| is_marked).map(mark).collect();
        self.operators.push(Operator::Outlier(Outlier { fields, factor, uses_lower, removes, marks: marks.clone() }));
        marks.iter().for_each(|name| self.show_new(name));
    }

    pub(super) fn expand(&mut self, arguments: &Arguments, span: Span) {
        self.check_options("mvexpand", &["limit"], &arguments.options);
        let most = self.whole(&arguments.options, "limit", 0..=u64::MAX).filter(|most| *most > 0);
        let [field] = &arguments.names[..] else {
            let message = format!("`mvexpand` takes one field, not {}", arguments.names.len());
            let place = arguments.names.get(1).map_or(span, |second| second.span);
            self.error_with_hint("wrong-arguments", message, place, "write mvexpand field limit=10");
            return;
        };
        let name = self.resolved(field);
        let list = Expr::Field(name.clone());
        self.warn_of_unknown(&list, field.span);
        self.operators.push(Operator::Unnest { list, name: name.clone(), most });
        self.show_new(&name);
    }

    /// Refuses names of what a command may say that it does not know.
    pub(super) fn unknown_word(&mut self, name: &Name, known: &[&'static str]) {
        let shown: String = name.text.chars().take(40).collect();
        let message = format!("`{shown}` is not known here");
        let hint = nearest(&shown, known.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
        let hint = hint.unwrap_or_else(|| format!("known are {}", known.join(", ")));
        self.error_with_hint("unknown-option", message, name.span, hint);
    }
}

#[cfg(test)]
mod tests;
