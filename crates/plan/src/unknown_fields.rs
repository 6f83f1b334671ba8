//! Fields that a query names and no event has.
//!
//! A mistyped name gives an empty answer, or one of missing values, like a right one over events that lack it. So the
//! names that a plan asks of its events are compared with the fields that runs know of, without reading a value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use types::{Run, SYSTEM_FIELDS, ScanError, TypeSet, is_reserved};

use crate::error::nearest;
use crate::fields::is_system;
use crate::function::Function;
use crate::{Expr, Name, Operator, ParseMethod, Plan, Warning};

/// Most field names of the events that are remembered to propose one.
const NAMES_MAX: usize = 20_000;

/// Most unknown fields that are reported.
const WARNINGS_MAX: usize = 8;

/// Fields that are listed where no name is near.
const NAMES_SHOWN: usize = 6;

/// What other systems call a system field, without signs and in small letters.
const SYNONYMS: [(&str, &str); 12] = [
    ("severity", "@level"),
    ("severitytext", "@level"),
    ("loglevel", "@level"),
    ("lvl", "@level"),
    ("msg", "@message"),
    ("log", "@message"),
    ("body", "@message"),
    ("text", "@message"),
    ("ts", "@timestamp"),
    ("time", "@timestamp"),
    ("loggroup", "@log"),
    ("stream", "@logStream"),
];

/// The fields that a plan asks of events, and those of them that no event looked at so far has.
#[derive(Debug, Default)]
pub struct UnknownFields {
    /// Fields not found yet, with what each is compared with.
    asked: BTreeMap<Name, Option<Name>>,
    /// Fields found, for the partner of a comparison.
    found: BTreeSet<Name>,
    /// Fields of the events and how many events have each.
    known: BTreeMap<Arc<str>, u64>,
    n_events: u64,
}

impl UnknownFields {
    /// Collects the fields that the plan takes from events and that `text`, the query it comes from, names: a
    /// translation may ask for more.
    pub fn of(plan: &Plan, text: &str) -> Self {
        let mut collected = FieldMentions::default();
        for operator in plan.operators() {
            if !collected.operator(operator) {
                break;
            }
        }
        collected.asked.retain(|name, _| text.contains(&**name));
        Self { asked: collected.asked, ..Self::default() }
    }

    /// Reports whether every field that the plan asks for was found.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Crosses off the fields that events of `run` have.
    ///
    /// # Errors
    /// A run whose fields cannot be read.
    pub fn look_at(&mut self, run: &dyn Run) -> Result<(), ScanError> {
        let fields = run.fields()?;
        self.n_events += run.info().n_events;
        let types: BTreeMap<&str, TypeSet> = fields.iter().map(|field| (&*field.name, field.types)).collect();
        let found: Vec<Name> = self.asked.keys().filter(|name| has_field(&types, name)).cloned().collect();
        for name in found {
            self.asked.remove(&name);
            self.found.insert(name);
        }
        for field in &fields {
            if self.known.len() < NAMES_MAX || self.known.contains_key(&field.name) {
                *self.known.entry(field.name.clone()).or_default() += field.n_events;
            }
        }
        Ok(())
    }

    /// Returns one warning for each field that none of the events looked at has; none where there were no events.
    /// `place` completes the sentence *no event …* with where these events are.
    pub fn warnings(&self, place: &str) -> Vec<Warning> {
        if self.n_events == 0 {
            return Vec::new();
        }
        self.asked
            .iter()
            .take(WARNINGS_MAX)
            .map(|(name, partner)| self.warning(name, partner.as_ref(), place))
            .collect()
    }

    fn warning(&self, name: &Name, partner: Option<&Name>, place: &str) -> Warning {
        let is_value = partner.is_some_and(|partner| self.found.contains(partner) || is_system(partner));
        let hint = match self.proposal(name) {
            Proposal::Same(field) => format!("did you mean `{field}`?"),
            _ if is_value => format!("a text is written in quotes: \"{name}\""),
            Proposal::Near(field) => format!("did you mean `{field}`?"),
            Proposal::None => self.most_frequent(),
        };
        Warning {
            code: "unknown-field",
            message: format!("no event {place} has the field `{name}`"),
            line: None,
            column: None,
            hint: Some(hint),
        }
    }

    /// Returns the field that `name` was probably meant to be.
    fn proposal(&self, name: &str) -> Proposal<'_> {
        let plain = plain(name);
        let names = || self.known.keys().map(|known| &**known).chain(SYSTEM_FIELDS);
        if let Some(same) = names().find(|known| self::plain(known) == plain) {
            return Proposal::Same(same);
        }
        let last = |path: &str| self::plain(path.rsplit('.').next().unwrap_or(path));
        if let Some((_, system)) = SYNONYMS.iter().find(|(synonym, _)| *synonym == plain) {
            return Proposal::Same(system);
        }
        if let Some(longer) =
            names().filter(|known| known.contains('.') || name.contains('.')).find(|known| last(known) == last(name))
        {
            return Proposal::Near(longer);
        }
        nearest(name, names()).map_or(Proposal::None, Proposal::Near)
    }

    fn most_frequent(&self) -> String {
        let mut names: Vec<(&Arc<str>, u64)> = self.known.iter().map(|(name, n_events)| (name, *n_events)).collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(|(name, _)| &***name).collect();
        match (shown.is_empty(), names.len().saturating_sub(shown.len())) {
            (true, _) => "these events have no fields besides @message, @level and @timestamp".to_owned(),
            (false, 0) => format!("the fields are {}", shown.join(", ")),
            (false, n_more) => format!("fields are {} and {n_more} more", shown.join(", ")),
        }
    }

    /// Crosses off the fields that a run knows by their very names, which costs less than their summaries.
    fn look_at_names_of(&mut self, run: &dyn Run) -> Result<(), ScanError> {
        for name in run.field_names()? {
            if let Some((name, _)) = self.asked.remove_entry(&name) {
                self.found.insert(name);
            }
        }
        Ok(())
    }

    /// Returns the fields that were not found, each with what it is compared with.
    pub fn asked(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.asked.iter().map(|(name, partner)| (&**name, partner.as_deref()))
    }
}

