//! `catat check --sample`: what lines would become under this configuration, and why. Nothing is stored.

mod summary;
mod text;

use std::borrow::Cow;
use std::fs::Metadata;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use definition::DefinitionError;
use ingest::{DryRun, Pipelines};
use serde_json::{Value, json};
use storage::Clock;
use types::{Timestamp, group_name_of_outside};

use crate::arguments::{Sample, SampleFormat};
use crate::config::Config;
use crate::failure::{Failure, Result, of_output};
use crate::output::is_coloured;
use summary::Summary;

/// Lines that are read unless told.
const LINES: usize = 1_000;

/// Prints what becomes of the lines of a file.
pub(super) fn try_lines(config: &Config, path: &Path, options: &Sample) -> Result<()> {
    let (text, has_more) = read(config, path, options.lines.unwrap_or(LINES))?;
    let events = events_of(config, &text, options)?;
    let mut summary = Summary { n_lines: n_lines(&text), has_more, ..Summary::default() };
    events.iter().for_each(|event| summary.add(event));
    let mut out = BufWriter::new(std::io::stdout().lock());
    print(&mut out, &events, &summary, options).and_then(|()| out.flush()).map_err(of_output)
}

/// Returns the first lines of the input, and whether it has more. Reads at most the size of the largest body that a server accepts.
fn read(config: &Config, path: &Path, n_lines_max: usize) -> Result<(Vec<u8>, bool)> {
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut input = BufReader::new(crate::local::open(path)?).take(config.limits.body_bytes_max as u64);
    let mut text = Vec::new();
    for _ in 0..n_lines_max {
        if input.read_until(b'\n', &mut text).map_err(failed)? == 0 {
            break;
        }
    }
    let has_more = !input.into_inner().fill_buf().map_err(failed)?.is_empty();
    Ok((text, has_more))
}

/// When a file was last written.
fn written(path: &Path) -> Option<Timestamp> {
    let metadata = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
    Some(Timestamp(metadata.mtime().saturating_mul(Timestamp::SECOND).saturating_add(metadata.mtime_nsec())))
}

/// Returns what becomes of the events of a text, each with the number of its first line.
fn events_of(config: &Config, text: &[u8], options: &Sample) -> Result<Vec<Value>> {
    let group = options.group.as_deref().unwrap_or("default");
    let format = options.format.as_deref().map(format_named).transpose()?;
    let shown = |errors: Vec<DefinitionError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let pipelines = Pipelines::compile(&config.pipelines).map_err(|errors| Failure::usage(shown(errors)))?;
    let zone = parse::Zone::Named(config.time_zone);
    let run = DryRun {
        pipelines: &pipelines,
        limits: &config.limits,
        zone,
        now: Clock::system().now(),
        modified: options.file.as_deref().and_then(written),
        extras: parse::Extras::default(),
        format,
    };
    let ranges = parse::events(text, config.limits.event_bytes_max);
    let texts: Vec<(usize, Cow<'_, [u8]>)> =
        ranges.flat_map(|range| parse::texts(&text[range.clone()]).map(move |text| (range.start, text))).collect();
    let samples = texts.iter().map(|(_, bytes)| ingest::Sample { bytes, is_record: false });
    let mut events = run.run(&group_name_of_outside(group), "", samples);
    let (mut line, mut counted) = (1, 0);
    for (event, (start, _)) in events.iter_mut().zip(&texts) {
        line += text[counted..*start].iter().filter(|byte| **byte == b'\n').count();
        counted = *start;
        event["line"] = line.into();
    }
    Ok(events)
}

fn format_named(name: &str) -> Result<parse::FormatId> {
    let formats = parse::Formats::current();
    let names: Vec<&str> = formats.all().iter().map(|format| &*format.name).collect();
    formats.named(name).ok_or_else(|| {
        let near = definition::nearest(name, &names).map(|near| format!("; did you mean \"{near}\"?"));
        Failure::usage(format!("no format has the name \"{name}\"{}", near.unwrap_or_default()))
    })
}

fn n_lines(text: &[u8]) -> usize {
    let n_ends = text.iter().filter(|byte| **byte == b'\n').count();
    n_ends + usize::from(text.last().is_some_and(|last| *last != b'\n'))
}

fn print(out: &mut impl Write, events: &[Value], summary: &Summary, options: &Sample) -> std::io::Result<()> {
    match options.output.unwrap_or_default() {
        SampleFormat::Text => text::print(out, events, summary, is_coloured(options.color)),
        SampleFormat::Json => {
            writeln!(out, "{:#}", json!({"events": events, "summary": summary.as_json()}))
        }
        SampleFormat::Ndjson => events.iter().try_for_each(|event| writeln!(out, "{event}")),
    }
}
