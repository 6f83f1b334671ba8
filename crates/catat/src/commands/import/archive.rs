//! Archives: files, folders and buckets, sent in the form of shippers.
//!
//! An input has lines, or is rewritten to some, which are the same each time it is read. They go to the server with their place in the
//! input, so that an import that was interrupted goes on in the middle of a file, and stores nothing twice.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use archive::Input;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{ByteSize, GroupName, Hold, Timestamp, counted, group_name_of_outside};

use super::side::Side;
use super::told::{NAMED_MAX, compare_hours, none_refused, warn_of_retention};
use crate::arguments::FromArchive;
use crate::client::Server;
use crate::commands::journal::{Journal, plan_of};
use crate::commands::sent_file::{FileSender, SentFile};
use crate::failure::Failure;
use crate::local::{counts_by_hour, inputs_of};
use crate::progress::Progress;

/// Files that are sent beside each other.
const SENDERS: usize = 4;

/// Why sending of a file ends after another one has failed.
const ANOTHER: &str = "another file could not be sent";

/// Groups that are listed with their counts, and named in the comparison.
const GROUPS_NAMED_MAX: usize = 50;

#[derive(Debug, Deserialize, Serialize)]
struct Plan {
    asked: Value,
    /// The name of the source of the files.
    id: String,
    /// The zone of times without one.
    zone: String,
    files: Vec<PlannedFile>,
    /// Groups, hours in nanoseconds since 1970, and how many events they have.
    hours: Vec<(String, i64, u64)>,
    /// What cannot be read.
    problems: Vec<String>,
}

/// A file as it was when it was counted.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct PlannedFile {
    path: String,
    bytes: u64,
    /// In nanoseconds since 1970.
    modified: Option<i64>,
}

/// What became of a file.
#[derive(Debug, Deserialize, Serialize)]
struct Done {
    /// Its place in the plan.
    file: usize,
    #[serde(flatten)]
    sent: SentFile,
}

pub(super) fn import(options: &FromArchive, server: &Server) -> Result<(), Failure> {
    let group = options.group.as_deref().map(group_name_of_outside);
    let inputs: Vec<Arc<Input>> = inputs_of(&options.paths)?.into_iter().map(|input| of_group(input, &group)).collect();
    if let Some(stdin) = inputs.iter().find(|input| input.path.is_none()) {
        return Err(Failure::usage(format!("{} is read once: catat send", stdin.name())));
    }
    let asked = json!({"paths": options.paths, "group": options.group});
    let make = || Plan::new(asked.clone(), &inputs);
    let Some(dir) = options.dir.as_deref().filter(|_| !options.dry_run) else {
        return make()?.tell(server);
    };
    let plan = plan_of(dir, ("import.json", "import"), server, |plan: &Plan| plan.asked == asked, make)?;
    plan.check_unchanged(&inputs)?;
    plan.tell(server)?;
    let done = Transfer::new(&plan, &inputs)
        .run(server, dir)
        .map_err(|failure| failure.with("Run the same command to go on from here."))?;
    let refused: Vec<&String> = done.iter().flat_map(|done| &done.sent.refused).collect();
    refused.iter().take(NAMED_MAX).for_each(|problem| say!("catat: refused: {problem}"));
    let problems: Vec<&String> = done.iter().filter_map(|done| done.sent.problem.as_ref()).collect();
    problems.iter().take(NAMED_MAX).for_each(|problem| say!("catat: not read: {problem}"));
    say!("catat: {} stored", counted(done.iter().map(|done| done.sent.events).sum::<u64>(), "event"));
    plan.compare(server)?;
    none_refused(done.iter().map(|done| done.sent.n_refused).sum())?;
    match problems.len() {
        0 => Ok(()),
        n => Err(Failure::partial(format!("{} could not be read to the end", counted(n, "file")))),
    }
}

/// Gives the events of an input another group, where one was named.
fn of_group(mut input: Input, group: &Option<GroupName>) -> Arc<Input> {
    input.group = group.clone().unwrap_or(input.group);
    Arc::new(input)
}

