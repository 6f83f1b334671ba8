//! What inputs of other shippers are called there, by their references (Grafana: *Promtail configuration*; Elastic: *Filebeat inputs*; Fluent Bit:
//! *Inputs*; Vector: *Sources*; AWS: *CloudWatch agent configuration file*).

use serde_json::Value;
use types::group_name_of_outside;

use super::document::{Section, text_of};
use super::input::{Input, checked};
use crate::arguments::Origin;

/// Why a setting is left.
pub(super) const NO_EQUAL: &str = "it has no equal here";
pub(super) const ELSEWHERE: &str = "where events go is [ship] url";
pub(super) const UNKNOWN: &str = "this input is not known here";
pub(super) const STAGES_LEFT: &str =
    "times, levels and fields of lines are read without it; what differs is for a [[pipeline]]";

/// Paths that one with alternatives becomes at most.
const ALTERNATIVES_MAX: usize = 1_000;

/// Tells whose configuration it is.
pub(super) fn of(document: &Value) -> Option<Origin> {
    let has = |name: &str| document.get(name).is_some();
    let beats = document.as_object()?.keys().any(|key| key == "filebeat" || key.starts_with("filebeat."));
    [
        (has("scrape_configs"), Origin::Promtail),
        (beats, Origin::Filebeat),
        (has("pipeline"), Origin::FluentBit),
        (has("sources"), Origin::Vector),
        (document.pointer("/logs/logs_collected").is_some(), Origin::CloudwatchAgent),
    ]
    .into_iter()
    .find_map(|(is_it, origin)| is_it.then_some(origin))
}

/// Takes the inputs of a configuration; the rest is named.
pub(super) fn inputs(origin: Origin, root: Section, notes: &mut Vec<String>) -> Vec<Input> {
    let mut inputs = Vec::new();
    match origin {
        Origin::Promtail => promtail(root, &mut inputs, notes),
        Origin::Filebeat => filebeat(root, &mut inputs, notes),
        Origin::FluentBit => fluent_bit(root, &mut inputs, notes),
        Origin::Vector => vector(root, &mut inputs, notes),
        Origin::CloudwatchAgent => cloudwatch_agent(root, &mut inputs, notes),
        // These are no documents of sections, or no shippers.
        Origin::Alloy
        | Origin::Rsyslog
        | Origin::LokiRules
        | Origin::Elastalert
        | Origin::CloudwatchAlarms
        | Origin::Kibana => {}
    }
    inputs
}

/// Gives each input a name of its own, and paths that mean the same here.
pub(super) fn finish(inputs: &mut [Input], notes: &mut Vec<String>) {
    let mut names: Vec<String> = Vec::new();
    for input in inputs {
        for list in [&mut input.paths, &mut input.exclude] {
            *list = list.iter().flat_map(|path| alternatives(path)).collect();
            for path in list.iter().filter(|path| path.contains(['[', '{'])) {
                notes.push(format!("{path}: [ and {{ mean themselves here; patterns have *, ? and **"));
            }
        }
        let name = input.name.get_or_insert_with(|| input.kind.unwrap_or("files").to_owned());
        let n_before = names.iter().filter(|other| *other == name).count();
        names.push(name.clone());
        if n_before > 0 {
            name.push_str(&format!("-{}", n_before + 1));
        }
    }
}

/// Writes `/a/{b,c}.log` as two paths.
fn alternatives(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let Some((inner, after)) = rest.split_once('}').filter(|(inner, _)| inner.contains(',') && !inner.contains('{'))
    else {
        return vec![path.to_owned()];
    };
    let rests = alternatives(after);
    let paths = inner.split(',').flat_map(|one| rests.iter().map(move |rest| format!("{before}{one}{rest}")));
    paths.take(ALTERNATIVES_MAX).collect()
}

pub(super) fn group(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| group_name_of_outside(name).as_str().to_owned())
}

