//! `TestMetricFilter`: tests a filter pattern on texts as if they were events.
//!
//! Texts are numbered from 0, and values are named `$.property` or `$column`, as in the example of Amazon's API reference.

use std::sync::Arc;

use chrono_tz::Tz;
use execute::Tail;
use serde_json::{Map, Value, json};
use types::{BatchRun, GroupName};

use super::answer::{CloudWatchProblem, Result};
use super::input::Input;
use super::patterns::{bad_pattern, showing};
use super::request::OperationRequest;
use super::results::text_of;
use door::Problem;

/// Limit on the texts of one request.
const TEXTS_MAX: usize = 50;

/// The group of the tested texts, which are not stored.
const GROUP: &str = "test";

impl OperationRequest {
    pub(super) fn test_metric_filter(&self, input: &Input) -> Result<Value> {
        let pattern = input.needed("filterPattern")?;
        let names = language::filter_pattern_selectors(pattern).map_err(|errors| bad_pattern(errors.into()))?;
        let selectors: Vec<&str> = names.iter().map(String::as_str).collect();
        let plan = showing(pattern, &selectors)?;
        let texts = input.texts("logEventMessages")?.unwrap_or_default();
        if !(1..=TEXTS_MAX).contains(&texts.len()) {
            return Err(CloudWatchProblem::parameter(format!("logEventMessages has 1 to {TEXTS_MAX} members.")));
        }
        let tail = Tail::new(&plan, Tz::UTC).map_err(|error| CloudWatchProblem::parameter(error.to_string()))?;
        let mut matches = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let batch = self.server.app.intake.sample(text.as_bytes(), self.server.now());
            let group = GroupName::new(GROUP).ok_or_else(|| Problem::internal("a name that is none"))?;
            let run = BatchRun::new(group, 0, Arc::new(batch));
            let found = tail.rows(Arc::new(run), self.server.now()).unwrap_or_default();
            if found.ids.is_empty() {
                continue;
            }
            let row = found.rows.first().map(Vec::as_slice).unwrap_or_default();
            let value =
                |(name, value): (&String, &Option<types::Value>)| Some((name.clone(), text_of(value.as_ref()?).into()));
            let values: Map<String, Value> = names.iter().zip(row).filter_map(value).collect();
            matches.push(json!({"eventNumber": at, "eventMessage": text, "extractedValues": values}));
        }
        Ok(json!({"matches": matches}))
    }
}
