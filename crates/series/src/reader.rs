//! Reads the samples of blocks: by stream where a block keeps them so, else row by row.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use execute::BlockVisitor;
use foldhash::fast::RandomState;
use ingest::sample::number_of_text;
use promql::{Histogram, Matcher};
use types::{Column, EventId, Hold, Run, SampleStreams, ScanError, Timestamp, Value};

use crate::collected::{BlockSamples, Samples};
use crate::points::Point;
use crate::stream_filter::StreamFilter;

/// Bytes of the text of a histogram that count as one sample.
const TEXT_BYTES_PER_SAMPLE: usize = 8;

/// Streams of a run that are wanted, and the places of their series.
#[derive(Default)]
struct Chosen {
    /// In order.
    numbers: Vec<u32>,
    places: Vec<usize>,
}

/// What was chosen of streams, by their address.
type KnownStreams = HashMap<usize, (Arc<SampleStreams>, Arc<Chosen>), RandomState>;

/// What is read of samples, in a range of times in ms, both included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadDetail {
    /// The series that have some.
    Series((i64, i64)),
    /// Times and values.
    Samples((i64, i64)),
    /// When they arrived, too.
    Arrivals,
}

/// Collects the samples of blocks.
pub(crate) struct SampleReader<'m> {
    matchers: &'m [Matcher],
    filter: &'m StreamFilter,
    /// Accepts every stream that the matchers may accept.
    is_wanted: &'m (dyn Fn(&str) -> bool + Sync),
    wanted: ReadDetail,
    limit: usize,
    n: AtomicUsize,
    /// By the address of a run, which the query holds; `None` where it does not keep samples by stream.
    chosen: Mutex<HashMap<usize, Option<Arc<Chosen>>, RandomState>>,
    /// The same by the address of streams that are held here: runs in memory have them in common, stored ones do not.
    of_streams: Mutex<KnownStreams>,
    samples: Mutex<Samples>,
}

impl<'m> SampleReader<'m> {
    /// Reads at most `limit` samples of the series that `matchers` accept; `filter` and `is_wanted` are made of them.
    pub(crate) fn new(
        matchers: &'m [Matcher],
        (filter, is_wanted): (&'m StreamFilter, &'m (dyn Fn(&str) -> bool + Sync)),
        wanted: ReadDetail,
        limit: usize,
    ) -> Self {
        let (n, chosen, of_streams, samples) = Default::default();
        Self { matchers, filter, is_wanted, wanted, limit, n, chosen, of_streams, samples }
    }

    /// Returns what was read.
    pub(crate) fn into_samples(self) -> Samples {
        self.samples.into_held()
    }

    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.samples.hold()
    }

    /// Chooses the streams of a run, once for all of its blocks.
    fn chosen(&self, run: &Arc<dyn Run>) -> Result<Option<Arc<Chosen>>, ScanError> {
        let address = Arc::as_ptr(run).cast::<()>() as usize;
        let known = || self.chosen.hold();
        if let Some(of_run) = known().get(&address) {
            return Ok(of_run.clone());
        }
        let is_stored = run.info().key.is_some();
        let of_run = run.sample_streams()?.map(|streams| self.chosen_of(streams, is_stored));
        known().insert(address, of_run.clone());
        Ok(of_run)
    }

    /// Chooses among streams, once for all runs that have them.
    fn chosen_of(&self, streams: Arc<SampleStreams>, is_stored: bool) -> Arc<Chosen> {
        let address = Arc::as_ptr(&streams) as usize;
        let known = || self.of_streams.hold();
        if let Some((_, chosen)) = known().get(&address).filter(|_| !is_stored) {
            return chosen.clone();
        }
        let mut chosen = Chosen::default();
        let mut samples = self.samples();
        for number in streams.chosen(self.filter.quoted_name(), self.is_wanted) {
            let place = streams.text(number).and_then(|stream| samples.place_of(stream, self.matchers));
            if let Some(place) = place {
                chosen.numbers.push(number);
                chosen.places.push(place);
            }
        }
        drop(samples);
        let chosen = Arc::new(chosen);
        if !is_stored {
            known().insert(address, (streams, chosen.clone()));
        }
        chosen
    }
}

