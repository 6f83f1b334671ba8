//! Inputs as they are defined: a list of tables, of which each has a type from [`TYPES`].
//!
//! A new type is a line there, with the keys that it has besides those of its kind and the function that reads them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use definition::{DefinitionError, Node, nearest};
use serde_json::Value as Json;
use types::{ByteSize, ensure, group_name_of_outside, parse_duration_ns};

use super::heartbeat::Heartbeat;
use super::host_metrics::HostMetrics;
use super::journal::{Journal, StartPoint};
use super::syslog::{Listener, Syslog};
use super::{Command, Input, InputOptions, Stdin, scrape};
use crate::glob::{Glob, is_pattern};
use crate::rules::{self, Rules};
use crate::{Backlog, FileInput, Multiline, Options};

/// What makes the lines of an input that is no file, or what is wrong with its definition.
type OpenedInput = Result<Option<Box<dyn Input>>, DefinitionError>;

/// Most inputs of one shipper: each that is no file has a thread.
const INPUTS_MAX: usize = 256;

/// Longest name: it is a directory's.
const NAME_BYTES_MAX: usize = 64;

/// Default bytes of lines kept on disk: an hour of 300 kB/s.
const BUFFER_BYTES: u64 = 1 << 30;

/// Least that can be kept: the lines that are written at once have room.
const BUFFER_BYTES_MIN: u64 = 1 << 20;

/// Default and shortest interval of measurements.
const INTERVAL: Duration = Duration::from_secs(15);
const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Where logs of containers are: links of Kubernetes', what they lead to, which is rotated there, Docker's, nerdctl's and Podman's.
/// A file that is found in several ways is followed once, by the first.
const CONTAINER_PATHS: [&str; 5] = [
    "/var/log/containers/*.log",
    "/var/log/pods/*/*/*.log*",
    "/var/lib/docker/containers/*/*-json.log*",
    "/var/lib/nerdctl/*/containers/*/*/*-json.log*",
    "/var/lib/containers/storage/*-containers/*/userdata/ctr.log",
];

/// How messages of syslog begin.
const SYSLOG_START: &str = r"^<\d{1,3}>";

/// Longest time that an event waits for further lines: alerts wait as long.
const HOLD_MAX: Duration = Duration::from_secs(60);

/// Keys of every input.
const KEYS: [&str; 9] = ["name", "type", "group", "stream", "fields", "zone", "format", "multiline", "hold"];

/// Keys of an input that follows files of others.
const KEYS_OF_FILES: [&str; 3] = ["paths", "exclude", "backlog"];

/// Keys of an input that makes samples.
const KEYS_OF_SAMPLES: [&str; 4] = ["name", "type", "fields", "buffer"];

/// What an input gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Files of others, which are followed.
    Files,
    /// Lines, which are kept on disk; `buffer` says how many.
    Lines,
    /// Samples, which are kept in the same way, and whose labels say where they belong.
    Samples,
}

/// A type of input.
struct Type {
    name: &'static str,
    /// Its own keys.
    keys: &'static [&'static str],
    content: Content,
    /// Reads its own keys: what makes the lines. A type that follows files may set here which, and gives nothing.
    read: fn(&Node<'_>, &mut FileInput) -> OpenedInput,
}

/// Every type there is.
const TYPES: &[Type] = &[
    Type { name: "files", keys: &["compressed"], content: Content::Files, read: read_files },
    Type { name: "containers", keys: &["compressed"], content: Content::Files, read: read_containers },
    Type {
        name: "journal",
        keys: &["units", "matches", "since", "directory"],
        content: Content::Lines,
        read: read_journal,
    },
    Type { name: "syslog", keys: &["udp", "tcp", "allow"], content: Content::Lines, read: read_syslog },
    Type { name: "stdin", keys: &[], content: Content::Lines, read: |_, _| Ok(Some(Box::new(Stdin))) },
    Type { name: "command", keys: &["command", "every"], content: Content::Lines, read: read_command },
    Type { name: "host_metrics", keys: &["every"], content: Content::Lines, read: read_host_metrics },
    Type { name: "scrape", keys: &[], content: Content::Samples, read: scrape::read_scrape },
    Type { name: "node_exporter", keys: &[], content: Content::Samples, read: scrape::read_node_exporter },
    Type {
        name: "heartbeat",
        keys: &["every"],
        content: Content::Lines,
        read: |node, _| Ok(Some(Box::new(Heartbeat::new(interval_of(node)?)))),
    },
];

