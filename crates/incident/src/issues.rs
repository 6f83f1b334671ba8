//! Issues: errors that are one pattern at one place, with what was decided about them.
//!
//! An issue is counted by a thread that follows the feed ([`follow`]); what people decide are documents of the control
//! store ([`decision`]). Both are put together when issues are listed ([`view`]).

mod announce;
mod columns;
mod deaths;
mod decision;
mod follow;
mod former;
mod grouping;
mod record;
mod signature;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use alert::{Alerts, StateError, StateKind};
use storage::{Clock, DocumentWriter, Store};
use types::{GroupScope, Hold};

pub use self::decision::{Decision, DecisionChange, IssueState, Until};
use self::decision::{Decisions, count_of};
use self::follow::{Follower, KIND};
pub use self::signature::ErrorEvent;
pub use self::view::{HostView, IssueView, RestartView, UntilView, VersionView};
use crate::author::{Author, ChangeError, Result};

/// The form in which counts are saved: a record for each issue.
const STATE: StateKind = StateKind {
    file: alert::ISSUES_STATE,
    shared: "issues",
    depth: |section| if section == "position" { 1 } else { 2 },
};

/// How long a list waits for what was accepted just now.
const SETTLE_MAX: Duration = Duration::from_secs(1);

/// Issues that are merged at once, and merges of one issue that can be undone.
const MERGED_MAX: usize = 100;
const MERGES_MAX: usize = 100;

/// Which issues are listed.
#[derive(Clone, Debug, Default)]
pub struct IssueFilter {
    /// States; none for all.
    pub states: BTreeSet<IssueState>,
    /// Patterns of groups; none for all.
    pub groups: Vec<types::GroupPattern>,
    /// The service.
    pub service: Option<String>,
}

/// Why issues cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum IssuesError {
    /// The saved state.
    #[error("state of issues: {0}")]
    State(#[from] StateError),
    /// The thread.
    #[error("thread of issues: {0}")]
    Start(std::io::Error),
}

/// Issues at work. Dropping it stops the counting.
pub struct Issues {
    follower: Arc<Follower>,
    /// Held while decisions are read and then changed.
    changes: Mutex<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Issues {
    /// Begins to count the errors of `store`, and continues from what was saved. `alerts` has the channels.
    ///
    /// # Errors
    /// If the saved state cannot be used.
    pub fn start(store: Arc<Store>, clock: Clock, alerts: Arc<Alerts>) -> Result<Self, IssuesError> {
        let opened = alerts.open_state(&STATE)?;
        let follower = Arc::new(Follower::new(store, clock, alerts, opened));
        let of_thread = follower.clone();
        let thread = std::thread::Builder::new().name("issues".into()).spawn(move || of_thread.run());
        let thread = Mutex::new(Some(thread.map_err(IssuesError::Start)?));
        Ok(Self { follower, changes: Mutex::default(), thread })
    }

    /// Ends the counting and saves the counts.
    pub fn stop(&self) {
        self.follower.stop();
        let thread = self.thread.hold().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of issues panicked");
        }
    }

    /// Returns why errors are not counted, if they are not.
    pub fn problem(&self) -> Option<String> {
        self.follower.inner().problem.clone()
    }

    /// Returns the issues within a scope, those with the newest events first. Blocks.
    pub fn list(&self, scope: &GroupScope, filter: &IssueFilter) -> Vec<IssueView> {
        self.follower.settle(SETTLE_MAX);
        self.all(scope, filter)
    }

    /// Returns an issue, also by the id of one that became a part of it. Blocks.
    pub fn get(&self, scope: &GroupScope, id: &str) -> Result<IssueView> {
        self.follower.settle(SETTLE_MAX);
        self.one(scope, id)
    }

    /// Returns the id of the issue that an error of a group belongs to. Blocks.
    pub fn id_of(&self, group: &str, event: &ErrorEvent) -> Option<String> {
        self.follower.settle(SETTLE_MAX);
        let inner = self.follower.inner();
        let id = inner.grouping.known(group, event)?;
        Some(inner.decisions.root(&id).to_owned())
    }

    fn all(&self, scope: &GroupScope, filter: &IssueFilter) -> Vec<IssueView> {
        let now = self.follower.clock.now();
        let inner = self.follower.inner();
        let mut views = view::views(&inner.grouping.counted, &inner.decisions, now);
        drop(inner);
        views.retain(|view| {
            scope.admits(&view.group)
                && (filter.states.is_empty() || filter.states.contains(&view.state))
                && (filter.groups.is_empty() || filter.groups.iter().any(|pattern| pattern.matches(&view.group)))
                && filter.service.as_ref().is_none_or(|service| view.service.as_ref() == Some(service))
        });
        // A deleted group has no issues, at once; their counts go when the thread finds it gone.
        let groups: BTreeSet<&str> = views.iter().map(|view| view.group.as_str()).collect();
        let there: BTreeSet<String> =
            groups.into_iter().filter(|group| self.follower.has_group(group)).map(str::to_owned).collect();
        views.retain(|view| there.contains(&view.group));
        views
    }

