//! Queries over files and standard input, without a server: the same language and the same engine.
//!
//! Files are read in pieces that pass by once ([`FileFeed`]), so that they may be larger than memory. What grows with them
//! is only what the query itself keeps: groups, or the rows that it shows.

mod watched;

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use archive::{FileFeed, Input, inputs, leave_out};
use execute::{Answer, Feed, FeedRequest, Request, Support, UnknownFields, execute_stream, needs_several_passes};
use language::{ParseOptions, parse_insights};
use parse::{ArrivalContext, Projection, Zone};
use plan::{Rows, Warning, read_csv};
use storage::Clock;
use types::{GroupPattern, Hold, Limits, TimeRange, Timestamp, Value, counted, ensure};

use self::watched::WatchedFeed;
use crate::answer::{AnswerPrinter, Note, Trailer};
use crate::arguments::Query;
use crate::failure::{Failure, Result};
use crate::output::{Column, Kind, located_error};
use crate::progress::Progress;
use crate::zone::Zones;

/// What a query may hold where the system does not say how much there is.
const MEMORY_BYTES_UNKNOWN: usize = 1 << 30;

/// Objects of a bucket that are asked for at once: most of the time is spent waiting.
const FAR_THREADS: usize = 16;

/// The bytes of a file, unpacked where it is packed, or those of standard input.
pub(crate) type Source = Box<dyn Read + Send>;

/// Returns the bytes of a file, unpacked where it is packed; those of standard input for `-`.
pub(crate) fn open(path: &Path) -> Result<Source> {
    open_counted(path, Arc::default()).map(|(source, _)| source)
}

/// The same; `n_read` counts what is read of the file as it is. Returns how long that is, where it is known, too.
pub(crate) fn open_counted(path: &Path, n_read: Arc<AtomicU64>) -> Result<(Source, Option<u64>)> {
    let mut found = inputs_of(&[path.to_owned()])?;
    let Some(input) = found.pop().filter(|_| found.is_empty()) else {
        return Err(Failure::usage(format!("{}: name a single file", path.display())));
    };
    archive::open_text(&input, n_read).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

pub(crate) fn inputs_of(paths: &[PathBuf]) -> Result<Vec<Input>> {
    inputs(paths).map_err(|error| Failure::usage(error.to_string()))
}

/// Answers the query over `--file`, or over standard input where there is none.
pub(crate) fn query(options: &Query) -> Result<()> {
    ensure!(options.language == "insights", Failure::usage("files are queried in the language insights"));
    let now = Clock::system().now();
    let zones = Zones::of(&options.zone)?;
    let time_zone = zones.spoken();
    let plan = parse_insights(&options.query, &ParseOptions { now, time_zone })
        .map_err(|errors| Failure::usage(query_errors(&errors, &options.query)))?;
    if options.explain {
        return writeln!(std::io::stdout(), "{plan}").map_err(crate::failure::of_output);
    }
    let range = plan.range(range_of(options, now, time_zone)?, now, time_zone);
    let tables = tables(&options.lookup)?;
    let table_of = |name: &str| tables.get(name).cloned();
    let mut inputs = inputs_of(&options.file)?;
    let n_left_out = leave_out(&mut inputs, range);
    if needs_several_passes(&plan) {
        for input in inputs.iter_mut().filter(|input| input.path.is_none()) {
            *input = spool(input)?;
        }
    }
    let n_read = Arc::new(AtomicU64::new(0));
    let is_known = inputs.iter().all(Input::is_whole);
    let progress = Progress::new(is_known.then(|| inputs.iter().map(|input| input.n_bytes).sum()));
    let limits = Limits::default();
    let request = Request {
        limit: options.row_limit().map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        time_zone,
        progress: Some(&|_| progress.show(n_read.load(Relaxed))),
        support: Support { tables: Some(&table_of), ..Support::default() },
        ..request(range, now, inputs.iter().any(Input::is_far))
    };
    let received =
        ArrivalContext { at: now, modified: None, previous: None, zone: Zone::Named(zones.host), limits: &limits };
    let numbered: Vec<(u32, Arc<Input>)> = (0..).zip(inputs.into_iter().map(Arc::new)).collect();
    let unknown = Mutex::new(UnknownFields::of(&plan, &options.query));
    let is_screened = AtomicBool::new(false);
    let mut feed_of = |groups: &[GroupPattern], asked: FeedRequest| -> Box<dyn Feed + '_> {
        let is_named = |group: &str| groups.is_empty() || GroupPattern::any_matches(groups, group);
        let inputs = numbered.iter().filter(|(_, input)| is_named(input.group.as_str())).cloned().collect();
        n_read.store(0, Relaxed);
        is_screened.fetch_or(asked.screen.is_some(), Relaxed);
        Box::new(WatchedFeed::new(Box::new(FileFeed::new(inputs, received, range, asked, n_read.clone())), &unknown))
    };
    let answer = execute_stream(&plan, &mut feed_of, &request);
    progress.line.clear();
    let mut answer = answer.map_err(|error| Failure::other(error.to_string()))?;
    let unknown = unknown.into_held();
    answer.warnings.extend(unknown_fields(unknown, numbered, received, is_screened.into_inner()));
    if n_left_out > 0 {
        say!("catat: {} left out by the days in their paths", counted(n_left_out, "file"));
    }
    print(options, answer)
}

