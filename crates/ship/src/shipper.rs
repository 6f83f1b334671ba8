//! The shipper at work: one thread that follows, a few that deliver, and what they tell each other.
//!
//! Everything that can happen to the following thread is an [`Event`] of one bounded channel. Delivering threads take
//! one batch at a time and keep at it until all of it is acknowledged or set aside, or the shipper stops; while they are
//! busy nothing is read. Stopping lets attempts that are under way finish and saves the checkpoint.

mod shared;
mod worker;

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use notify::event::ModifyKind;
use notify::{EventKind, RecursiveMode, Watcher};
use types::{Hold, Timestamp};

use self::worker::Worker;
use crate::dead_letter::DeadLetters;
use crate::error::ShipError;
use crate::input::{Input, InputOptions, Sink};
use crate::report::ReportFile;
use crate::shipper::shared::{Event, ShipperState};
use crate::source_report::Identity;
use crate::spool::Spool;
use crate::status::Status;
use crate::stop::Stop;
use crate::{Deliver, Discovery, FileBatch, FollowOptions, Follower};

/// Hints that wait for the following thread; further ones are dropped, as polling finds what they would say.
const EVENTS_MAX: usize = 1024;

/// Shortest time between two rounds that hints ask for: a file written a thousand times a second is read fifty times.
const HINT_PAUSE: Duration = Duration::from_millis(20);

/// How often the status file is renewed, for this many files; with more files less often, as it lists each.
const STATUS_EVERY: Duration = Duration::from_millis(500);
const STATUS_FILES: usize = 1_000;

/// What to ship.
pub struct Options {
    /// Files.
    pub follow: FollowOptions,
    /// What is no file.
    pub inputs: Vec<InputOptions>,
}

impl From<FollowOptions> for Options {
    fn from(follow: FollowOptions) -> Self {
        Self { follow, inputs: Vec::new() }
    }
}

/// A shipper at work. Dropping it stops it.
pub struct Shipper {
    shared: Arc<ShipperState>,
    events: SyncSender<Event>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Reports that the shipper has stopped.
    last_word: Mutex<Option<(Identity, Arc<dyn Deliver>)>>,
}

impl Shipper {
    /// Finds files and begins to ship them to `server`. The report lists what is shipped and what is left out.
    pub fn start(options: impl Into<Options>, server: Arc<dyn Deliver>) -> Result<(Self, Discovery), ShipError> {
        let Options { mut follow, inputs } = options.into();
        let n_workers = follow.in_flight_max.max(1);
        let dead_letters = Arc::new(DeadLetters::new(&follow.state_dir));
        let clock = Clock::new();
        let teller = ReportFile::new(&follow.state_dir);
        let stop = Arc::new(Stop::default());
        let inputs = open_inputs(&mut follow, inputs, &stop)?;
        let sinks = inputs.iter().map(|(sink, _)| sink.clone()).collect();
        let (follower, discovery) = Follower::open(follow, clock.now())?;
        let (events, incoming) = sync_channel(EVENTS_MAX);
        let (batches, to_deliver) = sync_channel(n_workers);
        let to_deliver = Arc::new(Mutex::new(to_deliver));
        let shared = Arc::new(ShipperState::new(stop, sinks, follower.status()));
        let (threads, last_word) = (Mutex::default(), Mutex::default());
        let shipper = Self { shared: shared.clone(), events: events.clone(), threads, last_word };
        follower.status().iter().for_each(|file| shared.tell_inputs(&file.path, file.offset));
        let (identity, of_reports, told) = (follower.identity(clock.now()), shared.clone(), server.clone());
        for n in 0..n_workers {
            let worker = Worker {
                shared: shared.clone(),
                server: server.clone(),
                dead_letters: dead_letters.clone(),
                batches: to_deliver.clone(),
                events: events.clone(),
            };
            shipper.spawn(format!("ship-deliver-{n}"), move || worker.run())?;
        }
        let hints = events.clone();
        let mut main = FollowThread { follower, shared, clock, incoming, batches, teller };
        shipper.spawn("ship-follow".into(), move || {
            let _watcher = watch(&mut main.follower, hints, main.shared.clone());
            main.run();
        })?;
        *shipper.last_word.hold() = Some((identity.clone(), told.clone()));
        shipper.spawn("ship-report".into(), move || of_reports.report_until_stopped(&identity, &*told))?;
        for (sink, mut input) in inputs {
            shipper.spawn(format!("ship-{}", sink.status().name), move || sink.run(input.as_mut()))?;
        }
        if !shipper.shared.sinks.is_empty() {
            let shared = shipper.shared.clone();
            shipper.spawn("ship-spool".into(), move || shared.flush_until_stopped())?;
        }
        Ok((shipper, discovery))
    }

    /// Returns its status. The files are as of half a second ago at most.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Stops reading, waits for running attempts, saves the checkpoint, and notifies the server.
    pub fn stop(&self) {
        self.shared.stop.set();
        // No one listens any more where the thread has ended already.
        let _ = self.events.send(Event::Stop);
        let threads = std::mem::take(&mut *self.threads.hold());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a shipping thread panicked");
            }
        }
        if let Some((identity, server)) = self.last_word.hold().take() {
            self.shared.report_the_end(&identity, &*server);
        }
    }

    fn spawn(&self, name: String, run: impl FnOnce() + Send + 'static) -> Result<(), ShipError> {
        let thread = std::thread::Builder::new().name(name).spawn(run).map_err(ShipError::Thread)?;
        self.threads.hold().push(thread);
        Ok(())
    }
}

