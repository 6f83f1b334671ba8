//! Other rules and channels in the place of those that stand, at run time.

use std::sync::Arc;

use types::Timestamp;

use super::{Book, Standing, annotations_of};
use crate::evaluate::{Change, SetState, State};
use crate::notify::{Subject, notification};
use crate::state::Kept;
use crate::{Channel, Rule, RuleBook};

impl Book {
    /// Makes `rules` those that stand, once what that means is saved; nothing changes where it cannot be.
    pub(crate) fn replace(&self, rules: RuleBook, now: Timestamp) -> Result<(), String> {
        let standing = Standing::from(rules);
        let mut inner = self.locked();
        let mut kept = inner.kept.clone();
        kept.queues.retain(|name| standing.channel(name).is_some());
        for rule in inner.standing.rules.iter().filter(|rule| !standing.evaluates(&rule.name)) {
            self.resolve_all(rule, &standing, &mut kept, now);
        }
        kept.rules.retain(|name, _| standing.evaluates(name));
        if !self.commit(&mut inner, kept) {
            return Err(inner.save_error.clone().unwrap_or_default());
        }
        // What was changed is evaluated at once.
        let before = std::mem::replace(&mut inner.standing, Arc::new(standing));
        let standing = inner.standing.clone();
        drop(inner);
        self.schedule_rules(&standing, &|rule| before.rules.iter().any(|known| **known == *rule));
        self.news.notify_all();
        Ok(())
    }

    /// Tells the end of everything that fires of a rule that is evaluated no more.
    fn resolve_all(&self, rule: &Rule, standing: &Standing, kept: &mut Kept, now: Timestamp) {
        let Some(state) = kept.rules.get(&rule.name).cloned() else { return };
        let url = self.url_of(rule, now);
        for set in state.sets.values().filter(|set| set.state == State::Alarm) {
            let ended = SetState { state: State::Ok, since: now.0, ..set.clone() };
            let change = Change { set: ended, fires: false, starts_at: set.since, row: None };
            for channel in standing.channels.iter().filter(|channel| channel.takes(&rule.topics)) {
                let annotations = annotations_of(rule, set, &[], &url);
                let subject = Subject { rule, change: &change, annotations, events: Vec::new(), url: url.clone() };
                kept.queues.push(&channel.name, notification(&subject, &channel.name, now, 0));
            }
        }
    }

    /// Names of channels that no thread delivers to; whoever asks begins to.
    pub(crate) fn take_unserved(&self) -> Vec<String> {
        let mut inner = self.locked();
        let names = inner.standing.channels.iter().map(|channel| channel.name.clone());
        let unserved: Vec<String> = names.filter(|name| !inner.served.contains(name)).collect();
        inner.served.extend(unserved.iter().cloned());
        unserved
    }

    /// The channel as it stands; where it is no more, nobody serves it from here on.
    pub(crate) fn served_channel(&self, name: &str) -> Option<Arc<Channel>> {
        let mut inner = self.locked();
        let channel = inner.standing.channel(name).cloned();
        if channel.is_none() {
            inner.served.remove(name);
        }
        channel
    }
}
