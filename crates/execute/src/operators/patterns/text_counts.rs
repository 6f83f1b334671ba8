//! Counts of masked texts: a partial result that merges.

pub(crate) mod part;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use plan::Patterns;
use types::{Column, RowSet};

use super::ends::Spot;
use super::origins::{FrameOrigins, Origin, Origins};
use super::run_tally::RunTally;
use super::texts::{RunTexts, known_examples, level_codes, texts_of, texts_over};
use crate::operators::patterns::bins::{Bins, Sum};
use crate::operators::patterns::tally::{Depth, Rows, Tally};
use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, places};
use pattern::{mask, says_start};

/// Bytes of a count of a text at an origin, roughly.
const PAIR_BYTES: usize = 24;

/// Bytes of a count next to its text, roughly.
const TALLY_BYTES: usize = std::mem::size_of::<Tally>() + 64;

/// Counts of masked texts.
pub(crate) struct TextCounts {
    pub(crate) bins: Option<Bins>,
    depth: Depth,
    /// Where events come from, where that is counted.
    pub(crate) origins: Option<Origins>,
    /// By text and origin.
    by_origin: HashMap<(u32, u32), u32, foldhash::fast::RandomState>,
    /// Whether the text of some event was a field of its own.
    pub(crate) takes_field: bool,
    numbers: HashMap<String, u32, foldhash::fast::RandomState>,
    tallies: Vec<Tally>,
    by_source: HashMap<usize, RunTally>,
    n_bytes: usize,
}

impl TextCounts {
    pub(crate) fn new(bins: Option<Bins>, depth: Depth) -> Self {
        Self {
            bins,
            depth,
            origins: (depth >= Depth::Origins).then(Origins::default),
            by_origin: HashMap::default(),
            takes_field: false,
            numbers: HashMap::default(),
            tallies: Vec::new(),
            by_source: HashMap::new(),
            n_bytes: 0,
        }
    }

