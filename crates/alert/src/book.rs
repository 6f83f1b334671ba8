//! The book of rules and alerts: takes evaluations in, saves before it announces, and lists what it knows.
//!
//! It has no thread and no clock. Questions are asked without holding its lock; one thread evaluates.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value as Json, json};
use types::{TimeRange, Timestamp, format_duration_ns};

use crate::compile::{Compiled, compile};
use crate::evaluate::{Change, Evaluation, SETS_MAX, SetState, Sets, State, evaluate, json_of};
use crate::notify::{Notification, Subject, notification};
use crate::state::{Kept, RuleState, StateError, StateFile};
use crate::{Ask, Channel, Missing, Options, PostError, Question, Rule, RuleBook, Table, template};

/// Changes of one evaluation whose events are looked up; further ones are told without.
const CHANGES_WITH_EVENTS_MAX: usize = 20;

/// Rows beyond the bound on label sets are asked for all the same, to be able to say how many are left out.
const ROWS_MAX: usize = 10 * SETS_MAX;

/// Events shown in a notification.
const EVENTS_SHOWN: usize = 10;

/// A rule, for the API and the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// Its query.
    pub query: String,
    /// The language of the query.
    pub language: &'static str,
    /// Groups that it looks at.
    pub groups: Vec<String>,
    /// How far back it looks.
    pub window: String,
    /// How often.
    pub interval: String,
    /// Its condition.
    pub condition: Option<String>,
    /// How long the condition must hold.
    #[serde(rename = "for")]
    pub for_: String,
    /// How long an alert stays on.
    pub keep_firing_for: String,
    /// What missing data means.
    pub missing: Option<&'static str>,
    /// M of N.
    pub datapoints: Json,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, as templates.
    pub annotations: BTreeMap<String, String>,
    /// Its topics.
    pub topics: Vec<String>,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// Where it is written.
    pub file: String,
    /// `ok`, `pending`, `alarm` or `insufficient_data`: the worst of its label sets.
    pub state: &'static str,
    /// Why.
    pub why: String,
    /// When it was evaluated last.
    pub last_evaluation: Option<String>,
    /// Why the last evaluation gave nothing, if it did not.
    pub last_error: Option<String>,
    /// How many label sets fire.
    pub n_firing: usize,
}

/// An alert, for the API and the page: a label set that is not well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertView {
    /// Identity of rule and labels.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// `pending`, `alarm` or `insufficient_data`.
    pub state: &'static str,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The value at the last evaluation.
    pub value: Option<Json>,
    /// Since when it is in this state.
    pub since: String,
    /// Where the page shows its events.
    pub url: String,
}

/// Rules, channels, and what they have come to.
pub(crate) struct Book {
    pub(crate) rules: Vec<Rule>,
    pub(crate) channels: Vec<Channel>,
    interval_ns: i64,
    wait_ns: i64,
    base_url: String,
    file: StateFile,
    inner: Mutex<Inner>,
    /// Told when a notification is queued, and when all ends.
    news: Condvar,
}

struct Inner {
    kept: Kept,
    is_dirty: bool,
    next_due: Vec<Timestamp>,
    is_stopping: bool,
    save_error: Option<String>,
}

impl Book {
    /// Opens the state below `options.dir`.
    pub(crate) fn open(rules: RuleBook, options: &Options, now: Timestamp) -> Result<Self, StateError> {
        let (file, mut kept) = StateFile::open(&options.dir)?;
        let RuleBook { rules, channels } = rules;
        kept.rules.retain(|name, _| rules.iter().any(|rule| rule.enabled && rule.name == *name));
        kept.queues.retain(|name| channels.iter().any(|channel| channel.name == name));
        let next_due = vec![now; rules.len()];
        let inner = Inner { kept, is_dirty: false, next_due, is_stopping: false, save_error: None };
        Ok(Self {
            rules,
            channels,
            interval_ns: options.interval_ns,
            wait_ns: options.group_wait_ns,
            base_url: options.base_url.trim_end_matches('/').to_string(),
            file,
            inner: Mutex::new(inner),
            news: Condvar::new(),
        })
    }

