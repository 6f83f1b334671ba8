//! Streams of samples by number, found by the name of the metric.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Value;

/// How a canonical text begins whose first label is the name of the metric.
pub const NAME_FIRST: &str = r#"{"__name__":"#;

/// The streams of a run of samples: each has the canonical text of its labels.
#[derive(Debug)]
pub struct SampleStreams {
    streams: Arc<Vec<Value>>,
    names: Arc<StreamNames>,
}

/// The numbers of streams by the names of their metrics.
#[derive(Debug)]
pub struct StreamNames {
    /// By the name as the texts spell it, with quotes.
    by_name: HashMap<Box<str>, Vec<u32>, foldhash::fast::RandomState>,
    /// Those whose text does not begin with the name.
    others: Vec<u32>,
}

/// What a name takes in memory next to its numbers, roughly.
const NAME_BYTES: usize = 112;

impl StreamNames {
    /// Orders streams by their names.
    pub fn new(streams: &[Value]) -> Self {
        let (mut by_name, mut others) = (HashMap::<Box<str>, Vec<u32>, _>::default(), Vec::new());
        for (number, stream) in streams.iter().enumerate() {
            let Value::String(text) = stream else { continue };
            match name_of(text) {
                // Streams of a metric often follow each other, but seldom all.
                Some(name) => match by_name.get_mut(name) {
                    Some(numbers) => numbers.push(number as u32),
                    None => drop(by_name.insert(name.into(), vec![number as u32])),
                },
                None => others.push(number as u32),
            }
        }
        by_name.values_mut().chain([&mut others]).for_each(Vec::shrink_to_fit);
        Self { by_name, others }
    }

    /// Returns the bytes that they take, roughly.
    pub fn n_bytes(&self) -> usize {
        let n_numbers = self.by_name.values().map(Vec::len).sum::<usize>() + self.others.len();
        self.by_name.len() * NAME_BYTES + n_numbers * size_of::<u32>()
    }
}

impl SampleStreams {
    /// Orders streams by their names.
    pub fn new(streams: Arc<Vec<Value>>) -> Self {
        let names = Arc::new(StreamNames::new(&streams));
        Self { streams, names }
    }

    /// Takes streams with their names.
    pub fn of(streams: Arc<Vec<Value>>, names: Arc<StreamNames>) -> Self {
        Self { streams, names }
    }

    /// Returns the text of a stream.
    pub fn text(&self, number: u32) -> Option<&Arc<str>> {
        match self.streams.get(number as usize) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns how many there are; numbers are below it.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Reports whether there is none.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Returns the numbers of all streams that `is_wanted` accepts, in order; none has another name than `name`, as a canonical text
    /// spells it, with quotes.
    pub fn chosen(&self, name: Option<&str>, is_wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let accepts = |number: &u32| self.text(*number).is_some_and(|text| is_wanted(text));
        let Some(name) = name else { return (0..self.streams.len() as u32).filter(accepts).collect() };
        let of_name = self.names.by_name.get(name).into_iter().flatten();
        let mut chosen: Vec<u32> = of_name.chain(&self.names.others).copied().filter(accepts).collect();
        chosen.sort_unstable();
        chosen
    }
}

/// Returns the name of the metric with its quotes, where a text begins with it.
fn name_of(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(NAME_FIRST)?;
    let mut is_escaped = false;
    let end = rest.bytes().enumerate().skip(1).find(|(_, byte)| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.map(|(at, _)| &rest[..=at])
}

#[cfg(test)]
mod tests;
