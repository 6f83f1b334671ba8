//! The schedule of rules: decides which rule is evaluated next. Pure but for its lock: times are parameters.
//!
//! ```text
//! every rule:  a grid of turns, `interval` apart, shifted by its name so that rules do not come all at once
//! at once:     an event arrived that may concern it: now, but not twice within a second
//! late:        an event arrived late: once over each past window that contains it
//! ```
//!
//! One thread at a time evaluates a rule. Evaluations at once may take a twentieth of a core on average; beyond that a
//! rule waits for its turn. No turn is skipped.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use types::{Hold, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

/// Shortest time between two evaluations of a rule at once.
const AT_ONCE_GAP_NS: i64 = Timestamp::SECOND;

/// A rule that took longer than this the last time waits for its turn, so that it does not hold up those that are quick.
const AT_ONCE_COST_NS_MAX: i64 = 500 * Timestamp::SECOND / 1_000;

/// One of this many nanoseconds may be spent on evaluations at once.
const AT_ONCE_SHARE: i64 = 20;

/// Looking up the lines of an alert that began costs this part of its time: three alerts within a minute would else use
/// up all that is saved, and the next error would wait for a turn.
const EVIDENCE_SHARE: i64 = 10;

/// What may be saved up for it, so that a burst after a quiet time is judged at once.
const CREDIT_NS_MAX: i64 = 2 * Timestamp::SECOND;

/// A rule that no event concerned is evaluated again after this time.
const UNASKED_NS_MAX: i64 = 10 * Timestamp::MINUTE;

/// The turn of a rule that is new.
const SOON: i64 = i64::MIN;

/// Most past windows that wait for a rule.
const LATE_MAX: usize = 64;

/// Most instants for which events asked for one rule; until the latest of those beyond, it is asked at every turn.
const DUES_MAX: usize = 64;

/// The turns of all rules.
#[derive(Debug)]
pub(crate) struct Schedule {
    turns: Mutex<ScheduleState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct ScheduleState {
    rules: BTreeMap<String, RuleSchedule>,
    credit_ns: i64,
    credited_at: i64,
    is_stopping: bool,
}

#[derive(Debug)]
struct RuleSchedule {
    interval_ns: i64,
    due: i64,
    /// When events asked for it: now, and later for events that a sender dated ahead.
    dues: BTreeSet<i64>,
    /// The latest instant for which an event asked and that did not fit into `dues`.
    due_beyond: i64,
    late: Vec<Timestamp>,
    started_at: Option<i64>,
    run: Run,
    coverage: Coverage,
    timing: EvaluationTiming,
}

/// Whether a rule is being evaluated, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// It waits for its turn.
    Waiting,
    /// Its regular turn came.
    Regular,
    /// An event asked for it before its turn.
    AtOnce,
}

/// Whether every accepted event that concerns a rule is reported to the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coverage {
    /// Some are not.
    Partial,
    /// Every one is since lately: an evaluation has to begin after that before the rule can be idle.
    Recent,
    /// Every one since before the last evaluation began.
    Full {
        /// When that began, if it found nothing to judge by and nothing to remember.
        idle_since: Option<i64>,
    },
}

impl Coverage {
    /// Returns the coverage from the start of an evaluation on.
    fn at_start(self) -> Self {
        match self {
            Self::Recent => Self::Full { idle_since: None },
            Self::Partial | Self::Full { .. } => self,
        }
    }

    /// Returns the coverage after an evaluation that began at `started_at`.
    fn at_finish(self, started_at: Option<i64>, outcome: &Outcome) -> Self {
        match self {
            Self::Full { .. } if !outcome.is_idle => Self::Full { idle_since: None },
            Self::Full { .. } if outcome.n_evaluations > 0 => Self::Full { idle_since: started_at },
            Self::Partial | Self::Recent | Self::Full { .. } => self,
        }
    }
}

