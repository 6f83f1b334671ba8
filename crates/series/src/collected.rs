//! The samples that were read, series by series.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use ingest::sample::{label_pairs, number_of_text};
use promql::{EvalError, Histogram, Labels, Matcher, SeriesRef, Visit};
use types::{Hold, TakeSamples};

use crate::points::{Point, apart, in_order, sort_finds_others};

/// Samples from which on series are visited by several threads.
const SAMPLES_OF_THREADS_MIN: usize = 50_000;

/// Series that a thread takes at once.
const SERIES_AT_ONCE: usize = 16;

/// The samples of one series in a block, in order of time: a range of its [`BlockContents`].
#[derive(Clone, Copy)]
struct Piece {
    block: u32,
    from: u32,
    to: u32,
    /// ms
    first: i64,
    last: i64,
}

/// Samples of a block, series by series.
#[derive(Default)]
pub(crate) struct BlockContents {
    /// Each with the place of its series, and where it ends. The times of a piece rise.
    pieces: Vec<(usize, u32)>,
    times: Vec<i64>,
    values: Vec<f64>,
}

/// Samples of a block while they are read.
pub(crate) struct BlockSamples<'c> {
    /// ms, both included.
    range: (i64, i64),
    /// By place of a stream among those chosen, the place of its series.
    places: &'c [usize],
    pub(crate) contents: BlockContents,
}

impl<'c> BlockSamples<'c> {
    /// Takes the samples in a range of times in ms, both included, of streams whose series have `places`.
    pub(crate) fn new(range: (i64, i64), places: &'c [usize]) -> Self {
        Self { range, places, contents: BlockContents::default() }
    }

    /// Returns the places of the series that have samples here.
    pub(crate) fn places_found(&self) -> impl Iterator<Item = usize> {
        self.contents.pieces.iter().map(|(place, _)| *place)
    }

    /// Returns how many samples it has taken.
    pub(crate) fn len(&self) -> usize {
        self.contents.times.len()
    }
}

impl TakeSamples for BlockSamples<'_> {
    fn floats(&mut self, place: usize, times: &[i64], values: &[f64]) {
        let (from, until) = self.range;
        let from = times.partition_point(|time| *time < from);
        let to = times.partition_point(|time| *time <= until).max(from);
        let (Some(times), Some(values)) = (times.get(from..to), values.get(from..to)) else { return };
        let mut end = self.contents.times.len();
        self.contents.times.extend(times);
        self.contents.values.extend(values);
        // A time that comes twice begins a new piece.
        for rising in times.chunk_by(|a, b| a < b) {
            end += rising.len();
            self.contents.pieces.push((self.places[place], end as u32));
        }
    }

    fn text(&mut self, place: usize, time: i64, text: &str) {
        if let Some(number) = number_of_text(text) {
            self.floats(place, &[time], &[number]);
        }
    }
}

pub(crate) struct SeriesSamples {
    pub(crate) labels: Labels,
    /// Whether it was noted that it has samples.
    is_noted: bool,
    /// Of blocks that keep samples by series; each is in order.
    pieces: Vec<Piece>,
    pub(crate) floats: Vec<Point<f64>>,
    pub(crate) histograms: Vec<Point<Arc<Histogram>>>,
}

/// The samples read so far.
#[derive(Default)]
pub(crate) struct Samples {
    pub(crate) series: Vec<SeriesSamples>,
    /// The place of each stream; `None` if it is not meant.
    places: HashMap<Arc<str>, Option<usize>, RandomState>,
    blocks: Vec<BlockContents>,
    pub(crate) n: usize,
}

impl Samples {
    pub(crate) fn add_block(&mut self, block: BlockContents) {
        self.blocks.push(block);
    }

    /// Notes that series have samples.
    pub(crate) fn note(&mut self, places: impl IntoIterator<Item = usize>) {
        places.into_iter().for_each(|place| self.series[place].is_noted = true);
    }

    /// Returns the labels of series that have samples.
    pub(crate) fn into_label_sets(self) -> Vec<Labels> {
        self.series.into_iter().filter(|series| series.is_noted).map(|series| series.labels).collect()
    }

    /// Brings the samples of each series into the order of time; reports whether one has several of the same time, which may differ.
    pub(crate) fn has_times_twice(&mut self) -> bool {
        for (number, block) in self.blocks.iter().enumerate() {
            let mut from = 0;
            for (place, to) in &block.pieces {
                let (first, last) = (block.times[from as usize], block.times[*to as usize - 1]);
                self.series[*place].pieces.push(Piece { block: number as u32, from, to: *to, first, last });
                from = *to;
            }
        }
        let blocks = &self.blocks;
        self.series.iter_mut().any(|series| {
            if series.sort_pieces() {
                return false;
            }
            series.spell_out(blocks);
            let SeriesSamples { floats, histograms, .. } = series;
            let has_others = sort_finds_others(floats, |a, b| a.to_bits() == b.to_bits());
            let has_other_histograms = sort_finds_others(histograms, |a, b| a == b);
            let is_of_float = |time: i64| floats.binary_search_by_key(&time, |point| point.time).is_ok();
            has_others || has_other_histograms || histograms.iter().any(|point| is_of_float(point.time))
        })
    }