    fn one(&self, scope: &GroupScope, id: &str) -> Result<IssueView> {
        let root = {
            let inner = self.follower.inner();
            let joined = inner.grouping.counted.joined.get(id).map_or(id, String::as_str);
            inner.decisions.root(joined).to_owned()
        };
        let found = self.all(scope, &IssueFilter::default()).into_iter().find(|view| view.id == root);
        found.ok_or_else(|| ChangeError::NotFound("issue", id.to_owned()))
    }

    /// Changes what was decided about an issue, and returns it. Blocks.
    pub fn change(&self, by: &Author, id: &str, change: DecisionChange) -> Result<IssueView> {
        self.follower.settle(SETTLE_MAX);
        let _changing = self.changes.hold();
        let root = self.one(&by.scope, id)?.id;
        self.decide(&root, |before, count| before.changed(change, &by.name, count, self.follower.clock.now()))?;
        self.one(&by.scope, &root)
    }

    /// Makes issues parts of the first one, and returns that. Blocks.
    pub fn merge(&self, by: &Author, ids: &[String]) -> Result<IssueView> {
        if !(2..=MERGED_MAX).contains(&ids.len()) {
            return Err(ChangeError::bad(format!("ids: a merge takes 2–{MERGED_MAX} issues")));
        }
        self.follower.settle(SETTLE_MAX);
        let _changing = self.changes.hold();
        let roots = ids.iter().map(|id| Ok(self.one(&by.scope, id)?.id)).collect::<Result<Vec<_>>>()?;
        if roots.iter().collect::<BTreeSet<_>>().len() < roots.len() {
            return Err(ChangeError::Conflict("ids: two of these are one issue already".into()));
        }
        let groups = roots.iter().map(|id| Ok(self.one(&by.scope, id)?.group)).collect::<Result<BTreeSet<_>>>()?;
        if groups.len() > 1 {
            // A key for one of the groups would see counts of the other.
            let named: Vec<String> = groups.into_iter().collect();
            return Err(ChangeError::Conflict(format!(
                "ids: issues of different groups cannot be one ({})",
                named.join(", ")
            )));
        }
        let (target, parts) = (&roots[0], &roots[1..]);
        self.decide(target, |before, _| {
            if before.merges.len() >= MERGES_MAX {
                return Err(ChangeError::Conflict(format!(
                    "issue {target} has {MERGES_MAX} merges; split some of them"
                )));
            }
            let mut next = before.clone();
            next.merges.push(parts.to_vec());
            Ok(next)
        })?;
        self.one(&by.scope, target)
    }

    /// Undoes the last merge of an issue, and returns what it is now: the issue, and those that are on their own again.
    /// Blocks.
    pub fn split(&self, by: &Author, id: &str) -> Result<Vec<IssueView>> {
        self.follower.settle(SETTLE_MAX);
        let _changing = self.changes.hold();
        let root = self.one(&by.scope, id)?.id;
        let mut apart = Vec::new();
        self.decide(&root, |before, _| {
            let mut next = before.clone();
            let last = next.merges.pop();
            apart = last.ok_or_else(|| ChangeError::Conflict(format!("issue {root} has no merge to undo")))?;
            Ok(next)
        })?;
        let all = [root].into_iter().chain(apart);
        Ok(all.filter_map(|id| self.one(&by.scope, &id).ok()).collect())
    }

    /// Replaces the decision about an issue, in the control store first.
    fn decide(&self, id: &str, change: impl FnOnce(&Decision, u64) -> Result<Decision>) -> Result<()> {
        let settings = self.follower.store.settings();
        let text = settings.get(KIND, id)?;
        let before = text.as_deref().map(serde_json::from_str::<Decision>).transpose();
        let before = before
            .map_err(|error| ChangeError::Conflict(format!("issue {id}: its decision cannot be read: {error}")))?;
        let count = count_of(&self.follower.inner().parts_of(id));
        let after = change(&before.unwrap_or_default(), count)?;
        let json = serde_json::to_string(&after).expect("a decision is strings and numbers");
        match text {
            Some(text) => {
                if !settings.exchange((KIND, id), &text, &json, DocumentWriter::AnyNode)? {
                    return Err(ChangeError::Conflict(format!("issue {id} was changed meanwhile; load it again")));
                }
            }
            None => settings.put(KIND, id, &json)?,
        }
        let mut inner = self.follower.inner();
        let mut by_id: BTreeMap<String, Decision> = inner.decisions.all().clone();
        by_id.insert(id.to_owned(), after);
        inner.decisions = Decisions::new(by_id);
        drop(inner);
        self.follower.wake();
        Ok(())
    }
}

impl Drop for Issues {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod fleet_tests;
#[cfg(test)]
mod tests;
