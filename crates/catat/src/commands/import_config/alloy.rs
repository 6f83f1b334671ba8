//! Inputs of Grafana Alloy: sources of logs, what their targets are, and the stages that their lines go through (Grafana: *Alloy components*).

mod syntax;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub(super) use self::syntax::is_alloy;
use self::syntax::{Block, computed, joined};
use super::document::Section;
use super::input::Input;
use super::shippers::{ELSEWHERE, NO_EQUAL, STAGES_LEFT, UNKNOWN, add_labels, promtail_stage};
use crate::failure::{Failure, Result};

/// Attributes that say how components are joined; they are followed, so that they may be computed.
const JOINTS: [&str; 4] = ["targets", "path_targets", "forward_to", "relabel_rules"];

/// Blocks about Alloy itself.
const OWN: [&str; 6] = ["logging", "tracing", "livedebugging", "http", "remotecfg", "foreach"];

/// Why rules for labels are left.
const LABELS_LEFT: &str = "labels are as the targets have them; what changes events is for a [[pipeline]]";

/// Stages that are taken; what others do to lines is named.
const STAGES: [&str; 5] = ["multiline", "drop", "static_labels", "cri", "docker"];

/// Components that are followed from one to the next at most.
const STEPS_MAX: usize = 16;

/// What a source reads.
enum Target {
    /// Files, by the labels of the target.
    Files(Section),
    /// Containers of Docker or Kubernetes.
    Containers,
}

/// The components of a configuration.
struct Components {
    /// By their names with the label, such as `loki.write.default`.
    all: BTreeMap<String, Section>,
    /// Those that a source was led through.
    followed: BTreeSet<String>,
}

/// Takes the sources of a configuration as inputs; the rest is named.
pub(super) fn inputs(text: &str, notes: &mut Vec<String>) -> Result<Vec<Input>> {
    let blocks = syntax::read(text).map_err(Failure::usage)?;
    let mut components = Components { all: BTreeMap::new(), followed: BTreeSet::new() };
    for block in blocks {
        let name = block.full_name();
        let members = members_of(&name, block, notes);
        components.all.insert(name.clone(), Section::at(name, members));
    }
    let mut inputs = Vec::new();
    let is_source = |name: &&String| name.starts_with("loki.source.");
    let sources: Vec<String> = components.all.keys().filter(is_source).cloned().collect();
    for name in sources {
        let Some(mut source) = components.all.remove(&name) else { continue };
        let Some(mut of_source) = components.source(&name, &mut source, notes) else {
            notes.push(format!("{name} is not taken: {UNKNOWN}"));
            continue;
        };
        let label = name.rsplit('.').next().unwrap_or_default().to_owned();
        of_source.iter_mut().for_each(|input| input.name = Some(label.clone()));
        components.process(source.take("forward_to"), &mut of_source, notes);
        source.leave(NO_EQUAL, notes);
        inputs.append(&mut of_source);
    }
    components.leave(notes);
    // A stage of several sources is named once.
    let mut told = BTreeSet::new();
    notes.retain(|note| told.insert(note.clone()));
    Ok(inputs)
}

/// Returns what is in a block: blocks within it are lists by their names. What is computed is named, for it is known only there.
fn members_of(path: &str, block: Block, notes: &mut Vec<String>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, mut value) in block.attributes {
        let within = format!("{path}.{name}");
        if !JOINTS.contains(&&*name) && !is_constant(&mut value, &within, notes) {
            continue;
        }
        members.insert(name, value);
    }
    for inner in block.blocks {
        let name = inner.full_name();
        let list = members.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            let within = format!("{path}.{name}[{}]", list.len());
            list.push(Value::Object(members_of(&within, inner, notes)));
        }
    }
    members
}

/// Reports whether a value is known before Alloy runs; members of objects that are not are taken out.
fn is_constant(value: &mut Value, path: &str, notes: &mut Vec<String>) -> bool {
    if let Some(expression) = computed(value) {
        notes.push(format!("{path} is not taken: it is computed: {expression}"));
        return false;
    }
    match value {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                let is_kept =
                    members.get_mut(&name).is_some_and(|value| is_constant(value, &format!("{path}.{name}"), notes));
                if !is_kept {
                    members.remove(&name);
                }
            }
        }
        Value::Array(values) => values.retain_mut(|value| is_constant(value, path, notes)),
        _ => {}
    }
    true
}

impl Components {
    /// Returns the inputs of a source; `None` for one that is not known.
    fn source(&mut self, name: &str, source: &mut Section, notes: &mut Vec<String>) -> Option<Vec<Input>> {
        let kind = name.strip_prefix("loki.source.")?.split('.').next()?;
        let mut inputs = Vec::new();
        match kind {
            "file" => {
                // Whether patterns of paths are looked up by the source itself.
                source.section("file_match").or_else(|| source.sections("file_match").pop());
                let from_end = source.flag("tail_from_end") == Some(true);
                for target in self.targets(source.take("targets"), 0, notes) {
                    let mut input = match target {
                        Target::Containers => Input::of("containers"),
                        Target::Files(labels) => of_files(labels),
                    };
                    input.backlog = from_end.then(|| "none".to_owned());
                    inputs.push(input);
                }
            }
            "journal" => {
                let mut input = Input { since: source.text("max_age"), ..Input::of("journal") };
                source.section("labels").into_iter().for_each(|labels| add_labels(&mut input, labels));
                source.take("format_as_json");
                inputs.push(input);
            }
            "syslog" => {
                for mut listener in source.sections("listener") {
                    let (address, protocol) = (listener.text("address"), listener.text("protocol"));
                    let mut input = Input::of("syslog");
                    let is_udp = protocol.as_deref() == Some("udp");
                    *(if is_udp { &mut input.udp } else { &mut input.tcp }) = address;
                    listener.section("labels").into_iter().for_each(|labels| add_labels(&mut input, labels));
                    listener.leave(NO_EQUAL, notes);
                    inputs.push(input);
                }
            }
            "docker" | "kubernetes" | "podlogs" => {
                self.targets(source.take("targets"), 0, notes);
                source.take("host");
                inputs.push(Input::of("containers"));
            }
            _ => return None,
        }
        Some(inputs)
    }

