//! Selectors of series that choose rules by their labels, as Prometheus' list of rules takes them in `match[]`.

use std::collections::BTreeMap;

use promql::Matcher;

/// Selectors such as `{severity="page"}`; a rule must match at least one.
#[derive(Clone, Debug, Default)]
pub struct LabelSelectors(Vec<Vec<Matcher>>);

impl LabelSelectors {
    /// Reads selectors in PromQL.
    ///
    /// # Errors
    /// The text that is not a selector, and why.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        texts.into_iter().map(selector).collect::<Result<_, _>>().map(Self)
    }

    /// Reports whether labels fulfil one of the selectors; without a selector all do. A label that is not there has the empty value,
    /// and the templates of a rule's labels are compared as they are written.
    pub fn accept(&self, labels: &BTreeMap<String, String>) -> bool {
        let value_of = |name: &str| labels.get(name).map_or("", String::as_str);
        let is_fulfilled =
            |matchers: &Vec<Matcher>| matchers.iter().all(|matcher| matcher.accepts(value_of(&matcher.name)));
        self.0.is_empty() || self.0.iter().any(is_fulfilled)
    }
}

fn selector(text: &str) -> Result<Vec<Matcher>, String> {
    let query = promql::parse(text).map_err(|error| error.located(text))?;
    query.matchers().map(<[_]>::to_vec).ok_or_else(|| format!("{text:?} is not a selector of series"))
}

#[cfg(test)]
mod tests;
