//! `catat pull`: objects of a bucket as they come, each once.
//!
//! ```text
//! found: the bucket is listed, or a queue of SQS tells of new objects
//!   per lane: object ─► "begun" in DIR/objects.ndjson ─► its lines, as bytes behind those of the object before ─► "done"
//! told: a message is deleted when all of its objects are done
//! ```
//!
//! A lane is one file to the server, so that a pull takes the memory of a few positions, however many objects there are. What was
//! begun when the pull was interrupted goes on in the same lane at the same place, where the server knows what it has.

mod kafka;
mod notification;
mod queue;
mod settings;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use archive::{Bucket, Input, names_object, object, objects};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use storage::Clock;
use types::{GroupName, Hold, Timestamp, counted, group_name_of_file, group_name_of_outside};

use self::notification::ObjectName;
use self::queue::Queue;
use self::settings::{AFTER_FAILURE, duration, zone};
use super::import::Side;
use super::journal::{Journal, at, plan_of};
use super::sent_file::{FileSender, SentFile};
use crate::arguments::Pull;
use crate::client::Server;
use crate::failure::{Failure, Result};

/// Objects that are sent beside each other.
const LANES: usize = 4;

/// How long an object is remembered that a queue told of: a queue has its messages for two weeks at most.
const REMEMBERED_NS: i64 = 15 * Timestamp::DAY;

const OBJECTS: &str = "objects.ndjson";

#[derive(Debug, Deserialize, Serialize)]
struct Plan {
    asked: Value,
    /// The name of the source.
    id: String,
    zone: String,
}

/// An object that was begun, or is done.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Step {
    object: String,
    /// In nanoseconds since 1970: what is put once more is another object.
    modified: i64,
    lane: usize,
    /// Where its bytes begin in the lane.
    begin: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done: Option<SentFile>,
}

impl Step {
    fn key(&self) -> ObjectKey {
        (self.object.clone(), self.modified)
    }
}

type ObjectKey = (String, i64);

fn key_of(input: &Input) -> ObjectKey {
    (input.name(), input.modified.map_or(0, |modified| modified.0))
}

/// What is known of objects, and where lanes end.
#[derive(Default)]
struct Known {
    done: HashSet<ObjectKey>,
    /// Begun and not done, with their lanes and places.
    begun: HashMap<ObjectKey, (usize, u64)>,
    ends: BTreeMap<usize, u64>,
}

impl Known {
    fn of(steps: &[Step]) -> Self {
        let mut known = Self::default();
        steps.iter().for_each(|step| known.note(step));
        known
    }

    fn note(&mut self, step: &Step) {
        match &step.done {
            Some(sent) => {
                self.begun.remove(&step.key());
                self.done.insert(step.key());
                self.ends.insert(step.lane, step.begin + sent.bytes);
            }
            None => drop(self.begun.insert(step.key(), (step.lane, step.begin))),
        }
    }

    /// Chooses lanes that no object was begun in, or only one that waits to be gone on with.
    fn free_lanes(&self) -> Vec<usize> {
        let taken: HashSet<usize> = self.begun.values().map(|(lane, _)| *lane).collect();
        (0..).filter(|lane| !taken.contains(lane)).take(LANES).collect()
    }
}