/// How the evaluations of a rule go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvaluationTiming {
    /// Evaluations, those of missed times included.
    pub n_evaluations: u64,
    /// Evaluations that failed.
    pub n_failures: u64,
    /// How long the last one took, without the lookup of lines for alerts that began.
    pub duration_ns: i64,
    /// How long all of them took.
    pub duration_ns_total: i64,
    /// How much later than its turn the last regular one began.
    pub lag_ns: i64,
    /// When the last successful one ended.
    pub last_success: Option<Timestamp>,
}

/// What is to be done for a rule now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The rule.
    pub(crate) rule: String,
    /// Now.
    pub(crate) now: Timestamp,
    /// Past windows to be judged by themselves first.
    pub(crate) late: Vec<Timestamp>,
    /// Whether no event came since it had nothing to judge by: the answer would be the same.
    pub(crate) is_idle: bool,
}

/// The outcome of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// How often the rule was judged.
    pub(crate) n_evaluations: u64,
    /// Whether the last evaluation failed.
    pub(crate) is_failed: bool,
    /// Whether there was nothing to judge by and is nothing to remember.
    pub(crate) is_idle: bool,
    /// How long the lines of alerts that began were looked up, after the rule was judged.
    pub(crate) evidence_ns: i64,
}

/// Which tasks a thread takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskFilter {
    /// All.
    All,
    /// What an event asked for.
    AtOnce,
}

/// The next task, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A task.
    Task(Task),
    /// No task before this time.
    Nothing(Timestamp),
    /// The schedule is stopped.
    Stop,
}

impl Schedule {
    /// Creates a schedule without rules.
    pub(crate) fn new() -> Self {
        let turns = ScheduleState { credit_ns: CREDIT_NS_MAX, credited_at: i64::MAX, ..ScheduleState::default() };
        Self { turns: Mutex::new(turns), changed: Condvar::new() }
    }

    /// Replaces all rules: name, interval, and whether a rule keeps its turn; the others come as soon as
    /// possible.
    pub(crate) fn set(&self, rules: impl Iterator<Item = (String, i64, bool)>) {
        let mut turns = self.turns.hold();
        let mut before = std::mem::take(&mut turns.rules);
        for (name, interval_ns, keeps_turn) in rules {
            let mut turn = before.remove(&name).unwrap_or_else(RuleSchedule::new);
            turn.interval_ns = interval_ns.max(Timestamp::SECOND);
            if !keeps_turn {
                turn.due = SOON;
                turn.coverage = Coverage::Partial;
            }
            turns.rules.insert(name, turn);
        }
        drop(turns);
        self.changed.notify_all();
    }

    /// Waits until a task may be scheduled, for `longest` at most.
    pub(crate) fn wait(&self, clock: &dyn Fn() -> Timestamp, takes: TaskFilter, longest: Duration) -> Next {
        let mut turns = self.turns.hold();
        let next = turns.take(clock(), takes);
        let Next::Nothing(due) = next else { return next };
        let wait = Duration::from_nanos(due.0.saturating_sub(clock().0).max(0).unsigned_abs());
        let (mut turns, _) =
            self.changed.wait_timeout(turns, wait.min(longest)).unwrap_or_else(PoisonError::into_inner);
        turns.take(clock(), takes)
    }

    /// Notes that a task that was taken is done.
    pub(crate) fn finish(&self, rule: &str, now: Timestamp, outcome: Outcome) {
        self.turns.hold().finish(rule, now, outcome);
        self.changed.notify_all();
    }

    /// Lets a rule be judged at each of these instants, and past windows by themselves.
    pub(crate) fn ask(&self, rule: &str, dues: &[Timestamp], late: &[Timestamp]) {
        let mut turns = self.turns.hold();
        let Some(turn) = turns.rules.get_mut(rule) else { return };
        turn.dues.extend(dues.iter().map(|due| due.0));
        while turn.dues.len() > DUES_MAX {
            turn.due_beyond = turn.dues.pop_last().unwrap_or(i64::MIN).max(turn.due_beyond);
        }
        turn.late.extend(late);
        turn.late.sort_unstable();
        turn.late.dedup();
        let n_beyond = turn.late.len().saturating_sub(LATE_MAX);
        turn.late.drain(..n_beyond);
        drop(turns);
        self.changed.notify_all();
    }

