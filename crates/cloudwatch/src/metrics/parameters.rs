//! Typed access to parameters, whichever protocol they came by; errors name the place of a parameter.

use serde_json::Value;
use types::Timestamp;

use super::error::{bad_value, missing};
use crate::answer::{CloudWatchProblem, Result};

/// The only account of a server.
pub(crate) const ACCOUNT: &str = "000000000000";

type Read<T> = Result<T>;

/// A structure among the parameters, and its place.
#[derive(Clone, Debug)]
pub(super) struct Parameters<'v> {
    value: &'v Value,
    place: String,
}

impl<'v> Parameters<'v> {
    pub(super) fn new(value: &'v Value) -> Self {
        Self { value, place: String::new() }
    }

    /// Returns the place of a member, for errors.
    pub(super) fn at(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// Returns a member that is none of `known`, if there is one.
    pub(super) fn unknown(&self, known: &[&str]) -> Option<&'v str> {
        let names = self.value.as_object().into_iter().flat_map(|members| members.keys());
        names.map(String::as_str).find(|name| !known.contains(name))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    /// Returns a text of at most `chars_max` characters, and at least one.
    pub(super) fn text(&self, name: &str, chars_max: usize) -> Read<Option<&'v str>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| bad_value(format!("{} must be a string.", self.at(name))))?;
        match text.chars().take(chars_max + 1).count() {
            n if (1..=chars_max).contains(&n) => Ok(Some(text)),
            _ => Err(bad_value(format!("{} must have 1 to {chars_max} characters.", self.at(name)))),
        }
    }

    pub(super) fn needed_text(&self, name: &str, chars_max: usize) -> Read<&'v str> {
        self.text(name, chars_max)?.ok_or_else(|| missing(&self.at(name)))
    }

    /// Returns the number of the first entry of a page, which is what its token says.
    pub(super) fn start(&self, chars_max: usize) -> Read<usize> {
        let bad_token = || CloudWatchProblem::new("InvalidNextToken", "The value of NextToken is invalid.");
        self.text("NextToken", chars_max)?.map_or(Ok(0), |token| token.parse().map_err(|_| bad_token()))
    }

    /// Returns how many entries a page may have.
    pub(super) fn most(&self, name: &str, default: usize, max: usize) -> Read<usize> {
        self.integer(name)?.map_or(Ok(default), |number| {
            let number = usize::try_from(number).ok().filter(|number| (1..=max).contains(number));
            number.ok_or_else(|| bad_value(format!("{name} must be from 1 to {max}.")))
        })
    }

    /// Returns a finite number.
    pub(super) fn number(&self, name: &str) -> Read<Option<f64>> {
        self.get(name).map(|value| number_of(value, &self.at(name))).transpose()
    }

    /// Returns a whole number.
    pub(super) fn integer(&self, name: &str) -> Read<Option<i64>> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        if number.fract() == 0.0 && number.abs() < 1e15 {
            return Ok(Some(number as i64));
        }
        Err(bad_value(format!("{} must be an integer.", self.at(name))))
    }

    /// Returns a time in ms since the epoch: seconds, or a text of ISO 8601.
    pub(super) fn time(&self, name: &str) -> Read<Option<i64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let of_text = value.as_str().and_then(Timestamp::parse_rfc3339);
        if let Some(time) = of_text {
            return Ok(Some(time.0.div_euclid(Timestamp::MILLISECOND)));
        }
        match number_of(value, &self.at(name)) {
            Ok(seconds) if seconds.abs() < 1e10 => Ok(Some((seconds * 1000.0).round() as i64)),
            _ => Err(bad_value(format!("{} must be a time: seconds since 1970, or ISO 8601.", self.at(name)))),
        }
    }

    pub(super) fn needed_time(&self, name: &str) -> Read<i64> {
        self.time(name)?.ok_or_else(|| missing(&self.at(name)))
    }

    fn list(&self, name: &str, n_max: usize) -> Read<Option<&'v [Value]>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        // The query protocol has an empty list as an empty text.
        if value == "" {
            return Ok(Some(&[]));
        }
        let list = value.as_array().ok_or_else(|| bad_value(format!("{} must be a list.", self.at(name))))?;
        if list.len() > n_max {
            return Err(bad_value(format!("The collection {} must not have more than {n_max} items.", self.at(name))));
        }
        Ok(Some(list))
    }

    pub(super) fn numbers(&self, name: &str, n_max: usize) -> Read<Option<Vec<f64>>> {
        let Some(list) = self.list(name, n_max)? else { return Ok(None) };
        let at = |index: usize| format!("{}.member.{}", self.at(name), index + 1);
        list.iter().enumerate().map(|(index, value)| number_of(value, &at(index))).collect::<Read<_>>().map(Some)
    }

    pub(super) fn texts(&self, name: &str, n_max: usize) -> Read<Vec<&'v str>> {
        let wrong = || bad_value(format!("{} must be a list of strings.", self.at(name)));
        let list = self.list(name, n_max)?.unwrap_or_default();
        list.iter().map(|value| value.as_str().ok_or_else(wrong)).collect()
    }

    pub(super) fn structures(&self, name: &str, n_max: usize) -> Read<Vec<Self>> {
        let list = self.list(name, n_max)?.unwrap_or_default();
        let structure = |(index, value): (usize, &'v Value)| {
            let place = format!("{}.member.{}", self.at(name), index + 1);
            if value.is_object() {
                Ok(Self { value, place })
            } else {
                Err(bad_value(format!("{place} must be a structure.")))
            }
        };
        list.iter().enumerate().map(structure).collect()
    }

    pub(super) fn structure(&self, name: &str) -> Read<Option<Self>> {
        let place = self.at(name);
        match self.get(name) {
            None => Ok(None),
            Some(value) if value.is_object() => Ok(Some(Self { value, place })),
            Some(_) => Err(bad_value(format!("{place} must be a structure."))),
        }
    }

    /// Returns a flag, which the query protocol has as a text.
    pub(super) fn flag(&self, name: &str) -> Read<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(bad_value(format!("{} must be true or false.", self.at(name)))),
        }
    }
}

/// Returns a finite number; the query protocol has numbers as texts.
fn number_of(value: &Value, place: &str) -> Read<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    number.filter(|number| number.is_finite()).ok_or_else(|| bad_value(format!("{place} must be a finite number.")))
}