pub(crate) fn pull(options: &Pull) -> Result<()> {
    if options.paths.iter().any(|path| ::kafka::Address::is_meant(&path.to_string_lossy())) {
        return kafka::pull(options);
    }
    let server = Server::new(&options.remote)?;
    let every = duration("--every", &options.every)?;
    if let Some(path) = options.paths.iter().find(|path| !path.starts_with("s3:")) {
        let message = format!(
            "{}: objects are pulled, such as s3://BUCKET/PREFIX, and messages of kafka://HOST:9092/TOPIC",
            path.display()
        );
        return Err(Failure::usage(message).with("Files are followed by catat ship."));
    }
    let no_dir = || Failure::usage("--dir DIR: a directory that knows what was pulled, new or empty, or of this pull");
    let dir = options.dir.as_deref().ok_or_else(no_dir)?;
    let asked = json!({"paths": options.paths, "group": options.group, "queue": options.queue.as_ref().map(reqwest::Url::as_str)});
    let plan = plan_of(dir, ("pull.json", "pull"), &server, |plan: &Plan| plan.asked == asked, || Plan::new(&asked))?;
    let journal = Journal::new(dir, OBJECTS);
    let queue = options.queue.as_ref().map(|url| Queue::new(url, options.once)).transpose()?;
    let source =
        Objects { options, group: options.group.as_deref().map(group_name_of_outside), buckets: Mutex::default() };
    let is_listed: HashSet<ObjectKey> = match queue {
        Some(_) => HashSet::new(),
        None => source.listed()?.iter().map(key_of).collect(),
    };
    let oldest = Clock::system().now().0 - REMEMBERED_NS;
    let known = remembered(dir, &journal, |step| match queue {
        Some(_) => step.modified >= oldest,
        None => is_listed.contains(&step.key()),
    });
    let known = Mutex::new(known?);
    let mut is_first = true;
    loop {
        let round = Round { plan: &plan, server: &server, journal: &journal, known: &known };
        match one_round(&source, queue.as_ref(), &round) {
            // What does not work at all is told at once; later it may be the way there.
            Err(failure) if is_first || options.once => return Err(failure),
            Err(failure) => {
                say!("catat: {}; going on", failure.message);
                std::thread::sleep(AFTER_FAILURE);
            }
            Ok(n_found) if options.once && n_found == 0 => return Ok(()),
            Ok(_) if queue.is_none() && !options.once => std::thread::sleep(every),
            Ok(_) => {}
        }
        is_first = false;
    }
}

impl Plan {
    fn new(asked: &Value) -> Result<Self> {
        let id = getrandom::u64().map_err(|error| Failure::other(format!("no random numbers: {error}")))?;
        Ok(Self { asked: asked.clone(), id: format!("pull-{id:016x}"), zone: zone() })
    }
}

/// Reads what was done, and forgets what will not be found again.
fn remembered(dir: &Path, journal: &Journal, may_be_found: impl Fn(&Step) -> bool) -> Result<Known> {
    let steps: Vec<Step> = journal.read()?;
    let known = Known::of(&steps);
    // The last one of a lane says where it ends.
    let ends_lane = |step: &Step| {
        step.done.as_ref().is_some_and(|sent| known.ends.get(&step.lane) == Some(&(step.begin + sent.bytes)))
    };
    let is_kept = |step: &&Step| match step.done {
        Some(_) => may_be_found(step) || ends_lane(step),
        None => known.begun.contains_key(&step.key()),
    };
    let kept: Vec<Step> = steps.iter().filter(is_kept).cloned().collect();
    if steps.len() < 2 * kept.len().max(1_000) {
        return Ok(known);
    }
    let path = dir.join(OBJECTS);
    let lines: Result<Vec<String>, _> = kept.iter().map(serde_json::to_string).collect();
    let text = lines.map_err(|error| at(&path, &error))?.join("\n");
    storage::write_whole(&path, text.as_bytes()).map_err(|error| at(&path, &error))?;
    Ok(Known::of(&kept))
}

/// Finds objects.
struct Objects<'a> {
    options: &'a Pull,
    group: Option<GroupName>,
    buckets: Mutex<HashMap<String, Arc<Bucket>>>,
}

impl Objects<'_> {
    /// Returns the objects that are there.
    fn listed(&self) -> Result<Vec<Input>> {
        let mut inputs = Vec::new();
        for path in &self.options.paths {
            inputs.extend(objects(path).map_err(|error| Failure::unreachable(error.to_string()))?);
        }
        for (input, group) in inputs.iter_mut().zip(self.group.iter().cycle()) {
            input.group = group.clone();
        }
        Ok(inputs)
    }

    /// Returns the object that a message names; `None` if it is not wanted or no longer exists.
    fn named(&self, name: &ObjectName) -> Result<Option<Input>> {
        let address = format!("s3://{}/{}", name.bucket, name.key);
        let is_wanted = |path: &std::path::PathBuf| names_object(path, &name.bucket, &name.key);
        if !self.options.paths.is_empty() && !self.options.paths.iter().any(is_wanted) {
            return Ok(None);
        }
        let group = self.group.clone().unwrap_or_else(|| group_name_of_file(&name.bucket));
        let bucket = match self.buckets.hold().entry(name.bucket.clone()) {
            std::collections::hash_map::Entry::Occupied(known) => known.get().clone(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let opened =
                    Bucket::open(&name.bucket).map_err(|error| Failure::other(format!("{address}: {error}")))?;
                place.insert(Arc::new(opened)).clone()
            }
        };
        match object(&bucket, &group, &name.key) {
            Ok(input) => Ok(Some(input)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                say!("catat: {address} is gone");
                Ok(None)
            }
            Err(error) => Err(Failure::unreachable(format!("{address}: {error}"))),
        }
    }
}

