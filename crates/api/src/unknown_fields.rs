//! Warnings about unknown fields of the questions asked last, so that a question that is asked again over the same events
//! reads no names of fields again.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex};

use execute::UnknownFields;
use plan::Warning;
use types::{Hold, Run};

/// Questions that are remembered; with more of them, all are forgotten.
const KNOWN_MAX: usize = 1_024;

/// Warnings by a hash of what was asked and of the events.
#[derive(Default)]
// The map is whole between any two statements.
pub(crate) struct UnknownFieldCache(Mutex<HashMap<u64, Vec<Warning>>>);

impl UnknownFieldCache {
    /// Returns the warnings about these fields over these runs, remembered ones where they are known. Where fields cannot be
    /// read there are none.
    pub(crate) fn get(&self, asked: UnknownFields, runs: &[Arc<dyn Run>]) -> Vec<Warning> {
        let key = key(&asked, runs);
        if let Some(warnings) = self.0.hold().get(&key) {
            return warnings.clone();
        }
        let warnings = execute::unknown_fields(asked, runs).unwrap_or_default();
        let mut known = self.0.hold();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key, warnings.clone());
        warnings
    }
}

/// Returns a hash of the fields and the runs: a segment never changes, hot events are identified by their last sequence.
fn key(asked: &UnknownFields, runs: &[Arc<dyn Run>]) -> u64 {
    let names: Vec<(&str, Option<&str>)> = asked.asked().collect();
    let of_run = |run: &Arc<dyn Run>| {
        let info = run.info();
        (info.key.map(|key| key.segment), info.group_id, info.n_events, run.last_sequence())
    };
    let runs: Vec<_> = runs.iter().map(of_run).collect();
    BuildHasherDefault::<DefaultHasher>::default().hash_one((names, runs))
}