/// An input that was defined.
pub struct DefinedInput {
    /// Files, or how the lines are shipped.
    pub file: FileInput,
    /// What makes the lines; nothing if files are followed.
    pub input: Option<Box<dyn Input>>,
    /// Its type.
    pub kind: &'static str,
    /// Most bytes of lines kept on disk.
    pub buffer_bytes: u64,
}

/// Reads definitions, an array of objects.
///
/// # Errors
/// The mistakes of all inputs: unknown keys, and the first other mistake of each.
pub fn inputs_of(definitions: &Json) -> Result<Vec<DefinedInput>, Vec<DefinitionError>> {
    let root = Node::root("input", definitions);
    let nodes = root.items().map_err(|error| vec![error])?;
    ensure!(nodes.len() <= INPUTS_MAX, vec![root.error(format!("at most {INPUTS_MAX} inputs are allowed"))]);
    let (mut inputs, mut errors): (Vec<DefinedInput>, Vec<DefinitionError>) = (Vec::new(), Vec::new());
    for node in &nodes {
        match read_input(node).and_then(|input| check_beside(node, &input, &inputs).map(|()| input)) {
            Ok(input) => inputs.push(input),
            Err(error) => errors.extend(mistakes(node, error)),
        }
    }
    if errors.is_empty() { Ok(inputs) } else { Err(errors) }
}

/// Returns doubts about allowed settings: paths that do not exist, files that two inputs name.
pub fn doubts_about(inputs: &[DefinedInput]) -> Vec<String> {
    let mut doubts = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let name = &input.file.name;
        for path in &input.file.paths {
            let earlier = inputs.iter().take(number).find(|other| other.file.paths.contains(path));
            if let Some(other) = earlier {
                let (path, first) = (path.display(), &other.file.name);
                doubts.push(format!("input \"{name}\": {path} belongs to the input \"{first}\" before it"));
            }
            let place = if is_pattern(&path.to_string_lossy()) { Glob::split(path).0 } else { path.clone() };
            if !place.exists() {
                let place = place.display();
                doubts.push(format!("input \"{name}\": {place} does not exist yet; it is followed when it appears"));
            }
        }
    }
    doubts
}

impl Options {
    /// Adds inputs that were defined.
    pub fn add(&mut self, inputs: Vec<DefinedInput>) {
        for DefinedInput { file, input, buffer_bytes, .. } in inputs {
            match input {
                Some(input) => self.inputs.push(InputOptions { file, input, buffer_bytes }),
                None => self.follow.inputs.push(file),
            }
        }
    }
}

/// Returns the mistakes of a definition; `first` is the one that ended its reading.
fn mistakes(node: &Node<'_>, first: DefinitionError) -> Vec<DefinitionError> {
    let mut errors = type_of(node).map(|kind| node.unknown_keys(&kind.all_keys())).unwrap_or_default();
    if !errors.contains(&first) {
        // What is said of a key more exactly than that it is unknown.
        errors.retain(|error| error.path != first.path);
        errors.insert(0, first);
    }
    errors
}

impl Type {
    /// Returns the keys of an input of this type.
    fn all_keys(&self) -> Vec<&'static str> {
        match self.content {
            Content::Files => [&KEYS[..], &rules::KEYS, &KEYS_OF_FILES, self.keys].concat(),
            Content::Lines => [&KEYS[..], &rules::KEYS, &["buffer"], self.keys].concat(),
            Content::Samples => [&KEYS_OF_SAMPLES[..], &scrape::keys()].concat(),
        }
    }

    /// Refuses the keys of events where there are samples, and says what does the same for them.
    fn check_content(&self, node: &Node<'_>) -> Result<(), DefinitionError> {
        let of_events = KEYS.iter().chain(&rules::KEYS).filter(|key| !KEYS_OF_SAMPLES.contains(key));
        let found = of_events.filter(|_| self.content == Content::Samples).find_map(|key| Some((key, node.get(key)?)));
        match found {
            None if self.content == Content::Samples => scrape::check_supported(node),
            None => Ok(()),
            Some((&"group", node)) => Err(node.error("samples go to the group metrics/JOB; set \"job_name\" instead")),
            Some((key, node)) => {
                Err(node.error(format!("\"{key}\" is for events; samples are changed by metric_relabel_configs")))
            }
        }
    }
}

