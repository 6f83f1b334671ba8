//! Notifications: the difference between the alerts that fire and those that channels know.
//!
//! A firing alert that a channel receives, that no silence matches, and that the channel does not know yet is sent as
//! firing; one that it knows and that fires no more is sent as resolved, silenced or not. So removed rules, expired
//! silences and new channels need no code of their own. All of it is queued and saved at once.
//!
//! A group without open alerts is sent at once. Alerts that begin within `group_wait` after that are gathered, and so are
//! alerts that end within `group_interval` while others of the group fire.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use types::Timestamp;

use super::failures::traces_of;
use super::{ActiveRules, RuleEngine, annotations_of};
use crate::channel_state::DeliveredAlert;
use crate::evaluate::{State, Transition};
use crate::labels::key_of;
use crate::notify::{Notification, Subject, body, notification, slim};
use crate::silence::{Silence, groups_of};
use crate::state::{ActiveAlert, AlertState};
use crate::{Channel, Kind, Rule};

/// What was found out of alerts just now, by their labels; with more events than is kept.
pub(super) type EvidenceByAlert = BTreeMap<String, Json>;

impl RuleEngine {
    /// Applies the transitions of a rule and queues their notifications.
    pub(super) fn announce(
        &self,
        kept: &mut AlertState,
        active: &ActiveRules,
        silences: &[Silence],
        rule: &Rule,
        changes: &[(Transition, Json)],
        now: Timestamp,
    ) {
        // Ends first: where a rule asks something else now, one and the same label set may end and begin again.
        for is_beginning in [false, true] {
            let mut fresh = EvidenceByAlert::new();
            for (change, body) in changes.iter().filter(|(change, _)| change.fires == is_beginning) {
                let key = key_of(&change.set.labels);
                if is_beginning {
                    kept.fired.insert(key.clone(), ActiveAlert::new(rule, change, body));
                } else if let Some(fired) = kept.fired.get_mut(&key) {
                    fired.ends_at = Some(change.set.since);
                }
                fresh.insert(key, body.clone());
            }
            for channel in active.channels.iter().filter(|_| !fresh.is_empty()) {
                self.tell(kept, channel, silences, &fresh, now);
            }
            kept.fired.retain(|_, fired| fired.ends_at.is_none());
        }
    }

    /// Ends alerts of rules that are evaluated no more, and gives those that fire since before alerts were kept a place.
    pub(super) fn settle_rules(
        &self,
        kept: &mut AlertState,
        active: &ActiveRules,
        silences: &[Silence],
        now: Timestamp,
    ) {
        for fired in kept.fired.values_mut() {
            match active.rules.iter().find(|rule| rule.enabled && rule.name == fired.rule) {
                Some(rule) => (fired.groups, fired.topics) = (groups_of(rule), rule.topics.clone()),
                None => fired.ends_at = Some(now.0),
            }
        }
        for rule in active.rules.iter().filter(|rule| rule.enabled) {
            let sets = kept.rules.get(&rule.name).map(|state| state.sets.clone()).unwrap_or_default();
            for (key, set) in sets.into_iter().filter(|(_, set)| set.state == State::Alarm) {
                if kept.fired.contains_key(&key) {
                    continue;
                }
                let starts_at = set.since;
                let change = Transition { set, fires: true, starts_at, row: None };
                let url = self.url_of(rule, now);
                let annotations = annotations_of(rule, &change.set, &[], &url);
                let (events, evidence) = (Vec::new(), Json::Null);
                let subject = Subject { rule, change: &change, annotations, events, evidence, url };
                kept.fired.insert(key.clone(), ActiveAlert::new(rule, &change, &body(&subject)));
                // Its receivers were notified by the version that kept no record of it.
                for channel in active.channels.iter().filter(|channel| channel.takes(&rule.topics)) {
                    let group = channel.group_of(&change.set.labels);
                    let told = DeliveredAlert { starts_at, group, delivered_at: None, n_repeats: 0 };
                    kept.channels.entry(channel.name.clone()).or_default().told.insert(key.clone(), told);
                }
            }
        }
        for channel in &active.channels {
            self.tell(kept, channel, silences, &EvidenceByAlert::new(), now);
        }
        kept.fired.retain(|_, fired| fired.ends_at.is_none());
    }

    /// Queues notifications that need no transition: a silence ended, it is time to repeat.
    /// Nothing is queued that cannot be saved.
    pub(crate) fn tend(&self, channel: &Channel, now: Timestamp) {
        let mut inner = self.locked();
        if inner.kept.fired.is_empty() || !inner.is_leading {
            return;
        }
        let mut kept = inner.kept.clone();
        let silences = inner.silences.clone();
        if self.tell(&mut kept, channel, &silences, &EvidenceByAlert::new(), now) {
            self.commit(&mut inner, kept);
        }
    }

    /// Queues the notifications of a channel. Returns whether there are any.
    fn tell(
        &self,
        kept: &mut AlertState,
        channel: &Channel,
        silences: &[Silence],
        fresh: &EvidenceByAlert,
        now: Timestamp,
    ) -> bool {
        let mut news = self.ends(kept, channel, fresh, now);
        news.extend(self.beginnings(kept, channel, silences, fresh, now));
        news.extend(self.repeats(kept, channel, silences, now));
        let is_any = !news.is_empty();
        for notification in news {
            kept.queues.push(&channel.name, notification);
        }
        if let Some(channel_state) = kept.channels.get_mut(&channel.name) {
            channel_state.forget_groups(now);
        }
        is_any
    }

