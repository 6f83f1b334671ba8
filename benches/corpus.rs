//! The corpus that benches and tests run on: a day of logs of an imaginary company, the same for the same seed.
//!
//! Four kinds of events, interleaved in time order along a diurnal curve: web access records (40 %), the messages
//! of sixteen imaginary systems (40 %), JSON records of microservices (15 %), network flow records (5 %). Values
//! follow Zipf's law; needles stand in exactly 1, 10 and 1,000 events. One NDJSON line per event.
//!
//! Every word, path, agent and message here is made up. What is not made up are the statistics: bytes and fields
//! per event, distinct values per field and the ratio of `zstd -3` follow a reference mix of real logs within
//! 5 %, which `compare_corpus.py` checks.
//!
//! That company is always the same, so whoever measures on it tunes to it. [`Corpus::drawn`] invents another one for
//! every seed: services, templates, names of fields, cardinalities, lengths, needles (see [`vocabulary`]).
//!
//! What it does not do: start threads or touch files. Chunks depend on nothing but seed and number.

// The paths are spelled because this file is a module of several crates (benches and tests), one of which names
// it by path, and there the compiler would look for children beside it instead of below it.
#[path = "corpus/documents.rs"]
mod documents;
#[path = "corpus/events.rs"]
mod events;
#[path = "corpus/json.rs"]
mod json;
#[path = "corpus/pools.rs"]
mod pools;
#[path = "corpus/random.rs"]
mod random;
#[path = "corpus/specs.rs"]
mod specs;
#[path = "corpus/systems.rs"]
mod systems;
#[path = "corpus/vocabulary.rs"]
mod vocabulary;
#[path = "corpus/words.rs"]
mod words;

use std::collections::BTreeMap;

#[allow(unused_imports)]
pub(crate) use documents::Documents;
use events::Kinds;
use random::Random;
pub(crate) use vocabulary::Question;
use vocabulary::Vocabulary;

/// Events per chunk: the unit of time order and of locality (traces and storage blocks recur within one).
pub(crate) const CHUNK_EVENTS: usize = 50_000;

/// Tokens that stand in exactly so many events (fewer in a corpus of under a million).
pub(crate) const NEEDLES: [(&str, usize); 3] =
    [("needle0one8c41f", 1), ("needle1ten77b02", 10), ("needle2kilo5d9ae", 1000)];

/// Midnight of the day that the events fall on, 2026-11-19 UTC, in seconds since the epoch.
pub(crate) const DAY_START_S: u64 = 1_795_046_400;

/// What is known of a corpus without reading it: the answers that a query engine must reproduce.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) n_events: usize,
    pub(crate) n_bytes: usize,
    pub(crate) by_level: BTreeMap<&'static str, usize>,
    pub(crate) by_kind: BTreeMap<&'static str, usize>,
    pub(crate) needles: BTreeMap<&'static str, usize>,
}

/// A corpus of a given size; chunks are made on demand.
pub(crate) struct Corpus {
    n_events: usize,
    seed: u64,
    kinds: Kinds,
    /// Event index → needle, sorted by index.
    needles: BTreeMap<usize, &'static str>,
    clock: Vec<f64>,
}

impl Corpus {
    /// Prepares pools and the places of the needles. The pools are the same for every seed.
    pub(crate) fn new(n_events: usize, seed: u64) -> Corpus {
        Corpus::of(n_events, seed, Vocabulary::fixed())
    }

    /// A corpus of a company that nobody has seen before this seed was drawn.
    pub(crate) fn drawn(n_events: usize, seed: u64) -> Corpus {
        Corpus::of(n_events, seed, Vocabulary::drawn(seed))
    }

    fn of(n_events: usize, seed: u64, vocabulary: Vocabulary) -> Corpus {
        let needles = place_needles(n_events, seed, &vocabulary.needles);
        Corpus { n_events, seed, kinds: Kinds::new(vocabulary), needles, clock: diurnal_clock() }
    }