    fn n_bins(&self) -> usize {
        self.bins.map_or(0, |bins| bins.n)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Counts the rows of a frame; `source` is the number of their run, where it stays.
    pub(crate) fn add(
        &mut self,
        frame: &mut Frame<'_>,
        source: Option<usize>,
        patterns: &Patterns,
        scan: &Scan<'_>,
    ) -> Result<()> {
        if frame.n_rows() == 0 {
            return Ok(());
        }
        let n_bytes = self.origins.as_ref().map_or(0, Origins::n_bytes);
        let seen = match (&mut self.origins, source) {
            (Some(origins), Some(source)) => origins.read(frame, source)?,
            _ => None,
        };
        let levels = level_codes(&*frame.column("@level")?);
        let rows = Rows { levels, bins: self.bins_of(frame)?, seen, depth: self.depth };
        let added = self.add_rows(frame, source, patterns, scan, &rows);
        self.n_bytes += self.origins.as_ref().map_or(0, Origins::n_bytes).saturating_sub(n_bytes);
        added
    }

    fn add_rows(
        &mut self,
        frame: &mut Frame<'_>,
        source: Option<usize>,
        patterns: &Patterns,
        scan: &Scan<'_>,
        rows: &Rows,
    ) -> Result<()> {
        if let Some(source) = source
            && let Some(known) = known_examples(frame, patterns)?
        {
            return self.add_examples(frame, source, rows, known);
        }
        let (texts, is_field) = texts_of(frame, patterns, scan)?;
        self.takes_field |= is_field;
        let all: Vec<usize> = (0..frame.n_rows()).collect();
        self.add_texts(frame, source, rows, &texts, &all)
    }

    fn bins_of(&self, frame: &mut Frame<'_>) -> Result<Option<Vec<u16>>> {
        let Some(bins) = self.bins else { return Ok(None) };
        let times = frame.column("@timestamp")?;
        let place = |row: usize| Cell::at(&times, row).time().map_or(0, |time| bins.place(time) as u16);
        Ok(Some((0..frame.n_rows()).map(place).collect()))
    }

    /// Counts rows by examples, those that have none by their texts.
    fn add_examples(&mut self, frame: &mut Frame<'_>, source: usize, rows: &Rows, known: RunTexts) -> Result<()> {
        let RunTexts { examples, numbers, texts } = known;
        let is_read = |number: u32| examples.get(number as usize).is_none_or(Option::is_none);
        let mut by_text = RowSet::of(numbers.len(), |row| is_read(numbers[row]));
        if let Some((with_text, _)) = &texts {
            self.takes_field |= !with_text.is_empty();
            by_text.or(with_text);
        }
        let Some(block) = frame.stored().cloned() else { return Ok(()) };
        let n_new = if self.by_source.contains_key(&source) { 0 } else { examples.len() };
        let n_bins = self.n_bins();
        self.n_bytes += RunTally::n_bytes(n_new, n_bins);
        let of_run = self.by_source.entry(source).or_insert_with(|| RunTally::new(&examples, n_bins, self.depth));
        let n_pairs = of_run.by_origin.len();
        of_run.add(source, &block, &numbers, rows, &by_text)?;
        self.n_bytes += (of_run.by_origin.len() - n_pairs) * PAIR_BYTES;
        if let (Some(origins), Some(seen), true) = (&mut self.origins, &rows.seen, of_run.has_starts()) {
            for (row, number) in numbers.iter().enumerate().filter(|(row, _)| !by_text.contains(*row)) {
                of_run.start(*number).into_iter().for_each(|masked| origins.note_start(seen, row, masked));
            }
        }
        if by_text.is_empty() {
            return Ok(());
        }
        let places: Vec<usize> = by_text.iter().collect();
        let read = |rows: &RowSet| block.source.run.read(block.block, &["@message"], &block.rows.select(rows));
        let messages = read(&by_text)?.into_iter().next();
        let messages = messages.unwrap_or(Column::Missing { n_rows: places.len() });
        let column = match texts {
            Some((_, column)) => texts_over(&column.gather(&by_text), &messages),
            None => messages,
        };
        self.add_texts(frame, Some(source), rows, &column, &places)
    }

    /// Counts texts; `places` are their rows in the frame.
    fn add_texts(
        &mut self,
        frame: &mut Frame<'_>,
        source: Option<usize>,
        rows: &Rows,
        texts: &Column,
        places: &[usize],
    ) -> Result<()> {
        let is_oldest_first = frame.block().is_some();
        let n_bins = self.n_bins();
        let mut touched: Vec<u32> = Vec::new();
        for (index, row) in places.iter().enumerate() {
            let Some(text) = Cell::at(texts, index).text() else { continue };
            let number = self.number(mask(&text));
            if let Some(seen) = &rows.seen {
                self.note_origin(seen, *row, number);
            }
            let tally = &mut self.tallies[number as usize];
            tally.by_level[usize::from(rows.levels[*row])] += 1;
            if let Some(bins) = &rows.bins {
                tally.bins.resize(n_bins, 0);
                tally.bins[usize::from(bins[*row])] += 1;
            }
            let here = (*row, index);
            match (&mut tally.edges, is_oldest_first) {
                (Some([_, last]), true) => *last = here,
                (Some([first, _]), false) => *first = here,
                (edges, _) => {
                    touched.push(number);
                    *edges = Some([here; 2]);
                }
            }
        }
        let n_bytes_before: usize = touched.iter().map(|number| self.tallies[*number as usize].n_bytes()).sum();
        let noted = self.note_edges(frame, source, texts, &touched);
        touched.iter().for_each(|number| self.tallies[*number as usize].edges = None);
        let n_bytes: usize = touched.iter().map(|number| self.tallies[*number as usize].n_bytes()).sum();
        self.n_bytes += n_bytes.saturating_sub(n_bytes_before);
        noted
    }

    fn number(&mut self, masked: String) -> u32 {
        if let Some(number) = self.numbers.get(&masked) {
            return *number;
        }
        let number = self.tallies.len() as u32;
        self.n_bytes += masked.len() + TALLY_BYTES + 4 * self.n_bins();
        let start = (self.depth >= Depth::Origins && says_start(&masked)).then(|| Arc::from(masked.as_str()));
        self.numbers.insert(masked, number);
        self.tallies.push(Tally { start, ..Tally::default() });
        number
    }

    fn note_origin(&mut self, seen: &FrameOrigins, row: usize, number: u32) {
        let count = self.by_origin.entry((number, seen.origins[row])).or_insert(0);
        self.n_bytes += if *count == 0 { PAIR_BYTES } else { 0 };
        *count += 1;
        if let (Some(masked), Some(origins)) = (&self.tallies[number as usize].start, &mut self.origins) {
            origins.note_start(seen, row, masked);
        }
    }

    /// Notes the newest events of the texts of a frame, and the oldest where they are wanted.
    fn note_edges(
        &mut self,
        frame: &mut Frame<'_>,
        source: Option<usize>,
        texts: &Column,
        touched: &[u32],
    ) -> Result<()> {
        let edges = |tally: &Tally| tally.edges.unwrap_or_default();
        let n_wanted = if self.depth >= Depth::Ends { 2 } else { 1 };
        // The last one first: it is always wanted.
        let wanted = |number: &u32| edges(&self.tallies[*number as usize]).into_iter().rev().take(n_wanted);
        let rows = RowSet::of_places(frame.n_rows(), touched.iter().flat_map(wanted).map(|(row, _)| row));
        let chosen: Vec<usize> = rows.iter().collect();
        let place_of = |row: usize| chosen.partition_point(|known| *known < row);
        let mut few = frame.clone();
        few.retain(&rows);
        match (source, frame.block()) {
            (Some(source), Some(block)) => {
                let times = few.column("@timestamp")?;
                let stored: Vec<usize> = few.block().map(|few| few.rows.iter().collect()).unwrap_or_default();
                let at = |row: usize| {
                    let place = place_of(row);
                    let row = stored.get(place).copied().unwrap_or_default();
                    (Cell::at(&times, place).time().unwrap_or_default(), Spot { source, block: block.block, row })
                };
                for number in touched {
                    let tally = &mut self.tallies[*number as usize];
                    let [first, last] = edges(tally).map(|(row, _)| row);
                    let (time, spot) = at(last);
                    tally.ends.newest.see(time, spot);
                    if n_wanted > 1 {
                        let (time, spot) = at(first);
                        tally.ends.oldest.see(time, spot);
                    }
                }
            }
            _ => {
                let places = match frame.block() {
                    Some(_) => places(&mut few)?,
                    None => chosen.iter().map(|row| evaluate::columns::place::Place::of_row(*row)).collect(),
                };
                let text = |index: usize| Arc::from(&*Cell::at(texts, index).text().unwrap_or_default());
                for number in touched {
                    let tally = &mut self.tallies[*number as usize];
                    let [first, last] = edges(tally);
                    tally.ends.newest.see_passing(places[place_of(last.0)], || text(last.1));
                    if n_wanted > 1 {
                        tally.ends.oldest.see_passing(places[place_of(first.0)], || text(first.1));
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds what another thread counted.
    pub(crate) fn merge(&mut self, other: Self) {
        let Self { numbers, tallies, by_source, n_bytes, origins, by_origin, takes_field, .. } = other;
        self.n_bytes += n_bytes;
        self.takes_field |= takes_field;
        let origins = match (&mut self.origins, origins) {
            (Some(mine), Some(others)) => mine.merge(others),
            _ => Vec::new(),
        };
        let mut mine_of: Vec<u32> = vec![0; tallies.len()];
        for (text, number) in numbers {
            let mine = self.number(text);
            mine_of[number as usize] = mine;
            self.tallies[mine as usize].merge(&tallies[number as usize]);
        }
        for ((text, origin), count) in by_origin {
            *self.by_origin.entry((mine_of[text as usize], origins[origin as usize])).or_insert(0) += count;
        }
        for (source, mut of_run) in by_source {
            of_run.renumber(&origins);
            match self.by_source.entry(source) {
                std::collections::hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(of_run);
                }
                std::collections::hash_map::Entry::Occupied(mut known) => known.get_mut().merge(&of_run),
            }
        }
    }

    /// Turns counts of examples into counts of masked texts.
    pub(crate) fn settle(&mut self, scan: &Scan<'_>) -> Result<()> {
        let n_bytes = self.n_bytes;
        for (source, of_run) in std::mem::take(&mut self.by_source) {
            let Some(examples) = scan.sources[source].run.examples()? else { continue };
            let mut known_as: Vec<Option<u32>> = vec![None; examples.len()];
            for (number, example) in examples.iter().enumerate() {
                let tally = of_run.tally(number);
                if let Some(example) = example
                    && tally.by_level.iter().any(|count| *count > 0)
                {
                    let known = self.number(mask(example));
                    known_as[number] = Some(known);
                    self.tallies[known as usize].merge(&tally);
                }
            }
            for ((example, origin), count) in &of_run.by_origin {
                if let Some(text) = known_as[*example as usize] {
                    *self.by_origin.entry((text, *origin)).or_insert(0) += count;
                }
            }
        }
        scan.hold(self.n_bytes.saturating_sub(n_bytes))
    }

    /// Returns the masked texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }

    /// Adds what was counted of each text to the sum at its place.
    pub(crate) fn add_to(&self, places: &BTreeMap<&str, u32>, sums: &mut [Sum]) {
        for (text, number) in &self.numbers {
            let tally = &self.tallies[*number as usize];
            let place = places.get(text.as_str()).map(|place| *place as usize);
            let Some(sum) = place.and_then(|place| sums.get_mut(place)) else { continue };
            sum.by_level.iter_mut().zip(tally.by_level).for_each(|(sum, count)| *sum += count);
            if self.bins.is_some() {
                sum.bins.resize(self.n_bins(), 0.0);
                sum.bins.iter_mut().zip(&tally.bins).for_each(|(sum, count)| *sum += f64::from(*count));
            }
            sum.ends.merge(&tally.ends);
        }
    }

    /// Returns how many events were counted.
    pub(crate) fn n_events(&self) -> u64 {
        self.tallies.iter().flat_map(|tally| tally.by_level).sum()
    }

    /// Returns how often each text came from each origin.
    pub(crate) fn by_origin(&self) -> impl Iterator<Item = (&str, u32, u64)> {
        let mut texts: Vec<&str> = vec![""; self.tallies.len()];
        self.numbers.iter().for_each(|(text, number)| texts[*number as usize] = text);
        self.by_origin.iter().map(move |((text, origin), count)| (texts[*text as usize], *origin, u64::from(*count)))
    }

    /// Returns how often a text came from an origin.
    pub(crate) fn count_of(&self, masked: &str, origin: &Origin) -> u64 {
        let origin = self.origins.as_ref().and_then(|origins| origins.number_of(origin));
        let pair = self.numbers.get(masked).copied().zip(origin);
        pair.and_then(|pair| self.by_origin.get(&pair)).map_or(0, |count| u64::from(*count))
    }
}