fn promtail(mut root: Section, inputs: &mut Vec<Input>, notes: &mut Vec<String>) {
    for mut scrape in root.sections("scrape_configs") {
        let name = scrape.text("job_name");
        let mut of_job: Vec<Input> = Vec::new();
        for mut target in scrape.sections("static_configs") {
            // Targets are this host, whatever they say.
            target.take("targets");
            let Some(mut labels) = target.section("labels") else { continue };
            let mut input = Input {
                paths: labels.texts("__path__"),
                exclude: labels.texts("__path_exclude__"),
                ..Input::default()
            };
            add_labels(&mut input, labels);
            target.leave(NO_EQUAL, notes);
            of_job.extend((!input.paths.is_empty()).then_some(input));
        }
        if let Some(mut journal) = scrape.section("journal") {
            let mut input = Input { since: journal.text("max_age"), ..Input::of("journal") };
            journal.section("labels").into_iter().for_each(|labels| add_labels(&mut input, labels));
            // A line is JSON or not; entries have all their fields here.
            journal.take("json");
            journal.leave(NO_EQUAL, notes);
            of_job.push(input);
        }
        if let Some(mut syslog) = scrape.section("syslog") {
            let (address, protocol) = (syslog.text("listen_address"), syslog.text("listen_protocol"));
            let is_udp = protocol.as_deref() == Some("udp");
            let mut input = Input::of("syslog");
            *(if is_udp { &mut input.udp } else { &mut input.tcp }) = address;
            syslog.section("labels").into_iter().for_each(|labels| add_labels(&mut input, labels));
            syslog.leave(NO_EQUAL, notes);
            of_job.push(input);
        }
        let is_discovered = ["docker_sd_configs", "kubernetes_sd_configs"].map(|name| scrape.take(name).is_some());
        if is_discovered.contains(&true) {
            of_job.push(Input::of("containers"));
        }
        for stage in scrape.sections("pipeline_stages") {
            promtail_stage(stage, &mut of_job, notes);
        }
        scrape.leave(NO_EQUAL, notes);
        of_job.iter_mut().for_each(|input| input.name = name.clone());
        inputs.extend(of_job);
    }
    root.take("positions");
    root.take("server");
    if root.take("clients").is_some() {
        notes.push(format!("clients is not taken: {ELSEWHERE}"));
    }
    root.leave(NO_EQUAL, notes);
}

/// Adds labels as fields. The label `job` is the group, as in streams that are pushed.
pub(super) fn add_labels(input: &mut Input, labels: Section) {
    for (name, value) in labels.into_texts() {
        match &*name {
            "job" if input.group.is_none() => input.group = group(&text_of(&value)),
            _ => input.field(&name, &value),
        }
    }
}

pub(super) fn promtail_stage(mut stage: Section, inputs: &mut [Input], notes: &mut Vec<String>) {
    // Lines of containers are read as such.
    let is_read = [stage.take("cri"), stage.take("docker")].iter().any(Option::is_some);
    if let Some(mut multiline) = stage.section("multiline") {
        let path = multiline.path_of("firstline");
        let start = multiline.text("firstline").and_then(|start| checked(start, &path, notes));
        inputs.iter_mut().for_each(|input| input.start.clone_from(&start));
        multiline.leave(NO_EQUAL, notes);
    }
    if let Some(mut dropped) = stage.section("drop") {
        let path = dropped.path_of("expression");
        // What a stage before has taken out of the line is not looked at here, nor how long or how old a line is: all
        // conditions must hold, and one of them alone would drop more.
        let others = ["source", "value", "older_than", "longer_than"].map(|other| dropped.take(other).is_some());
        if others.contains(&true) {
            notes.push(format!("{path} is not taken: it is about more than what a line has; see [[pipeline]]"));
            dropped.take("expression");
        }
        if let Some(pattern) = dropped.text("expression").and_then(|pattern| checked(pattern, &path, notes)) {
            inputs.iter_mut().for_each(|input| input.drop.push(pattern.clone()));
        }
        dropped.leave(NO_EQUAL, notes);
    }
    if let Some(labels) = stage.section("static_labels") {
        let labels = labels.into_texts();
        inputs.iter_mut().for_each(|input| labels.iter().for_each(|(name, value)| input.field(name, value)));
    }
    if !is_read {
        stage.leave(STAGES_LEFT, notes);
    }
}

fn filebeat(mut root: Section, inputs: &mut Vec<Input>, notes: &mut Vec<String>) {
    let Some(mut beat) = root.section("filebeat") else { return };
    for mut from in beat.sections("inputs") {
        let (kind, path) = (from.text("type").unwrap_or_default(), from.path_of("type"));
        if from.flag("enabled") == Some(false) {
            notes.push(format!("{path} is not taken: the input is not enabled"));
            continue;
        }
        let mut input = match &*kind {
            "log" | "filestream" | "container" => Input { paths: from.texts("paths"), ..Input::default() },
            "journald" => Input { units: from.texts("units"), ..Input::of("journal") },
            "stdin" => Input::of("stdin"),
            "syslog" | "udp" | "tcp" => beats_syslog(&mut from, &kind),
            other => {
                notes.push(format!("{path} is not taken: {other}: {UNKNOWN}"));
                continue;
            }
        };
        input.name = from.text("id");
        let patterns = [("exclude_lines", &mut input.drop), ("include_lines", &mut input.keep)];
        for (name, list) in patterns {
            let path = from.path_of(name);
            from.texts(name).into_iter().for_each(|pattern| Input::pattern(list, pattern, &path, notes));
        }
        let tags = from.texts("tags");
        if !tags.is_empty() {
            input.field("tags", &Value::from(tags.join(",")));
        }
        let is_root = from.flag("fields_under_root").unwrap_or(false);
        let fields = from.section("fields").map(Section::into_texts).unwrap_or_default();
        for (name, value) in fields {
            input.field(&if is_root { name } else { format!("fields.{name}") }, &value);
        }
        let parsers = from.sections("parsers");
        let parsers =
            parsers.into_iter().filter_map(|mut parser| parser.section("multiline").or_else(|| left(parser, notes)));
        for multiline in parsers.collect::<Vec<_>>().into_iter().chain(from.section("multiline")) {
            input.start = beats_multiline(multiline, notes).or(input.start);
        }
        from.leave(NO_EQUAL, notes);
        inputs.push(input);
    }
    beat.leave(NO_EQUAL, notes);
    for name in ["output", "setup"] {
        if root.take(name).is_some() {
            notes.push(format!("{name} is not taken: {ELSEWHERE}"));
        }
    }
    root.leave(NO_EQUAL, notes);
}