    /// What can be asked of this corpus: names of fields by their part, texts that its messages hold.
    pub(crate) fn question(&self) -> Question {
        self.kinds.vocabulary().question(self.seed)
    }

    /// The number of chunks; the last one may be short.
    pub(crate) fn n_chunks(&self) -> usize {
        self.n_events.div_ceil(CHUNK_EVENTS)
    }

    /// Appends chunk `chunk_idx` to `out`, one line per event, and counts what it wrote in `facts`.
    pub(crate) fn write_chunk(&self, chunk_idx: usize, out: &mut Vec<u8>, facts: &mut Facts) {
        let first = chunk_idx * CHUNK_EVENTS;
        let n = CHUNK_EVENTS.min(self.n_events - first);
        let mut random = Random::of(&[self.seed, chunk_idx as u64]);
        let times = self.times(first, n, &mut random);
        let mut locality = self.kinds.locality(&mut random);
        let bytes_before = out.len();
        for (offset, time_ns) in times.into_iter().enumerate() {
            let needle = self.needles.get(&(first + offset)).copied();
            let (kind, level) = self.kinds.write_event(time_ns, needle, &mut locality, &mut random, out);
            *facts.by_kind.entry(kind).or_default() += 1;
            *facts.by_level.entry(level).or_default() += 1;
            if let Some(token) = needle {
                *facts.needles.entry(token).or_default() += 1;
            }
        }
        facts.n_events += n;
        facts.n_bytes += out.len() - bytes_before;
    }

    /// Times of `n` events in nanoseconds since midnight, sorted: the events' share of the day's total rate.
    fn times(&self, first: usize, n: usize, random: &mut Random) -> Vec<u64> {
        let mut shares: Vec<f64> =
            (0..n).map(|_| (first as f64 + random.unit() * n as f64) / self.n_events as f64).collect();
        shares.sort_by(f64::total_cmp);
        shares.into_iter().map(|share| self.instant_of(share)).collect()
    }

    /// The instant at which `share` of the day's events have happened.
    fn instant_of(&self, share: f64) -> u64 {
        let step = self.clock.partition_point(|&passed| passed <= share).clamp(1, self.clock.len() - 1);
        let (low, high) = (self.clock[step - 1], self.clock[step]);
        let within = ((share - low) / (high - low)).clamp(0.0, 1.0);
        ((step as f64 - 1.0 + within) * CLOCK_STEP_S * 1e9) as u64
    }
}

/// Half-minute steps: fine enough that the curve shows no corners in a histogram by minute.
const CLOCK_STEP_S: f64 = 30.0;

/// The share of the day's events that have happened at each step: the rate swings by 60 %, highest in the afternoon.
fn diurnal_clock() -> Vec<f64> {
    let n_steps = (86_400.0 / CLOCK_STEP_S) as usize;
    let rate = |step: usize| 1.0 + 0.6 * ((step as f64 / n_steps as f64 - 0.375) * std::f64::consts::TAU).sin();
    let mut passed = vec![0.0];
    let mut sum = 0.0;
    for step in 0..n_steps {
        sum += (rate(step) + rate(step + 1)) / 2.0;
        passed.push(sum);
    }
    passed.into_iter().map(|value| value / sum).collect()
}

/// Draws the events that carry needles: no event carries two.
fn place_needles(n_events: usize, seed: u64, needles: &[(&'static str, usize)]) -> BTreeMap<usize, &'static str> {
    let mut random = Random::of(&[seed, u64::MAX]);
    let mut places = BTreeMap::new();
    for &(token, count) in needles {
        let mut left = count.min((n_events / 1000).max(1)).min(n_events.saturating_sub(places.len()));
        while left > 0 {
            let event_idx = random.below(n_events as u64) as usize;
            if let std::collections::btree_map::Entry::Vacant(place) = places.entry(event_idx) {
                place.insert(token);
                left -= 1;
            }
        }
    }
    places
}
