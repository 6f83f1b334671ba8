//! The rules of composite alarms: `ALARM(a) AND (OK("b c") OR NOT INSUFFICIENT_DATA(d))`.
//!
//! `NOT` binds tighter than `AND`, and `AND` tighter than `OR`. A name is written as it is, in quotes, or as an ARN. Of several alarms,
//! `AT_LEAST(2, ALARM, (a, b, c))` counts those in a state, and `AT_LEAST(50%, NOT OK, (a, b))` those in another one.

use std::collections::BTreeSet;

use alert::AlarmState;

use super::state::STATES;
use crate::metrics::cursor::Cursor;
use crate::metrics::math::MathProblem;

/// Deepest nesting, longest rule, and most alarms, the latter two as at Amazon.
const DEPTH_MAX: usize = 64;
pub(super) const RULE_CHARS_MAX: usize = 10_240;
const ALARMS_MAX: usize = 100;

/// The rule of a composite alarm.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CompositeRule {
    /// The alarm is in the state.
    Is(AlarmState, String),
    /// At least `n` of the alarms are in the state, or in another one if it is negated.
    AtLeast {
        n: usize,
        state: AlarmState,
        is_negated: bool,
        names: Vec<String>,
    },
    Constant(bool),
    Not(Box<CompositeRule>),
    All(Vec<CompositeRule>),
    Any(Vec<CompositeRule>),
}

impl CompositeRule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Cursor::new(text);
        let rule = reader.any().map_err(|problem| problem.0)?;
        types::ensure!(reader.rest().is_empty(), reader.problem("AND, OR or the end of the rule is expected").0);
        let names = rule.names();
        match names.len() {
            n if n > ALARMS_MAX => Err(format!("the rule names {n} alarms, more than {ALARMS_MAX}")),
            _ => Ok(rule),
        }
    }

    /// Returns the names of the alarms that it depends on.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.add_names(&mut names);
        names
    }

    fn add_names<'r>(&'r self, names: &mut BTreeSet<&'r str>) {
        match self {
            Self::Is(_, name) => drop(names.insert(name)),
            Self::AtLeast { names: listed, .. } => names.extend(listed.iter().map(String::as_str)),
            Self::Constant(_) => {}
            Self::Not(inner) => inner.add_names(names),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.add_names(names)),
        }
    }

    /// Reports whether it holds, by the states of alarms.
    pub(super) fn holds(&self, state_of: &dyn Fn(&str) -> Option<AlarmState>) -> bool {
        match self {
            Self::Is(state, name) => state_of(name) == Some(*state),
            Self::AtLeast { n, state, is_negated, names } => {
                let is_met = |name: &&String| (state_of(name) == Some(*state)) != *is_negated;
                names.iter().filter(is_met).count() >= *n
            }
            Self::Constant(value) => *value,
            Self::Not(inner) => !inner.holds(state_of),
            Self::All(parts) => parts.iter().all(|part| part.holds(state_of)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(state_of)),
        }
    }
}

impl Cursor<'_> {
    fn any(&mut self) -> Result<CompositeRule, MathProblem> {
        let mut parts = vec![self.all()?];
        while self.take("OR") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { CompositeRule::Any(parts) })
    }

    fn all(&mut self) -> Result<CompositeRule, MathProblem> {
        let mut parts = vec![self.one()?];
        while self.take("AND") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { CompositeRule::All(parts) })
    }

    fn one(&mut self) -> Result<CompositeRule, MathProblem> {
        self.depth += 1;
        types::ensure!(self.depth <= DEPTH_MAX, self.problem(format!("the rule is nested more than {DEPTH_MAX} deep")));
        let rule = if self.take("NOT") {
            CompositeRule::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let inner = self.any()?;
            self.need(")")?;
            inner
        } else {
            self.state_or_constant()?
        };
        self.depth -= 1;
        Ok(rule)
    }

    fn state_or_constant(&mut self) -> Result<CompositeRule, MathProblem> {
        if let Some(value) = [("TRUE", true), ("FALSE", false)].into_iter().find(|(word, _)| self.take(word)) {
            return Ok(CompositeRule::Constant(value.1));
        }
        if self.take("AT_LEAST") {
            return self.at_least();
        }
        let Some(state) = self.state() else {
            let functions = "ALARM(…), OK(…), INSUFFICIENT_DATA(…), AT_LEAST(…)";
            return Err(self.problem(format!("{functions}, TRUE, FALSE, NOT or \"(\" is expected")));
        };
        self.need("(")?;
        let name = self.name(&['(', ')'])?;
        self.need(")")?;
        Ok(CompositeRule::Is(state, name))
    }

    fn state(&mut self) -> Option<AlarmState> {
        STATES.into_iter().find(|(name, _)| self.take(name)).map(|(_, state)| state)
    }

    /// Reads what follows `AT_LEAST`: a number or a percentage of alarms, a state, and the alarms.
    fn at_least(&mut self) -> Result<CompositeRule, MathProblem> {
        self.need("(")?;
        self.rest();
        let number_at = self.at;
        let (number, is_percentage) = self.count()?;
        self.need(",")?;
        let is_negated = self.take("NOT");
        let state = self.state().ok_or_else(|| self.problem("ALARM, OK or INSUFFICIENT_DATA is expected"))?;
        self.need(",")?;
        self.need("(")?;
        let mut names = vec![self.name(&['(', ')', ','])?];
        while self.take(",") {
            names.push(self.name(&['(', ')', ','])?);
        }
        self.need(")")?;
        self.need(")")?;
        let most = if is_percentage { 100 } else { names.len() };
        if !(1..=most).contains(&number) {
            self.at = number_at;
            let unit = if is_percentage { "%" } else { "" };
            return Err(self.problem(format!("AT_LEAST needs a number from 1{unit} to {most}{unit}")));
        }
        let n = if is_percentage { (number * names.len()).div_ceil(100) } else { number };
        Ok(CompositeRule::AtLeast { n, state, is_negated, names })
    }

    /// Reads a whole number, and whether it is a percentage.
    fn count(&mut self) -> Result<(usize, bool), MathProblem> {
        let rest = self.rest();
        let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(number) = rest[..n_digits].parse::<usize>() else {
            return Err(self.problem("a number or a percentage is expected"));
        };
        self.at += n_digits;
        Ok((number, self.take("%")))
    }

    /// Reads the name of an alarm. Without quotes it ends before one of the characters of `ends`.
    fn name(&mut self, ends: &[char]) -> Result<String, MathProblem> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
        let text = match quote {
            Some(quote) => self.quoted(quote)?,
            None => {
                let end = rest.find(ends).unwrap_or(rest.len());
                self.at += end;
                rest[..end].trim_end()
            }
        };
        let name = name_of(text);
        if name.is_empty() { Err(self.problem("the name of an alarm is missing")) } else { Ok(name.to_owned()) }
    }
}

/// Returns the name of an alarm that is given by its name or ARN.
pub(super) fn name_of(text: &str) -> &str {
    text.strip_prefix("arn:").and_then(|rest| rest.split_once(":alarm:")).map_or(text, |(_, name)| name)
}

#[cfg(test)]
mod tests;
