//! Queries over files and standard input, without a server: the same language and the same engine over batches in
//! memory.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parse::{Received, Zone, batches_of_text};
use query::{Answer, ParseOptions, Request, Support, execute_with_subqueries, parse_insights};
use storage::Clock;
use types::{BatchRun, GroupPattern, Limits, Run, TimeRange, Timestamp, group_name_of_file};

use crate::arguments::Query;
use crate::commands::{Ending, Note, Shown, row_limit, since_as_time};
use crate::failure::Failure;
use crate::output::{Column, located_error};

/// Plain bytes of one file that are held: its events are queried in memory.
const FILE_BYTES_MAX: u64 = 8 << 30;

/// Answers the query over `--file`, or over standard input where there is none.
pub(crate) fn query(options: &Query) -> Result<(), Failure> {
    if options.language != "insights" {
        return Err(Failure::usage("files are queried in the language insights"));
    }
    let now = Clock::system().now();
    let zone = options.tz.as_deref().unwrap_or("UTC");
    let time_zone: chrono_tz::Tz =
        zone.parse().map_err(|_| Failure::usage(format!("--tz {zone} is no time zone such as Asia/Jakarta")))?;
    let plan = parse_insights(&options.query, &ParseOptions { now, time_zone })
        .map_err(|errors| Failure::usage(query_errors(&errors, &options.query)))?;
    if options.explain {
        return writeln!(std::io::stdout(), "{plan}").map_err(crate::failure::of_output);
    }
    let range = plan.range(range_of(options, now, time_zone)?, now, time_zone);
    let runs = read_inputs(&options.file, now, time_zone)?;
    let limits = Limits::default();
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let request = Request {
        range,
        limit: row_limit(options).map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        time_zone,
        now,
        // Nobody else is served by this process: it may use what its answer needs.
        memory_bytes_max: limits.query_memory_bytes.saturating_mul(16),
        deadline: None,
        cancelled: &AtomicBool::new(false),
        n_threads,
        progress: None,
        support: Support::default(),
    };
    let mut runs_of = |groups: &[GroupPattern]| {
        let is_asked = |run: &&Arc<dyn Run>| GroupPattern::any_matches(groups, run.info().group.as_str());
        runs.iter().filter(is_asked).cloned().collect()
    };
    let answer = execute_with_subqueries(&plan, &runs, &request, &mut runs_of);
    let answer = answer.map_err(|error| Failure::other(error.to_string()))?;
    print(options, answer)
}

fn query_errors(errors: &query::QueryErrors, query: &str) -> String {
    let shown = |error: &query::QueryError| {
        located_error(&error.message, Some(error.line), Some(error.column), error.hint.as_deref(), query)
    };
    errors.0.iter().map(shown).collect::<Vec<_>>().join("\n")
}

/// The range asked for; without one all time, for a file has no last hour.
fn range_of(options: &Query, now: Timestamp, zone: chrono_tz::Tz) -> Result<TimeRange, Failure> {
    let parse = |text: &str| query::time::parse(text, now, zone).map_err(|error| Failure::usage(error.to_string()));
    let from = options.since.as_ref().map(|since| since_as_time(since)).or(options.from.clone());
    let from = from.as_deref().map(parse).transpose()?;
    let to = options.to.as_deref().map(parse).transpose()?;
    Ok(TimeRange {
        from: from.unwrap_or(TimeRange::ALL.from),
        // The end belongs to the range.
        to: to.map_or(TimeRange::ALL.to, |to| Timestamp(to.0.saturating_add(1))),
    })
}

fn read_inputs(paths: &[PathBuf], now: Timestamp, zone: chrono_tz::Tz) -> Result<Vec<Arc<dyn Run>>, Failure> {
    let mut runs = Vec::new();
    let reads_input = paths.is_empty() || paths.iter().any(|path| path.as_os_str() == "-");
    if reads_input {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(FILE_BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(|error| Failure::other(format!("standard input: {error}")))?;
        add_runs(&mut runs, "stdin", &bytes, now, None, zone);
    }
    for path in paths.iter().filter(|path| path.as_os_str() != "-") {
        let bytes = read_file(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = since.and_then(|since| i64::try_from(since.as_nanos()).ok()).map(Timestamp);
        add_runs(&mut runs, &path.to_string_lossy(), &bytes, now, modified, zone);
    }
    Ok(runs)
}

/// Parses the text of one file into runs of its own group.
fn add_runs(
    runs: &mut Vec<Arc<dyn Run>>,
    path: &str,
    bytes: &[u8],
    now: Timestamp,
    modified: Option<Timestamp>,
    zone: chrono_tz::Tz,
) {
    let limits = Limits::default();
    let received = Received { at: now, modified, zone: Zone::Named(zone), limits: &limits };
    let group = group_name_of_file(path);
    let group_id = u32::try_from(runs.len()).unwrap_or(u32::MAX);
    let mut sequence = 0;
    batches_of_text(bytes, &received, &mut |mut batch| {
        for number in &mut batch.sequences {
            *number = sequence;
            sequence += 1;
        }
        batch.ingestion_times.fill(now.0);
        runs.push(Arc::new(BatchRun::new(group.clone(), group_id, Arc::new(batch))));
    });
}

/// Reads a plain, gzip or zstd file, told apart by its first bytes.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let n_magic = file.read(&mut magic)?;
    let head = std::io::Cursor::new(magic[..n_magic].to_vec());
    let whole = head.chain(file);
    let plain: Box<dyn Read> = match magic {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole)?),
        _ => Box::new(whole),
    };
    let mut bytes = Vec::new();
    plain.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn print(options: &Query, answer: Answer) -> Result<(), Failure> {
    let mut shown = Shown::new(options);
    let columns = answer.columns.into_iter().map(|column| Column { name: column.name });
    shown.start(columns.collect())?;
    for row in answer.rows {
        let cell = |value: &Option<types::Value>| {
            let mut json = String::new();
            match value {
                Some(value) => value.write_json(&mut json),
                None => json.push_str("null"),
            }
            json
        };
        shown.row(row.iter().map(cell).collect())?;
    }
    let warnings = answer.warnings.into_iter().map(|w| Note { message: w.message, hint: w.hint }).collect();
    let reasons: Vec<Note> =
        answer.partial_reasons.into_iter().map(|reason| Note { message: reason.message, hint: None }).collect();
    let partial = !reasons.is_empty();
    shown.finish(Ending { partial, more: answer.more, partial_reasons: reasons, warnings })
}