impl BlockVisitor for SampleReader<'_> {
    fn streams(&self) -> Option<&(dyn Fn(&str) -> bool + Sync)> {
        Some(self.is_wanted)
    }

    fn samples(&self, run: &Arc<dyn Run>, block: usize) -> Result<Option<usize>, ScanError> {
        let (ReadDetail::Series(range) | ReadDetail::Samples(range)) = self.wanted else { return Ok(None) };
        let Some(chosen) = self.chosen(run)? else { return Ok(None) };
        if chosen.numbers.is_empty() {
            return Ok(Some(0));
        }
        let is_of_series = matches!(self.wanted, ReadDetail::Series(_));
        let ms = |time: Timestamp| time.0.div_euclid(Timestamp::MILLISECOND);
        if is_of_series && range.0 <= ms(run.info().first) && ms(run.info().last) <= range.1 {
            // Every stream of the run has a sample in it.
            self.samples().note(chosen.places.iter().copied());
            return Ok(Some(0));
        }
        let mut found = BlockSamples::new(range, &chosen.places);
        if !run.samples(block, &chosen.numbers, &mut found)? {
            return Ok(None);
        }
        if is_of_series {
            self.samples().note(found.places_found());
            return Ok(Some(found.len()));
        }
        let n = found.len();
        // What is over the limit is counted, and refused afterwards.
        let is_over = self.n.fetch_add(n, Ordering::Relaxed) > self.limit;
        let mut samples = self.samples();
        samples.n += n;
        if n > 0 && !is_over {
            samples.add_block(found.contents);
        }
        Ok(Some(n))
    }

    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some((streams, rest)) = columns.split_first() else { return };
        let n_rows = streams.n_rows();
        // What is over the limit is counted, and refused afterwards.
        if n_rows == 0 || self.n.fetch_add(n_rows, Ordering::Relaxed) > self.limit {
            self.samples().n += n_rows;
            return;
        }
        let rows = by_stream(streams);
        let read: Vec<(Arc<str>, BlockPoints)> =
            rows.into_iter().map(|(stream, rows)| (stream, self.points(rest, &rows))).collect();
        let mut samples = self.samples();
        samples.n += n_rows;
        for (stream, points) in read {
            samples.n += points.n_more;
            if let Some(place) = samples.place_of(&stream, self.matchers) {
                samples.note([place]);
                samples.series[place].floats.extend(points.floats);
                samples.series[place].histograms.extend(points.histograms);
            }
        }
    }
}

/// The samples of a series in a block.
#[derive(Default)]
struct BlockPoints {
    floats: Vec<Point<f64>>,
    histograms: Vec<Point<Arc<Histogram>>>,
    /// How many samples the histograms count for besides themselves.
    n_more: usize,
}

impl SampleReader<'_> {
    /// Reads the samples of rows.
    fn points(&self, columns: &[Arc<Column>], rows: &[usize]) -> BlockPoints {
        let [times, values, histograms, arrival @ ..] = columns else { return BlockPoints::default() };
        let mut points = BlockPoints::default();
        for row in rows {
            let Some(time) = nanoseconds(times, *row) else { continue };
            let time = time.div_euclid(Timestamp::MILLISECOND);
            let arrived = arrived(arrival, *row).unwrap_or_default();
            if let Some(value) = float(values, *row) {
                points.floats.push(Point { time, value, arrived });
            } else if let Some(text) = text(histograms, *row) {
                let n_more = text.len() / TEXT_BYTES_PER_SAMPLE;
                points.n_more += n_more;
                if self.n.fetch_add(n_more, Ordering::Relaxed) <= self.limit
                    && let Some(histogram) = Histogram::of_text(&text)
                {
                    points.histograms.push(Point { time, value: Arc::new(histogram), arrived });
                }
            }
        }
        points
    }
}

/// Returns the rows of each stream, in order.
fn by_stream(streams: &Column) -> Vec<(Arc<str>, Vec<usize>)> {
    let mut found: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut place_of = |stream: &Arc<str>, found: &mut Vec<(Arc<str>, Vec<usize>)>| {
        *places.entry(stream.clone()).or_insert_with(|| {
            found.push((stream.clone(), Vec::new()));
            found.len() - 1
        })
    };
    // A text of a dictionary is looked up once; its other rows go by its code.
    let mut known: Vec<Option<usize>> = Vec::new();
    for row in 0..streams.n_rows() {
        let code = match streams {
            Column::Dictionary { codes, .. } => codes[row] as usize,
            _ => usize::MAX,
        };
        if let Some(Some(place)) = known.get(code) {
            found[*place].1.push(row);
        } else if let Some(Value::String(stream)) = streams.value(row) {
            let place = place_of(&stream, &mut found);
            found[place].1.push(row);
            if code != usize::MAX {
                known.resize(known.len().max(code + 1), None);
                known[code] = Some(place);
            }
        }
    }
    found
}

/// Returns the time of a row in ns since the epoch.
fn nanoseconds(column: &Column, row: usize) -> Option<i64> {
    match column {
        Column::Timestamps(values) => values.get(row).copied(),
        column => match column.value(row) {
            Some(Value::Timestamp(time)) => Some(time.0),
            _ => None,
        },
    }
}

/// Returns when a row arrived, of the columns of that: in ns since the epoch, and its place in the order of acceptance.
fn arrived(columns: &[Arc<Column>], row: usize) -> Option<(i64, u64)> {
    let [at, ids] = columns else { return None };
    Some((nanoseconds(at, row)?, EventId::decode(&text(ids, row)?)?.sequence))
}

/// Returns the number of a row.
fn float(values: &Column, row: usize) -> Option<f64> {
    match values {
        Column::Floats { values, present: None, .. } => values.get(row).copied(),
        values => match values.value(row)? {
            Value::Float(number) => Some(number),
            Value::Integer(number) => Some(number as f64),
            Value::String(text) => number_of_text(&text),
            _ => None,
        },
    }
}

/// Returns the text of a row.
fn text(column: &Column, row: usize) -> Option<Arc<str>> {
    match column.value(row)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
