//! The operations on detectors: put, list, delete.

use door::{Problem, Role, to_json};
use serde_json::{Value, json};
use types::Timestamp;

use super::super::band::BandConfig;
use super::super::data::is_trained;
use super::super::error::{bad_combination, bad_value};
use super::super::parameters::Parameters;
use super::super::put::dimensions;
use super::definition::{DETECTOR, DetectorDocument, DetectorTarget};
use crate::answer::{CloudWatchProblem, Result};
use crate::paging::{page_from, with_next_token};
use crate::request::Step;
use crate::state::Shared;

type Answer = Result<Value>;

/// Most detectors of a server.
const DETECTORS_MAX: usize = 500;

/// Detectors of a page: usual and most, the latter as at Amazon.
const PAGE: usize = 50;
const PAGE_MAX: usize = 100;

const CHARS_MAX: usize = 255;

/// Most ids in a request, as at Amazon.
const IDS_MAX: usize = 50;

/// How long a detector waits for enough values before they are called insufficient: the two weeks that its model looks back.
const TRAINING_MS: i64 = 14 * 86_400_000;

const OPERATIONS: [(&str, Role); 3] = [
    ("PutAnomalyDetector", Role::Operate),
    ("DeleteAnomalyDetector", Role::Operate),
    ("DescribeAnomalyDetectors", Role::Read),
];

/// Returns the role that an operation on detectors needs; `None` if it is none.
pub(in crate::metrics) fn role_of(operation: &str) -> Option<Role> {
    OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, role)| *role)
}

/// Carries out an operation on detectors; `{}` is an empty answer. Blocks.
pub(in crate::metrics) fn carry_out(server: &Shared, operation: &str, input: &Value) -> Result<Step> {
    let input = Parameters::new(input);
    match operation {
        "DescribeAnomalyDetectors" => describe(server, &input),
        "PutAnomalyDetector" => put(server, &input).map(Step::Answer),
        _ => delete(server, &input).map(Step::Answer),
    }
}

fn now_ms(server: &Shared) -> i64 {
    server.now().0.div_euclid(Timestamp::MILLISECOND)
}

/// Returns the detectors of the server, in the order of their names.
fn all(server: &Shared) -> Result<Vec<(String, DetectorDocument)>> {
    let documents = server.settings().all(DETECTOR)?;
    let read = |(name, text): (String, String)| Some((name, serde_json::from_str(&text).ok()?));
    Ok(documents.into_iter().filter_map(read).collect())
}

/// Makes a detector, or changes its configuration.
fn put(server: &Shared, input: &Parameters<'_>) -> Answer {
    let target = DetectorTarget::read(input)?;
    let detectors = all(server)?;
    let known = detectors.iter().find(|(name, _)| *name == target.name);
    if known.is_none() && detectors.len() >= DETECTORS_MAX {
        let message = format!("You have reached the maximum number of anomaly detectors, {DETECTORS_MAX}.");
        return Err(CloudWatchProblem::new("LimitExceededException", message));
    }
    let document = target.document(input, known.map_or_else(|| now_ms(server), |(_, known)| known.made_ms))?;
    check_reach(server, &document)?;
    server.settings().put(DETECTOR, &target.name, &to_json(&document)?)?;
    Ok(json!({"AnomalyDetectorId": target.name}))
}

fn delete(server: &Shared, input: &Parameters<'_>) -> Answer {
    let wanted = match input.text("AnomalyDetectorId", CHARS_MAX)? {
        Some(id) => id.to_owned(),
        None => DetectorTarget::read(input)?.name,
    };
    let found = all(server)?.into_iter().find(|(name, _)| *name == wanted);
    match found {
        Some((name, document)) if server.reaches_all(&document.groups) => {
            server.settings().remove(DETECTOR, &name)?;
            Ok(json!({}))
        }
        _ => Err(CloudWatchProblem::new("ResourceNotFoundException", "Unknown anomaly detector.")),
    }
}

fn check_reach(server: &Shared, document: &DetectorDocument) -> Result<()> {
    match document.groups.iter().find(|group| !server.reaches(group)) {
        None => Ok(()),
        Some(beyond) => Err(CloudWatchProblem::denied(format!("The group {beyond} does not exist for this key."))),
    }
}

