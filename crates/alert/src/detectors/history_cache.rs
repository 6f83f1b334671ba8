//! What kinds remember between evaluations: answers about the past, which hardly change from one to the next.
//!
//! Nothing here is saved: after a restart the questions are asked again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use types::{Hold, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::{Rule, Table};

/// Longest age of cached answers about the past.
pub(super) const STANDS_NS: i64 = 5 * Timestamp::MINUTE;

/// Names by masked texts.
pub(super) type Names = BTreeMap<String, String>;

/// Answers about the past, by the names of rules.
#[derive(Debug, Default)]
pub(crate) struct HistoryCache {
    // Each entry is replaced as one.
    rules: Mutex<BTreeMap<String, HistoryEntry>>,
}

#[derive(Debug, Default)]
struct HistoryEntry {
    /// A hash of all that the answers depend on besides the time.
    definition: u64,
    at: Option<Timestamp>,
    tables: Arc<Vec<Table>>,
    names: Names,
}

impl HistoryCache {
    /// Returns what `ask` answered less than `stands_ns` ago, else what it answers now.
    pub(super) fn recall(
        &self,
        rule: &Rule,
        now: Timestamp,
        stands_ns: i64,
        ask: impl FnOnce() -> Result<Vec<Table>, String>,
    ) -> Result<Arc<Vec<Table>>, String> {
        let definition = definition_of(rule);
        if let Some(kept) = self.rules.hold().get(&rule.name)
            && kept.definition == definition
            && kept.at.is_some_and(|at| (0..stands_ns).contains(&now.0.saturating_sub(at.0)))
        {
            return Ok(kept.tables.clone());
        }
        let tables = Arc::new(ask()?);
        let mut rules = self.rules.hold();
        let kept = rules.entry(rule.name.clone()).or_default();
        if kept.definition != definition {
            kept.names.clear();
        }
        (kept.definition, kept.at, kept.tables) = (definition, Some(now), tables.clone());
        Ok(tables)
    }

    /// Returns the names under which patterns that contain these texts were reported.
    pub(super) fn names(&self, rule: &Rule) -> Names {
        self.rules.hold().get(&rule.name).map(|kept| kept.names.clone()).unwrap_or_default()
    }

    pub(super) fn note_names(&self, rule: &Rule, names: Names) {
        self.rules.hold().entry(rule.name.clone()).or_default().names = names;
    }

    /// Forgets rules that are no more.
    pub(crate) fn retain(&self, is_there: impl Fn(&str) -> bool) {
        self.rules.hold().retain(|rule, _| is_there(rule));
    }
}

fn definition_of(rule: &Rule) -> u64 {
    let Rule { query, language, groups, window_ns, kind, .. } = rule;
    xxh3_64(format!("{:?}", (query, language, groups, window_ns, kind)).as_bytes())
}