impl Drop for Shipper {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An input that is ready to run, and where its lines go.
type OpenInput = (Arc<Sink>, Box<dyn Input>);

/// Makes a place for the lines of each input, which is followed like files.
fn open_inputs(
    follow: &mut FollowOptions,
    inputs: Vec<InputOptions>,
    stop: &Arc<Stop>,
) -> Result<Vec<OpenInput>, ShipError> {
    let mut opened = Vec::new();
    for InputOptions { file, input, buffer_bytes } in inputs {
        let dir = follow.state_dir.join("spool").join(&file.name);
        let spool = Spool::open(dir.clone(), buffer_bytes);
        let spool = spool.map_err(|error| ShipError::Spool { path: dir.clone(), error })?;
        let sink = Sink::new(file.name.clone(), input.when_full(), spool, stop.clone());
        follow.inputs.push(file.kept_in(dir, &follow.host));
        opened.push((Arc::new(sink), input));
    }
    Ok(opened)
}

/// Returns the time on the wall.
pub(crate) fn now() -> Timestamp {
    Clock::new().now()
}

/// Wall-clock time that never goes back: read once, counted on by the monotonic clock.
struct Clock {
    started: Instant,
    started_at: Timestamp,
}

impl Clock {
    fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_at: Timestamp(nanos(since_epoch)) }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.started_at.0.saturating_add(nanos(self.started.elapsed())))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Watches the directories for changes. Without notifications everything still works, a little later.
fn watch(
    follower: &mut Follower,
    hints: SyncSender<Event>,
    shared: Arc<ShipperState>,
) -> Option<notify::RecommendedWatcher> {
    let forward = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        // Our own reading shows as an access.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let mut is_missed = event.need_rescan();
        let is_change = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)));
        for path in event.paths {
            is_missed |= hints.try_send(Event::Hint(path, !is_change)).is_err();
        }
        if is_missed {
            shared.hints_missed.store(true, Ordering::Relaxed);
        }
    };
    let mut watcher = notify::recommended_watcher(forward)
        .inspect_err(|error| tracing::info!(%error, "no file notifications; polling only"))
        .ok()?;
    let mut is_all = true;
    for directory in follower.directories() {
        if let Err(error) = watcher.watch(&directory, RecursiveMode::Recursive) {
            tracing::debug!(directory = %directory.display(), %error, "not watched; polling only");
            is_all = false;
        }
    }
    if is_all {
        follower.trust_hints();
    }
    Some(watcher)
}

/// The thread that follows.
struct FollowThread {
    follower: Follower,
    shared: Arc<ShipperState>,
    clock: Clock,
    incoming: Receiver<Event>,
    batches: SyncSender<FileBatch>,
    teller: ReportFile,
}

impl FollowThread {
    fn run(mut self) {
        let mut polled_at = Instant::now();
        let mut status_at = Instant::now();
        while !self.shared.stop.is_set() {
            if self.shared.hints_missed.swap(false, Ordering::Relaxed) {
                self.follower.hints_missed(self.clock.now());
            }
            for batch in self.follower.poll_once(self.clock.now()) {
                // There is room: no more batches are on their way than there are threads to take them.
                if self.batches.send(batch).is_err() {
                    return;
                }
            }
            if let Err(error) = self.follower.save_if_due(self.clock.now()) {
                tracing::error!(%error, "checkpoint not saved");
            }
            let n_steps = 1 + self.follower.n_files() / STATUS_FILES;
            if status_at.elapsed() >= STATUS_EVERY * u32::try_from(n_steps).unwrap_or(u32::MAX) {
                self.show_status(false);
                status_at = Instant::now();
            }
            self.wait_for_events(polled_at);
            polled_at = Instant::now();
        }
        self.finish();
    }

    /// Waits until it is time to poll, or something happened.
    fn wait_for_events(&mut self, polled_at: Instant) {
        let now = self.clock.now();
        let wait_ns = self.follower.next_wake(now).0.saturating_sub(now.0).max(0);
        let wait = Duration::from_nanos(wait_ns.unsigned_abs());
        let mut next = match self.incoming.recv_timeout(wait.min(STATUS_EVERY)) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        };
        if matches!(next, Event::Hint(..)) {
            self.shared.stop.wait(HINT_PAUSE.saturating_sub(polled_at.elapsed()));
        }
        loop {
            self.take(next);
            match self.incoming.try_recv() {
                Ok(event) => next = event,
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, event: Event) {
        let now = self.clock.now();
        match event {
            Event::Hint(path, is_new) => self.follower.hint(&path, is_new, now),
            Event::Settled(batch) => {
                self.follower.acknowledge(&batch, now);
                self.shared.tell_inputs(&batch.at, batch.end());
                self.follower.reuse(batch);
            }
            Event::Held(batch, end) => {
                self.follower.held_to(&batch, end, now);
                self.follower.reuse(batch);
            }
            Event::GivenBack(batch, reason) => self.follower.give_back(&batch, &reason, now),
            Event::Stop => {}
        }
    }

    /// Takes what the delivering threads still bring, and saves.
    fn finish(mut self) {
        // Without this sender the delivering threads end, and with the last of them the channel of events does.
        let (closed, _) = sync_channel(1);
        drop(std::mem::replace(&mut self.batches, closed));
        while self.follower.n_in_flight > 0 {
            match self.incoming.recv_timeout(Duration::from_secs(60)) {
                Ok(event) => self.take(event),
                Err(_) => break,
            }
        }
        self.follower.give_up_gone();
        if let Err(error) = self.follower.save(self.clock.now()) {
            tracing::error!(%error, "checkpoint not saved; some bytes will be sent again");
        }
        self.show_status(true);
    }

    fn show_status(&mut self, is_last: bool) {
        *self.shared.files.hold() = self.follower.status();
        *self.shared.given_up.hold() = self.follower.given_up();
        self.teller.tell(&|| self.shared.status(), is_last);
    }
}

#[cfg(test)]
mod tests;
