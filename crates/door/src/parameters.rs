//! The parameters of a request's address or form, in order, with repetitions.

use axum::extract::Query;
use axum::http::Uri;
use types::GroupPattern;

use crate::problem::{Problem, Result};

/// Names and values as they were sent.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    /// Reads the parameters of an address.
    pub fn of_address(uri: &Uri) -> Result<Self> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
        pairs.map(|Query(pairs)| Self(pairs)).map_err(|_| Self::unreadable())
    }

    pub(crate) fn unreadable() -> Problem {
        Problem::bad_parameter("the parameters cannot be read")
    }

    /// Returns the first value of `name`; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all values of `name` that are not empty.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Returns the number of a parameter if it was sent.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let message = || format!("{name} is not a number that fits here: {text:?}");
        text.parse().map(Some).map_err(|_| Problem::bad_parameter(message()))
    }

    /// Returns the truth value of a parameter; an absent one is false.
    pub fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(Problem::bad_parameter(format!("{name} is true or false, not {other:?}"))),
        }
    }

    /// Returns the truth value of a parameter in protocols in which the name alone means true.
    pub fn flag_or_bare(&self, name: &str) -> bool {
        self.0.iter().any(|(key, value)| key == name && value != "false")
    }

    /// Group patterns: `groups` or `group`, repeated or separated by commas.
    pub fn groups(&self) -> Vec<GroupPattern> {
        let named = self.all("groups").chain(self.all("group"));
        named.flat_map(|text| text.split(',')).map(str::trim).filter(|p| !p.is_empty()).map(GroupPattern::new).collect()
    }

    /// Refuses names that the route does not know, so that a misspelled one is not silently ignored.
    pub fn check_names(&self, known: &[&str]) -> Result<()> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let problem = Problem::bad_request("unknown-parameter", format!("unknown parameter {name:?}"));
                Err(problem.hint(format!("known here: {}", known.join(", "))))
            }
        }
    }
}

#[cfg(test)]
mod tests;
