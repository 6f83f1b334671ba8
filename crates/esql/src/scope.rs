//! The columns that a command sees, in order.

use super::error::{EsqlError, Result};
use super::kind::Kind;
use super::schema::{Schema, StoredColumn};
use super::syntax::Pattern;
use super::typed::TypedExpr;
use plan::{Expr, Name, Span, nearest};

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) stored: StoredColumn,
    /// The field of an index that it is, which can be searched for words.
    pub(super) field: Option<String>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) columns: Vec<Column>,
}

impl Scope {
    /// Returns the columns of events.
    pub(super) fn of(schema: &Schema) -> Self {
        let column = |(name, stored): (&String, &StoredColumn)| {
            let field = Some(name.clone());
            Column { name: name.clone(), stored: stored.clone(), field }
        };
        Self { columns: schema.0.iter().map(column).collect() }
    }

    /// Returns a column by its name; what is near where there is none.
    pub(super) fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the error of a name that no column has.
    pub(super) fn unknown(&self, name: &str) -> String {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        let near: Vec<&str> = match name.rsplit_once('.') {
            _ if names().any(|known| known.eq_ignore_ascii_case(name)) => {
                names().filter(|known| known.eq_ignore_ascii_case(name)).collect()
            }
            _ => nearest(name, names()).into_iter().collect(),
        };
        match near.as_slice() {
            [] => format!("Unknown column [{name}]"),
            [one] => format!("Unknown column [{name}], did you mean [{one}]?"),
            several => format!("Unknown column [{name}], did you mean any of [{}]?", several.join(", ")),
        }
    }

    /// Puts a column at the end, instead of one of the same name.
    pub(super) fn put(&mut self, name: &str, stored: StoredColumn, field: Option<String>) {
        self.columns.retain(|column| column.name != name);
        self.columns.push(Column { name: name.to_owned(), stored, field });
    }

    /// Returns the names that a pattern means, in order.
    pub(super) fn matching(&self, pattern: &Pattern, text: &str) -> Result<Vec<String>> {
        if let [name] = pattern.literals.as_slice() {
            return match self.find(name) {
                Some(_) => Ok(vec![name.clone()]),
                None => Err(EsqlError::verification(text, pattern.span.start, self.unknown(name))),
            };
        }
        let found: Vec<String> = self
            .columns
            .iter()
            .filter(|column| is_match(&pattern.literals, &column.name))
            .map(|column| column.name.clone())
            .collect();
        if found.is_empty() && pattern.literals.iter().any(|literal| !literal.is_empty()) {
            let message = format!("No matches found for pattern [{}]", pattern.literals.join("*"));
            return Err(EsqlError::verification(text, pattern.span.start, message));
        }
        Ok(found)
    }

    /// `KEEP`: columns in the order of the patterns; a name comes before a pattern that means it too, and a narrower
    /// pattern before a star alone.
    pub(super) fn keep(&mut self, patterns: &[Pattern], text: &str) -> Result<()> {
        let priority = |pattern: &Pattern| match pattern.literals.as_slice() {
            [_] => 2,
            literals if literals.iter().any(|literal| !literal.is_empty()) => 1,
            _ => 0,
        };
        let mut kept: Vec<(String, u8)> = Vec::new();
        for pattern in patterns {
            let rank = priority(pattern);
            for name in self.matching(pattern, text)? {
                match kept.iter().position(|(known, _)| *known == name) {
                    Some(at) if kept[at].1 > rank => {}
                    Some(at) => {
                        kept.remove(at);
                        kept.push((name, rank));
                    }
                    None => kept.push((name, rank)),
                }
            }
        }
        let columns = kept.iter().filter_map(|(name, _)| self.find(name).cloned()).collect();
        self.columns = columns;
        Ok(())
    }

    /// `DROP`.
    pub(super) fn remove(&mut self, patterns: &[Pattern], text: &str) -> Result<()> {
        for pattern in patterns {
            if pattern.literals.len() > 1 && pattern.literals.iter().all(String::is_empty) {
                let message = "Removing all fields is not allowed [*]".to_owned();
                return Err(EsqlError::parsing(text, pattern.span.start, message));
            }
        }
        let mut gone = Vec::new();
        for pattern in patterns {
            gone.extend(self.matching(pattern, text)?);
        }
        self.columns.retain(|column| !gone.contains(&column.name));
        Ok(())
    }

    /// `RENAME`: the column keeps its place, and replaces another one of the new name.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        if old == new {
            return;
        }
        self.columns.retain(|column| column.name != new);
        self.columns.iter_mut().filter(|column| column.name == old).for_each(|column| column.name = new.to_owned());
    }
}

impl Column {
    /// Returns the column as an expression.
    pub(super) fn typed(&self, span: Span) -> TypedExpr {
        let mut typed = TypedExpr::value(self.stored.kind, self.stored.expr.clone(), span).several(self.stored.is_list);
        typed.narrow = self.stored.narrow.clone();
        typed.field = self.field.clone();
        typed
    }
}

/// Returns a column that operators have computed.
pub(super) fn computed(kind: Kind, name: &Name, is_list: bool) -> StoredColumn {
    let expr = Expr::Field(name.clone());
    StoredColumn { kind, expr, is_list, narrow: None, conflict: Vec::new() }
}

/// Reports whether a name consists of the literals, with any text between them.
fn is_match(literals: &[String], name: &str) -> bool {
    let [first, middle @ .., last] = literals else { return false };
    let Some(mut rest) = name.strip_prefix(first.as_str()) else { return false };
    for literal in middle {
        let Some(at) = rest.find(literal.as_str()) else { return false };
        rest = &rest[at + literal.len()..];
    }
    rest.ends_with(last.as_str())
}
