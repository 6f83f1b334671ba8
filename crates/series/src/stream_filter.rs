//! The streams that some matchers may accept, by what their texts have.

use ingest::sample::label_text;
use memchr::memmem::Finder;
use promql::{MatchKind, Matcher};
use types::{METRIC_NAME, NAME_FIRST};

/// What the streams have of every series that some matchers may accept.
pub(crate) struct StreamFilter {
    /// The label with the name of the metric, as canonical texts have it.
    name: Option<String>,
    /// The same of other labels.
    labels: Vec<Finder<'static>>,
}

impl StreamFilter {
    pub(crate) fn of(matchers: &[Matcher]) -> Self {
        let is_equal = |matcher: &&Matcher| matches!(matcher.kind, MatchKind::Equal) && !matcher.value.is_empty();
        let (mut name, mut labels) = (None, Vec::new());
        for matcher in matchers.iter().filter(is_equal) {
            let text = label_text(&matcher.name, &matcher.value);
            match &*matcher.name {
                METRIC_NAME if name.is_none() => name = Some(text),
                _ => labels.push(Finder::new(&text).into_owned()),
            }
        }
        Self { name, labels }
    }

    /// Returns the name of the metric with its quotes, where one is asked for.
    pub(crate) fn quoted_name(&self) -> Option<&str> {
        self.name.as_ref().map(|name| &name[NAME_FIRST.len() - 1..])
    }

    /// Reports whether a stream has all of them; every stream is asked for by every question.
    pub(crate) fn accepts(&self, stream: &str) -> bool {
        let has_name = |name: &String| match stream.strip_prefix(NAME_FIRST) {
            // Nearly all streams begin with the name of the metric.
            Some(rest) => name.strip_prefix(&NAME_FIRST[1..]).is_some_and(|value| rest.starts_with(value)),
            None => stream.contains(&**name),
        };
        self.name.as_ref().is_none_or(has_name) && self.labels.iter().all(|text| text.find(stream.as_bytes()).is_some())
    }
}

#[cfg(test)]
mod tests;
