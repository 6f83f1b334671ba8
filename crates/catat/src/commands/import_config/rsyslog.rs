//! Inputs of rsyslog, in its objects, `input(type="imfile" …)`, and its older directives, `$InputFileName …` (rsyslog: *Configuration*, *Input modules*).

mod syntax;

use serde_json::{Map, Value};

pub(super) use self::syntax::is_rsyslog;
use self::syntax::{Statement, statements};
use super::document::Section;
use super::input::{Input, checked};
use super::shippers::{ELSEWHERE, NO_EQUAL, UNKNOWN, group};
use crate::failure::{Failure, Result};

/// Objects and directives about rsyslog itself: nothing of an input is in them.
const OWN: [&str; 3] = ["global", "main_queue", "timezone"];

/// Why rules, and what belongs to them, are left.
const RULES_LEFT: &str = "rules are not inputs; what they write can be read as files";

/// What is about how files are followed and what is remembered of them: catat does that itself.
const FOLLOWING: [&str; 6] =
    ["statefile", "persiststateinterval", "pollinginterval", "reopenontruncate", "freshstarttail", "addmetadata"];

/// Words of actions that send messages to another system.
const SENDERS: [&str; 9] =
    ["omfwd", "omelasticsearch", "omkafka", "omrelp", "omhttp", "ommysql", "ompgsql", "omlibdbi", "ommongodb"];

/// What directives have said so far.
#[derive(Default)]
struct Directives {
    /// The file that `$InputRunFileMonitor` begins to read.
    file: Map<String, Value>,
    udp_address: Option<String>,
}

/// Takes the inputs of a configuration; the rest is named.
pub(super) fn inputs(text: &str, notes: &mut Vec<String>) -> Result<Vec<Input>> {
    let (mut inputs, mut directives) = (Vec::new(), Directives::default());
    for (line, statement) in statements(text).map_err(Failure::usage)? {
        match statement {
            Statement::Object { name, members } => {
                object(&name, Section::at(format!("line {line} {name}"), members), &mut inputs, notes)
            }
            Statement::Directive { name, value } => {
                directive(&mut directives, (&name, value), line, &mut inputs, notes)
            }
            Statement::Rule(rule) => {
                let shown: String = rule.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect();
                let is_sent =
                    rule.contains(" @") || rule.contains("\t@") || SENDERS.iter().any(|sender| rule.contains(sender));
                let reason = if is_sent { ELSEWHERE } else { RULES_LEFT };
                notes.push(format!("line {line} is not taken: {shown}: {reason}"));
            }
        }
    }
    Ok(inputs)
}

fn object(name: &str, mut object: Section, inputs: &mut Vec<Input>, notes: &mut Vec<String>) {
    match name {
        "module" => {
            let module = object.text("load").unwrap_or_default();
            of_module(&module, inputs);
            let is_of_input = module.starts_with("im");
            if is_of_input {
                FOLLOWING.iter().for_each(|own| drop(object.take(own)));
                object.leave(NO_EQUAL, notes);
            }
        }
        "input" => {
            let kind = object.text("type").unwrap_or_default().to_lowercase();
            match &*kind {
                "imfile" => inputs.push(of_file(object, notes)),
                "imudp" | "imtcp" | "imptcp" => {
                    let host = object.text("address").unwrap_or_else(|| "0.0.0.0".to_owned());
                    for port in object.texts("port") {
                        inputs.push(listener(kind == "imudp", &host, &port));
                    }
                    object.leave(NO_EQUAL, notes);
                }
                other => notes.push(format!("{} is not taken: {other}: {UNKNOWN}", object.path_of("type"))),
            }
        }
        "include" => {
            let file = object.text("file").unwrap_or_default();
            notes.push(format!("{} is not taken: {file}: convert these files too", object.path_of("file")));
        }
        name if OWN.contains(&name) => {}
        _ => {
            let name = object.text("name").unwrap_or_default();
            notes.push(format!("{} is not taken: {RULES_LEFT}", object.path_of(&name)));
        }
    }
}

/// What a module reads as soon as it is loaded: messages of this machine, all of which the journal has.
fn of_module(module: &str, inputs: &mut Vec<Input>) {
    let is_local = ["imuxsock", "imjournal", "imklog", "imkmsg"].contains(&module.trim_end_matches(".so"));
    if is_local && !inputs.iter().any(|input| input.kind == Some("journal")) {
        inputs.push(Input::of("journal"));
    }
}

fn listener(is_udp: bool, host: &str, port: &str) -> Input {
    let host = match host {
        "*" => "0.0.0.0".to_owned(),
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let mut input = Input::of("syslog");
    *(if is_udp { &mut input.udp } else { &mut input.tcp }) = Some(format!("{host}:{port}"));
    input
}

/// A file: its tag is the group, as of messages whose program the tag is.
fn of_file(mut object: Section, notes: &mut Vec<String>) -> Input {
    let mut input = Input { paths: object.texts("file"), ..Input::default() };
    input.group = object.text("tag").and_then(|tag| group(tag.trim_end_matches(':')));
    let path = object.path_of("startmsg.regex");
    input.start = object.text("startmsg.regex").and_then(|start| checked(start, &path, notes));
    if let Some(facility) = object.take("facility") {
        input.field("facility", &facility);
    }
    FOLLOWING.iter().for_each(|own| drop(object.take(own)));
    object.leave(NO_EQUAL, notes);
    input
}

fn directive(
    directives: &mut Directives,
    (name, value): (&str, String),
    line: usize,
    inputs: &mut Vec<Input>,
    notes: &mut Vec<String>,
) {
    let member = match name {
        "modload" => return of_module(&value, inputs),
        "inputfilename" => "file",
        "inputfiletag" => "tag",
        "inputfilefacility" => "facility",
        "inputfileseverity" => "severity",
        "inputfilereadmode" => "readmode",
        name if name.strip_prefix("inputfile").is_some_and(|own| FOLLOWING.contains(&own)) => return,
        "inputrunfilemonitor" => {
            let file = std::mem::take(&mut directives.file);
            inputs.push(of_file(Section::at(format!("line {line} $InputRunFileMonitor"), file), notes));
            return;
        }
        "udpserveraddress" => {
            directives.udp_address = Some(value);
            return;
        }
        "udpserverrun" => {
            let host = directives.udp_address.as_deref().unwrap_or("0.0.0.0");
            return inputs.push(listener(true, host, &value));
        }
        "inputtcpserverrun" | "inputptcpserverrun" => return inputs.push(listener(false, "0.0.0.0", &value)),
        "includeconfig" => {
            return notes.push(format!("line {line} is not taken: $IncludeConfig {value}: convert these files too"));
        }
        name if name.starts_with("inputfile") || name.starts_with("inputtcp") || name.starts_with("allowedsender") => {
            return notes.push(format!("line {line} is not taken: ${name} {value}: {NO_EQUAL}"));
        }
        // About what rsyslog writes, and itself.
        _ => return,
    };
    directives.file.insert(member.to_owned(), Value::String(value));
}