    /// Forgets the past windows that ended before `first`.
    pub(crate) fn drop_late(&self, first: Timestamp) {
        self.turns.hold().rules.values_mut().for_each(|turn| turn.late.retain(|end| *end >= first));
    }

    /// Rules that are going to be judged at once anyway. One that waits for an instant ahead is none of them: what comes
    /// before then concerns it all the same.
    pub(crate) fn asked(&self, now: Timestamp) -> HashSet<String> {
        let turns = self.turns.hold();
        let is_asked = |turn: &RuleSchedule| turn.dues.first().is_some_and(|due| *due <= now.0);
        turns.rules.iter().filter(|(_, turn)| is_asked(turn)).map(|(name, _)| name.clone()).collect()
    }

    /// Declares that every accepted event of these rules, and of no others, is reported here from now on.
    pub(crate) fn cover(&self, rules: &HashSet<&str>) {
        for (name, turn) in &mut self.turns.hold().rules {
            // No one looked at earlier events: the rule is evaluated once more.
            turn.coverage = if rules.contains(name.as_str()) { Coverage::Recent } else { Coverage::Partial };
        }
    }

    /// Lets all threads that wait end.
    pub(crate) fn stop(&self) {
        self.turns.hold().is_stopping = true;
        self.changed.notify_all();
    }

    /// Returns how the evaluations of all rules go.
    pub(crate) fn timings(&self) -> Vec<(String, EvaluationTiming)> {
        self.turns.hold().rules.iter().map(|(name, turn)| (name.clone(), turn.timing)).collect()
    }
}

impl RuleSchedule {
    fn new() -> Self {
        Self {
            interval_ns: Timestamp::SECOND,
            due: SOON,
            dues: BTreeSet::new(),
            due_beyond: i64::MIN,
            late: Vec::new(),
            started_at: None,
            run: Run::Waiting,
            coverage: Coverage::Partial,
            timing: EvaluationTiming::default(),
        }
    }

    /// Returns when what an event asked for may begin.
    fn at_once(&self) -> Option<i64> {
        if self.timing.duration_ns > AT_ONCE_COST_NS_MAX {
            return None;
        }
        let asked = self.dues.first().copied().into_iter().chain(self.late.first().map(|late| late.0)).min()?;
        let gap_ends = self.started_at.map_or(i64::MIN, |started| started.saturating_add(AT_ONCE_GAP_NS));
        Some(asked.max(gap_ends))
    }
}

impl ScheduleState {
    fn take(&mut self, now: Timestamp, takes: TaskFilter) -> Next {
        if self.is_stopping {
            return Next::Stop;
        }
        if now.0 < self.credited_at {
            self.follow_clock(now);
        }
        self.earn(now);
        let (mut next, mut chosen) = (i64::MAX, None::<(bool, i64, &String)>);
        for (name, turn) in self.rules.iter().filter(|(_, turn)| turn.run == Run::Waiting) {
            let at_once = turn.at_once().filter(|_| self.credit_ns > 0);
            let regular = (takes == TaskFilter::All).then_some(turn.due);
            for (is_regular, due) in at_once.map(|due| (false, due)).into_iter().chain(regular.map(|due| (true, due))) {
                next = next.min(due);
                // A turn that is more than its interval late goes before everything else.
                let is_regular = is_regular && (due == SOON || now.0.saturating_sub(due) < turn.interval_ns);
                if due <= now.0 && chosen.as_ref().is_none_or(|best| (is_regular, due, name) < *best) {
                    chosen = Some((is_regular, due, name));
                }
            }
        }
        let Some(name) = chosen.map(|(_, _, name)| name.clone()) else {
            return Next::Nothing(Timestamp(next.min(self.credit_due(now))));
        };
        let Some(turn) = self.rules.get_mut(&name) else { return Next::Nothing(now) };
        turn.run = if turn.due > now.0 { Run::AtOnce } else { Run::Regular };
        if turn.run == Run::Regular {
            turn.timing.lag_ns = if turn.due == SOON { 0 } else { now.0.saturating_sub(turn.due) };
            turn.due = next_turn(&name, turn.interval_ns, now);
        }
        turn.coverage = turn.coverage.at_start();
        turn.started_at = Some(now.0);
        // An event that lies ahead comes into the window without anything being accepted.
        let due_beyond = turn.due_beyond;
        let is_fresh = |since: i64| since >= due_beyond && (0..UNASKED_NS_MAX).contains(&now.0.saturating_sub(since));
        let ahead = turn.dues.split_off(&now.0.saturating_add(1));
        let is_asked = !std::mem::replace(&mut turn.dues, ahead).is_empty();
        let is_idle =
            !is_asked && matches!(turn.coverage, Coverage::Full { idle_since: Some(since) } if is_fresh(since));
        Next::Task(Task { late: std::mem::take(&mut turn.late), rule: name, now, is_idle })
    }