fn read_input(node: &Node<'_>) -> Result<DefinedInput, DefinitionError> {
    let kind = type_of(node)?;
    kind.check_content(node)?;
    node.check_keys(&kind.all_keys())?;
    let mut file = FileInput {
        name: name_of(node, kind)?,
        group: node.get("group").map(|node| node.group()).transpose()?,
        stream: node.get("stream").map(|node| node.name().map(str::to_owned)).transpose()?,
        fields: node.get("fields").map(|node| fields_of(&node)).transpose()?.unwrap_or_default(),
        zone: node.get("zone").map(|node| zone_of(&node)).transpose()?,
        format: node.get("format").map(|node| format_of(&node)).transpose()?,
        backlog: node.get("backlog").map(|node| backlog_of(&node)).transpose()?,
        multiline: node.get("multiline").map(|node| multiline_of(&node)).transpose()?.unwrap_or_default(),
        hold_ns: node.get("hold").map(|node| hold_of(&node)).transpose()?,
        rules: Rules::of(node)?,
        paths: paths_of(node, "paths")?,
        excluded: paths_of(node, "exclude")?,
        ..FileInput::default()
    };
    let input = (kind.read)(node, &mut file)?;
    if kind.content != Content::Files {
        file.group.get_or_insert_with(|| group_name_of_outside(&file.name));
    }
    let buffer_bytes = node.get("buffer").map(|node| buffer_of(&node)).transpose()?.unwrap_or(BUFFER_BYTES);
    Ok(DefinedInput { file, input, kind: kind.name, buffer_bytes })
}

/// Checks what two inputs cannot share.
fn check_beside(node: &Node<'_>, input: &DefinedInput, others: &[DefinedInput]) -> Result<(), DefinitionError> {
    let name = &input.file.name;
    if others.iter().any(|other| other.file.name == *name) {
        let problem = format!("there is another input with the name \"{name}\"; give each a \"name\" of its own");
        return Err(node.child("name").error(problem));
    }
    if input.kind == "stdin" && others.iter().any(|other| other.kind == "stdin") {
        return Err(node.child("type").error("standard input can be read by one input alone"));
    }
    Ok(())
}