    /// What a panicking thread left locked is whole: the state is replaced as one, after it was saved.
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evaluates every rule that is due. Returns when the next one is.
    pub(crate) fn evaluate_due(&self, ask: &dyn Ask, clock: &dyn Fn() -> Timestamp) -> Timestamp {
        for (at, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.enabled) {
            let now = clock();
            {
                let mut inner = self.locked();
                if inner.is_stopping {
                    return now;
                }
                if inner.next_due[at] > now {
                    continue;
                }
                let interval_ns = rule.interval_ns.unwrap_or(self.interval_ns).max(Timestamp::SECOND);
                inner.next_due[at] = Timestamp(now.0.saturating_add(interval_ns));
            }
            // A defect that one rule meets must not end the evaluation of all others, nor its own for good.
            if catch_unwind(AssertUnwindSafe(|| self.evaluate_rule(rule, ask, now))).is_err() {
                self.note_defect(rule, now);
            }
        }
        let mut inner = self.locked();
        if inner.is_dirty {
            let kept = inner.kept.clone();
            self.commit(&mut inner, kept);
        }
        let due = self.rules.iter().zip(&inner.next_due).filter(|(rule, _)| rule.enabled).map(|(_, due)| *due);
        due.min().unwrap_or(Timestamp(i64::MAX))
    }

    /// What a rule has come to stays; that it was not evaluated is said.
    fn note_defect(&self, rule: &Rule, now: Timestamp) {
        tracing::error!(rule = rule.name, "the evaluation of a rule panicked");
        let mut inner = self.locked();
        let state = inner.kept.rules.entry(rule.name.clone()).or_default();
        state.evaluated_at = Some(now.0);
        state.why = "not evaluated".to_string();
        state.error = Some("a defect in catat ended the evaluation; its log says where".to_string());
    }

    fn evaluate_rule(&self, rule: &Rule, ask: &dyn Ask, now: Timestamp) {
        let before: Sets = self.locked().kept.rules.get(&rule.name).map(|state| state.sets.clone()).unwrap_or_default();
        let asked = self.ask_rule(rule, ask, now);
        let mut notifications = Vec::new();
        let state = match asked {
            Err(error) => {
                tracing::warn!(rule = rule.name, error, "rule not evaluated");
                let why = "not evaluated".to_string();
                RuleState { sets: before.clone(), evaluated_at: Some(now.0), why, error: Some(error) }
            }
            Ok((compiled, table)) => {
                let Evaluation { sets, changes, why } = evaluate(rule, &compiled, &table, &before, now);
                notifications = self.notifications(rule, &compiled, &table, &changes, ask, now);
                RuleState { sets, evaluated_at: Some(now.0), why, error: None }
            }
        };
        let mut inner = self.locked();
        let is_announced = !notifications.is_empty();
        let is_new = state.sets != before;
        if !is_announced {
            inner.kept.rules.insert(rule.name.clone(), state);
            inner.is_dirty |= is_new;
            return;
        }
        let mut kept = inner.kept.clone();
        kept.rules.insert(rule.name.clone(), state);
        for (channel, notification) in notifications {
            kept.queues.push(&channel, notification);
        }
        // Not saved, not announced: the state stays as it was, and the next evaluation finds the same changes.
        if self.commit(&mut inner, kept) {
            self.news.notify_all();
        }
    }

    fn ask_rule(&self, rule: &Rule, ask: &dyn Ask, now: Timestamp) -> Result<(Compiled, Table), String> {
        let compiled = compile(rule, now).map_err(|error| error.to_string())?;
        let question = Question {
            plan: &compiled.plan,
            groups: &rule.groups,
            range: window_of(rule, now),
            now,
            n_rows_max: ROWS_MAX,
        };
        let table = ask.ask(&question)?;
        Ok((compiled, table))
    }

    /// Makes the notifications of changes, for every channel that takes them.
    fn notifications(
        &self,
        rule: &Rule,
        compiled: &Compiled,
        table: &Table,
        changes: &[Change],
        ask: &dyn Ask,
        now: Timestamp,
    ) -> Vec<(String, Notification)> {
        let channels: Vec<&Channel> = self.channels.iter().filter(|channel| channel.takes(&rule.topics)).collect();
        let mut made = Vec::new();
        for (n, change) in changes.iter().enumerate() {
            let (rule_name, fires) = (&rule.name, change.fires);
            tracing::info!(rule = rule_name, fires, n_channels = channels.len(), "alert changed");
            if channels.is_empty() {
                continue;
            }
            let row = change.row.filter(|_| change.fires && n < CHANGES_WITH_EVENTS_MAX);
            let events = row.and_then(|at| table.rows.get(at)).map(|row| events_of(rule, compiled, row, ask, now));
            let events = events.unwrap_or_default();
            let url = self.url_of(rule, now);
            let annotations = annotations_of(rule, &change.set, &events, &url);
            let subject = Subject { rule, change, annotations, events, url };
            for channel in &channels {
                made.push((channel.name.clone(), notification(&subject, &channel.name, now, self.wait_ns)));
            }
        }
        made
    }

