//! Conditions for the events of patterns: looked up among the masked texts of both times.

use plan::{Expr, Function, MESSAGE_FIELDS, insights_text};
use types::Value;

use crate::operators::patterns::pattern_sums::{Part, PatternSums};
use crate::scan::scanner::Scan;
use evaluate::Result;
use pattern::{Condition, Texts, condition};

/// Patterns that have a condition, the most frequent ones: each is compared with all texts.
const PATTERNS_MAX: usize = 300;

/// The masked texts of each pattern.
pub(crate) struct Conditions<'t> {
    text: Expr,
    own: Vec<Vec<&'t str>>,
}

impl<'t> Conditions<'t> {
    pub(crate) fn new(mined: &PatternSums<'t>, now: &Part<'_, '_>, before: Option<&Part<'_, '_>>) -> Self {
        let mut own: Vec<Vec<&str>> = vec![Vec::new(); mined.patterns.len()];
        mined.places.iter().for_each(|(text, place)| own[*place as usize].push(text));
        let takes_field = now.counted.takes_field || before.is_some_and(|before| before.counted.takes_field);
        let message = Expr::Field("@message".into());
        let fields = MESSAGE_FIELDS.iter().map(|name| Expr::Field((*name).into()));
        let all = || Expr::Call(Function::Coalesce, fields.chain([message.clone()]).collect());
        Self { text: if takes_field { all() } else { message.clone() }, own }
    }

    /// Returns the condition for the pattern at `place`; `sample` is the text of one of its events.
    pub(crate) fn of(&self, place: usize, pattern: &str, sample: Option<&str>) -> Option<Condition> {
        let others = self.own.iter().enumerate().filter(|(other, _)| *other != place);
        let others: Vec<&str> = others.flat_map(|(_, texts)| texts.iter().copied()).collect();
        condition(pattern, &self.text, sample, &Texts { own: &self.own[place], others: &others })
    }

    /// Conditions of the first of some patterns, as texts: of each its place, the pattern, and an event's text.
    pub(crate) fn of_rows<'r>(
        &self,
        scan: &Scan<'_>,
        rows: impl Iterator<Item = (usize, &'r str, &'r Option<Value>)>,
    ) -> Result<Vec<Option<Value>>> {
        let mut texts = Vec::new();
        for (place, pattern, sample) in rows.take(PATTERNS_MAX) {
            scan.check()?;
            let sample = if let Some(Value::String(sample)) = sample { Some(&**sample) } else { None };
            let found = self.of(place, pattern, sample).and_then(|found| insights_text::text(&found.expr));
            texts.push(found.map(|text| Value::text(text.as_str())));
        }
        Ok(texts)
    }
}