/// A request for all rows, with everything that this process may use, for which nobody else waits.
fn request<'r>(range: TimeRange, now: Timestamp, is_far: bool) -> Request<'r> {
    static CANCELLED: AtomicBool = AtomicBool::new(false);
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    Request {
        range,
        limit: None,
        time_zone: chrono_tz::Tz::UTC,
        now,
        memory_bytes_max: memory_bytes_max(),
        deadline: None,
        cancelled: &CANCELLED,
        n_threads: if is_far { n_threads.max(FAR_THREADS) } else { n_threads },
        progress: None,
        support: Support::default(),
    }
}

/// Counts the events of files by group and hour; returns what could not be read, too. Times without a zone are of `zone`.
pub(crate) fn counts_by_hour(inputs: &[Arc<Input>], zone: chrono_tz::Tz) -> Result<(HourCounts, Vec<String>)> {
    let now = Clock::system().now();
    let options = ParseOptions { now, time_zone: chrono_tz::Tz::UTC };
    let query = "stats count(*) by @log, bin(1h)";
    let plan = parse_insights(query, &options).map_err(|errors| Failure::other(query_errors(&errors, query)))?;
    let (n_read, limits) = (Arc::new(AtomicU64::new(0)), Limits::default());
    let progress = Progress::new(Some(inputs.iter().map(|input| input.n_bytes).sum()));
    let request = Request {
        progress: Some(&|_| progress.show(n_read.load(Relaxed))),
        ..request(TimeRange::ALL, now, inputs.iter().any(|input| input.is_far()))
    };
    let received = ArrivalContext { at: now, modified: None, previous: None, zone: Zone::Named(zone), limits: &limits };
    let mut feed_of = |_: &[GroupPattern], asked: FeedRequest| -> Box<dyn Feed + '_> {
        let inputs = (0..).zip(inputs.iter().cloned()).collect();
        Box::new(FileFeed::new(inputs, received, TimeRange::ALL, asked, n_read.clone()))
    };
    let answer = execute_stream(&plan, &mut feed_of, &request);
    progress.line.clear();
    let answer = answer.map_err(|error| Failure::other(error.to_string()))?;
    let count = |row: &Vec<Option<Value>>| match &row[..] {
        [Some(group), Some(hour), Some(Value::Integer(n))] => {
            Some(((group.to_string(), Timestamp::parse_rfc3339(&hour.to_string())?), *n as u64))
        }
        _ => None,
    };
    let counts: Option<HourCounts> = answer.rows.iter().map(count).collect();
    let counts = counts.ok_or_else(|| Failure::other("the files were counted in a way that is not understood"))?;
    Ok((counts, answer.partial_reasons.into_iter().map(|reason| reason.message).collect()))
}

/// Groups, hours, and how many events they have.
pub(crate) type HourCounts = std::collections::BTreeMap<(String, Timestamp), u64>;

/// Warnings about fields that the query names and no event has.
///
/// A query that leaves out events unread knows nothing of their fields, and reads no others. So the first events of the
/// files are read once more, whole.
fn unknown_fields(
    mut unknown: UnknownFields,
    inputs: Vec<(u32, Arc<Input>)>,
    received: ArrivalContext<'_>,
    is_screened: bool,
) -> Vec<Warning> {
    let inputs: Vec<_> = inputs.into_iter().filter(|(_, input)| input.path.is_some()).collect();
    if unknown.is_empty() || is_screened && inputs.is_empty() {
        return Vec::new();
    }
    let whole = FeedRequest { screen: None, wanted: Projection::default(), untimed: None };
    let feed = FileFeed::new(inputs, received, TimeRange::ALL, whole, Arc::default());
    if let Ok(Some(run)) = feed.next()
        && unknown.look_at(&*run).is_err()
    {
        return Vec::new();
    }
    unknown.warnings(if is_screened { "among the first of these files" } else { "in these files" })
}

