//! Which rules an accepted batch concerns: what a rule's query keeps of single events, asked of the batch.
//!
//! A rule without a match here is evaluated at its next turn. A match only means that it is worth looking
//! now, so it may say so too often and never decides anything: the question itself is asked of the store.
//!
//! ```text
//! batch ─► group wanted? ─► a level that is high enough? ─► filters over the columns ─► times of the events
//! ```

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use execute::Tail;
use plan::{Comparison, Expr, Function, Name, Operator, Plan};
use storage::AcceptedBatch;
use types::{Batch, BatchRun, GroupPattern, LEVELS, Level, Timestamp, Value};

use crate::Rule;
use crate::compile::compile;

/// An event that was so much older than the window when it was accepted is back-filled and never triggers.
pub(crate) const LATE_NS_MAX: i64 = 5 * Timestamp::MINUTE;

/// Windows that late events of one look are judged by; they lie within [`LATE_NS_MAX`].
const LATE_WINDOWS_MAX: usize = 16;

/// All rules that are judged as soon as an event may concern them.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    all: Vec<Trigger>,
}

/// What one or several rules keep of single events.
#[derive(Debug)]
struct Trigger {
    groups: Vec<GroupPattern>,
    /// The lowest [`Level::code`] that passes; 0 where the level does not matter.
    level_code_min: u8,
    tail: Tail,
    /// Whether it asks nothing of what time it is.
    is_timeless: bool,
    /// Rules that begin alike, with their windows.
    rules: Vec<(String, i64)>,
}

/// A rule that events concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TriggeredRule {
    /// Its name.
    pub(crate) rule: String,
    /// When events are in its window, the earliest first; of one that a sender dated ahead that is not now.
    pub(crate) dues: Vec<Timestamp>,
    /// Ends of past windows that hold late events.
    pub(crate) late: Vec<Timestamp>,
}

impl Triggers {
    /// Builds the triggers of `rules`.
    pub(crate) fn of(rules: &[Arc<Rule>], now: Timestamp) -> Self {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut all: Vec<Trigger> = Vec::new();
        for rule in rules.iter().filter(|rule| rule.enabled) {
            let Some((groups, operators)) = beginning(rule, now) else { continue };
            let key = format!("{groups:?} {operators:?}");
            let reader = (rule.name.clone(), rule.window_ns);
            match known.get(&key) {
                Some(at) => all[*at].rules.push(reader),
                None => {
                    let Some(trigger) = Trigger::new(groups, operators, reader) else { continue };
                    known.insert(key, all.len());
                    all.push(trigger);
                }
            }
        }
        Self { all }
    }

    /// Returns names of the rules whose events are all reported here: what matches when it is accepted and what
    /// matches later is the same.
    pub(crate) fn timeless(&self) -> HashSet<&str> {
        let all = self.all.iter().filter(|trigger| trigger.is_timeless);
        all.flat_map(|trigger| &trigger.rules).map(|(name, _)| name.as_str()).collect()
    }

    /// Returns names of all rules.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &str> {
        self.all.iter().flat_map(|trigger| &trigger.rules).map(|(name, _)| name.as_str())
    }

    /// Returns the rules that events of these batches concern. Those of `waiting` are judged soon anyway; for them only events
    /// matter that their present window does not hold.
    pub(crate) fn touched(
        &self,
        batches: &[Arc<AcceptedBatch>],
        now: Timestamp,
        waiting: &HashSet<String>,
    ) -> Vec<TriggeredRule> {
        let runs: Vec<BatchFilter> =
            batches.iter().filter(|accepted| !accepted.batch.is_empty()).map(BatchFilter::new).collect();
        let mut touched = Vec::new();
        for trigger in &self.all {
            let is_waiting = trigger.rules.iter().all(|(name, _)| waiting.contains(name));
            let window_ns = trigger.rules.iter().map(|(_, window_ns)| *window_ns).min().unwrap_or_default();
            let asked =
                runs.iter().filter(|run| trigger.may_keep_some(run) && !(is_waiting && run.is_within(window_ns)));
            let times: Vec<(i64, i64)> = asked.flat_map(|run| trigger.times(run, now)).collect();
            if !times.is_empty() {
                touched
                    .extend(trigger.rules.iter().filter_map(|(name, window_ns)| touched_of(name, *window_ns, &times)));
            }
        }
        touched
    }
}

