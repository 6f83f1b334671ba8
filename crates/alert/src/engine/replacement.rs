//! Other rules and channels in the place of those that stand, at run time.

use std::sync::Arc;

use types::Timestamp;

use super::{ActiveRules, RuleEngine};
use crate::silence::Silence;
use crate::state::AlertState;
use crate::{Channel, RuleSet};

impl RuleEngine {
    /// Makes `rules` those that stand, once what that means is saved; nothing changes where it cannot be.
    pub(crate) fn replace(&self, rules: RuleSet, now: Timestamp) -> Result<(), String> {
        let mut standing = ActiveRules::from(rules);
        let mut inner = self.locked();
        // What is the same stays the same, so that an evaluation under way is not in vain.
        for rule in &mut standing.rules {
            if let Some(before) = inner.standing.rules.iter().find(|before| *before == rule) {
                rule.clone_from(before);
            }
        }
        let mut kept = inner.kept.clone();
        self.carry_over(&mut kept, &standing, &inner.silences, now);
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

    /// Keeps of what was kept what is of those that stand now: rules and channels are known by their names.
    pub(super) fn carry_over(
        &self,
        kept: &mut AlertState,
        standing: &ActiveRules,
        silences: &[Silence],
        now: Timestamp,
    ) {
        kept.queues.retain(|name| standing.channel(name).is_some());
        kept.desks.retain(|name, _| standing.channel(name).is_some());
        self.settle_rules(kept, standing, silences, now);
        kept.rules.retain(|name, _| standing.evaluates(name));
        self.memory.retain(|name| standing.evaluates(name));
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
