//! Counts of masked texts: a partial result that merges.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use types::{Column, Examples, Level, MISSING_CODE, RowSet, Value};

use super::super::aggregate::Place;
use super::super::cell::Cell;
use super::super::expression::{Stop, evaluate};
use super::super::frame::{BlockRows, Frame};
use super::super::group::places;
use super::super::scan::Scan;
use super::{Bins, MESSAGE_FIELDS, Sum, takes_message_field};
use crate::pattern::mask;
use crate::plan::{Expr, Patterns};

/// Codes of levels, and 0 for none.
pub(super) const LEVEL_CODES: usize = 7;

/// Bytes of a count beside its text, roughly.
const TALLY_BYTES: usize = std::mem::size_of::<Tally>() + 64;

/// Where an event stands: number of its run among the scan's, block, row. Ordered by time within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) source: usize,
    pub(super) block: usize,
    pub(super) row: usize,
}

/// The newest of some events.
#[derive(Clone, Debug, Default)]
pub(super) struct Newest {
    time: Option<i64>,
    /// Events of this time, one of each run at most; the newest of them is known once their ids are.
    spots: Vec<Spot>,
    /// The newest of the events that are not there any more, with its text.
    passed: Option<(Place, Arc<str>)>,
}

impl Newest {
    fn see(&mut self, time: i64, spot: Spot) {
        if self.time.is_none_or(|known| time > known) {
            self.time = Some(time);
            self.spots.clear();
        } else if self.time > Some(time) {
            return;
        }
        match self.spots.iter_mut().find(|known| known.source == spot.source) {
            Some(known) => *known = (*known).max(spot),
            None => self.spots.push(spot),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if let Some(time) = other.time {
            other.spots.iter().for_each(|spot| self.see(time, *spot));
        }
        if let Some((place, text)) = &other.passed
            && self.passed.as_ref().is_none_or(|(known, _)| known < place)
        {
            self.passed = Some((*place, text.clone()));
        }
    }

    /// Whether an event of this time would be newer than all, or as new.
    fn may_be_newer(&self, time: i64) -> bool {
        self.time.is_none_or(|known| time >= known)
    }

    /// Where the newest event may stand.
    pub(super) fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The newest event's text where that is known already.
    pub(super) fn text(&self) -> Option<Arc<str>> {
        self.passed.as_ref().map(|(_, text)| text.clone())
    }
}

/// What is counted of one text.
#[derive(Clone, Debug, Default)]
struct Tally {
    by_level: [u64; LEVEL_CODES],
    bins: Vec<u32>,
    newest: Newest,
    /// The last row seen of the block that is being counted: its place in the frame and in the column of texts.
    last: Option<(usize, usize)>,
}

/// What is counted of the examples of one run, by their numbers.
struct OfRun {
    by_level: Vec<u32>,
    bins: Vec<u32>,
    n_bins: usize,
    newest: Vec<Newest>,
}

/// Counts of masked texts.
pub(super) struct Counted {
    bins: Option<Bins>,
    numbers: HashMap<String, u32, foldhash::fast::RandomState>,
    tallies: Vec<Tally>,
    by_source: HashMap<usize, OfRun>,
    n_bytes: usize,
}

/// Of the rows of a frame: level code, and place among the spans of time.
struct Rows {
    levels: Vec<u8>,
    bins: Option<Vec<u16>>,
}

impl Counted {
    pub(super) fn new(bins: Option<Bins>) -> Self {
        Self { bins, numbers: HashMap::default(), tallies: Vec::new(), by_source: HashMap::new(), n_bytes: 0 }
    }

    pub(super) fn bins(&self) -> Option<Bins> {
        self.bins
    }

