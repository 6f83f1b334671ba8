//! Everything at once, in any order: deliveries, flushes, compaction, retention, deletion, clocks, crashes and starts
//! against a model. Each acknowledged event is in exactly one place until something that was asked for takes it away,
//! and what has gone stays gone.
//!
//! The ordinary run makes ten thousand steps; `CATAT_MACHINE_STEPS` asks for others. A failure names its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::*;
use crate::{COMPACTION_FAULT_POINTS, FAULT_POINTS, Fault, GroupRetention, RetentionOptions, SizeLimit, TierOptions};

const HOUR: i64 = Timestamp::HOUR;
const GROUPS: [&str; 4] = ["a", "b/c", "d", "e"];

/// Each event is one of a kind: group and number, with its time.
type Events = BTreeMap<(String, i64), i64>;

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.throw(among.len() as u64) as usize]
    }
}

/// A store and what it must hold.
struct Machine {
    dir: tempfile::TempDir,
    dice: Dice,
    hours: Arc<AtomicI64>,
    /// None only between an end and a start.
    open: Option<Arc<Store>>,
    next: i64,
    /// What must be there.
    held: Events,
    /// What is too old for the limits that there were: it may be there, unless it was seen to be gone.
    old: Events,
    ages: BTreeMap<String, i64>,
    n_crashes: u64,
}

fn open_at(dir: &Path, hours: &Arc<AtomicI64>) -> Arc<Store> {
    let (of_wall, of_uptime) = (hours.clone(), hours.clone());
    let clock = Clock::new(move || Timestamp(NOW + of_wall.load(Ordering::SeqCst) * HOUR));
    let clock = clock.with_uptime(move || Duration::from_secs(of_uptime.load(Ordering::SeqCst).unsigned_abs() * 3600));
    let tiers = TierOptions { cold_after_ns: Some(20 * HOUR), warm_after_ns: Some(4 * HOUR), ..TierOptions::default() };
    let size = Some(SizeLimit::Bytes(1 << 40));
    let retention = RetentionOptions { interval_ns: Timestamp::DAY, undo_window_ns: 0, size, age_ns: None, tiers };
    let options = Options { clock, retention, flush_age_ns: i64::MAX, scrub_interval_ns: None, ..options(dir) };
    Store::open(options).expect("a store opens").0
}

impl Machine {
    fn new(seed: u64) -> Self {
        // What is tested is the order of things, not the disk: memory makes a thousand times as many steps.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let (dir, hours) = (dir.expect("a scratch directory"), Arc::new(AtomicI64::new(0)));
        let open = Some(open_at(dir.path(), &hours));
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (held, old, ages) = Default::default();
        Self { dir, dice, hours, open, next: 0, held, old, ages, n_crashes: 0 }
    }

    fn store(&self) -> &Store {
        self.open.as_ref().expect("a store that is open")
    }

    fn now(&self) -> i64 {
        NOW + self.hours.load(Ordering::SeqCst) * HOUR
    }

    fn step(&mut self) {
        match self.dice.throw(100) {
            0..=54 => self.append(),
            55..=68 => self.store().flush().expect("room"),
            69..=78 => self.store().compact().expect("room"),
            79..=84 => self.limit(),
            85..=88 => self.pass(),
            89 => self.delete(),
            90..=93 => self.reopen(),
            94..=96 => self.crash(),
            _ => self.check(),
        }
    }

    /// Returns a delivery of a few events, most of them recent, some days old.
    fn delivery(&mut self) -> (Delivery, Events) {
        let mut sent = Events::new();
        let mut parts = Vec::new();
        for _ in 0..=self.dice.throw(2) {
            let name = self.dice.pick(&GROUPS);
            let mut builder = BatchBuilder::new();
            for _ in 0..=self.dice.throw(12) {
                let back = if self.dice.throw(4) == 0 { self.dice.throw(400) } else { self.dice.throw(3) };
                let time = self.now() - back as i64 * HOUR - self.dice.throw(1_000_000) as i64;
                builder.set_timestamp(Timestamp(time));
                builder.set_message(&format!("event {}", self.next));
                builder.field_integer("n", self.next);
                builder.commit();
                sent.insert((name.to_owned(), self.next), time);
                self.next += 1;
            }
            parts.push(Part { group: group(name), batch: builder.finish() });
        }
        (Delivery { key: None, position: None, raw_bytes: 100, parts }, sent)
    }

    fn append(&mut self) {
        let (delivery, sent) = self.delivery();
        self.store().append(delivery).expect("room");
        self.held.extend(sent);
    }

    /// Sets or lifts the age of a group, and lets retention work.
    fn limit(&mut self) {
        let name = self.dice.pick(&GROUPS);
        let days = self.dice.throw(12) as i64;
        let age_ns = (days > 0).then_some(days * Timestamp::DAY);
        self.age_by(name, age_ns);
        self.store().set_retention(&group(name), GroupRetention { age_ns, bytes: None }).expect("room");
    }

    fn age_by(&mut self, name: &str, age_ns: Option<i64>) {
        self.ages.remove(name);
        self.ages.extend(age_ns.map(|age_ns| (name.to_owned(), age_ns)));
        self.grow_old();
    }