    fn finish(&mut self, rule: &str, now: Timestamp, outcome: Outcome) {
        let Some(turn) = self.rules.get_mut(rule) else { return };
        let run = std::mem::replace(&mut turn.run, Run::Waiting);
        turn.coverage = turn.coverage.at_finish(turn.started_at, &outcome);
        let Outcome { n_evaluations, is_failed, is_idle: _, evidence_ns } = outcome;
        let took_ns = turn.started_at.map_or(0, |started| now.0.saturating_sub(started)).max(0);
        let timing = &mut turn.timing;
        timing.n_evaluations = timing.n_evaluations.saturating_add(n_evaluations);
        timing.n_failures = timing.n_failures.saturating_add(u64::from(is_failed));
        // The lookup for a new alert is no estimate of how long the next evaluation takes.
        timing.duration_ns = took_ns.saturating_sub(evidence_ns).max(0);
        timing.duration_ns_total = timing.duration_ns_total.saturating_add(took_ns);
        if !is_failed {
            timing.last_success = Some(now);
        }
        if run == Run::AtOnce {
            // A clock that is set forward meanwhile is not what it cost.
            let cost_ns = took_ns.saturating_sub(evidence_ns).max(0).saturating_add(evidence_ns / EVIDENCE_SHARE);
            self.credit_ns = self.credit_ns.saturating_sub(cost_ns.min(CREDIT_NS_MAX));
        }
    }

    fn earn(&mut self, now: Timestamp) {
        let passed_ns = now.0.saturating_sub(self.credited_at).max(0);
        self.credited_at = now.0;
        self.credit_ns = self.credit_ns.saturating_add(passed_ns / AT_ONCE_SHARE).min(CREDIT_NS_MAX);
    }

    /// Returns when there is credit again for something that waits for it.
    fn credit_due(&self, now: Timestamp) -> i64 {
        let is_awaited = self.credit_ns <= 0 && self.rules.values().any(|turn| turn.at_once().is_some());
        if !is_awaited {
            return i64::MAX;
        }
        now.0.saturating_add((1 - self.credit_ns).saturating_mul(AT_ONCE_SHARE))
    }

    /// Makes turns due that lie further ahead than an interval, after the clock was set back.
    fn follow_clock(&mut self, now: Timestamp) {
        for turn in self.rules.values_mut() {
            if turn.due.saturating_sub(now.0) > turn.interval_ns {
                turn.due = now.0;
            }
            turn.started_at = turn.started_at.filter(|started| *started <= now.0);
        }
    }
}

/// Returns the next turn of a rule after `now`. Turns of different rules are shifted against each other.
pub(crate) fn next_turn(rule: &str, interval_ns: i64, now: Timestamp) -> i64 {
    let interval_ns = interval_ns.max(1);
    let shift_ns = (xxh3_64(rule.as_bytes()) % interval_ns.unsigned_abs()).cast_signed();
    let since_ns = now.0.saturating_sub(shift_ns).rem_euclid(interval_ns);
    now.0.saturating_add(interval_ns - since_ns)
}

#[cfg(test)]
mod tests;