    /// Makes `kept` the state if it can be saved.
    fn commit(&self, inner: &mut Inner, kept: Kept) -> bool {
        match self.file.save(&kept) {
            Ok(()) => {
                inner.kept = kept;
                inner.is_dirty = false;
                inner.save_error = None;
                true
            }
            Err(error) => {
                let error = error.to_string();
                if inner.save_error.as_ref() != Some(&error) {
                    tracing::error!(error, "state of alerts not saved; nothing is announced until it is");
                }
                inner.save_error = Some(error);
                false
            }
        }
    }

    /// The page with the rule's query over its window.
    fn url_of(&self, rule: &Rule, now: Timestamp) -> String {
        let range = window_of(rule, now);
        let groups: Vec<&str> = rule.groups.iter().map(|group| group.as_str()).filter(|group| *group != "*").collect();
        let (from, to, groups) = (range.from.to_string(), now.to_string(), groups.join(","));
        let mut parameters = vec![("q", rule.query.trim()), ("from", &from), ("to", &to)];
        if !groups.is_empty() {
            parameters.push(("groups", &groups));
        }
        let base = format!("{}/", self.base_url);
        reqwest::Url::parse_with_params(&base, parameters).map_or(base, |url| url.to_string())
    }

    /// The next notification of a channel that is due.
    pub(crate) fn due_notification(&self, channel: &str, now: Timestamp) -> Option<Notification> {
        self.locked().kept.queues.due(channel, now).cloned()
    }

    /// Everything that fires and that a channel takes, as notifications without events; nothing while others wait,
    /// so that nobody is told again of what he has not been told.
    pub(crate) fn firing_of(&self, channel: &Channel, now: Timestamp) -> Option<Vec<Json>> {
        let states = {
            let inner = self.locked();
            if !inner.kept.queues.is_idle(&channel.name) {
                return None;
            }
            inner.kept.rules.clone()
        };
        let mut firing = Vec::new();
        for rule in self.rules.iter().filter(|rule| channel.takes(&rule.topics)) {
            let sets = states.get(&rule.name).map(|state| &state.sets).into_iter().flatten();
            let url = self.url_of(rule, now);
            for (_, set) in sets.filter(|(_, set)| set.state == State::Alarm) {
                let change = Change { set: set.clone(), fires: true, starts_at: set.since, row: None };
                let annotations = annotations_of(rule, set, &[], &url);
                let subject = Subject { rule, change: &change, annotations, events: Vec::new(), url: url.clone() };
                firing.push(notification(&subject, &channel.name, now, 0).body);
            }
        }
        Some(firing)
    }

    /// Takes note of the outcome of an attempt.
    pub(crate) fn settle(&self, channel: &str, id: &str, result: &Result<(), PostError>, now: Timestamp) {
        let mut inner = self.locked();
        inner.kept.queues.settle(channel, id, result, now);
        // If this is not saved, the notification comes once more after a crash, under the same id.
        let kept = inner.kept.clone();
        self.commit(&mut inner, kept);
    }