    /// Returns what a list of targets has: its own ones, and those of the components that it names.
    fn targets(&mut self, value: Option<Value>, steps: usize, notes: &mut Vec<String>) -> Vec<Target> {
        let Some(value) = value else { return Vec::new() };
        let Some(expression) = computed(&value).map(str::to_owned) else {
            let Value::Array(list) = value else { return Vec::new() };
            let mut targets = Vec::new();
            for one in list {
                match one {
                    Value::Object(mut labels) if computed(&Value::Object(labels.clone())).is_none() => {
                        labels.retain(|name, value| is_constant(value, &format!("targets.{name}"), notes));
                        targets.push(Target::Files(Section::at("targets".to_owned(), labels)));
                    }
                    other => targets.extend(self.targets(Some(other), steps, notes)),
                }
            }
            return targets;
        };
        let mut targets = Vec::new();
        if let Some(lists) = joined(&expression).filter(|_| steps < STEPS_MAX) {
            return lists.into_iter().flat_map(|list| self.targets(Some(list), steps + 1, notes)).collect();
        }
        for name in self.named_in(&expression) {
            self.followed.insert(name.clone());
            if name.starts_with("discovery.docker") || name.starts_with("discovery.kubernetes") {
                targets.push(Target::Containers);
                continue;
            }
            let Some(mut component) = self.all.get(&name).cloned().filter(|_| steps < STEPS_MAX) else { continue };
            let own = component.take("path_targets").or_else(|| component.take("targets"));
            targets.extend(self.targets(own, steps + 1, notes));
        }
        if targets.is_empty() {
            notes.push(format!("targets are not taken: {expression}: they are known only when Alloy runs"));
        }
        targets
    }

    /// Applies the stages that lines go through on their way.
    fn process(&mut self, first: Option<Value>, inputs: &mut [Input], notes: &mut Vec<String>) {
        let mut next: Vec<String> = first.iter().flat_map(|to| self.named_by(to)).collect();
        for _ in 0..STEPS_MAX {
            let Some(name) = next.pop() else { return };
            let Some(mut stages) = self.all.get(&name).filter(|_| name.starts_with("loki.process.")).cloned() else {
                continue;
            };
            self.followed.insert(name.clone());
            for kind in STAGES {
                for mut stage in stages.sections(&format!("stage.{kind}")) {
                    let of_stage =
                        if kind == "static_labels" { stage.section("values").unwrap_or(stage) } else { stage };
                    promtail_stage(of_stage.within(&format!("{name}.stage"), kind), inputs, notes);
                }
            }
            let to = stages.take("forward_to");
            next.extend(to.iter().flat_map(|to| self.named_by(to)));
        }
    }

    /// Returns the components that a value names, such as `[loki.write.default.receiver]`.
    fn named_by(&self, value: &Value) -> Vec<String> {
        match value {
            Value::Array(values) => values.iter().flat_map(|value| self.named_by(value)).collect(),
            value => computed(value).map(|expression| self.named_in(expression)).unwrap_or_default(),
        }
    }

    /// Returns the components that occur in an expression, in its order.
    fn named_in(&self, expression: &str) -> Vec<String> {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let words = expression.split(|c| !is_of_name(c));
        let named = words.filter_map(|word| {
            let ends = word.match_indices('.').map(|(at, _)| at).chain([word.len()]);
            ends.filter_map(|end| word.get(..end)).rfind(|name| self.all.contains_key(*name))
        });
        named.map(str::to_owned).collect()
    }

    /// Names the components that no input has.
    fn leave(self, notes: &mut Vec<String>) {
        for (name, mut component) in self.all {
            let is_of =
                |kinds: &[&str]| kinds.iter().any(|kind| name == *kind || name.starts_with(&format!("{kind}.")));
            if is_of(&OWN) || is_of(&["discovery.docker", "discovery.kubernetes"]) && self.followed.contains(&name) {
                continue;
            }
            if self.followed.contains(&name) {
                JOINTS.iter().for_each(|joint| drop(component.take(joint)));
                STAGES.iter().for_each(|stage| drop(component.take(&format!("stage.{stage}"))));
                component.leave(if is_of(&["loki.process"]) { STAGES_LEFT } else { LABELS_LEFT }, notes);
                continue;
            }
            let reason = if is_of(&["loki.write", "otelcol.exporter", "prometheus.remote_write"]) {
                // What is computed in it, too.
                notes.retain(|note| !note.starts_with(&format!("{name}.")));
                ELSEWHERE
            } else if is_of(&["discovery.relabel", "loki.relabel"]) {
                LABELS_LEFT
            } else if is_of(&["loki.process", "local.file_match"]) {
                "no source that is taken leads to it"
            } else if is_of(&["otelcol.receiver"]) {
                "senders of OpenTelemetry send to the server itself"
            } else {
                UNKNOWN
            };
            notes.push(format!("{name} is not taken: {reason}"));
        }
    }
}

/// The input of a target of files.
fn of_files(mut labels: Section) -> Input {
    let (paths, exclude) = (labels.texts("__path__"), labels.texts("__path_exclude__"));
    let mut input = Input { paths, exclude, ..Input::default() };
    add_labels(&mut input, labels);
    input
}
