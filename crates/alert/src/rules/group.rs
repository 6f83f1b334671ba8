//! Groups of rules: what a group defines for all of its rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::{Location, Spanned};

use crate::rule::PrometheusForm;
use crate::rules::file_text::GroupText;
use crate::rules::reader::Reader;
use crate::rules::text_map::TextMap;

/// What a group defines for all of its rules.
pub(super) struct GroupSettings {
    pub(super) interval_ns: Option<i64>,
    name: String,
    query_offset_ns: i64,
    limit: usize,
    labels: BTreeMap<String, String>,
}

impl GroupSettings {
    /// Reads a group that begins at `at`; `names` are those of the groups before it in its file.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        group: &mut GroupText,
        at: Location,
        names: &mut BTreeSet<String>,
    ) -> Self {
        let mut rules = group.rules.iter().flatten().peekable();
        // A group without rules may be of either form.
        let is_prometheus = rules.peek().is_none() || rules.any(|rule| rule.value.expr.is_some());
        if !is_prometheus {
            refuse_keys_of_prometheus(reader, group);
        }
        let labels = group.labels.take().map(|labels| labels.value).unwrap_or_default();
        reader.check_label_names(&labels);
        if group.rules.iter().flatten().any(|rule| rule.value.alert.is_some()) {
            reader.check_templates("labels", &labels);
        }
        let name = name_of(reader, group, at);
        // Groups in catat's own form may share a name: nothing is kept under it.
        if let Some(name) = name.filter(|name| !names.insert(name.value.clone()) && is_prometheus) {
            reader.error(name.referenced, format!("group \"{}\" is there twice", name.value));
        }
        let interval = group.interval.as_ref();
        let offset = group.query_offset.as_ref();
        Self {
            interval_ns: match is_prometheus {
                true => interval.and_then(|text| reader.group_interval(text)),
                false => interval.and_then(|text| reader.interval("interval", text)),
            },
            name: name.map(|name| name.value.clone()).unwrap_or_default(),
            query_offset_ns: offset.and_then(|text| reader.length("query_offset", text)).unwrap_or(0),
            limit: group.limit.as_ref().map_or(0, |limit| limit.value.0),
            labels: labels.into_texts(),
        }
    }

    /// Returns what a rule of this group has in Prometheus' form.
    pub(super) fn form(&self, alert: &str) -> PrometheusForm {
        let (group, limit, query_offset_ns) = (self.name.clone(), self.limit, self.query_offset_ns);
        PrometheusForm { alert: alert.to_owned(), group, limit, query_offset_ns }
    }

    /// Returns the labels of a rule; they take precedence over those of its group.
    pub(super) fn labels(&self, own: TextMap) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.extend(own.into_texts());
        labels
    }
}

/// Returns the name of a group that begins at `at`, or reports that it has none.
fn name_of<'g>(reader: &mut Reader<'_>, group: &'g GroupText, at: Location) -> Option<&'g Spanned<String>> {
    let name = group.name.as_ref().filter(|name| !name.value.is_empty());
    if name.is_none() {
        reader.error(at, "name: is missing; every group of rules has one".to_owned());
    }
    name
}

fn refuse_keys_of_prometheus(reader: &mut Reader<'_>, group: &GroupText) {
    let keys = [
        ("query_offset", group.query_offset.as_ref().map(|text| text.referenced)),
        ("limit", group.limit.as_ref().map(|limit| limit.referenced)),
        ("labels", group.labels.as_ref().map(|labels| labels.referenced)),
    ];
    for (key, place) in keys {
        if let Some(place) = place {
            reader.error(place, format!("{key}: is for rules with expr:, and the group has none"));
        }
    }
}
