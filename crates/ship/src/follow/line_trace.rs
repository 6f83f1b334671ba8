//! Where one line of a file stands with a shipper: which input takes its file, which event it is part of, what the rules
//! of the input do to that event, and how far the file was delivered.
//!
//! Reads the file and the state directory, also while a shipper uses them, and changes nothing. Rules are those of
//! the options given, which may differ from those that were in force when the line was read.

mod file_line;

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::ops::Range;
use std::path::Path;

use super::options::{FileInput, FollowOptions};
use super::routing::{container_of, group_of, roots_of};
use crate::checkpoint::{Checkpoint, CheckpointError, Entry};
use crate::discover::{Reason, Root, reason_of_name, sniff};
use crate::identity::FileKey;
use crate::rules::{RuleFate, SourcePosition, same_length_text};
use file_line::FileLine;
pub use file_line::LineError;

types::named! {
    /// What became of a line at a stage.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum LineOutcome {
        /// It went on as it was.
        Passed = "passed",
        /// It went on, changed.
        Changed = "changed",
        /// It went no further.
        Stopped = "stopped",
        /// It will go on.
        Waiting = "waiting",
        /// Nothing is known.
        Unknown = "unknown",
    }
}

/// A stage, and what became of the line there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineStage {
    /// The name of the stage: `file`, `input`, `event`, `rules`, `shipper`.
    pub name: &'static str,
    /// What became of the line.
    pub outcome: LineOutcome,
    /// The same as a sentence.
    pub text: String,
}

/// The event that a line is part of, as a shipper sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedLine {
    /// The text of the event as it leaves the host.
    pub text: String,
    /// Its bytes in the file.
    pub range: Range<u64>,
    /// The path under which the server knows the file.
    pub path: String,
    /// Name of the host.
    pub host: String,
    /// The time zone that the shipper states.
    pub zone: Option<String>,
    /// The group, unless only the server knows it.
    pub group: Option<String>,
    /// The stream, where an input defines one.
    pub stream: Option<String>,
    /// Fields that the shipper adds.
    pub fields: BTreeMap<String, String>,
    /// The file and generation, as the server knows them; nothing for a file that no shipper follows.
    pub identity: Option<(String, u64)>,
}

/// What became of a line on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTrace {
    /// The stages, in order; the last one may be its end.
    pub stages: Vec<LineStage>,
    /// The event that it is part of; nothing if the line is in none.
    pub event: Option<TracedLine>,
}