    /// Gives each series to `visit`, by several threads where there is much to do.
    pub(crate) fn visit(self, n_threads: usize, visit: &Visit<'_>) -> Result<(), EvalError> {
        let n_threads = if self.n < SAMPLES_OF_THREADS_MIN { 1 } else { n_threads.min(self.series.len()) };
        let (blocks, rest, failed) = (&self.blocks, Mutex::new(self.series.into_iter()), Mutex::new(None));
        let next = || {
            let mut rest = rest.hold();
            rest.by_ref().take(SERIES_AT_ONCE).collect::<Vec<_>>()
        };
        let failure = || failed.hold();
        let work = || {
            let mut floats = (Vec::new(), Vec::new());
            loop {
                let some = next();
                if some.is_empty() || failure().is_some() {
                    break;
                }
                if let Err(error) = some.into_iter().try_for_each(|series| series.visit(blocks, &mut floats, visit)) {
                    failure().get_or_insert(error);
                }
            }
        };
        std::thread::scope(|scope| {
            (1..n_threads).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        failed.into_held().map_or(Ok(()), Err)
    }

    /// Returns the place of a stream's series; `None` if the matchers refuse it.
    pub(crate) fn place_of(&mut self, stream: &Arc<str>, matchers: &[Matcher]) -> Option<usize> {
        if let Some(place) = self.places.get(stream) {
            return *place;
        }
        let labels = label_pairs(stream).map(Labels::new);
        let wanted = labels.filter(|labels| matchers.iter().all(|matcher| matcher.accepts(labels.get(&matcher.name))));
        let place = wanted.map(|labels| {
            self.series.push(SeriesSamples {
                labels,
                is_noted: false,
                pieces: Vec::new(),
                floats: Vec::new(),
                histograms: Vec::new(),
            });
            self.series.len() - 1
        });
        self.places.insert(stream.clone(), place);
        place
    }
}

impl SeriesSamples {
    /// Brings pieces into the order of time; reports whether they are all samples, and times rise.
    fn sort_pieces(&mut self) -> bool {
        if !self.pieces.is_sorted_by_key(|piece| piece.first) {
            self.pieces.sort_unstable_by_key(|piece| piece.first);
        }
        let rises = self.pieces.windows(2).all(|pair| pair[0].last < pair[1].first);
        rises && self.floats.is_empty() && self.histograms.is_empty()
    }

    /// Turns pieces into points.
    fn spell_out(&mut self, blocks: &[BlockContents]) {
        for piece in std::mem::take(&mut self.pieces) {
            let block = &blocks[piece.block as usize];
            let samples = piece.of(&block.times).iter().zip(piece.of(&block.values));
            self.floats.extend(samples.map(|(time, value)| Point { time: *time, value: *value, arrived: (0, 0) }));
        }
    }

    /// Gives all of its samples to `visit`; `floats` is room for them.
    fn visit(
        mut self,
        blocks: &[BlockContents],
        (times, values): &mut (Vec<i64>, Vec<f64>),
        visit: &Visit<'_>,
    ) -> Result<(), EvalError> {
        let labels = &self.labels;
        if !self.pieces.is_empty() {
            times.clear();
            values.clear();
            let n_samples = self.pieces.iter().map(|piece| (piece.to - piece.from) as usize).sum();
            times.reserve(n_samples);
            values.reserve(n_samples);
            for piece in &self.pieces {
                let block = &blocks[piece.block as usize];
                times.extend(piece.of(&block.times));
                values.extend(piece.of(&block.values));
            }
            return visit(SeriesRef { labels, times, values, histogram_times: &[], histograms: &[] });
        }
        if self.floats.is_empty() && self.histograms.is_empty() {
            return Ok(());
        }
        in_order(&mut self.floats);
        in_order(&mut self.histograms);
        let ((times, values), (histogram_times, histograms)) = apart(self.floats, self.histograms);
        visit(SeriesRef {
            labels,
            times: &times,
            values: &values,
            histogram_times: &histogram_times,
            histograms: &histograms,
        })
    }
}

impl Piece {
    fn of<'b, T>(&self, column: &'b [T]) -> &'b [T] {
        &column[self.from as usize..self.to as usize]
    }
}
