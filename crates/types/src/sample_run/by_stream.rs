//! The rows of each stream in several batches.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::place::{Place, follow_each_other};
use crate::batch_run::BatchRun;
use crate::{Column, Run, SampleStreams, Value};

/// The streams of several batches, each once.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) streams: Arc<SampleStreams>,
    /// By the address of a list of streams, the number of each of its streams here.
    numbers: HashMap<usize, Vec<u32>, RandomState>,
}

/// Where the rows of each stream are.
#[derive(Debug)]
pub(super) struct ByStream {
    /// By number of a stream, where its places begin; one more at the end.
    starts: Vec<u32>,
    /// In order of time for each stream, equal times in order of acceptance.
    places: Vec<Place>,
}

/// Returns the address of the list of streams of a batch, the list, and the codes of the rows.
fn list_of(run: &BatchRun) -> Option<(usize, &[Value], &[u32])> {
    match &run.batch().streams {
        Column::Dictionary { values, codes } => Some((Arc::as_ptr(values) as usize, values, codes)),
        _ => None,
    }
}

/// Returns the addresses of the lists of streams that batches have, in order.
pub(super) fn lists_of(parts: &[Arc<BatchRun>]) -> Vec<usize> {
    let mut lists: Vec<usize> = parts.iter().filter_map(|part| Some(list_of(part)?.0)).collect();
    lists.sort_unstable();
    lists.dedup();
    lists
}

impl Union {
    /// Puts the streams of batches together; `None` where one of them is not of samples alone.
    pub(super) fn of(parts: &[Arc<BatchRun>]) -> Option<Self> {
        let mut numbers: HashMap<usize, Vec<u32>, RandomState> = HashMap::default();
        let (mut streams, mut known) = (Vec::new(), HashMap::<usize, u32, RandomState>::default());
        let mut of_one = None;
        for part in parts {
            let (address, list, _) = list_of(part)?;
            if numbers.contains_key(&address) {
                continue;
            }
            of_one = Some(part.sample_streams().ok()??);
            let number_of = |stream: &Value| {
                let Value::String(text) = stream else { return None };
                // Streams are compared by address, since batches share most of them. Readers merge streams with equal text.
                let number = *known.entry(Arc::as_ptr(text).cast::<u8>() as usize).or_insert(streams.len() as u32);
                if number as usize == streams.len() {
                    streams.push(stream.clone());
                }
                Some(number)
            };
            numbers.insert(address, list.iter().map(number_of).collect::<Option<_>>()?);
        }
        // One list is known as it is, if nothing stands twice in it.
        let streams = match of_one {
            Some(of_one) if numbers.len() == 1 && of_one.len() == streams.len() => of_one,
            _ => Arc::new(SampleStreams::new(Arc::new(streams))),
        };
        Some(Self { streams, numbers })
    }

    /// Returns the numbers of the streams of a batch by their codes there, and the codes of its rows.
    fn codes_of<'r>(&'r self, run: &'r BatchRun) -> Option<(&'r [u32], &'r [u32])> {
        let (address, _, codes) = list_of(run)?;
        Some((self.numbers.get(&address)?, codes))
    }
}

impl ByStream {
    /// Sorts the rows of batches by stream.
    pub(super) fn of(parts: &[Arc<BatchRun>], union: &Union) -> Self {
        let codes = || parts.iter().enumerate().filter_map(|(part, run)| Some((part, union.codes_of(run)?)));
        let mut starts = vec![0u32; union.streams.len() + 1];
        let mut n_rows = 0;
        for (_, (numbers, codes)) in codes() {
            codes.iter().for_each(|code| starts[numbers[*code as usize] as usize + 1] += 1);
            n_rows += codes.len();
        }
        for number in 1..starts.len() {
            starts[number] += starts[number - 1];
        }
        let mut next = starts.clone();
        let mut places = vec![Place { part: 0, row: 0 }; n_rows];
        for (part, (numbers, codes)) in codes() {
            for (row, code) in codes.iter().enumerate() {
                let at = &mut next[numbers[*code as usize] as usize];
                places[*at as usize] = Place { part: part as u16, row: row as u16 };
                *at += 1;
            }
        }
        if !follow_each_other(parts) {
            for ends in starts.windows(2) {
                places[ends[0] as usize..ends[1] as usize].sort_by_key(|place| place.key(parts));
            }
        }
        Self { starts, places }
    }

    /// Returns where the rows of a stream are.
    pub(super) fn places_of(&self, number: u32) -> &[Place] {
        match self.starts.get(number as usize..number as usize + 2) {
            Some([from, to]) => &self.places[*from as usize..*to as usize],
            _ => &[],
        }
    }
}