/// Finds objects once, and sends them; returns how many were found that are new.
fn one_round(source: &Objects<'_>, queue: Option<&Queue<'_>>, round: &Round<'_>) -> Result<usize> {
    let Some(queue) = queue else {
        return round.send(source.listed()?);
    };
    let messages = queue.receive()?;
    let mut n_found = messages.len();
    let mut first_failure = None;
    for message in &messages {
        let inputs: Result<Vec<Option<Input>>> = match notification::objects(&message.body) {
            Ok(objects) => objects.iter().map(|name| source.named(name)).collect(),
            Err(problem) => {
                say!("catat: a message stays in the queue: {problem}");
                n_found -= 1;
                continue;
            }
        };
        match inputs.and_then(|inputs| round.send(inputs.into_iter().flatten().collect())) {
            Ok(_) => queue.delete(message)?,
            // It comes again.
            Err(failure) => first_failure = first_failure.or(Some(failure)),
        }
    }
    first_failure.map_or(Ok(n_found), Err)
}

/// What is needed to send objects.
struct Round<'a> {
    plan: &'a Plan,
    server: &'a Server,
    journal: &'a Journal,
    known: &'a Mutex<Known>,
}

impl Round<'_> {
    /// Sends those of the objects that are new; returns how many these were.
    fn send(&self, inputs: Vec<Input>) -> Result<usize> {
        let new: Vec<Arc<Input>> = {
            let (known, mut found) = (self.known.hold(), HashSet::new());
            let is_new = |input: &Input| !known.done.contains(&key_of(input)) && found.insert(key_of(input));
            inputs.into_iter().filter(is_new).map(Arc::new).collect()
        };
        if new.is_empty() {
            return Ok(0);
        }
        let (n_new, lanes) = (new.len(), self.known.hold().free_lanes());
        let left = Mutex::new(new.into_iter().rev().collect::<Vec<_>>());
        let sender = FileSender {
            source: &self.plan.id,
            zone: &self.plan.zone,
            to: Side::of_server(self.server),
            n_read: Arc::default(),
            after_piece: &|| Ok(()),
        };
        let all: Vec<Result<u64>> = std::thread::scope(|scope| {
            let (left, sender) = (&left, &sender);
            let senders: Vec<_> =
                lanes.into_iter().map(|lane| scope.spawn(move || self.send_in(lane, left, sender))).collect();
            let ended =
                senders.into_iter().map(|sender| sender.join().unwrap_or_else(|_| Err(Failure::other("a bug"))));
            ended.collect()
        });
        let mut n_events = 0;
        for sent in all {
            n_events += sent?;
        }
        say!("catat: {}, {} stored", counted(n_new, "object"), counted(n_events, "event"));
        Ok(n_new)
    }

    /// Sends objects in a lane until none is left; returns how many events they have. An object that was begun goes on in its own lane.
    fn send_in(&self, lane: usize, left: &Mutex<Vec<Arc<Input>>>, sender: &FileSender<'_>) -> Result<u64> {
        let mut n_events = 0;
        loop {
            let Some(input) = left.hold().pop() else { return Ok(n_events) };
            let (object, modified) = key_of(&input);
            let begun = self.known.hold().begun.get(&(object.clone(), modified)).copied();
            let end = || (lane, self.known.hold().ends.get(&lane).copied().unwrap_or(0));
            let (lane, begin) = begun.unwrap_or_else(end);
            let mut step = Step { object, modified, lane, begin, done: None };
            if begun.is_none() {
                self.note(&step)?;
            }
            let sent = sender.send(&input, (&format!("lane-{lane}"), begin))?;
            sent.refused.iter().for_each(|problem| say!("catat: refused: {problem}"));
            sent.problem.iter().for_each(|problem| say!("catat: not read: {problem}"));
            n_events += sent.events;
            step.done = Some(sent);
            self.note(&step)?;
        }
    }

    /// Writes a step down, before it counts.
    fn note(&self, step: &Step) -> Result<()> {
        let mut known = self.known.hold();
        self.journal.append(step)?;
        known.note(step);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