/// A parser that is none of several lines: what it takes out of lines is read here without one.
fn left(parser: Section, notes: &mut Vec<String>) -> Option<Section> {
    parser.leave("lines of containers and JSON are read as such", notes);
    None
}

fn beats_syslog(from: &mut Section, kind: &str) -> Input {
    let mut input = Input::of("syslog");
    for protocol in ["udp", "tcp"] {
        let nested = from.section("protocol").and_then(|mut all| all.section(protocol));
        let of_own = if kind == protocol { from.text("host") } else { None };
        let host = nested.and_then(|mut listener| listener.text("host")).or(of_own);
        *(if protocol == "udp" { &mut input.udp } else { &mut input.tcp }) = host;
    }
    input
}

/// The first line of an event: a line that matches, or one that does not where others are appended to it.
fn beats_multiline(mut multiline: Section, notes: &mut Vec<String>) -> Option<String> {
    let path = multiline.path_of("pattern");
    let (pattern, is_negated) = (multiline.text("pattern")?, multiline.flag("negate").unwrap_or(false));
    let place = multiline.text("match").unwrap_or_else(|| "after".into());
    multiline.take("type");
    let is_start = is_negated && place == "after";
    if !is_start {
        notes.push(format!(
            "{path} is not taken: only negate: true with match: after says how an event begins; try without it first"
        ));
    }
    multiline.leave(NO_EQUAL, notes);
    is_start.then(|| checked(pattern, &path, notes)).flatten()
}

fn fluent_bit(mut root: Section, inputs: &mut Vec<Input>, notes: &mut Vec<String>) {
    let Some(mut pipeline) = root.section("pipeline") else { return };
    for mut from in pipeline.sections("inputs") {
        let (name, path) = (from.text("name").unwrap_or_default(), from.path_of("name"));
        let tag = from.text("tag").unwrap_or_default();
        let mut input = match &*name {
            "tail" => {
                let list = |text: Option<String>| -> Vec<String> {
                    text.iter().flat_map(|text| text.split(',')).map(|path| path.trim().to_owned()).collect()
                };
                let is_whole = from.flag("read_from_head").unwrap_or(false);
                Input {
                    paths: list(from.text("path")),
                    exclude: list(from.text("exclude_path")),
                    backlog: Some(if is_whole { "all" } else { "none" }.into()),
                    ..Input::default()
                }
            }
            "systemd" => {
                let (filters, path) = (from.texts("systemd_filter"), from.path_of("systemd_filter"));
                let unit = |filter: &String| {
                    filter.strip_prefix("_SYSTEMD_UNIT=").map(|unit| unit.trim_end_matches(".service").to_owned())
                };
                for other in filters.iter().filter(|filter| unit(filter).is_none()) {
                    notes
                        .push(format!("{path} is not taken: {other}: only _SYSTEMD_UNIT is; see matches of the input"));
                }
                Input { units: filters.iter().filter_map(unit).collect(), ..Input::of("journal") }
            }
            "syslog" => {
                let address = format!(
                    "{}:{}",
                    from.text("listen").unwrap_or_else(|| "0.0.0.0".into()),
                    from.text("port").unwrap_or_else(|| "5140".into())
                );
                let is_udp = from.text("mode").is_some_and(|mode| mode == "udp");
                let mut input = Input::of("syslog");
                *(if is_udp { &mut input.udp } else { &mut input.tcp }) = Some(address);
                input
            }
            "stdin" => Input::of("stdin"),
            "node_exporter_metrics" => Input::of("node_exporter"),
            "cpu" | "mem" | "disk" | "netif" => Input::of("host_metrics"),
            other => {
                notes.push(format!("{path} is not taken: {other}: {UNKNOWN}"));
                continue;
            }
        };
        // Within a tag a star is the path of the file.
        input.group = group(&tag).filter(|_| !tag.contains('*'));
        if from.text("parser").is_some() {
            notes.push(format!(
                "{} is not taken: times, levels and fields of lines are read without it",
                from.path_of("parser")
            ));
        }
        from.leave(NO_EQUAL, notes);
        inputs.push(input);
    }
    for name in ["outputs", "filters", "services"] {
        if pipeline.take(name).is_some() {
            let reason = if name == "outputs" { ELSEWHERE } else { "what changes events is for a [[pipeline]]" };
            notes.push(format!("{} is not taken: {reason}", pipeline.path_of(name)));
        }
    }
    root.take("service");
    root.leave(NO_EQUAL, notes);
    pipeline.leave(NO_EQUAL, notes);
}