/// A field that a name may stand for.
enum Proposal<'a> {
    /// The same name but for signs and the case of letters.
    Same(&'a str),
    /// A similar name.
    Near(&'a str),
    None,
}

/// Returns the letters and digits of a name, in small letters.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Reports whether events have `name`: as a field, as an object of fields, or as a part of a list.
fn has_field(types: &BTreeMap<&str, TypeSet>, name: &str) -> bool {
    let below = format!("{name}.");
    let is_object = || types.range(&*below..).next().is_some_and(|(field, _)| field.starts_with(&below));
    let holds_parts = |end: usize| {
        let is_list = |types: &TypeSet| types.names().iter().any(|name| matches!(*name, "list" | "object"));
        types.get(&name[..end]).is_some_and(is_list)
    };
    types.contains_key(name) || is_object() || name.match_indices('.').any(|(end, _)| holds_parts(end))
}

/// Fields asked for so far, and names that operators gave to rows.
#[derive(Default)]
struct FieldMentions {
    asked: BTreeMap<Name, Option<Name>>,
    made: BTreeSet<Name>,
}

impl FieldMentions {
    /// Collects what an operator asks for; `false` where rows after it are no events, or have names of its own.
    fn operator(&mut self, operator: &Operator) -> bool {
        if matches!(operator, Operator::Patterns(_)) {
            return false;
        }
        operator.expressions().into_iter().for_each(|expr| self.expr(expr));
        match operator {
            Operator::Filter(_) | Operator::Sort(_) | Operator::Limit(_) | Operator::Tail(_) => {}
            Operator::Extend { name, .. } | Operator::Unnest { name, .. } => drop(self.made.insert(name.clone())),
            Operator::Parse(parse) => match &parse.method {
                ParseMethod::Glob { names, .. } => self.made.extend(names.iter().cloned()),
                ParseMethod::Regex { names, .. } => self.made.extend(names.iter().map(|(name, _)| name.clone())),
                ParseMethod::Format { .. } => return false,
            },
            Operator::Dedup(names) => names.iter().for_each(|name| self.field(name, None)),
            Operator::Lookup(lookup) => self.made.extend(lookup.columns.iter().map(|(_, name)| name.clone())),
            _ => return false,
        }
        true
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Field(name) => self.field(name, None),
            Expr::Compare(_, left, right) => match (&**left, &**right) {
                (Expr::Field(a), Expr::Field(b)) => {
                    self.field(a, Some(b));
                    self.field(b, Some(a));
                }
                (left, right) => [left, right].into_iter().for_each(|side| self.expr(side)),
            },
            Expr::In(item, list) => {
                self.expr(item);
                let partner = if let Expr::Field(name) = &**item { Some(name) } else { None };
                for element in list {
                    match element {
                        Expr::Field(name) => self.field(name, partner),
                        other => self.expr(other),
                    }
                }
            }
            // These ask whether there is a value: a name that no event has is an answer, too.
            Expr::Call(Function::IsPresent | Function::Coalesce | Function::IsEmpty | Function::IsBlank, _) => {}
            Expr::Call(Function::HasValue | Function::JsonSelected, _) => {}
            // What follows are fields above it that may be lists.
            Expr::Call(Function::Each, arguments) => arguments.iter().take(2).for_each(|argument| self.expr(argument)),
            other => other.parts().for_each(|part| self.expr(part)),
        }
    }

    fn field(&mut self, name: &Name, partner: Option<&Name>) {
        let is_sent = !name.starts_with('\0') && !is_reserved(name) && !self.made.contains(name);
        if is_sent {
            self.asked.entry(name.clone()).or_insert_with(|| partner.cloned());
        }
    }
}

/// Looks through runs for fields, until all are found. Summaries of fields are read only where
/// no run knows one by its very name.
///
/// # Errors
/// A run whose fields cannot be read: then nothing is known.
pub fn unknown_fields(mut unknown: UnknownFields, runs: &[Arc<dyn Run>]) -> Result<Vec<Warning>, ScanError> {
    for run in runs {
        if unknown.is_empty() {
            return Ok(Vec::new());
        }
        unknown.look_at_names_of(&**run)?;
    }
    for run in runs {
        if unknown.is_empty() {
            return Ok(Vec::new());
        }
        unknown.look_at(&**run)?;
    }
    Ok(unknown.warnings("in these groups and this time range"))
}
