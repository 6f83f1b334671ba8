//! A subscription filter: its document, its position, and the plan that finds its events.

use std::sync::Arc;

use chrono_tz::Tz;
use door::to_json;
use execute::Tail;
use plan::{Expr, Operator};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use storage::{DocumentWriter, Settings, StoreError};

use crate::answer::{CloudWatchProblem, Result};
use crate::filters::document_name;
use crate::patterns::plan_of;

pub(super) const KIND: &str = "cloudwatch-subscription";

/// A filter and its position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Filter {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) pattern: String,
    pub(super) destination: String,
    pub(super) role: Option<String>,
    pub(super) distribution: Option<String>,
    pub(super) created: i64,
    /// The sequence of the last event that was delivered or did not match.
    pub(super) sequence: u64,
    pub(super) n_events: u64,
    /// The sequence that the document in the store has.
    #[serde(skip)]
    pub(super) saved: u64,
    /// The document as it is in the store.
    #[serde(skip)]
    pub(super) text: String,
}

impl Filter {
    pub(super) fn key(&self) -> String {
        document_name(&self.group, &self.name)
    }

    /// Returns the same without its position.
    pub(super) fn definition(&self) -> Self {
        Self { sequence: 0, n_events: 0, saved: 0, text: String::new(), ..self.clone() }
    }

    /// Saves a filter that is new.
    pub(super) fn save(&self, settings: Settings<'_>) -> Result<()> {
        Ok(settings.put(KIND, &self.key(), &to_json(self)?)?)
    }

    /// Replaces the document that it was read from; returns `false` if that was changed or removed.
    pub(super) fn exchange(&mut self, settings: Settings<'_>, by: DocumentWriter) -> Result<bool> {
        let json = to_json(self)?;
        let is_exchanged = settings.exchange((KIND, &self.key()), &self.text, &json, by)?;
        if is_exchanged {
            self.text = json;
        }
        Ok(is_exchanged)
    }

    /// Saves its position, even if the document that it was read from has changed. Returns `false` if the filter was
    /// replaced or removed.
    pub(super) fn save_position(&mut self, settings: Settings<'_>) -> Result<bool> {
        if self.exchange(settings, DocumentWriter::Holder)? {
            return Ok(true);
        }
        loop {
            let now = filters(settings)?.into_iter().find(|saved| saved.key() == self.key());
            let Some(mut now) = now.filter(|saved| saved.sequence < self.sequence) else { return Ok(false) };
            (now.sequence, now.n_events) = (self.sequence, self.n_events);
            if now.exchange(settings, DocumentWriter::Holder)? {
                return Ok(false);
            }
        }
    }

    /// Returns the plan that finds matching events: their messages, streams and levels, and some fields.
    pub(super) fn tail(&self, fields: &[Arc<str>]) -> Result<Tail> {
        let mut plan = plan_of(&self.pattern)?;
        plan.edit(|operators| {
            if let Some(Operator::Project { columns, .. }) = operators.last_mut() {
                let names = ["@message", "@logStream", "@level"].into_iter().chain(fields.iter().map(|name| &**name));
                *columns = names.map(|name| (name.into(), Expr::Field(name.into()))).collect();
            }
        });
        Tail::new(&plan, Tz::UTC).map_err(|error| CloudWatchProblem::parameter(error.to_string()))
    }

    pub(super) fn to_json(&self, problem: Option<&str>) -> Json {
        let mut shown = json!({
            "filterName": self.name, "logGroupName": self.group, "filterPattern": self.pattern,
            "destinationArn": self.destination, "distribution": self.distribution.as_deref().unwrap_or("ByLogStream"),
            "creationTime": self.created,
        });
        if let Some(role) = &self.role {
            shown["roleArn"] = role.clone().into();
        }
        if let Some(problem) = problem {
            // Clients ignore this member; a person who reads the answer sees why nothing arrives.
            shown["deliveryProblem"] = problem.into();
        }
        shown
    }
}

/// Reads all filters, by group and name.
pub(super) fn filters(settings: Settings<'_>) -> Result<Vec<Filter>, StoreError> {
    let documents = settings.all(KIND)?.into_iter();
    // A document of another version, or a damaged one, has no effect.
    let filter = |(_, text): (String, String)| Some(Filter { text: text.clone(), ..serde_json::from_str(&text).ok()? });
    let mut all: Vec<Filter> = documents.filter_map(filter).collect();
    all.sort_by_key(Filter::key);
    Ok(all)
}