impl PlannedFile {
    fn of(input: &Arc<Input>) -> Self {
        Self { path: input.name(), bytes: input.n_bytes, modified: input.modified.map(|modified| modified.0) }
    }
}

impl Plan {
    /// Counts the events that there are.
    fn new(asked: Value, inputs: &[Arc<Input>]) -> Result<Self, Failure> {
        let zone = ship::host_zone().and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::Tz::UTC);
        let (hours, problems) = counts_by_hour(inputs, zone)?;
        let id = getrandom::u64().map_err(|error| Failure::other(format!("no random numbers: {error}")))?;
        Ok(Self {
            asked,
            id: format!("import-{id:016x}"),
            zone: zone.name().to_owned(),
            files: inputs.iter().map(PlannedFile::of).collect(),
            hours: hours.into_iter().map(|((group, hour), events)| (group, hour.0, events)).collect(),
            problems,
        })
    }

    /// Positions count from the beginnings of files, so they must be those of the plan.
    fn check_unchanged(&self, inputs: &[Arc<Input>]) -> Result<(), Failure> {
        let now: Vec<PlannedFile> = inputs.iter().map(PlannedFile::of).collect();
        let differs = self.files.iter().zip(&now).find(|(then, now)| then != now).map(|(then, _)| &then.path);
        if differs.is_none() && self.files.len() == now.len() {
            return Ok(());
        }
        let what = differs.map_or_else(|| "there are other files".to_owned(), |path| format!("{path} is another file"));
        Err(Failure::usage(format!("{what} than when the import began")).with("Import what is new with another --dir."))
    }

    /// Says how much there is, from when, and what retention would take at once.
    fn tell(&self, server: &Server) -> Result<(), Failure> {
        let n_bytes = self.files.iter().map(|file| file.bytes).sum();
        let files = counted(self.files.len(), "file");
        let ends = self.hours.iter().map(|(_, hour, _)| *hour);
        let Some((first, last)) = ends.clone().min().zip(ends.max()) else {
            say!("catat: no events in {files} of {}", ByteSize(n_bytes));
            return Ok(());
        };
        let n_events: u64 = self.hours.iter().map(|(.., n)| n).sum();
        let [from, to] = [first, last + Timestamp::HOUR].map(Timestamp);
        say!("catat: {} from {from} to {to} in {files} of {}", counted(n_events, "event"), ByteSize(n_bytes));
        let groups = self.groups();
        for group in groups.iter().take(GROUPS_NAMED_MAX) {
            let n: u64 = self.hours.iter().filter(|(of, ..)| of == group).map(|(.., n)| n).sum();
            say!("catat: group {group}: {}", counted(n, "event"));
        }
        if groups.len() > GROUPS_NAMED_MAX {
            say!("catat: … and {} more groups", groups.len() - GROUPS_NAMED_MAX);
        }
        self.problems.iter().take(NAMED_MAX).for_each(|problem| say!("catat: warning: {problem}"));
        let ends: Vec<_> = self.hours.iter().map(|(_, hour, n)| (Timestamp(hour + Timestamp::HOUR), *n)).collect();
        warn_of_retention(server, &ends)
    }

    fn groups(&self) -> BTreeSet<&str> {
        self.hours.iter().map(|(group, ..)| &**group).collect()
    }

    /// Compares how many events each hour of each group has in the files and at the server.
    fn compare(&self, server: &Server) -> Result<(), Failure> {
        let hours = || self.hours.iter().map(|(_, hour, _)| *hour);
        let Some((first, last)) = hours().min().zip(hours().max()) else { return Ok(()) };
        let groups = self.groups();
        let named = groups.iter().filter(|_| groups.len() <= GROUPS_NAMED_MAX).map(|group| ("groups", *group));
        let [from, to] = [first, last + Timestamp::HOUR - 1].map(|end| Timestamp(end).to_string());
        let query = "stats count(*) as n by @log, bin(1h) as hour";
        let parameters = [("query", query), ("from", &*from), ("to", &*to), ("time_zone", "UTC"), ("format", "ndjson")];
        let request = server.request(Method::GET, "/api/v1/query").query(&parameters).query(&named.collect::<Vec<_>>());
        let text = server.send(request, query)?.text().map_err(crate::client::broken_off)?;
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).ok()?;
            let hour = row["hour"].as_str().and_then(Timestamp::parse_rfc3339)?;
            Some((GroupHour(row["@log"].as_str()?.to_owned(), hour.0), row["n"].as_u64()?))
        };
        let ours = text.lines().map(row).collect::<Option<_>>();
        let ours = ours.ok_or_else(|| Failure::other("the server counted in a way that is not understood"))?;
        let theirs = self.hours.iter().map(|(group, hour, n)| (GroupHour(group.clone(), *hour), *n));
        compare_hours(&theirs.collect::<Vec<_>>(), &ours)
    }
}