/// A batch, ready to be asked.
struct BatchFilter {
    accepted: Arc<AcceptedBatch>,
    level_code_max: u8,
    /// How old its events were when they were accepted, the least and the most; worked out when it is asked for.
    ages_ns: OnceCell<(i64, i64)>,
    /// The events of at least the level of each code, made when they are asked for.
    by_level: [OnceCell<Arc<BatchRun>>; LEVELS.len() + 1],
}

impl BatchFilter {
    fn new(accepted: &Arc<AcceptedBatch>) -> Self {
        let level_code_max = accepted.batch.levels.bounds().map_or(0, |(_, most)| most);
        Self { accepted: accepted.clone(), level_code_max, ages_ns: OnceCell::new(), by_level: Default::default() }
    }

    /// Reports whether all its events lie in a window of this length that ends now.
    fn is_within(&self, window_ns: i64) -> bool {
        let (least, most) = *self.ages_ns.get_or_init(|| {
            let batch = &self.accepted.batch;
            let times = batch.timestamps.iter().zip(batch.ingestion_times.iter());
            times.fold((i64::MAX, i64::MIN), |(least, most), (happened, accepted)| {
                let age_ns = accepted.saturating_sub(happened);
                (least.min(age_ns), most.max(age_ns))
            })
        });
        least >= 0 && most <= window_ns
    }

    /// Returns the events of at least a level. Most rules ask for few of many, and each of them would look at all.
    fn run(&self, level_code_min: u8) -> Arc<BatchRun> {
        let made = || {
            let AcceptedBatch { group, group_id, batch } = &*self.accepted;
            let rows: Vec<(u32, u32)> = (0..)
                .zip(batch.levels.iter())
                .filter(|(_, code)| *code >= level_code_min)
                .map(|(row, _)| (0, row))
                .collect();
            let is_all = rows.len() == batch.len();
            let chosen = if is_all { batch.clone() } else { Arc::new(Batch::gather(&[batch], &rows)) };
            Arc::new(BatchRun::new(group.clone(), *group_id, chosen))
        };
        match self.by_level.get(usize::from(level_code_min)) {
            Some(kept) => kept.get_or_init(made).clone(),
            None => made(),
        }
    }
}

impl Trigger {
    fn new(groups: Vec<GroupPattern>, mut operators: Vec<Operator>, rule: (String, i64)) -> Option<Self> {
        let level_code_min = operators.iter().filter_map(level_of).max().unwrap_or_default();
        let is_timeless = !format!("{operators:?}").contains(&format!("{:?}", Function::Now));
        let column = |name: &str| (Name::from(name), Expr::Field(name.into()));
        let columns = vec![column("@timestamp"), column("@ingestionTime")];
        operators.push(Operator::Project { columns, is_events: true });
        let plan = Plan::new(operators);
        let tail = Tail::new(&plan, chrono_tz::UTC).ok()?;
        Some(Self { groups, level_code_min, tail, is_timeless, rules: vec![rule] })
    }

    /// Reports whether a batch is of a group that is wanted, and of a level that is high enough.
    fn may_keep_some(&self, accepted: &BatchFilter) -> bool {
        accepted.level_code_max >= self.level_code_min
            && GroupPattern::any_matches(&self.groups, accepted.accepted.group.as_str())
    }

    /// Returns of each event that passes when it happened and when it was accepted.
    fn times(&self, accepted: &BatchFilter, now: Timestamp) -> Vec<(i64, i64)> {
        // A batch in memory is not damaged; if it were, the rule's own turn would tell.
        let found = self.tail.rows(accepted.run(self.level_code_min), now).unwrap_or_default();
        let time = |value: Option<&Option<Value>>| match value {
            Some(Some(Value::Timestamp(time))) => Some(time.0),
            _ => None,
        };
        found.rows.iter().filter_map(|row| Some((time(row.first())?, time(row.get(1))?))).collect()
    }
}

