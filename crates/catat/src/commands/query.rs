//! `catat query`: queries a server, or files and standard input without one.

use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arguments::{Format, Query};
use crate::client::Server;
use crate::failure::{Failure, of_output};
use crate::output::{Column, Printer, default_format, is_coloured, terminal_width};
use crate::zone::Zones;

/// Rows shown on a terminal unless told.
const TERMINAL_ROWS: u64 = 1_000;

/// Time after which progress is shown.
pub(crate) const PROGRESS_AFTER: Duration = Duration::from_millis(300);

/// Longest line of an answer that is taken: one row, whose texts are bounded by what may be ingested.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// What follows the rows, from a server or a local run.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Ending {
    #[serde(default)]
    pub(crate) partial: bool,
    #[serde(default)]
    pub(crate) more: bool,
    #[serde(default)]
    pub(crate) partial_reasons: Vec<Note>,
    #[serde(default)]
    pub(crate) warnings: Vec<Note>,
}

/// A warning, or a reason why an answer is not complete.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Note {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) hint: Option<String>,
}

/// Lines of a streamed answer.
enum Line {
    Row(Vec<Box<RawValue>>),
    Columns(Vec<Column>),
    Progress(Progress),
    Error(Note),
    Ending(Ending),
}

impl Line {
    fn parse(line: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Other {
            columns: Option<Vec<Column>>,
            progress: Option<Progress>,
            error: Option<Note>,
            #[serde(flatten)]
            ending: Ending,
        }
        if line.first() == Some(&b'[') {
            return serde_json::from_slice(line).map(Self::Row);
        }
        let other: Other = serde_json::from_slice(line)?;
        Ok(match other {
            Other { columns: Some(columns), .. } => Self::Columns(columns),
            Other { progress: Some(progress), .. } => Self::Progress(progress),
            Other { error: Some(error), .. } => Self::Error(error),
            Other { ending, .. } => Self::Ending(ending),
        })
    }
}

#[derive(Deserialize)]
struct Progress {
    #[serde(default)]
    events_scanned: u64,
}

/// Runs a query and prints the answer.
pub(crate) fn query(options: Query) -> Result<(), Failure> {
    let asks_server = options.names_server || !options.group.is_empty();
    let reads_input = options.file.is_empty() && !asks_server && has_piped_input();
    if !options.file.is_empty() || reads_input {
        return crate::local::query(&options);
    }
    if options.explain {
        return explain(&options);
    }
    let server = Server::new(&options.remote)?;
    let mut request = server.request(reqwest::Method::GET, "/api/v1/query").query(&parameters(&options)?);
    request = request.header("Accept", "application/x-ndjson");
    let response = server.send(request, &options.query)?;
    let mut shown = Shown::new(&options);
    let mut lines = BufReader::new(response);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut lines, LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let lost = |error: &dyn std::fmt::Display| Failure::unreachable(format!("the answer broke off: {error}"));
        if read.map_err(|error| lost(&error))? == 0 {
            return Err(lost(&"the server closed the connection"));
        }
        match Line::parse(&line).map_err(|error| lost(&error))? {
            Line::Columns(columns) => shown.start(columns)?,
            Line::Row(cells) => shown.row(cells.iter().map(|cell| cell.get().to_owned()).collect())?,
            Line::Progress(progress) => shown.progress(progress.events_scanned),
            Line::Error(error) => {
                shown.finish_output()?;
                return Err(Failure::partial(format!("the answer is not complete: {}", error.message)));
            }
            Line::Ending(ending) => return shown.finish(ending),
        }
    }
}

/// Reports whether standard input is a pipe or a file with content, as in `… | catat query`.
fn has_piped_input() -> bool {
    use std::os::fd::AsFd;
    let Ok(stat) = rustix::fs::fstat(std::io::stdin().as_fd()) else { return false };
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    matches!(kind, rustix::fs::FileType::Fifo) || (kind == rustix::fs::FileType::RegularFile && stat.st_size > 0)
}

fn explain(options: &Query) -> Result<(), Failure> {
    let server = Server::new(&options.remote)?;
    // A query in another language is shown in Insights first. If it has no such form, that error names the nearest one and says
    // more than the plan would.
    let translated = (options.language != "insights").then(|| translate(&server, options));
    let mut parameters = parameters(options)?;
    parameters.push(("explain", "true".into()));
    let request = server.request(reqwest::Method::GET, "/api/v1/query").query(&parameters);
    let answer = match server.send(request, &options.query) {
        Ok(answer) => answer,
        Err(failure) => return Err(translated.and_then(Result::err).unwrap_or(failure)),
    };
    let answer: serde_json::Value = answer.json().map_err(|error| Failure::unreachable(error.to_string()))?;
    let mut text = answer["explain"]["text"].as_str().unwrap_or_default().to_owned();
    match translated {
        Some(Ok(insights)) => text = format!("in Insights:\n{insights}\n\n{text}"),
        Some(Err(failure)) => text = format!("in Insights: {}\n\n{text}", failure.message()),
        None => {}
    }
    writeln!(std::io::stdout(), "{text}").map_err(of_output)
}