    fn n_bins(&self) -> usize {
        self.bins.map_or(0, |bins| bins.n)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Counts the rows of a frame; `source` is the number of their run, where it stays.
    pub(super) fn add(
        &mut self,
        frame: &mut Frame<'_>,
        source: Option<usize>,
        patterns: &Patterns,
        scan: &Scan<'_>,
    ) -> Result<(), Stop> {
        if frame.n_rows() == 0 {
            return Ok(());
        }
        let rows = Rows { levels: level_codes(&*frame.column("@level")?), bins: self.bins_of(frame)? };
        if let Some(source) = source
            && let Some(known) = known_examples(frame, patterns)?
        {
            return self.add_examples(frame, source, &rows, known);
        }
        let texts = texts_of(frame, patterns, scan)?;
        let all: Vec<usize> = (0..frame.n_rows()).collect();
        self.add_texts(frame, source, &rows, &texts, &all)
    }

    fn bins_of(&self, frame: &mut Frame<'_>) -> Result<Option<Vec<u16>>, Stop> {
        let Some(bins) = self.bins else { return Ok(None) };
        let times = frame.column("@timestamp")?;
        let place = |row: usize| Cell::at(&times, row).time().map_or(0, |time| bins.place(time) as u16);
        Ok(Some((0..frame.n_rows()).map(place).collect()))
    }

    /// Counts rows by examples, those that have none by their texts.
    fn add_examples(&mut self, frame: &mut Frame<'_>, source: usize, rows: &Rows, known: Known) -> Result<(), Stop> {
        let Known { examples, numbers, texts } = known;
        let is_read = |number: u32| examples.get(number as usize).is_none_or(Option::is_none);
        let mut by_text = RowSet::of(numbers.len(), |row| is_read(numbers[row]));
        if let Some((with_text, _)) = &texts {
            by_text.or(with_text);
        }
        let Some(block) = frame.stored().cloned() else { return Ok(()) };
        let n_new = if self.by_source.contains_key(&source) { 0 } else { examples.len() };
        let n_bins = self.n_bins();
        self.n_bytes += n_new * (4 * (LEVEL_CODES + 1 + n_bins) + std::mem::size_of::<Newest>());
        let of_run = self.by_source.entry(source).or_insert_with(|| OfRun::new(examples.len(), n_bins));
        of_run.add(source, &block, &numbers, rows, &by_text)?;
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
    ) -> Result<(), Stop> {
        let is_oldest_first = frame.block().is_some();
        let n_bins = self.n_bins();
        let mut touched: Vec<u32> = Vec::new();
        for (index, row) in places.iter().enumerate() {
            let Some(text) = Cell::at(texts, index).text() else { continue };
            let number = self.number(mask(&text));
            let tally = &mut self.tallies[number as usize];
            tally.by_level[usize::from(rows.levels[*row])] += 1;
            if let Some(bins) = &rows.bins {
                tally.bins.resize(n_bins, 0);
                tally.bins[usize::from(bins[*row])] += 1;
            }
            if tally.last.is_none() {
                touched.push(number);
            }
            if tally.last.is_none() || is_oldest_first {
                tally.last = Some((*row, index));
            }
        }
        let n_bytes_before: usize = touched.iter().map(|number| self.tallies[*number as usize].n_bytes()).sum();
        let noted = self.note_newest(frame, source, texts, &touched);
        touched.iter().for_each(|number| self.tallies[*number as usize].last = None);
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
        self.numbers.insert(masked, number);
        self.tallies.push(Tally::default());
        number
    }

    /// Notes the newest events of the texts of a frame.
    fn note_newest(
        &mut self,
        frame: &mut Frame<'_>,
        source: Option<usize>,
        texts: &Column,
        touched: &[u32],
    ) -> Result<(), Stop> {
        let last = |tally: &Tally| tally.last.unwrap_or_default();
        let wanted = |number: &u32| last(&self.tallies[*number as usize]).0;
        let rows = RowSet::of_places(frame.n_rows(), touched.iter().map(wanted));
        let chosen: Vec<usize> = rows.iter().collect();
        let place_of = |row: usize| chosen.partition_point(|known| *known < row);
        let mut few = frame.clone();
        few.retain(&rows);
        match (source, frame.block()) {
            (Some(source), Some(block)) => {
                let times = few.column("@timestamp")?;
                let stored: Vec<usize> = few.block().map(|few| few.rows.iter().collect()).unwrap_or_default();
                for number in touched {
                    let tally = &mut self.tallies[*number as usize];
                    let place = place_of(last(tally).0);
                    let row = stored.get(place).copied().unwrap_or_default();
                    let time = Cell::at(&times, place).time().unwrap_or_default();
                    tally.newest.see(time, Spot { source, block: block.block, row });
                }
            }
            _ => {
                let places = match frame.block() {
                    Some(_) => places(&mut few)?,
                    None => chosen.iter().map(|row| Place::of_row(*row)).collect(),
                };
                for number in touched {
                    let tally = &mut self.tallies[*number as usize];
                    let (row, index) = last(tally);
                    let place = places[place_of(row)];
                    if tally.newest.passed.as_ref().is_none_or(|(known, _)| *known < place) {
                        let text = Cell::at(texts, index).text().unwrap_or_default();
                        tally.newest.passed = Some((place, Arc::from(&*text)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds what another thread counted.
    pub(super) fn merge(&mut self, other: Self) {
        let Self { numbers, tallies, by_source, n_bytes, .. } = other;
        self.n_bytes += n_bytes;
        for (text, number) in numbers {
            let mine = self.number(text);
            self.tallies[mine as usize].merge(&tallies[number as usize]);
        }
        for (source, of_run) in by_source {
            match self.by_source.entry(source) {
                std::collections::hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(of_run);
                }
                std::collections::hash_map::Entry::Occupied(mut known) => known.get_mut().merge(&of_run),
            }
        }
    }

    /// Turns counts of examples into counts of masked texts.
    pub(super) fn settle(&mut self, scan: &Scan<'_>) -> Result<(), Stop> {
        let n_bytes = self.n_bytes;
        for (source, of_run) in std::mem::take(&mut self.by_source) {
            let Some(examples) = scan.sources[source].run.examples()? else { continue };
            for (number, example) in examples.iter().enumerate() {
                let tally = of_run.tally(number);
                if let Some(example) = example
                    && tally.by_level.iter().any(|count| *count > 0)
                {
                    let known = self.number(mask(example));
                    self.tallies[known as usize].merge(&tally);
                }
            }
        }
        scan.hold(self.n_bytes.saturating_sub(n_bytes))
    }

    /// The masked texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }

    /// Adds what was counted of each text to the sum at its place.
    pub(super) fn add_to(&self, places: &BTreeMap<&str, u32>, sums: &mut [Sum]) {
        for (text, number) in &self.numbers {
            let tally = &self.tallies[*number as usize];
            let place = places.get(text.as_str()).map(|place| *place as usize);
            let Some(sum) = place.and_then(|place| sums.get_mut(place)) else { continue };
            sum.by_level.iter_mut().zip(tally.by_level).for_each(|(sum, count)| *sum += count);
            if self.bins.is_some() {
                sum.bins.resize(self.n_bins(), 0.0);
                sum.bins.iter_mut().zip(&tally.bins).for_each(|(sum, count)| *sum += f64::from(*count));
            }
            sum.newest.merge(&tally.newest);
        }
    }
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.by_level.iter_mut().zip(other.by_level).for_each(|(sum, count)| *sum += count);
        if self.bins.len() < other.bins.len() {
            self.bins.resize(other.bins.len(), 0);
        }
        self.bins.iter_mut().zip(&other.bins).for_each(|(sum, count)| *sum += count);
        self.newest.merge(&other.newest);
    }

    fn n_bytes(&self) -> usize {
        let text = self.newest.passed.as_ref().map_or(0, |(_, text)| text.len());
        text + self.newest.spots.len() * std::mem::size_of::<Spot>()
    }
}

impl OfRun {
    fn new(n_examples: usize, n_bins: usize) -> Self {
        Self {
            by_level: vec![0; n_examples * (LEVEL_CODES + 1)],
            bins: vec![0; n_examples * n_bins],
            n_bins,
            newest: vec![Newest::default(); n_examples],
        }
    }

    /// Counts the rows of a block that are not in `left_out`.
    fn add(
        &mut self,
        source: usize,
        block: &BlockRows<'_>,
        numbers: &[u32],
        rows: &Rows,
        left_out: &RowSet,
    ) -> Result<(), Stop> {
        const NONE: u32 = u32::MAX;
        let mut last = vec![NONE; self.newest.len()];
        let is_whole = left_out.is_empty();
        for (row, (number, level)) in numbers.iter().zip(&rows.levels).enumerate() {
            if is_whole || !left_out.contains(row) {
                self.by_level[*number as usize * (LEVEL_CODES + 1) + usize::from(*level)] += 1;
                last[*number as usize] = row as u32;
            }
        }
        if let Some(bins) = &rows.bins {
            for (row, (number, bin)) in numbers.iter().zip(bins).enumerate() {
                if is_whole || !left_out.contains(row) {
                    self.bins[*number as usize * self.n_bins + usize::from(*bin)] += 1;
                }
            }
        }
        let (_, newest_of_block) = block.source.run.block_times(block.block);
        let is_wanted =
            |(number, row): &(usize, &u32)| **row != NONE && self.newest[*number].may_be_newer(newest_of_block.0);
        let wanted: Vec<(usize, u32)> =
            last.iter().enumerate().filter(is_wanted).map(|(number, row)| (number, *row)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let stored: Vec<usize> = block.rows.iter().collect();
        let times = block.source.run.read(block.block, &["@timestamp"], &block.rows)?.into_iter().next();
        let times = times.unwrap_or(Column::Missing { n_rows: stored.len() });
        for (number, row) in wanted {
            let time = Cell::at(&times, row as usize).time().unwrap_or_default();
            self.newest[number].see(time, Spot { source, block: block.block, row: stored[row as usize] });
        }
        Ok(())
    }

    fn merge(&mut self, other: &Self) {
        self.by_level.iter_mut().zip(&other.by_level).for_each(|(sum, count)| *sum += count);
        self.bins.iter_mut().zip(&other.bins).for_each(|(sum, count)| *sum += count);
        self.newest.iter_mut().zip(&other.newest).for_each(|(mine, other)| mine.merge(other));
    }

    fn tally(&self, number: usize) -> Tally {
        let mut tally = Tally { newest: self.newest[number].clone(), ..Tally::default() };
        let counts = &self.by_level[number * (LEVEL_CODES + 1)..];
        tally.by_level.iter_mut().zip(counts).for_each(|(sum, count)| *sum = u64::from(*count));
        if !self.bins.is_empty() {
            tally.bins = self.bins[number * self.n_bins..(number + 1) * self.n_bins].to_vec();
        }
        tally
    }
}

/// What a run knows of the texts of a frame's rows.
struct Known {
    examples: Arc<Examples>,
    numbers: Vec<u32>,
    /// Rows whose text is another field's, and that field of all rows.
    texts: Option<(RowSet, Column)>,
}

/// Asks the run for examples of the texts, where the texts are the messages that it stores.
fn known_examples(frame: &mut Frame<'_>, patterns: &Patterns) -> Result<Option<Known>, Stop> {
    let Expr::Field(name) = &patterns.text else { return Ok(None) };
    let Some(block) = frame.stored().cloned() else { return Ok(None) };
    let run = &block.source.run;
    if !run.is_message(name) {
        return Ok(None);
    }
    let Some(examples) = run.examples()? else { return Ok(None) };
    let mut texts: Option<(RowSet, Column)> = None;
    for field in MESSAGE_FIELDS.iter().rev().filter(|_| takes_message_field(patterns)) {
        if block.source.has(field)? && !run.is_message(field) {
            let column = frame.column(field)?;
            let below = texts.take().map_or(Column::Missing { n_rows: frame.n_rows() }, |(_, column)| column);
            let column = texts_over(&column, &below);
            let rows = RowSet::of(frame.n_rows(), |row| matches!(Cell::at(&column, row), Cell::Text(_)));
            texts = Some((rows, column));
        }
    }
    let numbers = run.example_numbers(block.block, &block.rows)?;
    Ok(Some(Known { examples, numbers, texts }))
}

/// The texts of a frame's rows.
pub(super) fn texts_of(frame: &mut Frame<'_>, patterns: &Patterns, scan: &Scan<'_>) -> Result<Arc<Column>, Stop> {
    let mut texts = evaluate(&patterns.text, frame, &scan.env)?;
    if takes_message_field(patterns) {
        for name in MESSAGE_FIELDS.iter().rev() {
            let field = evaluate(&Expr::Field((*name).into()), frame, &scan.env)?;
            texts = Arc::new(texts_over(&field, &texts));
        }
    }
    Ok(texts)
}

/// The texts of `upper`, where it has none those of `lower`.
fn texts_over(upper: &Column, lower: &Column) -> Column {
    let is_text = |row: usize| matches!(Cell::at(upper, row), Cell::Text(_));
    if !(0..upper.n_rows()).any(is_text) {
        return lower.clone();
    }
    let value = |row: usize| if is_text(row) { upper.value(row) } else { lower.value(row) };
    Column::of_values((0..upper.n_rows()).map(value).collect())
}

/// Level codes of rows, 0 for those without one.
fn level_codes(column: &Column) -> Vec<u8> {
    let of_text = |text: &str| Level::parse(text).map_or(0, Level::code);
    match column {
        Column::Missing { n_rows } => vec![0; *n_rows],
        Column::Dictionary { codes, values } => {
            let of_value = |value: &Value| if let Value::String(text) = value { of_text(text) } else { 0 };
            let known: Vec<u8> = values.iter().map(of_value).collect();
            let code = |code: &u32| if *code == MISSING_CODE { 0 } else { known[*code as usize] };
            codes.iter().map(code).collect()
        }
        other => {
            let code = |row| if let Cell::Text(text) = Cell::at(other, row) { of_text(text) } else { 0 };
            (0..other.n_rows()).map(code).collect()
        }
    }
}
