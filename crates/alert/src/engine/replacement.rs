//! Replaces rules and channels at run time.

use std::sync::Arc;

use types::{Timestamp, ensure};

use super::{ActiveRules, RuleEngine};
use crate::silence::Silence;
use crate::state::AlertState;
use crate::{Channel, RuleSet};

impl RuleEngine {
    /// Puts `rules` in force, once the resulting state is saved; nothing changes if that fails. A node that follows another
    /// saves nothing.
    pub(crate) fn replace(&self, rules: RuleSet, now: Timestamp) -> Result<(), String> {
        let mut active = ActiveRules::from(rules);
        let mut inner = self.locked();
        // What is the same stays the same, so that an evaluation under way is not in vain.
        for rule in &mut active.rules {
            if let Some(before) = inner.active.rules.iter().find(|before| *before == rule) {
                rule.clone_from(before);
            }
        }
        if inner.is_leading {
            let mut kept = inner.kept.clone();
            self.carry_over(&mut kept, &active, &inner.silences, now);
            // If another node has taken over meanwhile, that node carries the state over.
            ensure!(self.commit(&mut inner, kept) || !inner.is_leading, inner.save_error.clone().unwrap_or_default());
        }
        // What was changed is evaluated at once.
        let before = std::mem::replace(&mut inner.active, Arc::new(active));
        let active = inner.active.clone();
        drop(inner);
        self.schedule_rules(&active, &|rule| before.rules.iter().any(|known| **known == *rule));
        self.news.notify_all();
        Ok(())
    }

    /// Keeps the state of rules and channels that still exist: they are known by their names.
    pub(super) fn carry_over(&self, kept: &mut AlertState, active: &ActiveRules, silences: &[Silence], now: Timestamp) {
        kept.queues.retain(|name| active.channel(name).is_some());
        kept.channels.retain(|name, _| active.channel(name).is_some());
        self.settle_rules(kept, active, silences, now);
        kept.rules.retain(|name, _| active.evaluates(name));
        self.memory.retain(|name| active.evaluates(name));
    }

    /// Returns names of channels without a thread and marks them as served.
    pub(crate) fn take_unserved(&self) -> Vec<String> {
        let mut inner = self.locked();
        let names = inner.active.channels.iter().map(|channel| channel.name.clone());
        let unserved: Vec<String> = names.filter(|name| !inner.served.contains(name)).collect();
        inner.served.extend(unserved.iter().cloned());
        unserved
    }

    /// Returns the channel as it is defined now; if it no longer exists, its thread ends.
    pub(crate) fn served_channel(&self, name: &str) -> Option<Arc<Channel>> {
        let mut inner = self.locked();
        let channel = inner.active.channel(name).cloned();
        if channel.is_none() {
            inner.served.remove(name);
        }
        channel
    }
}