fn vector(mut root: Section, inputs: &mut Vec<Input>, notes: &mut Vec<String>) {
    for (name, mut from) in root.section("sources").map(Section::named).unwrap_or_default() {
        let (kind, path) = (from.text("type").unwrap_or_default(), from.path_of("type"));
        let mut input = match &*kind {
            "file" => Input { paths: from.texts("include"), exclude: from.texts("exclude"), ..Input::default() },
            "journald" => Input { units: from.texts("include_units"), ..Input::of("journal") },
            "docker_logs" | "kubernetes_logs" => Input::of("containers"),
            "stdin" => Input::of("stdin"),
            "host_metrics" => Input::of("host_metrics"),
            "syslog" => {
                let (mode, address) = (from.text("mode"), from.text("address"));
                let mut input = Input::of("syslog");
                *(if mode.as_deref() == Some("udp") { &mut input.udp } else { &mut input.tcp }) = address;
                input
            }
            other => {
                notes.push(format!("{path} is not taken: {other}: {UNKNOWN}"));
                continue;
            }
        };
        if let Some(mut multiline) = from.section("multiline") {
            let path = multiline.path_of("start_pattern");
            input.start = multiline.text("start_pattern").and_then(|start| checked(start, &path, notes));
            if multiline.text("mode").is_some_and(|mode| mode != "halt_before") {
                notes.push(format!(
                    "{} is not taken: here an event lasts until the next first line",
                    multiline.path_of("mode")
                ));
            }
            multiline.take("condition_pattern");
            multiline.leave(NO_EQUAL, notes);
        }
        input.name = Some(name);
        from.leave(NO_EQUAL, notes);
        inputs.push(input);
    }
    if root.take("sinks").is_some() {
        notes.push(format!("sinks is not taken: {ELSEWHERE}"));
    }
    if root.take("transforms").is_some() {
        notes.push("transforms is not taken: what changes events is for a [[pipeline]]".to_owned());
    }
    root.take("data_dir");
    root.leave(NO_EQUAL, notes);
}

fn cloudwatch_agent(mut root: Section, inputs: &mut Vec<Input>, notes: &mut Vec<String>) {
    let Some(mut logs) = root.section("logs") else { return };
    let mut collected = logs.section("logs_collected");
    let mut files = collected.as_mut().and_then(|collected| collected.section("files"));
    for mut from in files.as_mut().map(|files| files.sections("collect_list")).unwrap_or_default() {
        let mut input = Input { paths: from.texts("file_path"), ..Input::default() };
        input.group = from.text("log_group_name").as_deref().and_then(group);
        let (stream, path) = (from.text("log_stream_name"), from.path_of("log_stream_name"));
        if stream.as_ref().is_some_and(|stream| stream.contains('{')) {
            notes.push(format!("{path} is not taken: streams are HOST:PATH, or a text without variables"));
        } else {
            input.stream = stream;
        }
        input.zone = from.text("timezone").filter(|zone| zone == "UTC").map(|_| "UTC");
        let (start, path) = (from.text("multi_line_start_pattern"), from.path_of("multi_line_start_pattern"));
        // That is what an event begins with without a setting.
        input.start =
            start.filter(|start| start != "{timestamp_format}").and_then(|start| checked(start, &path, notes));
        for mut filter in from.sections("filters") {
            let path = filter.path_of("expression");
            let list =
                if filter.text("type").as_deref() == Some("include") { &mut input.keep } else { &mut input.drop };
            if let Some(pattern) = filter.text("expression") {
                Input::pattern(list, pattern, &path, notes);
            }
            filter.leave(NO_EQUAL, notes);
        }
        if from.take("timestamp_format").is_some() {
            notes.push(format!("{} is not taken: times are read without it", from.path_of("timestamp_format")));
        }
        from.leave(NO_EQUAL, notes);
        inputs.push(input);
    }
    for section in [files, collected, Some(logs), Some(root)].into_iter().flatten() {
        section.leave(NO_EQUAL, notes);
    }
}
