//! The mappings of the indices that a search is about.

use std::sync::Arc;

use types::Value;

use super::{FieldResolution, Kind, Mapping};
use crate::search_error::{Result, SearchError};
use plan::{Comparison, Expr, Function};

/// Groups that have the same mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Their names.
    pub groups: Vec<String>,
    /// What their fields are.
    pub mapping: Arc<Mapping>,
}

/// The mappings of the groups of a search. Groups that are in no class have none.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    classes: Vec<Class>,
    /// Whether there are groups without a mapping.
    has_others: bool,
    nothing: Arc<Mapping>,
}

impl Default for Schema {
    fn default() -> Self {
        Self::new(Vec::new(), true)
    }
}

impl Schema {
    /// Returns the mappings of some groups; `has_others`: the search is about groups without one, too.
    pub fn new(classes: Vec<Class>, has_others: bool) -> Self {
        let has_others = has_others || classes.is_empty();
        Self { classes, has_others, nothing: Arc::default() }
    }

    /// Returns the declared fields of all mappings with the names of their types.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &str)> {
        self.classes.iter().flat_map(|class| class.mapping.types())
    }

    /// Returns the number of different mappings; without one, it counts as one.
    pub(crate) fn n_mappings(&self) -> usize {
        self.classes.len() + usize::from(self.has_others)
    }

    /// Returns one of the mappings; the one of groups without any is the last.
    pub(crate) fn mapping(&self, at: usize) -> &Arc<Mapping> {
        self.classes.get(at).map_or(&self.nothing, |class| &class.mapping)
    }

    /// Returns the condition that an event belongs to a group of one of the mappings.
    pub(crate) fn condition(&self, at: usize) -> Expr {
        let one_of = |names: Vec<&String>| {
            let names = names.into_iter().map(|name| Expr::Literal(Some(Value::text(name.as_str()))));
            Expr::In(Box::new(Expr::Field("@log".into())), names.collect())
        };
        match self.classes.get(at) {
            Some(class) => one_of(class.groups.iter().collect()),
            None => {
                let all = self.classes.iter().flat_map(|class| &class.groups).collect();
                Expr::Not(Box::new(one_of(all)))
            }
        }
    }

    /// Reads a field with each of the mappings, which must agree on `what` is made of it.
    ///
    /// # Errors
    /// Where they do not, or one refuses it.
    pub(crate) fn agreed<T: std::fmt::Debug>(
        &self,
        written: &str,
        what: impl Fn(FieldResolution) -> Result<T>,
    ) -> Result<T> {
        let first = what(self.mapping(0).resolve(written))?;
        for at in 1..self.n_mappings() {
            let other = what(self.mapping(at).resolve(written))?;
            if format!("{first:?}") != format!("{other:?}") {
                return Err(SearchError::argument(format!(
                    "field [{written}] is mapped in different ways in the indices of this search, which is not supported \
                     in aggregations and orders; search the indices apart"
                )));
            }
        }
        Ok(first)
    }

    /// Returns the values of a field as buckets and metrics take them.
    pub fn value(&self, written: &str) -> Result<Expr> {
        self.agreed(written, |field| value_of(written, field))
    }

    /// Returns what a field is ordered by.
    pub fn order(&self, written: &str) -> Result<Expr> {
        self.agreed(written, |resolved| {
            let kind = resolved.kind.clone();
            let value = value_of(written, resolved)?;
            Ok(match kind {
                Some(Kind::Ip) => Expr::Call(Function::AddressKey, vec![value]),
                Some(Kind::Date { .. }) => Expr::Call(Function::DateMillis, vec![value]),
                _ => value,
            })
        })
    }

    /// Returns the name of the field that has the values.
    pub fn name(&self, written: &str) -> Result<String> {
        self.agreed(written, |resolved| Ok(resolved.name))
    }

    /// Returns the kind that a field is declared with, where all mappings agree.
    pub fn kind(&self, written: &str) -> Result<Option<Kind>> {
        self.agreed(written, |resolved| Ok(resolved.kind))
    }
}

fn value_of(written: &str, resolved: FieldResolution) -> Result<Expr> {
    let field = crate::dsl::shown(&crate::dsl::field_of(&resolved.name));
    Ok(match resolved.kind {
        None | Some(Kind::Number | Kind::Boolean | Kind::Ip | Kind::Date { .. }) => field,
        Some(Kind::Keyword { is_lower, most, .. }) => {
            let value = if is_lower { Expr::Call(Function::ToLower, vec![field]) } else { field };
            match most {
                Some(most) => Expr::Call(Function::If, vec![no_longer(&value, most), value]),
                None => value,
            }
        }
        Some(Kind::Text { has_fielddata: true, .. }) => Expr::Call(Function::WordList, vec![field]),
        Some(Kind::Text { .. }) => {
            return Err(SearchError::argument(format!(
                "Fielddata is disabled on [{written}]. Text fields are not optimised for operations that require per-document \
                 field data like aggregations and sorting, so these operations are disabled by default. Please use a \
                 keyword field instead."
            )));
        }
        Some(Kind::Missing) => Expr::Field("#missing".into()),
        Some(Kind::Refused(why)) => return Err(SearchError::argument(why)),
    })
}

/// Returns the condition that a text has so many characters at most.
pub(crate) fn no_longer(value: &Expr, most: usize) -> Expr {
    let length = Expr::Call(Function::TextLength, vec![value.clone()]);
    let most = Expr::Literal(Some(Value::Integer(i64::try_from(most).unwrap_or(i64::MAX))));
    Expr::Compare(Comparison::LessOrEqual, Box::new(length), Box::new(most))
}

/// Returns a condition that holds in the groups of one mapping, joined with those of the others.
pub(crate) fn of_groups(schema: &Schema, conditions: Vec<Option<Expr>>) -> Option<Expr> {
    let text = |condition: &Option<Expr>| format!("{condition:?}");
    let first = conditions.first().map(text).unwrap_or_default();
    if conditions.iter().all(|condition| text(condition) == first) {
        return conditions.into_iter().next().flatten();
    }
    let of = |(at, condition): (usize, Option<Expr>)| match condition {
        Some(condition) => Expr::And(Box::new(schema.condition(at)), Box::new(condition)),
        None => schema.condition(at),
    };
    Some(plan::balanced(conditions.into_iter().enumerate().map(of).collect(), Expr::Or))
}