/// An hour of a group.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct GroupHour(String, i64);

impl fmt::Display for GroupHour {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} at {}", self.0, Timestamp(self.1))
    }
}

/// Files on their way.
struct Transfer<'a> {
    plan: &'a Plan,
    /// Files that no sender has taken yet, the next one last.
    left: Mutex<Vec<(usize, &'a Arc<Input>)>>,
    done: Mutex<Vec<Done>>,
    has_failed: AtomicBool,
    progress: Progress,
    n_read: Arc<AtomicU64>,
}

impl<'a> Transfer<'a> {
    fn new(plan: &'a Plan, inputs: &'a [Arc<Input>]) -> Self {
        Self {
            plan,
            left: Mutex::new(inputs.iter().enumerate().rev().collect()),
            done: Mutex::default(),
            has_failed: AtomicBool::new(false),
            progress: Progress::new(Some(inputs.iter().map(|input| input.n_bytes).sum())),
            n_read: Arc::default(),
        }
    }

    /// Sends what is not done yet; returns what became of all.
    fn run(self, server: &Server, dir: &Path) -> Result<Vec<Done>, Failure> {
        let journal = Journal::new(dir, "done.ndjson");
        let before: Vec<Done> = journal.read()?;
        let known: BTreeSet<usize> = before.iter().map(|done| done.file).collect();
        self.left.hold().retain(|(number, _)| !known.contains(number));
        if !known.is_empty() {
            say!("catat: {} of {} are there already", known.len(), counted(self.plan.files.len(), "file"));
        }
        *self.done.hold() = before;
        let after_piece = || {
            self.progress.show(self.n_read.load(Relaxed));
            if self.has_failed.load(Relaxed) { Err(Failure::other(ANOTHER)) } else { Ok(()) }
        };
        let sender = FileSender {
            source: &self.plan.id,
            zone: &self.plan.zone,
            to: Side::of_server(server),
            n_read: self.n_read.clone(),
            after_piece: &after_piece,
        };
        let all = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(|| self.send_files(&sender, &journal))).collect();
            let ended =
                senders.into_iter().map(|sender| sender.join().unwrap_or_else(|_| Err(Failure::other("a bug"))));
            ended.collect::<Vec<_>>()
        });
        self.progress.line.clear();
        let failures = all.into_iter().filter_map(Result::err);
        if let Some(failure) = failures.min_by_key(|failure| failure.message == ANOTHER) {
            return Err(failure);
        }
        Ok(self.done.into_held())
    }

    fn send_files(&self, sender: &FileSender<'_>, journal: &Journal) -> Result<(), Failure> {
        loop {
            let next = self.left.hold().pop();
            let Some((number, input)) = next.filter(|_| !self.has_failed.load(Relaxed)) else { return Ok(()) };
            let sent = sender.send(input, (&number.to_string(), 0)).and_then(|sent| {
                let done = Done { file: number, sent };
                let mut all = self.done.hold();
                journal.append(&done)?;
                all.push(done);
                Ok(())
            });
            sent.inspect_err(|_| self.has_failed.store(true, Relaxed))?;
        }
    }
}