/// Returns the query in Insights.
fn translate(server: &Server, options: &Query) -> Result<String, Failure> {
    let question = serde_json::json!({"query": options.query, "language": options.language});
    let request = server.request(reqwest::Method::POST, "/api/v1/translate").json(&question);
    let answer: serde_json::Value =
        server.send(request, &options.query)?.json().map_err(|error| Failure::unreachable(error.to_string()))?;
    Ok(answer["query"].as_str().unwrap_or_default().to_owned())
}

/// Returns the query's parameters in the server's form.
fn parameters(options: &Query) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut parameters = vec![("query", options.query.clone()), ("language", options.language.clone())];
    parameters.extend(from_of(options)?.map(|from| ("from", from)));
    parameters.extend(options.to.clone().map(|to| ("to", to)));
    parameters.push(("time_zone", Zones::of(&options.zone)?.name()));
    parameters.extend(options.group.iter().map(|group| ("groups", group.clone())));
    if let Some(limit) = row_limit(options) {
        parameters.push(("limit", limit.to_string()));
    }
    Ok(parameters)
}

/// Returns the start of the range: `--since 1h30m` as a time that the server understands, or `--from`.
pub(crate) fn from_of(options: &Query) -> Result<Option<String>, Failure> {
    let Some(since) = &options.since else { return Ok(options.from.clone()) };
    if let Some(forward) = since.strip_prefix('-') {
        return Err(Failure::usage(format!(
            "--since {since}: the duration already counts back from now; write --since {forward}"
        )));
    }
    let nanoseconds = types::parse_duration_ns(since)
        .map_err(|error| Failure::usage(format!("--since {since}: {error}; write a duration such as 15m or 1h30m")))?;
    Ok(Some(format!("now-{}ms", nanoseconds / 1_000_000)))
}

/// Returns the maximum number of rows to ask for; `None` for all.
pub(crate) fn row_limit(options: &Query) -> Option<u64> {
    match options.limit {
        Some(0) => None,
        Some(limit) => Some(limit),
        None if std::io::stdout().is_terminal() => Some(TERMINAL_ROWS),
        None => None,
    }
}

/// What is printed of an answer.
pub(crate) struct Shown<'a> {
    options: &'a Query,
    printer: Option<Printer<BufWriter<std::io::Stdout>>>,
    started: Instant,
    has_progress: bool,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(options: &'a Query) -> Self {
        Self { options, printer: None, started: Instant::now(), has_progress: false }
    }

    pub(crate) fn start(&mut self, columns: Vec<Column>) -> Result<(), Failure> {
        let format: Format = self.options.output.unwrap_or_else(|| default_format(&columns));
        let out = BufWriter::with_capacity(64 << 10, std::io::stdout());
        let zones = Zones::of(&self.options.zone)?;
        let zone = zones.printed(matches!(format, Format::Table | Format::Lines));
        let mut printer =
            Printer::new(out, format, is_coloured(self.options.color)).in_zone(zone).fitted_to(terminal_width());
        printer.start(columns).map_err(of_output)?;
        self.printer = Some(printer);
        Ok(())
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) -> Result<(), Failure> {
        self.clear_progress();
        match &mut self.printer {
            Some(printer) => printer.row(cells).map_err(of_output),
            None => Err(Failure::other("the answer has rows before columns")),
        }
    }

    fn progress(&mut self, n_events: u64) {
        if std::io::stderr().is_terminal() && self.started.elapsed() > PROGRESS_AFTER {
            let rate = n_events as f64 / self.started.elapsed().as_secs_f64();
            eprint!("\r\u{1b}[K{n_events} events, {rate:.0}/s");
            self.has_progress = true;
        }
    }

    fn clear_progress(&mut self) {
        if std::mem::take(&mut self.has_progress) {
            eprint!("\r\u{1b}[K");
        }
    }

    fn finish_output(&mut self) -> Result<u64, Failure> {
        self.clear_progress();
        let Some(printer) = &mut self.printer else { return Ok(0) };
        printer.finish().map_err(of_output)?;
        printer.flush().map_err(of_output)?;
        Ok(printer.n_rows())
    }

    pub(crate) fn finish(mut self, ending: Ending) -> Result<(), Failure> {
        let n_rows = self.finish_output()?;
        for warning in &ending.warnings {
            let news = warning.hint.as_ref().filter(|hint| !warning.message.contains(&***hint));
            let hint = news.map_or(String::new(), |hint| format!(" ({hint})"));
            say!("catat: {}{hint}", warning.message);
        }
        if ending.more && self.options.limit.is_none() {
            say!("catat: {n_rows} rows shown of more; --limit 0 shows all");
        }
        if ending.partial {
            let reasons: Vec<&str> = ending.partial_reasons.iter().map(|reason| &*reason.message).collect();
            return Err(Failure::partial(format!("the answer is not complete: {}", reasons.join("; "))));
        }
        if n_rows == 0 && self.options.exit_on_empty { Err(Failure::no_match()) } else { Ok(()) }
    }
}
