//! Commands that take rows from elsewhere: uploaded tables, other queries; and which groups a query looks at.

use std::collections::BTreeSet;
use std::sync::Arc;

use types::GroupPattern;

use super::checker::{Checker, RightSide};
use super::options::given;
use super::scope::ShownColumns;
use crate::insights::syntax::{Name, OtherQuery, Setting};
use plan::{AppendColumns, Expr, Join, Lookup, Operator, Other, PlanDraft, Span, fields_of as fields_of_operators};

/// Most rows of the other query that `appendcols` uses, unless `max` says another number.
const APPENDED_ROWS: u64 = 10_000;

/// Most rows that `max` may say.
const APPENDED_ROWS_MAX: u64 = 100_000;

impl Checker<'_> {
    /// Returns the field that a name means: the left one of a `join` may be written with its alias.
    pub(super) fn resolved(&self, name: &Name) -> plan::Name {
        Arc::from(self.without_alias(&name.text))
    }

    pub(super) fn without_alias<'n>(&self, name: &'n str) -> &'n str {
        let stripped = |alias: &plan::Name| name.strip_prefix(&**alias).and_then(|rest| rest.strip_prefix('.'));
        self.left_aliases.iter().find_map(stripped).unwrap_or(name)
    }

    pub(super) fn source(&mut self, groups: &[String], tests: &[Name], options: &[Setting]) {
        const TESTS: [&str; 5] = ["namePrefix", "class", "logGroupClass", "accountIdentifier", "accountIdentifiers"];
        self.check_options("source", &["start", "end"], options);
        for test in tests {
            match TESTS.iter().position(|known| known.eq_ignore_ascii_case(&test.text)) {
                Some(0) => {}
                Some(_) => {
                    let message = format!("`{}` chooses nothing: groups have no classes and no accounts", test.text);
                    self.warn("without-effect", message, test.span, None);
                }
                None => self.unknown_word(test, &TESTS),
            }
        }
        self.sources.extend(groups.iter().map(GroupPattern::new));
        self.times.start = self.time(options, "start");
        self.times.end = self.time(options, "end");
    }

    fn time(&mut self, options: &[Setting], key: &str) -> Option<plan::Name> {
        let value = given(options, key)?;
        if let Err(error) = plan::time::parse(&value.text, self.options.now, self.options.time_zone) {
            self.error("bad-time", error.to_string(), value.span);
        }
        Some(Arc::from(&*value.text))
    }

    pub(super) fn lookup(&mut self, table: &Name, keys: &[(Name, Name)], outputs: &[(Name, Name)]) {
        let mut checked = Vec::new();
        for (column, field) in keys {
            let expr = Expr::Field(self.resolved(field));
            self.warn_of_unknown(&expr, field.span);
            checked.push((Arc::from(&*column.text), expr));
        }
        let mut columns: Vec<(plan::Name, plan::Name)> = Vec::new();
        for (column, name) in outputs {
            if columns.iter().any(|(_, known)| **known == *name.text) {
                let message = format!("two columns of this `lookup` are named `{}`", name.text);
                self.error_with_hint(
                    "duplicate-column",
                    message,
                    name.span,
                    "give one of them another name after `as`",
                );
            }
            columns.push((Arc::from(&*column.text), Arc::from(&*name.text)));
        }
        let made: Vec<plan::Name> = columns.iter().map(|(_, name)| name.clone()).collect();
        let table = Other::Table(Arc::from(&*table.text));
        self.operators.push(Operator::Lookup(Lookup { table, keys: checked, columns }));
        made.iter().for_each(|name| self.show_new(name));
    }

    pub(super) fn join(&mut self, options: &[Setting], keys: &[(Name, Name)], other: &OtherQuery, span: Span) {
        self.check_options("join", &["type", "left", "right"], options);
        let keeps_all = self.choice(options, "type", &[("inner", false), ("left", true)], "inner or left");
        let (Some(left), Some(right)) = (given(options, "left"), given(options, "right")) else {
            let message = "`join` needs names for its two sides";
            let hint = "write join left=a right=b where a.id = b.id ( source \"group\" )";
            return self.error_with_hint("no-alias", message, span, hint);
        };
        let is_taken = self
            .right_sides
            .iter()
            .map(|side| &side.alias)
            .chain(&self.left_aliases)
            .any(|known| **known == *right.text);
        if left.text == right.text || is_taken {
            let message = format!("`{}` is the name of the other side already", right.text);
            self.error_with_hint("duplicate-alias", message, right.span, "give this side a name of its own");
        }
        let mut checked = Vec::new();
        for (a, b) in keys {
            checked.extend(self.join_key(left, right, a, b));
        }
        let draft = self.other_query(other);
        self.left_aliases.push(Arc::from(&*left.text));
        self.right_sides.push(RightSide { alias: Arc::from(&*right.text), draft: draft.clone().unwrap_or_default() });
        let Some(draft) = draft else { return };
        if let Some(table) = self.tables.last_mut() {
            table.columns.insert(Arc::from(&*right.text));
        }
        // Who has chosen columns keeps to the choice.
        if matches!(self.shown, ShownColumns::Default | ShownColumns::Made(_)) {
            for column in columns_of(&draft) {
                let before = self.shown_columns();
                self.shown.append(before, Arc::from(format!("{}.{column}", right.text)));
            }
        }
        // Which of its columns are wanted is known in the end.
        let other = Other::Query(Arc::default());
        let keeps_all = keeps_all.unwrap_or(false);
        self.operators.push(Operator::Join(Join { keeps_all, keys: checked, columns: Vec::new(), other }));
    }

    /// Returns a pair of names that must be equal: the field of the left side and the column of the right one.
    fn join_key(&mut self, left: &Name, right: &Name, a: &Name, b: &Name) -> Option<(plan::Name, plan::Name)> {
        let of = |side: &Name, name: &Name| {
            name.text.strip_prefix(&*side.text).and_then(|rest| rest.strip_prefix('.')).map(plan::Name::from)
        };
        let sides = match (of(left, a), of(right, b)) {
            (Some(mine), Some(theirs)) => Some((mine, theirs, a)),
            _ => of(left, b).zip(of(right, a)).map(|(mine, theirs)| (mine, theirs, b)),
        };
        match sides {
            Some((mine, theirs, name)) => {
                self.warn_of_unknown(&Expr::Field(mine.clone()), name.span);
                Some((mine, theirs))
            }
            None => {
                let message = "a `join` compares a field of each side";
                let hint = format!("write where {}.id = {}.id", left.text, right.text);
                self.error_with_hint("bad-join-key", message, a.span.to(b.span), hint);
                None
            }
        }
    }

    pub(super) fn append_columns(&mut self, options: &[Setting], other: &OtherQuery) {
        self.check_options("appendcols", &["override", "max"], options);
        let overrides = self.boolean(options, "override", false);
        let most = self.whole(options, "max", 1..=APPENDED_ROWS_MAX).unwrap_or(APPENDED_ROWS);
        let Some(draft) = self.other_query(other) else { return };
        let before = self.shown_columns();
        let is_there = |name: &plan::Name| match self.tables.last() {
            Some(table) => table.knows(name),
            None => before.contains(name),
        };
        let taken = |name: &plan::Name| overrides || !is_there(name);
        let made: Vec<plan::Name> = columns_of(&draft).into_iter().filter(taken).collect();
        let columns = made.iter().map(|name| (name.clone(), name.clone())).collect();
        let other = Other::Query(Arc::new(draft.finish()));
        self.operators.push(Operator::AppendColumns(AppendColumns { columns, most, other }));
        made.iter().for_each(|name| self.show_new(name));
    }

    fn other_query(&mut self, other: &OtherQuery) -> Option<PlanDraft> {
        if !self.may_ask(other.span) {
            return None;
        }
        let mut draft = self.subquery(&other.commands)?;
        if draft.sources.is_empty() {
            draft.sources.clone_from(if self.sources.is_empty() { &self.sources_around } else { &self.sources });
        }
        Some(draft)
    }

    /// Says which columns of the other sides are wanted, now that all is known that follows.
    pub(super) fn settle_joins(&mut self) {
        let mut sides = std::mem::take(&mut self.right_sides).into_iter();
        for at in 0..self.operators.len() {
            let wanted = match &self.operators[at] {
                Operator::Join(_) => fields_of_operators(&self.operators[at + 1..]),
                _ => continue,
            };
            let Operator::Join(join) = &mut self.operators[at] else { continue };
            let Some(RightSide { alias, mut draft }) = sides.next() else { continue };
            let column = |name: &plan::Name| {
                let column = name.strip_prefix(&*alias)?.strip_prefix('.')?;
                Some((plan::Name::from(column), name.clone()))
            };
            join.columns = wanted.iter().filter_map(column).collect();
            let read: BTreeSet<&plan::Name> = join
                .columns
                .iter()
                .map(|(column, _)| column)
                .chain(join.keys.iter().map(|(_, theirs)| theirs))
                .collect();
            let columns = read.into_iter().map(|name| (name.clone(), Expr::Field(name.clone()))).collect();
            if let Some(Operator::Project { columns: shown, .. }) = draft.operators.last_mut() {
                *shown = columns;
            }
            join.other = Other::Query(Arc::new(draft.finish()));
        }
    }
}

/// Returns names of the columns that a query shows.
fn columns_of(draft: &PlanDraft) -> Vec<plan::Name> {
    match draft.operators.last() {
        Some(Operator::Project { columns, .. }) => columns.iter().map(|(name, _)| name.clone()).collect(),
        _ => Vec::new(),
    }
}
