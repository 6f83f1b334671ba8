//! Pipelines: what an operator wants done to events on their way in, the same for every door.
//!
//! A pipeline has a condition and steps: take fields out of a text, rename, set and drop them, mask what must not be kept,
//! sample, take level or time from a field, route to another group. Events pass through all pipelines in order, unless
//! one of them stops there. It happens before anything is written: what was masked or dropped is nowhere on the disk.
//!
//! A pipeline never refuses an event: a step that cannot be done (a text of another form, a field that is not there) leaves
//! the event as it is and is counted. Everything here is linear in the event, and there is a bound on the number of steps.

mod condition;
mod draft;
mod dry_run;
mod format;
mod made;
mod mask;
mod outcome;
mod recognised_fields;
mod step;
mod template;
mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::Value as Json;
use types::{GroupName, Limits};

use condition::Condition;
use definition::{DefinitionError, Node};
pub(crate) use draft::Draft;
pub use dry_run::{DryRun, Sample};
pub use made::{MadePipeline, MakePipelineError};
pub(crate) use made::{MadePipelines, put as put_made, remove as remove_made};
pub(crate) use outcome::{Done, Fate, Surroundings};
use step::Step;
pub use trial::{Trial, TrialCounts, TrialExample, TrialOutcome};

/// Most pipelines, and most steps of one.
const PIPELINES_MAX: usize = 256;
const STEPS_MAX: usize = 256;

/// Keys of a pipeline.
const KEYS: [&str; 4] = ["name", "match", "steps", "stop"];

/// Longest name of a pipeline, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// All pipelines, compiled.
#[derive(Debug, Default)]
pub struct Pipelines {
    list: Vec<Pipeline>,
}

#[derive(Debug)]
struct Pipeline {
    name: String,
    condition: Condition,
    steps: Vec<Step>,
    stops: bool,
    counters: Arc<Counters>,
    /// As it was written, without keys.
    definition: Json,
}

/// What a pipeline did since the start.
#[derive(Debug, Default)]
struct Counters {
    events: AtomicU64,
    dropped: AtomicU64,
    sampled_out: AtomicU64,
    masked: AtomicU64,
    routed: AtomicU64,
    failed: AtomicU64,
}

/// A pipeline and what it did since the start.
#[derive(Clone, Debug, Serialize)]
pub struct PipelineStatus {
    /// Its name.
    pub name: String,
    /// As it was written, without keys.
    pub definition: Json,
    /// Events that fulfilled its condition.
    pub events: u64,
    /// Those that it dropped.
    pub dropped: u64,
    /// Those that fell out of its samples.
    pub sampled_out: u64,
    /// Those in which it masked something.
    pub masked: u64,
    /// Those that it sent to another group.
    pub routed: u64,
    /// Steps that could not be done.
    pub failed: u64,
}

/// Hears what pipelines do to one event.
trait Witness {
    fn passed_by(&mut self, _pipeline: &str, _reason: &str) {}
    fn matched(&mut self, _pipeline: &str) {}
    fn before(&mut self, _draft: &Draft) {}
    fn step(&mut self, _number: usize, _step: &Step, _done: Done, _draft: &Draft) {}
}

/// Listens to nothing.
struct Nobody;

impl Witness for Nobody {}

impl Pipelines {
    /// Compiles definitions, an array of objects.
    ///
    /// # Errors
    /// The mistakes of all pipelines: unknown keys, and the first other mistake of each condition and step.
    pub fn compile(definitions: &Json) -> Result<Self, Vec<DefinitionError>> {
        let root = Node::root("pipeline", definitions);
        let nodes = root.items().map_err(|error| vec![error])?;
        if nodes.len() > PIPELINES_MAX {
            return Err(vec![root.error(format!("there may be {PIPELINES_MAX} pipelines at most"))]);
        }
        let (mut list, mut errors): (Vec<Pipeline>, Vec<DefinitionError>) = (Vec::new(), Vec::new());
        for node in &nodes {
            match Pipeline::compile(node) {
                Ok(pipeline) if list.iter().any(|known| known.name == pipeline.name) => {
                    let problem = format!("there is another pipeline with the name {:?}", pipeline.name);
                    errors.push(node.child("name").error(problem));
                }
                Ok(pipeline) => list.push(pipeline),
                Err(error) => errors.extend(Pipeline::mistakes(node, error)),
            }
        }
        if errors.is_empty() { Ok(Self { list }) } else { Err(errors) }
    }

    /// Goes on counting where pipelines of the same name were.
    pub(crate) fn continue_counting(&mut self, before: &Self) {
        for pipeline in &mut self.list {
            if let Some(known) = before.list.iter().find(|known| known.name == pipeline.name) {
                pipeline.counters = known.counters.clone();
            }
        }
    }

    /// Reports whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Reports whether a pipeline may match an event of the group.
    pub(crate) fn concern(&self, group: &GroupName) -> bool {
        self.list.iter().any(|pipeline| pipeline.condition.admits_group(group))
    }

    /// Returns all pipelines with what they did since the start.
    pub fn status(&self) -> Vec<PipelineStatus> {
        let of = |pipeline: &Pipeline| {
            let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            let counters = &pipeline.counters;
            PipelineStatus {
                name: pipeline.name.clone(),
                definition: pipeline.definition.clone(),
                events: get(&counters.events),
                dropped: get(&counters.dropped),
                sampled_out: get(&counters.sampled_out),
                masked: get(&counters.masked),
                routed: get(&counters.routed),
                failed: get(&counters.failed),
            }
        };
        self.list.iter().map(of).collect()
    }

