//! Evaluation in a fleet: the node with the lease `alerts` evaluates, saves, and then sends. The others show the saved
//! state. A node that takes over continues from there, and sends what was queued and not noted as sent.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use types::{Hold, Timestamp};

use super::{ActiveRules, Inner, RuleEngine};
use crate::Rule;
use crate::state::{Acknowledgement, AlertState};
use crate::state_file::StateError;
use crate::trigger::LATE_NS_MAX;

/// The longest time without an evaluating node while the lease changes hands. The new node judges the past windows that
/// late events may have reached in this time. The previous node may have judged some of them, so an alert about late events
/// that has already ended may be repeated.
const HANDOVER_NS_MAX: i64 = 20 * Timestamp::SECOND;

/// An acknowledgement, or the withdrawal of one, on its way from the node that received it to the node that evaluates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AcknowledgementOrder {
    /// The id of the alert, and when it began: it may end and begin again.
    pub(crate) alert: String,
    pub(crate) starts_at: i64,
    pub(crate) acknowledged: Option<Acknowledgement>,
}

impl AcknowledgementOrder {
    /// Returns the name of its document.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.alert, self.starts_at)
    }
}

impl RuleEngine {
    /// Reports whether several nodes share the state.
    pub(crate) fn is_shared(&self) -> bool {
        self.states.is_shared()
    }

    /// Reports whether this process evaluates, saves and sends.
    pub(crate) fn is_leading(&self) -> bool {
        self.locked().is_leading
    }

    /// Takes over if this node has the lease, else reads the saved state; applies the orders that users gave on other nodes.
    /// On the node that evaluates, returns the orders that are no longer needed.
    ///
    /// Errors: the state cannot be read. It stays unchanged, and nothing is evaluated.
    pub(crate) fn follow(
        &self,
        orders: &[AcknowledgementOrder],
        now: Timestamp,
    ) -> Result<Vec<AcknowledgementOrder>, StateError> {
        let _turn = self.following.hold();
        let is_held = self.states.is_held();
        let mut inner = self.locked();
        if inner.is_leading && !is_held {
            self.step_down(&mut inner);
        }
        if !inner.is_leading {
            // The database may be slow, and the known state can be shown meanwhile.
            drop(inner);
            let news = self.states.news()?;
            inner = self.locked();
            if let Some(kept) = news {
                inner.kept = kept;
            }
            if is_held {
                self.take_over(&mut inner, now);
            }
        }
        let obsolete = self.apply(&mut inner, orders);
        Ok(obsolete)
    }

    fn take_over(&self, inner: &mut Inner, now: Timestamp) {
        inner.is_leading = true;
        let mut kept = inner.kept.clone();
        self.carry_over(&mut kept, &inner.active, &inner.silences, now);
        if !self.commit(inner, kept) {
            self.step_down(inner);
            return;
        }
        tracing::info!("this node evaluates rules from now on");
        self.schedule_rules(&inner.active, &|_| false);
        self.schedule.drop_late(Timestamp(now.0.saturating_sub(LATE_NS_MAX + HANDOVER_NS_MAX)));
        self.news.notify_all();
    }

    /// Leaves evaluation to another node. Results of running evaluations are dropped: rules are identified by their
    /// place in memory.
    pub(super) fn step_down(&self, inner: &mut Inner) {
        let ActiveRules { rules, channels } = &*inner.active;
        let rules = rules.iter().map(|rule| Arc::new(Rule::clone(rule))).collect();
        inner.active = Arc::new(ActiveRules { rules, channels: channels.clone() });
        (inner.is_leading, inner.is_dirty, inner.save_error) = (false, false, None);
        inner.watched_from = Timestamp(i64::MIN);
        self.states.forget();
    }

    /// Applies orders to their alerts; on the node that evaluates, once that is saved. Returns the orders about alerts that
    /// no longer fire; on other nodes, none.
    fn apply(&self, inner: &mut Inner, orders: &[AcknowledgementOrder]) -> Vec<AcknowledgementOrder> {
        let (mut kept, mut is_changed, mut obsolete) = (None, false, Vec::new());
        for order in orders {
            let kept: &mut AlertState = kept.get_or_insert_with(|| inner.kept.clone());
            let is_meant =
                |key: &String, starts_at| starts_at == order.starts_at && super::views::id_of(key) == order.alert;
            match kept.fired.iter_mut().find(|(key, fired)| is_meant(key, fired.starts_at)) {
                Some((_, fired)) if fired.acknowledged == order.acknowledged => {}
                Some((_, fired)) => {
                    fired.acknowledged.clone_from(&order.acknowledged);
                    is_changed = true;
                }
                None => obsolete.push(order.clone()),
            }
        }
        match kept.filter(|_| is_changed) {
            Some(kept) if inner.is_leading => drop(self.commit(inner, kept)),
            Some(kept) => inner.kept = kept,
            None => {}
        }
        if inner.is_leading { obsolete } else { Vec::new() }
    }

    /// Returns the time since which the alert with an id fires.
    pub(crate) fn fires_since(&self, id: &str) -> Option<i64> {
        let inner = self.locked();
        let mut fired = inner.kept.fired.iter().filter(|(_, fired)| fired.ends_at.is_none());
        fired.find(|(key, _)| super::views::id_of(key) == id).map(|(_, fired)| fired.starts_at)
    }
}
