//! Far segments, announced before they are searched: each answer takes long to arrive, several take no longer.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::request::item::Item;
use evaluate::Source;

/// Segments that are announced before they are begun. What they bring has to stay until it is read.
const AHEAD_SEGMENTS: usize = 12;

/// Far runs that are going to be worked off.
#[derive(Default)]
pub(crate) struct Ahead {
    /// Those that are not announced, in order: the source, and its blocks.
    runs: VecDeque<(usize, Vec<usize>)>,
    /// Segments of those that are.
    segments: HashSet<u128>,
}

impl Ahead {
    /// Notes what is going to be worked off, in this order.
    pub(crate) fn add(&mut self, items: &[Item], sources: &[Source]) {
        let mut places: HashMap<usize, usize> = HashMap::new();
        for item in items.iter().filter(|item| sources[item.source].run.is_far()) {
            let place = *places.entry(item.source).or_insert(self.runs.len());
            if place == self.runs.len() {
                self.runs.push_back((item.source, Vec::new()));
            }
            self.runs[place].1.push(item.block);
        }
    }

    /// Lets the next segments bring what searching takes, where `n_begun` were begun.
    pub(crate) fn announce(&mut self, n_begun: usize, sources: &[Source]) {
        while self.segments.len() < n_begun + AHEAD_SEGMENTS
            && let Some((source, blocks)) = self.runs.pop_front()
        {
            let run = &sources[source].run;
            self.segments.extend(run.info().key.map(|key| key.segment));
            run.expect_search(&blocks);
        }
    }
}
