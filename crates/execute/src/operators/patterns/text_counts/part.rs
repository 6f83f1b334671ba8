//! Masked texts of one part of a run, in the form in which they are kept.

use std::sync::{Arc, OnceLock};

use types::Examples;

use super::TextCounts;
use crate::operators::patterns::ends::Spot;
use crate::operators::patterns::tally::{LEVEL_CODES, Tally};
use crate::request::cache::CacheEntry;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::scanner::Scan;
use evaluate::Result;
use pattern::mask;

/// Bytes of a text next to its own, roughly.
const TEXT_BYTES: usize = 48;

/// Counts of masked texts of one part of a run: how many events of each level there are, and where the oldest one is.
pub(crate) struct PartTexts {
    takes_field: bool,
    by_example: Vec<(u32, PartTally)>,
    by_text: Vec<(Box<str>, PartTally)>,
    pub(crate) n_events: u64,
}

struct PartTally {
    by_level: [u32; LEVEL_CODES],
    /// Its time, block and row.
    oldest: Option<(i64, u32, u32)>,
}

impl PartTally {
    fn of(tally: &Tally) -> Self {
        let oldest = &tally.ends.oldest;
        let spot = oldest.time().zip(oldest.spots.first());
        Self {
            by_level: tally.by_level.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
            oldest: spot.map(|(time, spot)| (time, spot.block as u32, spot.row as u32)),
        }
    }

    /// Adds its events, which are those of run number `source`.
    fn add_to(&self, sum: &mut Tally, source: usize) {
        sum.by_level.iter_mut().zip(self.by_level).for_each(|(sum, count)| *sum += u64::from(count));
        if let Some((time, block, row)) = self.oldest {
            sum.ends.oldest.see(time, Spot { source, block: block as usize, row: row as usize });
        }
    }
}

impl PartTexts {
    /// Takes what was counted of one part.
    pub(crate) fn of(counted: &TextCounts) -> Self {
        let of_runs = counted.by_source.values().flat_map(|of_run| of_run.counted());
        let by_example = of_runs.map(|(number, tally)| (number, PartTally::of(&tally))).collect();
        let text =
            |(text, number): (&String, &u32)| (text.as_str().into(), PartTally::of(&counted.tallies[*number as usize]));
        let mut part = Self {
            takes_field: counted.takes_field,
            by_example,
            by_text: counted.numbers.iter().map(text).collect(),
            n_events: 0,
        };
        let tallies = part.by_example.iter().map(|(_, tally)| tally).chain(part.by_text.iter().map(|(_, tally)| tally));
        part.n_events = tallies.flat_map(|tally| tally.by_level).map(u64::from).sum();
        part
    }

    /// Returns the bytes that it takes, roughly.
    pub(crate) fn n_bytes(&self) -> usize {
        let of_examples = self.by_example.len() * std::mem::size_of::<(u32, PartTally)>();
        let of_texts = self.by_text.iter().map(|(text, _)| text.len() + TEXT_BYTES + std::mem::size_of::<PartTally>());
        of_examples + of_texts.sum::<usize>()
    }
}

/// The masked texts of the examples of a run, each of them made when it is first wanted.
pub(crate) struct MaskedExamples(Vec<OnceLock<Arc<str>>>);

impl MaskedExamples {
    fn of(examples: &Examples) -> Self {
        Self(examples.iter().map(|_| OnceLock::new()).collect())
    }
}

/// The examples of one run, and the numbers of their texts so far.
#[derive(Default)]
pub(crate) struct KnownExamples {
    examples: Option<(Arc<Examples>, Arc<MaskedExamples>)>,
    numbers: Vec<Option<u32>>,
}

impl KnownExamples {
    /// Takes the examples of a run, and their masked texts where those are kept.
    pub(crate) fn read(&mut self, scan: &Scan<'_>, source: usize) -> Result<()> {
        let run = &scan.sources[source].run;
        let Some(examples) = run.examples()?.filter(|_| self.examples.is_none()) else { return Ok(()) };
        let key = Fingerprint::of_run("masked examples").key_of_blocks(&**run, 0);
        let kept = scan.request.support.cache.zip(key);
        let known = kept.and_then(|(cache, key)| cache.part_counts::<MaskedExamples>(key));
        let masked = known.filter(|known| known.0.len() == examples.len()).unwrap_or_else(|| {
            let masked = Arc::new(MaskedExamples::of(&examples));
            let n_bytes = examples.iter().map(|text| TEXT_BYTES + text.as_ref().map_or(0, String::len)).sum();
            kept.into_iter().for_each(|(cache, key)| cache.put(key, CacheEntry::Counts(masked.clone(), n_bytes)));
            masked
        });
        self.numbers = vec![None; examples.len()];
        self.examples = Some((examples, masked));
        Ok(())
    }

    /// Returns the masked text of an example.
    fn masked(&self, example: usize) -> Option<&Arc<str>> {
        let (examples, masked) = self.examples.as_ref()?;
        let text = examples.get(example)?.as_deref()?;
        Some(masked.0.get(example)?.get_or_init(|| mask(text).into()))
    }
}

impl TextCounts {
    /// Adds a part of run number `source`, whose examples are `known`.
    pub(crate) fn add_part(&mut self, part: &PartTexts, source: usize, known: &mut KnownExamples) {
        self.takes_field |= part.takes_field;
        for (example, tally) in &part.by_example {
            let example = *example as usize;
            let number = match known.numbers.get(example).copied().flatten() {
                Some(number) => number,
                None => {
                    let Some(text) = known.masked(example) else { continue };
                    let number = self.number_of(text);
                    known.numbers[example] = Some(number);
                    number
                }
            };
            self.add_tally(number, tally, source);
        }
        for (text, tally) in &part.by_text {
            let number = self.number_of(text);
            self.add_tally(number, tally, source);
        }
    }

    fn number_of(&mut self, text: &str) -> u32 {
        match self.numbers.get(text) {
            Some(number) => *number,
            None => self.number(text.to_owned()),
        }
    }

    fn add_tally(&mut self, number: u32, tally: &PartTally, source: usize) {
        let sum = &mut self.tallies[number as usize];
        let before = sum.ends.n_bytes();
        tally.add_to(sum, source);
        self.n_bytes += sum.ends.n_bytes().saturating_sub(before);
    }
}