fn query_errors(errors: &plan::QueryErrors, query: &str) -> String {
    let shown = |error: &plan::QueryError| {
        located_error(&error.message, Some(error.line), Some(error.column), error.hint.as_deref(), query)
    };
    errors.0.iter().map(shown).collect::<Vec<_>>().join("\n")
}

/// Returns the requested range; all time by default, as a file has no last hour.
pub(crate) fn range_of(options: &Query, now: Timestamp, zone: chrono_tz::Tz) -> Result<TimeRange> {
    let parse = |flag: &str, text: &str| {
        plan::time::parse(text, now, zone).map_err(|error| Failure::usage(format!("{flag}: {error}")))
    };
    let from = options.start()?;
    // As at the server: a beginning that is written with its end is the whole range.
    if let (Some(text), None) = (from.as_deref(), &options.to)
        && plan::time::has_two_ends(text)
    {
        let range = plan::time::parse_range(text, now, zone).map_err(|error| Failure::usage(error.to_string()))?;
        return Ok(TimeRange { from: range.from.time, to: Timestamp(range.to.time.0.saturating_add(1)) });
    }
    let from = from.as_deref().map(|text| parse("--from", text)).transpose()?;
    let to = options.to.as_deref().map(|text| parse("--to", text)).transpose()?;
    Ok(TimeRange {
        from: from.unwrap_or(TimeRange::ALL.from),
        // The end belongs to the range.
        to: to.map_or(TimeRange::ALL.to, |to| Timestamp(to.0.saturating_add(1))),
    })
}

/// Returns the tables that the arguments name.
fn tables(named: &[String]) -> Result<HashMap<String, Arc<Rows>>> {
    let mut tables = HashMap::new();
    for table in named {
        let Some((name, path)) = table.split_once('=') else {
            return Err(Failure::usage(format!("--lookup {table}: write NAME=FILE")));
        };
        let failed = |error: &dyn std::fmt::Display| Failure::usage(format!("--lookup {name}: {path}: {error}"));
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        tables.insert(name.to_owned(), Arc::new(read_csv(&text).map_err(|error| failed(&error))?));
    }
    Ok(tables)
}

/// Lets standard input be read as often as a query with others inside it asks: it is written to a file without a name.
fn spool(input: &Input) -> Result<Input> {
    let failed = |error: &dyn std::fmt::Display| Failure::other(format!("standard input: {error}"));
    let directory = std::env::temp_dir();
    let flags = rustix::fs::OFlags::TMPFILE | rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
    let file = rustix::fs::open(&directory, flags, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
    let mut file = File::from(file.map_err(|error| failed(&format!("{}: {error}", directory.display())))?);
    let n_bytes = std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(|error| failed(&error))?;
    Ok(input.clone().spooled(file, n_bytes))
}

/// Returns how much a query may hold: half of what the machine, or the group of processes that this one is in, has left. Nobody
/// else is served by this process.
fn memory_bytes_max() -> usize {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let available = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
    });
    let allowed = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse::<usize>().ok());
    let least = available.into_iter().chain(allowed).min();
    least.map_or(MEMORY_BYTES_UNKNOWN, |bytes| (bytes / 2).max(Limits::default().query_memory_bytes))
}

fn print(options: &Query, answer: Answer) -> Result<()> {
    let mut printer = AnswerPrinter::new(options);
    let kind = |kind| if kind == execute::ColumnKind::Timestamp { Kind::Time } else { Kind::Other };
    let columns = answer.columns.into_iter().map(|column| Column { kind: kind(column.kind), name: column.name });
    printer.start(columns.collect())?;
    for row in answer.rows {
        let cell = |value: &Option<types::Value>| {
            let mut json = String::new();
            match value {
                Some(value) => value.write_json(&mut json),
                None => json.push_str("null"),
            }
            json
        };
        printer.row(row.iter().map(cell).collect())?;
    }
    let warnings = answer.warnings.into_iter().map(|w| Note { message: w.message, hint: w.hint }).collect();
    let reasons: Vec<Note> =
        answer.partial_reasons.into_iter().map(|reason| Note { message: reason.message, hint: None }).collect();
    let partial = !reasons.is_empty();
    printer.finish(Trailer { partial, more: answer.more, partial_reasons: reasons, warnings })
}
