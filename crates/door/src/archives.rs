//! Groups beside the store: archives, which queries read where they lie.
//!
//! Only who names them reads them: a pattern for all groups does not mean archives, which may be large, far away and old.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use execute::{Answer, Feed, FeedRequest, Loaded, Request, Support, execute_stream};
use plan::{Plan, has_subqueries};
use storage::Snapshot;
use types::{GroupName, GroupPattern, Hold, Run, ScanError, TimeRange};

use crate::problem::{Problem, Result};
use crate::query_run::{QueryRun, TOO_LARGE, complete, damages};
use crate::server::Shared;

/// What names of archives begin with.
pub const ARCHIVES: &str = "archive/";

impl Shared {
    /// Returns the archives that exist for the caller, each with where it lies.
    pub fn archives(&self) -> Vec<(&GroupName, String)> {
        let mut archives = self.app.archives.as_ref().map_or_else(Vec::new, |archives| archives.list());
        archives.retain(|(group, _)| self.caller.scope.admits(group.as_str()));
        archives
    }

    /// Returns the group of an event by the number in its id, where it exists for the caller.
    pub fn group_of(&self, number: u32) -> Option<GroupName> {
        let of_archives = || self.app.archives.as_ref()?.group_of(number).cloned();
        let found = self.store().group_of(number).or_else(of_archives);
        found.filter(|group| self.caller.scope.admits(group.as_str()))
    }
}

impl QueryRun<'_> {
    /// Adds the events of the archives that `groups` name.
    pub(crate) fn add_archives(&self, snapshot: &mut Snapshot, groups: &[GroupPattern], range: TimeRange) {
        let Some(loaded) = self.load(groups, range) else { return };
        snapshot.runs.extend(loaded.runs);
        snapshot.runs.sort_by_key(|run| std::cmp::Reverse(run.info().last));
        snapshot.left_out = loaded.left_out;
    }

    /// Returns the events of the archives that `groups` name, where they fit the memory.
    pub(crate) fn archived_runs(&self, groups: &[GroupPattern]) -> Vec<Arc<dyn Run>> {
        self.load(groups, TimeRange::ALL).map_or_else(Vec::new, |loaded| loaded.runs)
    }

    fn load(&self, groups: &[GroupPattern], range: TimeRange) -> Option<Loaded> {
        let named = self.named_archives(groups);
        let archives = self.server.app.archives.as_ref().filter(|_| !named.is_empty())?;
        let goes_on = || !self.running.cancelled.load(Relaxed) && Instant::now() < self.deadline;
        Some(archives.load(&named, range, &goes_on))
    }

    /// Returns the archives that patterns name.
    fn named_archives(&self, patterns: &[GroupPattern]) -> Vec<&GroupName> {
        let mut named = patterns.iter().filter(|pattern| pattern.as_str().starts_with(ARCHIVES)).peekable();
        if named.peek().is_none() {
            return Vec::new();
        }
        let named: Vec<&GroupPattern> = named.collect();
        let is_named = |group: &&GroupName| named.iter().any(|pattern| pattern.matches(group.as_str()));
        self.server.archives().into_iter().map(|(group, _)| group).filter(is_named).collect()
    }

    /// Answers a plan while events of archives pass by that do not fit the memory; those of the snapshot come first.
    pub(crate) fn pass_by(
        &self,
        snapshot: &Snapshot,
        plan: &Plan,
        groups_asked: &[GroupPattern],
        request: &Request<'_>,
    ) -> Result<Answer> {
        let Some(archives) = &self.server.app.archives else { return Err(Problem::internal("there are no archives")) };
        // Queries beside the rows are about all time.
        let all_time = has_subqueries(plan).then(|| self.snapshot(groups_asked, TimeRange::ALL));
        let range = if all_time.is_some() { TimeRange::ALL } else { plan.reach(request.range, request.time_zone) };
        let mut partial_reasons = Vec::new();
        let mut feed_of = |groups: &[GroupPattern], asked: FeedRequest| -> Box<dyn Feed + '_> {
            let named = (!groups.is_empty()).then(|| self.snapshot(groups, range));
            let snapshot = named.as_ref().or(all_time.as_ref()).unwrap_or(snapshot);
            partial_reasons.extend(damages(snapshot).filter(|reason| reason.code != TOO_LARGE));
            let large = snapshot.left_out.iter().filter(|group| group.is_too_large).map(|left_out| &left_out.group);
            let passing = archives.feed(&large.collect::<Vec<_>>(), range, asked);
            Box::new(HeldThenPassing { held: Mutex::new(snapshot.runs.clone()), passing })
        };
        let (server, scope) = (self.server, &self.server.caller.scope);
        let table_of = |name: &str| server.tables.get(server.settings(), scope, name);
        let support = Support { tables: Some(&table_of), ..request.support };
        let mut answer = execute_stream(plan, &mut feed_of, &Request { support, ..*request })?;
        answer.partial_reasons.extend(partial_reasons);
        complete(&mut answer.stats, snapshot);
        Ok(answer)
    }
}

/// Runs that are there, and then events that pass by.
struct HeldThenPassing<'a> {
    held: Mutex<Vec<Arc<dyn Run>>>,
    passing: Box<dyn Feed + 'a>,
}

impl Feed for HeldThenPassing<'_> {
    fn next(&self) -> Result<Option<Arc<dyn Run>>, ScanError> {
        match self.held.hold().pop() {
            Some(run) => Ok(Some(run)),
            None => self.passing.next(),
        }
    }
}