    /// Compiles one definition by itself.
    ///
    /// # Errors
    /// Its mistakes, a line each.
    pub fn compile_one(definition: &Json) -> Result<Self, String> {
        Self::compile(&Json::Array(vec![definition.clone()])).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })
    }

    /// Reports whether one has the name.
    pub fn has(&self, name: &str) -> bool {
        self.list.iter().any(|pipeline| pipeline.name == name)
    }

    /// Adds pipelines that come after these.
    ///
    /// # Errors
    /// If one of them has the name of another, or they are too many.
    pub(crate) fn append(mut self, others: Self) -> Result<Self, String> {
        let is_taken = |pipeline: &&Pipeline| self.list.iter().any(|known| known.name == pipeline.name);
        if let Some(twice) = others.list.iter().find(is_taken) {
            return Err(format!("there is another pipeline with the name {:?}", twice.name));
        }
        if self.list.len() + others.list.len() > PIPELINES_MAX {
            return Err(format!("there may be {PIPELINES_MAX} pipelines at most"));
        }
        self.list.extend(others.list);
        Ok(self)
    }

    /// Sends the event through all pipelines, and counts.
    pub(crate) fn apply(&self, draft: &mut Draft, around: Surroundings<'_>) -> Fate {
        self.run(draft, around, &mut Nobody, true)
    }

    fn run(&self, draft: &mut Draft, around: Surroundings<'_>, witness: &mut impl Witness, counts: bool) -> Fate {
        for pipeline in &self.list {
            if let Err(reason) = pipeline.condition.check(draft) {
                witness.passed_by(&pipeline.name, reason);
                continue;
            }
            witness.matched(&pipeline.name);
            let fate = pipeline.run(draft, around, witness, counts);
            if fate != Fate::Kept || pipeline.stops {
                return fate;
            }
        }
        Fate::Kept
    }
}

impl Pipeline {
    /// Returns the mistakes of a definition; `first` is the one that ended its compilation.
    fn mistakes(node: &Node<'_>, first: DefinitionError) -> Vec<DefinitionError> {
        let mut errors = node.unknown_keys(&KEYS);
        errors.extend(node.get("match").and_then(|node| Condition::compile(&node).err()));
        let steps = node.get("steps").and_then(|steps| steps.items().ok()).unwrap_or_default();
        errors.extend(steps.iter().flat_map(Step::mistakes));
        if !errors.contains(&first) {
            errors.insert(0, first);
        }
        errors
    }

    fn compile(node: &Node<'_>) -> Result<Self, DefinitionError> {
        node.check_keys(&KEYS)?;
        let name = node.needed("name", "a name of its own, such as \"web\"")?;
        let text = name.text()?;
        if text.is_empty() || text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(name.error(format!("a name has 1 to {NAME_BYTES_MAX} printable bytes")));
        }
        let condition = node.get("match").map(|node| Condition::compile(&node)).transpose()?.unwrap_or_default();
        let steps = node.needed("steps", "a list of steps")?;
        let nodes = steps.items()?;
        if nodes.is_empty() || nodes.len() > STEPS_MAX {
            return Err(steps.error(format!("a pipeline has 1 to {STEPS_MAX} steps")));
        }
        let stops = node.get("stop").map(|node| node.truth()).transpose()?.unwrap_or(false);
        Ok(Self {
            name: text.to_owned(),
            condition,
            steps: nodes.iter().map(Step::compile).collect::<Result<_, _>>()?,
            stops,
            counters: Arc::default(),
            definition: without_keys(node.value),
        })
    }

    fn run(&self, draft: &mut Draft, around: Surroundings<'_>, witness: &mut impl Witness, counts: bool) -> Fate {
        let count = |counter: &AtomicU64| {
            if counts {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        };
        let counters = &self.counters;
        count(&counters.events);
        let (mut is_masked, mut is_routed) = (false, false);
        let mut fate = Fate::Kept;
        for (index, step) in self.steps.iter().enumerate() {
            witness.before(draft);
            let done = step.apply(draft, around);
            witness.step(index + 1, step, done, draft);
            match done {
                Done::Masked => is_masked = true,
                Done::Routed => is_routed = true,
                Done::Failed(_) => count(&counters.failed),
                Done::Dropped => {
                    count(&counters.dropped);
                    fate = Fate::Dropped;
                    break;
                }
                Done::SampledOut => {
                    count(&counters.sampled_out);
                    fate = Fate::SampledOut;
                    break;
                }
                Done::Changed | Done::Nothing => {}
            }
        }
        if is_masked {
            count(&counters.masked);
        }
        if is_routed {
            count(&counters.routed);
        }
        fate
    }
}

/// Returns the limits under which pipelines see events: texts are split only after masking.
pub(crate) fn whole_texts(limits: &Limits) -> Limits {
    Limits { event_bytes_max: usize::MAX, ..limits.clone() }
}

/// Returns a definition as it may be shown.
fn without_keys(definition: &Json) -> Json {
    match definition {
        Json::Object(members) => {
            let shown = |(name, value): (&String, &Json)| {
                let value = if name == "hash_key" { Json::from("not shown") } else { without_keys(value) };
                (name.clone(), value)
            };
            Json::Object(members.iter().map(shown).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_keys).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