/// Which detectors are asked for.
struct DetectorFilter {
    takes_single: bool,
    takes_math: bool,
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Vec<(String, String)>,
    /// Ids, which exclude everything else.
    ids: Vec<String>,
}

impl DetectorFilter {
    fn read(input: &Parameters<'_>) -> Result<Self> {
        let types = input.texts("AnomalyDetectorTypes", 2)?;
        if let Some(other) = types.iter().find(|kind| !["SINGLE_METRIC", "METRIC_MATH"].contains(kind)) {
            let rule = "SINGLE_METRIC or METRIC_MATH";
            return Err(bad_value(format!("The value {other:?} of AnomalyDetectorTypes must be {rule}.")));
        }
        let ids: Vec<String> = input.texts("AnomalyDetectorIds", IDS_MAX)?.into_iter().map(str::to_owned).collect();
        let others = ["Namespace", "MetricName", "Dimensions", "AnomalyDetectorTypes"];
        if let Some(other) = others.into_iter().find(|name| !ids.is_empty() && input.get(name).is_some()) {
            return Err(bad_combination(format!("AnomalyDetectorIds excludes {other}.")));
        }
        Ok(Self {
            ids,
            takes_single: types.is_empty() || types.contains(&"SINGLE_METRIC"),
            takes_math: types.contains(&"METRIC_MATH"),
            namespace: input.text("Namespace", CHARS_MAX)?.map(str::to_owned),
            name: input.text("MetricName", CHARS_MAX)?.map(str::to_owned),
            dimensions: dimensions(input)?.into_iter().collect(),
        })
    }

    /// Reports whether a detector is asked for; only those of single metrics are chosen by metric, as at Amazon.
    fn accepts(&self, target: &DetectorTarget) -> bool {
        if !self.ids.is_empty() {
            return self.ids.contains(&target.name);
        }
        let Some(metric) = &target.metric else { return self.takes_math };
        self.takes_single
            && self.namespace.as_ref().is_none_or(|wanted| *wanted == metric.namespace)
            && self.name.as_ref().is_none_or(|wanted| *wanted == metric.name)
            && self.dimensions.iter().all(|(name, value)| metric.dimensions.get(name) == Some(value))
    }
}

/// Begins `DescribeAnomalyDetectors`. A token is the number of detectors before its page.
fn describe(server: &Shared, input: &Parameters<'_>) -> Result<Step> {
    let filter = DetectorFilter::read(input)?;
    let most = input.most("MaxResults", PAGE, PAGE_MAX)?;
    let start = input.start(100)?;
    let mut chosen = Vec::new();
    for (_, document) in all(server)?.into_iter().filter(|(_, document)| server.reaches_all(&document.groups)) {
        let target = DetectorTarget::read(&Parameters::new(&document_target(&document.shown)))?;
        if filter.accepts(&target) {
            chosen.push((target, document));
        }
    }
    let (_, next) = page_from(&chosen, start, most);
    let page: Vec<_> = chosen.into_iter().skip(start).take(most).collect();
    let now = now_ms(server);
    Ok(Step::query("DescribeAnomalyDetectors", move |run| {
        let mut shown = Vec::new();
        for (target, document) in page {
            let config = BandConfig::read(&Parameters::new(&document.shown));
            let config = config.map_err(|problem| Problem::internal(problem.parts().2.to_owned()))?;
            let trained = is_trained(run, (&target.queries, &target.id), &config, now);
            // A history that cannot be read, or is too long, is no reason to show none of the detectors.
            let state = match trained.unwrap_or(false) {
                true => "TRAINED",
                false if now - document.made_ms < TRAINING_MS => "PENDING_TRAINING",
                false => "TRAINED_INSUFFICIENT_DATA",
            };
            let mut one = document.shown;
            one["AnomalyDetectorId"] = target.name.into();
            one["StateValue"] = state.into();
            shown.push(one);
        }
        Ok(with_next_token(json!({"AnomalyDetectors": shown}), next))
    }))
}

/// Returns the members of a document that say what the detector is of, in the newer form alone.
fn document_target(shown: &Value) -> Value {
    let members = ["SingleMetricAnomalyDetector", "MetricMathAnomalyDetector"];
    members.into_iter().filter_map(|name| Some((name.to_owned(), shown.get(name)?.clone()))).collect()
}