    /// Waits until a notification of `channel` may be due, for `longest` at most. `false` when all ends.
    pub(crate) fn wait_for_news(&self, channel: Option<&str>, now: Timestamp, longest: Duration) -> bool {
        let inner = self.locked();
        if inner.is_stopping {
            return false;
        }
        let due = channel.and_then(|channel| inner.kept.queues.next_due(channel));
        let wait = due.map_or(longest, |due| {
            Duration::from_nanos(due.0.saturating_sub(now.0).max(0).unsigned_abs()).min(longest)
        });
        let (inner, _) = self.news.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner);
        !inner.is_stopping
    }

    /// Makes every thread that waits return.
    pub(crate) fn stop(&self) {
        self.locked().is_stopping = true;
        self.news.notify_all();
    }

    /// Saves what changed since it was saved last.
    pub(crate) fn save(&self) {
        let mut inner = self.locked();
        let kept = inner.kept.clone();
        self.commit(&mut inner, kept);
    }

    /// How many notifications wait.
    pub(crate) fn n_waiting(&self) -> usize {
        self.locked().kept.queues.len()
    }

    /// Why the state cannot be saved, if it cannot.
    pub(crate) fn save_error(&self) -> Option<String> {
        self.locked().save_error.clone()
    }

    /// All rules.
    pub(crate) fn rule_views(&self) -> Vec<RuleView> {
        let inner = self.locked();
        let empty = RuleState::default();
        let state_of = |rule: &Rule| inner.kept.rules.get(&rule.name).unwrap_or(&empty);
        self.rules.iter().map(|rule| self.rule_view(rule, state_of(rule))).collect()
    }

    fn rule_view(&self, rule: &Rule, state: &RuleState) -> RuleView {
        let worst = state.sets.values().map(|set| set.state).max().unwrap_or(State::Ok);
        let worst = if state.evaluated_at.is_none() { State::InsufficientData } else { worst };
        let why = match (rule.enabled, state.evaluated_at) {
            (false, _) => "disabled".to_string(),
            (true, None) => "not evaluated yet".to_string(),
            (true, Some(_)) => state.why.clone(),
        };
        RuleView {
            name: rule.name.clone(),
            query: rule.query.trim().to_string(),
            language: "insights",
            groups: rule.groups.iter().map(|group| group.as_str().to_string()).collect(),
            window: format_duration_ns(rule.window_ns),
            interval: format_duration_ns(rule.interval_ns.unwrap_or(self.interval_ns)),
            condition: rule.condition.clone(),
            for_: format_duration_ns(rule.for_ns),
            keep_firing_for: format_duration_ns(rule.keep_firing_for_ns),
            missing: rule.missing.map(Missing::name),
            datapoints: json!({"to_alarm": rule.datapoints.to_alarm, "of": rule.datapoints.of}),
            labels: rule.labels.clone(),
            annotations: rule.annotations.clone(),
            topics: rule.topics.clone(),
            enabled: rule.enabled,
            file: rule.file.clone(),
            state: worst.name(),
            why,
            last_evaluation: state.evaluated_at.map(|at| Timestamp(at).to_string()),
            last_error: state.error.clone(),
            n_firing: state.sets.values().filter(|set| set.state == State::Alarm).count(),
        }
    }

    /// All label sets that are not well, the worst first.
    pub(crate) fn alert_views(&self) -> Vec<AlertView> {
        let states = self.locked().kept.rules.clone();
        let mut views = Vec::new();
        for rule in &self.rules {
            let Some(state) = states.get(&rule.name) else { continue };
            let evaluated_at = Timestamp(state.evaluated_at.unwrap_or_default());
            let url = self.url_of(rule, evaluated_at);
            let unwell = state.sets.iter().filter(|(_, set)| set.state != State::Ok);
            views.extend(unwell.map(|(key, set)| {
                let id = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(key.as_bytes()));
                let view = AlertView {
                    id,
                    rule: rule.name.clone(),
                    state: set.state.name(),
                    labels: set.labels.clone(),
                    annotations: annotations_of(rule, set, &[], &url),
                    value: set.value.clone(),
                    since: Timestamp(set.since).to_string(),
                    url: url.clone(),
                };
                (set.state, set.since, view)
            }));
        }
        views.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)));
        views.into_iter().map(|(_, _, view)| view).collect()
    }
}

fn window_of(rule: &Rule, now: Timestamp) -> TimeRange {
    TimeRange { from: Timestamp(now.0.saturating_sub(rule.window_ns)), to: Timestamp(now.0.saturating_add(1)) }
}

/// The newest events behind a row, as JSON objects. An alert without its events is better than none.
fn events_of(
    rule: &Rule,
    compiled: &Compiled,
    row: &[Option<types::Value>],
    ask: &dyn Ask,
    now: Timestamp,
) -> Vec<Json> {
    let plan = compiled.events_plan(row);
    let range = window_of(rule, now);
    let question = Question { plan: &plan, groups: &rule.groups, range, now, n_rows_max: EVENTS_SHOWN };
    let table = match ask.ask(&question) {
        Ok(table) => table,
        Err(error) => {
            tracing::warn!(rule = rule.name, error, "events of an alert not found");
            return Vec::new();
        }
    };
    let event = |row: &Vec<Option<types::Value>>| {
        let cells = table.columns.iter().zip(row);
        let members = cells.filter_map(|(name, value)| Some((name.clone(), json_of(value.as_ref()?))));
        Json::Object(members.collect())
    };
    table.rows.iter().take(EVENTS_SHOWN).map(event).collect()
}

fn annotations_of(rule: &Rule, set: &SetState, events: &[Json], url: &str) -> BTreeMap<String, String> {
    let context = json!({
        "value": set.value,
        "labels": set.labels,
        "rule": rule.name,
        "events": events,
        "url": url,
    });
    let render = |(name, text): (&String, &String)| (name.clone(), template::render(text, &context));
    rule.annotations.iter().map(render).collect()
}

#[cfg(test)]
mod tests;