fn type_of(node: &Node<'_>) -> Result<&'static Type, DefinitionError> {
    let Some(kind) = node.get("type") else { return Ok(&TYPES[0]) };
    let name = kind.text()?;
    TYPES.iter().find(|known| known.name == name).ok_or_else(|| {
        let known: Vec<&str> = TYPES.iter().map(|known| known.name).collect();
        let hint = nearest(name, &known)
            .map_or_else(|| format!("known: {}", known.join(", ")), |near| format!("did you mean \"{near}\"?"));
        kind.error(format!("unknown type \"{name}\"; {hint}"))
    })
}

/// Returns the name, which is a directory's.
fn name_of(node: &Node<'_>, kind: &Type) -> Result<String, DefinitionError> {
    let Some(name) = node.get("name") else { return Ok(kind.name.to_owned()) };
    let text = name.text()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() || text.len() > NAME_BYTES_MAX || text.starts_with('.') || !text.chars().all(is_plain) {
        let problem = format!("a name has 1 to {NAME_BYTES_MAX} of A-Z a-z 0-9 . _ - and does not begin with a period");
        return Err(name.error(problem));
    }
    Ok(text.to_owned())
}

fn fields_of(node: &Node<'_>) -> Result<BTreeMap<String, String>, DefinitionError> {
    let mut fields = BTreeMap::new();
    for (name, value) in node.members()? {
        if name.is_empty() || name.starts_with('@') {
            return Err(value.error("a field has a name, and one that begins with @ is ours"));
        }
        let text = match value.value {
            Json::String(text) => text.clone(),
            Json::Number(_) | Json::Bool(_) => value.value.to_string(),
            _ => return Err(value.error("must be a text, a number, true or false")),
        };
        fields.insert(name.to_owned(), text);
    }
    Ok(fields)
}

fn zone_of(node: &Node<'_>) -> Result<String, DefinitionError> {
    let name = node.name()?;
    name.parse::<parse::Zone>().map_err(|error| node.error(error.to_string()))?;
    Ok(name.to_owned())
}

/// The name of a format of a program. The server may have formats that this machine has not, so that only its form is checked.
fn format_of(node: &Node<'_>) -> Result<String, DefinitionError> {
    let name = node.name()?;
    let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
    let problem = || format!("\"{name}\" is no name of a format; docs/programs.md lists them, such as \"bind9\"");
    if is_name { Ok(name.to_owned()) } else { Err(node.error(problem())) }
}

/// Parses `all`, `none`, a size or an age.
fn backlog_of(node: &Node<'_>) -> Result<Backlog, DefinitionError> {
    let text = node.text()?;
    if let "all" | "none" = text {
        return Ok(if text == "all" { Backlog::ALL } else { Backlog { bytes_max: Some(0), age_ns_max: None } });
    }
    if let Ok(size) = text.parse::<ByteSize>() {
        return Ok(Backlog { bytes_max: Some(size.0), age_ns_max: None });
    }
    let problem =
        format!("\"{text}\" is not a backlog; write \"all\", \"none\", a size such as 1GiB or an age such as 7d");
    let age_ns = parse_duration_ns(text).map_err(|_| node.error(problem))?;
    Ok(Backlog { bytes_max: None, age_ns_max: Some(age_ns) })
}

/// Parses `auto`, `none`, or the start of events.
fn multiline_of(node: &Node<'_>) -> Result<Multiline, DefinitionError> {
    match node.value.as_str() {
        Some("auto") => Ok(Multiline::Auto),
        Some("none") => Ok(Multiline::None),
        Some(_) => Err(node.error("must be \"auto\", \"none\" or { start = \"a regular expression\" }")),
        None => {
            node.check_keys(&["start"])?;
            Ok(Multiline::Start(node.needed("start", "how the first line of an event looks")?.regex()?))
        }
    }
}

/// Parses how long an event waits to which further lines may belong.
fn hold_of(node: &Node<'_>) -> Result<i64, DefinitionError> {
    let hold = node.duration()?;
    let problem = || node.error("must be at most 1m");
    if hold > HOLD_MAX { Err(problem()) } else { i64::try_from(hold.as_nanos()).map_err(|_| problem()) }
}

fn buffer_of(node: &Node<'_>) -> Result<u64, DefinitionError> {
    let n_bytes = node.size()?;
    ensure!(n_bytes >= BUFFER_BYTES_MIN, node.error(format!("must be at least {}", ByteSize(BUFFER_BYTES_MIN))));
    Ok(n_bytes)
}

fn paths_of(node: &Node<'_>, key: &str) -> Result<Vec<PathBuf>, DefinitionError> {
    let texts = node.get(key).map(|node| node.texts()).transpose()?.unwrap_or_default();
    Ok(texts.into_iter().map(PathBuf::from).collect())
}

fn read_files(node: &Node<'_>, file: &mut FileInput) -> OpenedInput {
    file.unpacks = unpacks_of(node)?;
    let paths = node.needed("paths", "files, directories or patterns, such as [\"/var/log/nginx/*.log\"]")?;
    if file.paths.is_empty() { Err(paths.error("names no file")) } else { Ok(None) }
}

/// Reports whether packed files are read.
fn unpacks_of(node: &Node<'_>) -> Result<bool, DefinitionError> {
    Ok(node.get("compressed").map(|node| node.truth()).transpose()?.unwrap_or(false))
}

fn read_containers(node: &Node<'_>, file: &mut FileInput) -> OpenedInput {
    file.unpacks = unpacks_of(node)?;
    file.is_of_containers = true;
    if file.paths.is_empty() {
        file.paths = CONTAINER_PATHS.iter().map(PathBuf::from).collect();
    }
    Ok(None)
}

fn read_journal(node: &Node<'_>, _: &mut FileInput) -> OpenedInput {
    let since = node.get("since").map(|node| since_of(&node)).transpose()?.unwrap_or(StartPoint::Boot);
    let texts = |key: &str| node.get(key).map(|node| node.texts()).transpose().map(Option::unwrap_or_default);
    let mut filters: Vec<String> = texts("units")?.into_iter().map(|unit| format!("--unit={unit}")).collect();
    if let Some(directory) = node.get("directory") {
        filters.push(format!("--directory={}", directory.name()?));
    }
    for text in texts("matches")? {
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if text != "+" && !text.split_once('=').is_some_and(|(name, _)| is_name(name)) {
            let problem = format!(
                "\"{text}\" is not a match; write \"_TRANSPORT=kernel\", or \"+\" between two of which one is enough"
            );
            return Err(node.child("matches").error(problem));
        }
        filters.push(text.to_owned());
    }
    Ok(Some(Box::new(Journal::new(since, filters))))
}

/// Parses `boot`, `all`, `now`, or an age.
fn since_of(node: &Node<'_>) -> Result<StartPoint, DefinitionError> {
    match node.text()? {
        "boot" => Ok(StartPoint::Boot),
        "all" => Ok(StartPoint::Oldest),
        "now" => Ok(StartPoint::Now),
        text => {
            let problem =
                format!("\"{text}\" is not a starting point; write \"boot\", \"all\", \"now\" or an age such as 7d");
            parse_duration_ns(text).map(StartPoint::Ago).map_err(|_| node.error(problem))
        }
    }
}

fn read_syslog(node: &Node<'_>, file: &mut FileInput) -> OpenedInput {
    let address = |node: &Node<'_>| {
        let problem = "must be an address and a port, such as \"0.0.0.0:514\"";
        node.name()?.parse::<std::net::SocketAddr>().map_err(|_| node.error(problem))
    };
    let door = match (node.get("udp"), node.get("tcp")) {
        (Some(udp), None) => Listener::Udp(address(&udp)?),
        (None, Some(tcp)) => Listener::Tcp(address(&tcp)?),
        (None, None) => return Err(node.error("\"udp\" or \"tcp\" is missing: an address such as \"0.0.0.0:514\"")),
        (Some(_), Some(tcp)) => return Err(tcp.error("one of \"udp\" and \"tcp\"; make another input for the other")),
    };
    let networks = node.get("allow").map(|node| node.one_or_many()).unwrap_or_default();
    let network =
        |node: &Node<'_>| node.name()?.parse().map_err(|_| node.error("must be a network such as \"10.0.0.0/8\""));
    let allow = networks.iter().map(network).collect::<Result<_, _>>()?;
    if node.get("multiline").is_none() {
        // A message is written in one.
        file.hold_ns.get_or_insert(0);
        file.multiline = Multiline::Start(definition::compile_regex(SYSLOG_START).map_err(|error| node.error(error))?);
    }
    Ok(Some(Box::new(Syslog { door, allow })))
}