impl LineTrace {
    /// Traces line `number` of the file at `path`, counted from 1, for a shipper with these options.
    ///
    /// # Errors
    /// If the file cannot be read as text or has fewer lines, or the state directory cannot be read.
    pub fn new(options: &FollowOptions, path: &Path, number: u64) -> Result<Self, LineError> {
        let io = |error| LineError::Io { path: path.to_owned(), error };
        let path = std::path::absolute(path).map_err(io)?;
        let metadata = fs::metadata(&path).map_err(io)?;
        let entries = match Checkpoint::look_at(&options.state_dir) {
            Ok((_, entries)) => entries,
            Err(CheckpointError::Io { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let key = FileKey::of(&metadata);
        let entry = entries.into_iter().find(|entry| entry.key == key && entry.packed.is_none());
        let roots = roots_of(options)?;
        let shipped = ShippedFile { options, path: &path, entry: entry.as_ref(), root: None };
        let root = roots.iter().find(|root| root.names(&path) && !shipped.is_ours(root));
        ShippedFile { root, ..shipped }.trace(&roots, &metadata, number)
    }
}

/// A file, and what a shipper knows about it.
struct ShippedFile<'a> {
    options: &'a FollowOptions,
    path: &'a Path,
    entry: Option<&'a Entry>,
    root: Option<&'a Root>,
}

impl ShippedFile<'_> {
    fn trace(&self, roots: &[Root], metadata: &Metadata, number: u64) -> Result<LineTrace, LineError> {
        let input = self.root.and_then(|root| self.options.inputs.get(root.input));
        let line = FileLine::read(self.path, number, input.map(|input| &input.multiline))?;
        let mut stages = vec![stage("file", LineOutcome::Passed, file_text(self.path, metadata, &line))];
        stages.push(self.input_stage(roots));
        let unfinished =
            if line.is_unfinished { "; it has no line end yet, so it is sent after 5 s of silence" } else { "" };
        let text = match line.lines {
            (first, last) if first == last => format!("the line is an event of its own{unfinished}"),
            (first, last) => format!("part of the event of lines {first} to {last}{unfinished}"),
        };
        if line.is_empty() {
            stages.push(stage("event", LineOutcome::Stopped, "an empty line is no event"));
            return Ok(LineTrace { stages, event: None });
        }
        stages.push(stage("event", LineOutcome::Passed, text));
        let (rules, sent) = self.rules_stage(input, &line);
        stages.extend(rules);
        stages.push(self.shipper_stage(&line));
        let event = self.event(input, &line, sent);
        Ok(LineTrace { stages, event: Some(event) })
    }

    /// Reports whether the file is in a directory of our own, which no input reads unless it is named.
    fn is_ours(&self, root: &Root) -> bool {
        let excluded = self.options.excluded.iter().filter_map(|path| std::path::absolute(path).ok());
        excluded.into_iter().any(|ours| self.path.starts_with(&ours) && !root.place.base.starts_with(&ours))
    }

    fn input_stage(&self, roots: &[Root]) -> LineStage {
        let name = |root: &Root| self.options.inputs.get(root.input).map_or("", |input| &*input.name);
        let Some(root) = self.root else {
            if let Some(entry) = self.entry {
                let text = format!("a shipper with this state directory follows it as {}", entry.path);
                return stage("input", LineOutcome::Passed, text);
            }
            let excluding = roots.iter().find(|root| root.place.names(self.path) && root.leaves_out(self.path));
            let text = excluding.map_or_else(
                || {
                    "no input names this file; name it in an input, or as a PATH of `catat up` or `catat ship`"
                        .to_owned()
                },
                |root| format!("the input {:?} excludes it", name(root)),
            );
            return stage("input", LineOutcome::Stopped, text);
        };
        let reason = reason_of_name(self.path).or_else(|| sniff(self.path).err());
        match reason {
            // A file that is followed was text when it was looked at.
            Some(reason) if self.entry.is_none() || matches!(reason, Reason::Unreadable(_)) => {
                stage("input", LineOutcome::Stopped, format!("left out: {reason}"))
            }
            _ => stage("input", LineOutcome::Passed, format!("the input {:?} takes it", name(root))),
        }
    }

    /// Returns the stage of the rules, and the event as they leave it.
    fn rules_stage(&self, input: Option<&FileInput>, line: &FileLine) -> (Option<LineStage>, String) {
        let text = same_length_text(line.bytes.trim_ascii_end()).into_owned();
        let whole = String::from_utf8_lossy(&line.bytes).into_owned();
        let Some(input) = input.filter(|input| !input.rules.is_empty()) else { return (None, whole) };
        if self.entry.is_none() && input.rules.sample.is_some() {
            let text =
                "the input is sampled by a name that a file gets when it is followed: it is open whether this is sent";
            return (Some(stage("rules", LineOutcome::Unknown, text)), whole);
        }
        let (file, generation) = self.entry.map_or(("", 0), |entry| (&*entry.file, entry.generation));
        let place = SourcePosition { file, generation, start: line.range.start };
        let name = &input.name;
        let stopped = |text: String| (Some(stage("rules", LineOutcome::Stopped, text)), whole.clone());
        match input.rules.fate(&text, place) {
            RuleFate::Dropped => return stopped(format!("`drop` of the input {name:?} matches: it is not sent")),
            RuleFate::NotKept => return stopped(format!("no `keep` of the input {name:?} matches: it is not sent")),
            RuleFate::SampledOut => {
                let n = input.rules.sample.unwrap_or(1);
                return stopped(format!("one of {n} events of the input {name:?} is sent, and this is none of those"));
            }
            RuleFate::Sent => {}
        }
        let mut bytes = line.bytes.clone();
        input.rules.apply(&mut bytes, Some(&[line.bytes.len() as u64]), place);
        if bytes == line.bytes {
            let text = format!("the rules of the input {name:?} leave it as it is");
            return (Some(stage("rules", LineOutcome::Passed, text)), whole);
        }
        let text = format!("`mask` of the input {name:?} replaces a part of it by asterisks");
        (Some(stage("rules", LineOutcome::Changed, text)), String::from_utf8_lossy(&bytes).into_owned())
    }

    fn shipper_stage(&self, line: &FileLine) -> LineStage {
        let dir = self.options.state_dir.display();
        let Some(entry) = self.entry else {
            let text = match self.options.state_dir.is_dir() {
                true => format!("the shipper of {dir} does not follow the file yet"),
                false => format!("no shipper has a state directory at {dir}; name another with --state-dir"),
            };
            return stage("shipper", LineOutcome::Unknown, text);
        };
        let (offset, end) = (entry.mark.offset, line.range.end);
        if end <= entry.begin {
            let text =
                "the shipper began after it: old data beyond the limits of age and size is left out; --all reads it";
            return stage("shipper", LineOutcome::Stopped, text);
        }
        if end <= offset {
            let text = format!("read and sent: a server acknowledged {offset} bytes of the file");
            return stage("shipper", LineOutcome::Passed, text);
        }
        let text = format!("not sent yet, or not acknowledged: {offset} bytes of the file are, and it ends at {end}");
        stage("shipper", LineOutcome::Waiting, text)
    }

    fn event(&self, input: Option<&FileInput>, line: &FileLine, text: String) -> TracedLine {
        let path = self.entry.map_or_else(|| self.path.to_string_lossy().into_owned(), |entry| entry.path.clone());
        let number = self.root.map(|root| root.input);
        let container = number.and_then(|number| container_of(self.options, number, &path));
        let mut fields = container.as_ref().map(|container| container.fields.clone()).unwrap_or_default();
        fields.extend(input.map(|input| input.fields.clone()).unwrap_or_default());
        let stream = input.and_then(|input| input.stream.clone());
        TracedLine {
            text,
            range: line.range.clone(),
            host: self.options.host.clone(),
            zone: input.and_then(|input| input.zone.clone()).or_else(|| self.options.zone.clone()),
            group: number.map(|number| group_of(self.options, number, &path).as_str().to_owned()),
            stream: stream.or_else(|| Some(container?.stream(&self.options.host))),
            fields,
            identity: self.entry.map(|entry| (entry.file.clone(), entry.generation)),
            path,
        }
    }
}

fn stage(name: &'static str, outcome: LineOutcome, text: impl Into<String>) -> LineStage {
    LineStage { name, outcome, text: text.into() }
}

fn file_text(path: &Path, metadata: &Metadata, line: &FileLine) -> String {
    let Range { start, end } = line.range;
    format!("{} has {} bytes; the event is bytes {start} to {end}", path.display(), metadata.len())
}

#[cfg(test)]
mod tests;