    fn ends(
        &self,
        kept: &mut AlertState,
        channel: &Channel,
        fresh: &EvidenceByAlert,
        now: Timestamp,
    ) -> Vec<Notification> {
        let channel_state = kept.channels.entry(channel.name.clone()).or_default();
        let is_over = |key: &String, told: &DeliveredAlert| {
            kept.fired.get(key).is_none_or(|fired| fired.ends_at.is_some() || fired.starts_at != told.starts_at)
        };
        let over: Vec<String> =
            channel_state.told.iter().filter(|(key, told)| is_over(key, told)).map(|(key, _)| key.clone()).collect();
        let mut news = Vec::new();
        for key in over {
            let Some(told) = channel_state.told.remove(&key) else { continue };
            let Some((fired, ends_at)) = kept.fired.get(&key).and_then(|fired| Some((fired, fired.ends_at?))) else {
                continue;
            };
            if !channel.send_resolved {
                continue;
            }
            let mut end = notification(fresh.get(&key).unwrap_or(&fired.body), &channel.name, Some(ends_at), 0, now);
            let wait_ns = if channel_state.is_open(&told.group) {
                channel.group_interval_ns.unwrap_or(self.group_interval_ns)
            } else {
                self.group_wait_of(channel)
            };
            end.due_at = due_at(channel, channel_state.groups.get(&told.group), wait_ns, now);
            end.group = told.group;
            news.push(end);
        }
        news
    }

    fn beginnings(
        &self,
        kept: &mut AlertState,
        channel: &Channel,
        silences: &[Silence],
        fresh: &EvidenceByAlert,
        now: Timestamp,
    ) -> Vec<Notification> {
        let channel_state = kept.channels.entry(channel.name.clone()).or_default();
        let mut news = Vec::new();
        for (key, fired) in kept.fired.iter().filter(|(_, fired)| fired.ends_at.is_none()) {
            let is_told = fired.is_quiet || fired.has_actions && channel.subscription.is_some();
            let is_wanted = !is_told && channel.hears(&fired.topics, &fired.groups, &fired.labels);
            if channel_state.told.contains_key(key) || !is_wanted || fired.is_silenced(silences, now) {
                continue;
            }
            let group = channel.group_of(&fired.labels);
            let mut beginning = notification(fresh.get(key).unwrap_or(&fired.body), &channel.name, None, 0, now);
            if channel_state.is_open(&group) {
                beginning.due_at = due_at(channel, channel_state.groups.get(&group), self.group_wait_of(channel), now);
            }
            beginning.group.clone_from(&group);
            news.push(beginning);
            let told = DeliveredAlert { starts_at: fired.starts_at, group, delivered_at: None, n_repeats: 0 };
            channel_state.told.insert(key.clone(), told);
        }
        news
    }

    /// Tells of groups again that have gone on for long without anyone having taken them on.
    fn repeats(
        &self,
        kept: &mut AlertState,
        channel: &Channel,
        silences: &[Silence],
        now: Timestamp,
    ) -> Vec<Notification> {
        let repeat_ns = channel.repeat_ns.unwrap_or(self.repeat_ns);
        if repeat_ns == 0 || channel.target.repeat_ns().is_some() {
            return Vec::new();
        }
        let AlertState { channels, fired, queues, .. } = kept;
        let channel_state = channels.entry(channel.name.clone()).or_default();
        let is_due = |told: &DeliveredAlert| {
            let last = channel_state.groups.get(&told.group);
            last.is_some_and(|last| now.0.saturating_sub(*last) >= repeat_ns)
                && !queues.holds_group(&channel.name, &told.group)
        };
        let due: Vec<String> =
            channel_state.told.iter().filter(|(_, told)| is_due(told)).map(|(key, _)| key.clone()).collect();
        let mut news = Vec::new();
        for key in due {
            let (Some(told), Some(fired)) = (channel_state.told.get_mut(&key), fired.get(&key)) else { continue };
            if fired.acknowledged.is_some() || fired.is_silenced(silences, now) {
                continue;
            }
            told.n_repeats = told.n_repeats.saturating_add(1);
            let mut again = notification(&fired.body, &channel.name, None, told.n_repeats, now);
            again.group.clone_from(&told.group);
            news.push(again);
        }
        news
    }

    fn group_wait_of(&self, channel: &Channel) -> i64 {
        channel.group_wait_ns.unwrap_or(self.wait_ns)
    }
}

/// Returns the time `wait_ns` after the last message of the group, but not before now.
fn due_at(channel: &Channel, last: Option<&i64>, wait_ns: i64, now: Timestamp) -> i64 {
    let wait_ns = if channel.target.sorts() { 0 } else { wait_ns };
    last.map_or(now.0, |last| last.saturating_add(wait_ns).clamp(now.0, now.0.saturating_add(wait_ns)))
}

impl ActiveAlert {
    fn new(rule: &Rule, change: &Transition, body: &Json) -> Self {
        Self {
            rule: rule.name.clone(),
            groups: groups_of(rule),
            topics: rule.topics.clone(),
            is_quiet: !rule.notify,
            has_actions: matches!(rule.kind, Kind::Alarm(_)),
            labels: change.set.labels.clone(),
            starts_at: change.starts_at,
            ends_at: None,
            body: slim(body),
            traces: traces_of(&body["events"]),
            acknowledged: None,
        }
    }

    /// Reports whether a silence or an acknowledgement suppresses it now.
    pub(super) fn is_silenced(&self, silences: &[Silence], now: Timestamp) -> bool {
        silences.iter().any(|silence| silence.holds(&self.groups, &self.labels, now))
    }
}
