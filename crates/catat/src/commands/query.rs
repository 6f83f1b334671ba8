//! `catat query`: queries a server, or files and standard input without one.

use std::io::{BufRead, BufReader, Write};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::{AnswerPrinter, Note, Trailer};
use crate::arguments::{DataDir, Query};
use crate::client::Server;
use crate::event_view::with_level_and_group;
use crate::failure::{Failure, Result, of_output};
use crate::output::Column;
use crate::zone::Zones;

/// Longest line of an answer that is taken: one row, whose texts are bounded by what may be ingested.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// Lines of a streamed answer.
enum Line {
    Row(Vec<Box<RawValue>>),
    Columns(Vec<Column>),
    Progress(Progress),
    Error(Note),
    Trailer(Trailer),
}

impl Line {
    fn parse(line: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Other {
            columns: Option<Vec<Column>>,
            progress: Option<Progress>,
            error: Option<Note>,
            #[serde(flatten)]
            trailer: Trailer,
        }
        if line.first() == Some(&b'[') {
            return serde_json::from_slice(line).map(Self::Row);
        }
        let other: Other = serde_json::from_slice(line)?;
        Ok(match other {
            Other { columns: Some(columns), .. } => Self::Columns(columns),
            Other { progress: Some(progress), .. } => Self::Progress(progress),
            Other { error: Some(error), .. } => Self::Error(error),
            Other { trailer, .. } => Self::Trailer(trailer),
        })
    }
}

#[derive(Deserialize)]
struct Progress {
    #[serde(default)]
    events_scanned: u64,
}

/// Makes the formats beside the configuration those that files are read with. Nothing else of it counts here, so that mistakes
/// in one that nobody named are no failure.
fn install_formats(options: &Query) -> Result<()> {
    let dirs = DataDir { config: options.config.clone(), data_dir: options.remote.data_dir.clone() };
    match super::settings::config(&dirs) {
        Ok(config) => crate::program_formats::install_formats(&config.formats_dir),
        Err(failure) if options.config.is_some() => return Err(failure),
        Err(_) => {
            say!("catat: warning: the configuration has mistakes, its formats of programs are left out: catat check")
        }
    }
    Ok(())
}

/// Runs a query and prints the answer.
pub(crate) fn query(mut options: Query) -> Result<()> {
    options.take_input()?;
    if options.language == "insights" && !options.explain {
        // One file or one group need not be named in each line.
        let is_one = match &options.group[..] {
            [] => options.file.len() == 1 && !options.file[0].is_dir(),
            [group] => !group.contains('*'),
            _ => false,
        };
        let shown = with_level_and_group(&options.query, options.output, !is_one);
        options.is_for_people = shown.is_some();
        options.query = shown.unwrap_or(options.query);
    }
    if !options.file.is_empty() {
        install_formats(&options)?;
        return crate::local::query(&options);
    }
    if options.language == "promql" {
        return super::promql::query(&options);
    }
    if options.step.is_some() && !matches!(options.language.as_str(), "logql" | "traceql") {
        return Err(Failure::usage(
            "--step is for --language promql, logql and traceql; Insights has bin(), as in stats count(*) by bin(15s)",
        ));
    }
    if options.explain {
        return explain(&options);
    }
    let server = Server::new(&options.remote)?;
    let mut request = server.request(reqwest::Method::GET, "/api/v1/query").query(&parameters(&options)?);
    request = request.header("Accept", "application/x-ndjson");
    let response = server.send(request, &options.query).map_err(|failure| match has_piped_input() {
        true => failure.with("Standard input is read where `-` stands: … | catat query - 'QUERY'."),
        false => failure,
    })?;
    let mut printer = AnswerPrinter::new(&options);
    let mut lines = BufReader::new(response);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut lines, LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let lost = |error: &dyn std::fmt::Display| Failure::unreachable(format!("the answer broke off: {error}"));
        types::ensure!(read.map_err(|error| lost(&error))? != 0, lost(&"the server closed the connection"));
        match Line::parse(&line).map_err(|error| lost(&error))? {
            Line::Columns(columns) => printer.start(columns)?,
            Line::Row(cells) => printer.row(cells.iter().map(|cell| cell.get().to_owned()).collect())?,
            Line::Progress(progress) => printer.progress(progress.events_scanned),
            Line::Error(error) => {
                printer.finish_output()?;
                return Err(Failure::partial(format!("the answer is not complete: {}", error.message)));
            }
            Line::Trailer(trailer) => return printer.finish(trailer),
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

fn explain(options: &Query) -> Result<()> {
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
        Some(Err(failure)) => text = format!("in Insights: {}\n\n{text}", &failure.message),
        None => {}
    }
    writeln!(std::io::stdout(), "{text}").map_err(of_output)
}

/// Returns the query in Insights.
fn translate(server: &Server, options: &Query) -> Result<String> {
    let question = serde_json::json!({"query": options.query, "language": options.language});
    let request = server.request(reqwest::Method::POST, "/api/v1/translate").json(&question);
    let answer: serde_json::Value =
        server.send(request, &options.query)?.json().map_err(|error| Failure::unreachable(error.to_string()))?;
    Ok(answer["query"].as_str().unwrap_or_default().to_owned())
}

/// Returns the query's parameters in the server's form.
fn parameters(options: &Query) -> Result<Vec<(&'static str, String)>> {
    let mut parameters = vec![("query", options.query.clone()), ("language", options.language.clone())];
    parameters.extend(options.start()?.map(|from| ("from", from)));
    parameters.extend(options.to.clone().map(|to| ("to", to)));
    parameters.extend(options.step.clone().map(|step| ("step", step)));
    parameters.extend(options.all_fields.then(|| ("all_fields", "true".to_owned())));
    parameters.push(("time_zone", Zones::of(&options.zone)?.name()));
    parameters.extend(options.group.iter().map(|group| ("groups", group.clone())));
    if let Some(limit) = options.row_limit() {
        parameters.push(("limit", limit.to_string()));
    }
    Ok(parameters)
}