    /// Lets everything beyond the limits expire.
    fn grow_old(&mut self) {
        let (now, ages) = (self.now(), &self.ages);
        let is_old = |(name, _): &(String, i64), time: &mut i64| ages.get(name).is_some_and(|age| *time < now - age);
        self.old.extend(self.held.extract_if(.., is_old));
    }

    fn pass(&mut self) {
        self.hours.fetch_add(1 + self.dice.throw(9) as i64, Ordering::SeqCst);
        self.grow_old();
        self.store().retire().expect("room");
    }

    fn forget(&mut self, name: &str) {
        self.held.retain(|(group, _), _| group != name);
        self.old.retain(|(group, _), _| group != name);
    }

    fn delete(&mut self) {
        let name = self.dice.pick(&GROUPS);
        self.store().delete_group(&group(name)).expect("room");
        self.forget(name);
    }

    fn reopen(&mut self) {
        if self.dice.throw(2) == 0 {
            self.store().close().expect("room");
        }
        self.start();
        self.check();
    }

    fn start(&mut self) {
        // The last handle goes before the lock is asked for.
        self.open = None;
        self.open = Some(open_at(self.dir.path(), &self.hours));
    }

    /// Interrupts an operation at some point and restarts the store.
    fn crash(&mut self) {
        let points: Vec<&str> = FAULT_POINTS.iter().chain(&COMPACTION_FAULT_POINTS).copied().collect();
        let point = self.dice.pick(&points);
        self.store().segments.options.faults.arm(point, Fault::Crash);
        let (delivery, sent) = self.delivery();
        let is_accepted = self.store().append(delivery).is_ok();
        let _ = self.store().flush();
        let _ = self.store().compact();
        self.n_crashes += u64::from(self.store().segments.options.faults.has_crashed());
        self.start();
        let found = self.visible();
        let n_found = sent.keys().filter(|event| found.contains(*event)).count();
        if is_accepted {
            self.held.extend(sent);
        } else if n_found > 0 {
            // No one was told, and it was durable all the same: then as a whole.
            assert_eq!(n_found, sent.len(), "half of a delivery after a crash at {point}");
            self.held.extend(sent);
        }
        self.grow_old();
        self.check();
    }

    /// Returns group and number of every event; none occurs twice.
    fn visible(&self) -> BTreeSet<(String, i64)> {
        let snapshot = self.store().snapshot(&[], TimeRange::ALL);
        assert_eq!(snapshot.damaged, []);
        let mut found = BTreeSet::new();
        for run in &snapshot.runs {
            for block in 0..run.n_blocks() {
                let columns = run.read(block, &["n"], &RowSet::all(run.block_rows(block))).expect("an intact run");
                for row in 0..columns[0].n_rows() {
                    let Some(Value::Integer(n)) = columns[0].value(row) else { panic!("n is a number") };
                    assert!(found.insert((run.info().group.to_string(), n)), "event {n} is there twice");
                }
            }
        }
        found
    }

    fn check(&mut self) {
        // What was sent too old for the limit of its group may go whenever the store looks, which it does by itself.
        self.grow_old();
        let found = self.visible();
        let missing: Vec<_> = self.held.keys().filter(|event| !found.contains(*event)).collect();
        assert!(missing.is_empty(), "missing: {missing:?}");
        let is_known = |event: &&(String, i64)| self.held.contains_key(*event) || self.old.contains_key(*event);
        let foreign: Vec<_> = found.iter().filter(|event| !is_known(event)).collect();
        assert!(foreign.is_empty(), "gone, and there again: {foreign:?}");
        // What is too old and was seen to be gone must not come back.
        self.old.retain(|event, _| found.contains(event));
        let mut sequences = sequences(self.store());
        let n_sequences = sequences.len();
        sequences.dedup();
        assert_eq!(sequences.len(), n_sequences, "two events have one id");
        self.check_files();
    }

    /// Checks that every segment has a file and every file a segment, once replaced files are gone.
    fn check_files(&self) {
        let held = self.store().upkeep.compactor.hold();
        self.store().segments.remove_doomed();
        let listed: BTreeSet<String> =
            self.store().segments.state().segments.iter().map(|stored| stored.file.clone()).collect();
        let partitions = std::fs::read_dir(self.dir.path().join("segments")).expect("readable").flatten();
        let files = partitions.flat_map(|partition| {
            let name = partition.file_name().into_string().expect("a name");
            let files = std::fs::read_dir(partition.path()).expect("readable").flatten();
            files.map(move |file| format!("segments/{name}/{}", file.file_name().to_string_lossy())).collect::<Vec<_>>()
        });
        assert_eq!(files.collect::<BTreeSet<String>>(), listed);
        drop(held);
    }
}

#[test]
fn whatever_happens_each_event_is_in_one_place() {
    let steps = std::env::var("CATAT_MACHINE_STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(10_000u64);
    let seed = std::env::var("CATAT_MACHINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1u64);
    let n_machines = 4;
    std::thread::scope(|scope| {
        for number in 0..n_machines {
            scope.spawn(move || {
                let mut machine = Machine::new(seed + number);
                for step in 0..steps / n_machines {
                    let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| machine.step()));
                    assert!(made.is_ok(), "CATAT_MACHINE_SEED={} at step {step}", seed + number);
                }
                machine.check();
                assert!(steps < 1000 || machine.n_crashes > 0, "no crash was reached");
            });
        }
    });
}