/// Returns the groups and the first steps of a rule, as far as they look at single events; nothing if none chooses any.
fn beginning(rule: &Rule, now: Timestamp) -> Option<(Vec<GroupPattern>, Vec<Operator>)> {
    if !rule.kind.is_immediate() {
        return None;
    }
    let plan = compile(rule, now).ok()?.plan;
    let mut steps: Vec<Operator> = plan.operators().iter().take_while(|step| is_of_events(step)).cloned().collect();
    let groups = if plan.sources.is_empty() { rule.groups.clone() } else { plan.sources };
    // What is computed from events that were chosen before chooses none.
    let n_steps = steps.iter().rposition(|step| matches!(step, Operator::Filter(_)))? + 1;
    steps.truncate(n_steps);
    Some((groups, steps))
}

/// Reports whether a step looks at each event by itself and gives no more events than it is given.
pub(crate) fn is_of_events(step: &Operator) -> bool {
    matches!(step, Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_))
}

/// Returns the lowest level that a condition lets pass, if it names one.
fn level_of(operator: &Operator) -> Option<u8> {
    let Operator::Filter(condition) = operator else { return None };
    level_of_condition(condition)
}

fn level_of_condition(condition: &Expr) -> Option<u8> {
    match condition {
        Expr::And(left, right) => level_of_condition(left).max(level_of_condition(right)),
        Expr::Compare(Comparison::GreaterOrEqual | Comparison::Greater | Comparison::Equal, left, right) => {
            match (&**left, &**right) {
                (Expr::Field(name), Expr::Literal(Some(Value::String(text)))) if &**name == "@level" => {
                    Level::parse(text).map(Level::code)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn touched_of(rule: &str, window_ns: i64, times: &[(i64, i64)]) -> Option<TriggeredRule> {
    let (mut now, mut ahead, mut late) = (None::<i64>, BTreeSet::new(), Vec::new());
    for (happened, accepted) in times {
        let age_ns = accepted.saturating_sub(*happened);
        if age_ns < 0 {
            ahead.insert(rounded_ahead(*happened, age_ns.saturating_neg()));
        } else if age_ns <= window_ns {
            now = Some(now.map_or(*accepted, |now| now.min(*accepted)));
        } else if age_ns.saturating_sub(window_ns) <= LATE_NS_MAX {
            late.push(*happened);
        }
    }
    let late = windows_over(late, window_ns);
    let dues: Vec<Timestamp> = now.into_iter().chain(ahead).map(Timestamp).collect();
    let is_touched = !dues.is_empty() || !late.is_empty();
    is_touched.then(|| TriggeredRule { rule: rule.to_string(), dues, late })
}

/// Returns when an event that lies ahead is judged: at its time, or within the second after it where that is far away, so that
/// many such events ask for few evaluations.
fn rounded_ahead(happened: i64, ahead_ns: i64) -> i64 {
    if ahead_ns <= Timestamp::SECOND {
        return happened;
    }
    let past_ns = happened.rem_euclid(Timestamp::SECOND);
    if past_ns == 0 { happened } else { happened.saturating_add(Timestamp::SECOND - past_ns) }
}

/// Ends of as few windows as hold all these times, the oldest first; each ends with an event.
fn windows_over(mut times: Vec<i64>, window_ns: i64) -> Vec<Timestamp> {
    times.sort_unstable();
    let mut ends: Vec<Timestamp> = Vec::new();
    for time in times.into_iter().rev() {
        if ends.last().is_none_or(|end| end.0.saturating_sub(window_ns) > time) && ends.len() < LATE_WINDOWS_MAX {
            ends.push(Timestamp(time));
        }
    }
    ends.reverse();
    ends
}

#[cfg(test)]
mod tests;