fn read_command(node: &Node<'_>, _: &mut FileInput) -> OpenedInput {
    let command = node.needed("command", "a program and its arguments, such as [\"vmstat\", \"5\"]")?;
    let arguments: Vec<String> = match command.text() {
        Ok(program) => vec![program.to_owned()],
        Err(_) => command.items()?.iter().map(|item| item.text().map(str::to_owned)).collect::<Result<_, _>>()?,
    };
    ensure!(arguments.first().is_some_and(|program| !program.is_empty()), command.error("names no program"));
    let every = node.get("every").map(|node| node.duration()).transpose()?;
    Ok(Some(Box::new(Command { arguments, every })))
}

/// Returns how often something is measured.
fn interval_of(node: &Node<'_>) -> Result<Duration, DefinitionError> {
    let Some(every) = node.get("every") else { return Ok(INTERVAL) };
    let interval = every.duration()?;
    if interval < INTERVAL_MIN { Err(every.error("must be at least 1s")) } else { Ok(interval) }
}

fn read_host_metrics(node: &Node<'_>, file: &mut FileInput) -> OpenedInput {
    file.group.get_or_insert_with(|| group_name_of_outside("metrics/host"));
    Ok(Some(Box::new(HostMetrics::new(interval_of(node)?))))
}

#[cfg(test)]
mod tests;
