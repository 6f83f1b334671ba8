//! What a command may speak of, and which columns are shown.

use std::collections::{HashMap, HashSet};

use plan::{Expr, FillBuckets, Name, ParseMethod, visit_fields};

/// The columns that the answer will have.
#[derive(Debug, Default)]
pub(super) enum ShownColumns {
    /// No one has chosen.
    #[default]
    Default,
    /// No one has chosen, but commands have made columns of their own next to the usual ones.
    Made(Vec<Name>),
    /// Chosen by `fields`, which adds up.
    Fields(Vec<Name>),
    /// Chosen by `display`, of which the last one wins.
    Display(Vec<Name>),
}

impl ShownColumns {
    /// What `fields` does.
    pub(super) fn add_fields(&mut self, names: Vec<Name>) {
        if let Self::Default | Self::Made(_) = self {
            *self = Self::Fields(Vec::new());
        }
        if let Self::Fields(shown) = self {
            let mut known: HashSet<Name> = shown.iter().cloned().collect();
            shown.extend(names.into_iter().filter(|name| known.insert(name.clone())));
        }
    }

    /// Puts one more column after those shown `before`.
    pub(super) fn append(&mut self, before: Vec<Name>, name: Name) {
        let mut names = before;
        if !names.contains(&name) {
            names.push(name);
        }
        self.set(names);
    }

    /// Shows these columns, chosen the way the present ones were.
    pub(super) fn set(&mut self, names: Vec<Name>) {
        *self = match self {
            Self::Display(_) => Self::Display(names),
            Self::Fields(_) => Self::Fields(names),
            Self::Default | Self::Made(_) => Self::Made(names),
        };
    }
}

/// What a `stats` made.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Every column, shown or not.
    pub columns: HashSet<Name>,
    /// Columns in the order of the answer.
    pub shown: Vec<Name>,
    /// Columns by the text of the call that made them, in the form that [`super::expression::canonical`] gives.
    pub calls: HashMap<String, Name>,
    /// Its spans of time and the series in each, where it has them.
    pub buckets: Option<FillBuckets>,
    /// Fields whose values are levels in the rows that it was made of.
    pub levels_before: HashSet<Name>,
}

impl Table {
    /// Reports whether a field is one of the columns or a path into one.
    pub(super) fn knows(&self, field: &str) -> bool {
        self.columns.contains(field) || field.match_indices('.').any(|(dot, _)| self.columns.contains(&field[..dot]))
    }

    /// Removes a column.
    pub(super) fn forget(&mut self, name: &Name) {
        self.columns.remove(name);
        self.shown.retain(|column| column != name);
        self.calls.retain(|_, column| column != name);
    }
}

/// Returns fields that an expression reads, each once, in order of first sight.
pub(crate) fn fields_of(expr: &Expr) -> Vec<Name> {
    let (mut fields, mut known) = (Vec::new(), HashSet::new());
    visit_fields(expr, &mut |field| {
        if known.insert(field.clone()) {
            fields.push(field.clone());
        }
    });
    fields
}

/// Returns names that a `parse` certainly makes: a prefix stands for all paths below it.
pub(super) fn names_made_by(method: &ParseMethod) -> Vec<Name> {
    match method {
        ParseMethod::Glob { names, .. } => names.clone(),
        ParseMethod::Regex { names, .. } => names.iter().map(|(name, _)| name.clone()).collect(),
        ParseMethod::Format { prefix, .. } => prefix.iter().cloned().collect(),
    }
}
