//! Shapes: which fields an event has, and which keys gave its text and time.
//!
//! Most events of a service have the same fields. One small number per event, its shape, says what a bit per
//! event and field would say at many times the size. The run's shape table is a section: varint count, then for
//! each shape varint origin, varint number of columns, and the column numbers as varint differences.
//!
//! A block's shape section is one byte 0 and the shape numbers as *integers*, or, where a block has too many
//! different shapes, one byte 1, the origin numbers as *integers*, and for each column of the run one byte 0
//! (no row), 1 (every row) or 2 and ⌈rows/8⌉ bytes, least significant bit first.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::RowSet;

use crate::bytes::{Cursor, Damage, Decoded, put_codes, put_integers, put_varint};
use crate::heap;

/// Most shapes of a run; a block with rows beyond them says for each column which rows have it.
const SHAPES_MAX: usize = 4096;

/// Shapes whose numbers are bytes.
const SMALL_SHAPES_MAX: usize = 256;

/// Shapes of a run while it is written.
pub(crate) struct ShapeTable {
    shapes: Vec<(u32, Vec<u32>)>,
    numbers: HashMap<(u32, Vec<u32>), u32, RandomState>,
    /// One secret random number per column: the sum over an event's columns identifies the set. Random, so that
    /// no sender can craft events whose sums collide.
    keys: Vec<u128>,
}

impl ShapeTable {
    pub(crate) fn new(n_columns: usize) -> std::io::Result<Self> {
        let mut random = vec![0u8; n_columns * 16];
        getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
        let key = |bytes: &[u8]| bytes.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
        Ok(Self { shapes: Vec::new(), numbers: HashMap::default(), keys: random.chunks_exact(16).map(key).collect() })
    }

    /// Makes the shape section of a block. `presence` has one set per column, `None` for a column without rows.
    pub(crate) fn encode_block(&mut self, n_rows: usize, origins: &[u32], presence: &[Option<RowSet>]) -> Vec<u8> {
        let mut sums = vec![0u128; n_rows];
        for (set, key) in presence.iter().zip(&self.keys) {
            set.iter().flat_map(RowSet::iter).for_each(|row| sums[row] ^= key);
        }
        let mut kinds: HashMap<(u32, u128), usize, RandomState> = HashMap::default();
        // The first row of each kind.
        let mut firsts = Vec::new();
        let kind_of_rows: Vec<usize> = (0..n_rows)
            .map(|row| {
                *kinds.entry((origins[row], sums[row])).or_insert_with(|| {
                    firsts.push(row);
                    firsts.len() - 1
                })
            })
            .collect();
        let mut of_kinds = Vec::with_capacity(firsts.len());
        for (row, columns) in firsts.iter().zip(columns_of_rows(&firsts, n_rows, presence)) {
            match Self::number(&mut self.shapes, &mut self.numbers, (origins[*row], columns)) {
                Some(number) => of_kinds.push(i64::from(number)),
                None => return encode_by_column(n_rows, origins, presence),
            }
        }
        let numbers: Vec<i64> = kind_of_rows.into_iter().map(|kind| of_kinds[kind]).collect();
        let mut out = vec![0];
        put_integers(&mut out, &numbers);
        out
    }

    /// Makes the shape section of a block of samples of one origin: `columns` are lists of columns, each ascending, `codes` are the
    /// lists of the rows. `None` if there are too many shapes.
    pub(crate) fn encode_block_of_series(
        &mut self,
        origin: u32,
        columns: Vec<Vec<u32>>,
        codes: &[u32],
    ) -> Option<Vec<u8>> {
        let Self { shapes, numbers, .. } = self;
        let of_lists: Vec<u32> = columns
            .into_iter()
            .map(|columns| Self::number(shapes, numbers, (origin, columns)))
            .collect::<Option<_>>()?;
        let mut out = vec![0];
        put_codes(&mut out, &codes.iter().map(|code| of_lists[*code as usize]).collect::<Vec<_>>());
        Some(out)
    }

    fn number(
        shapes: &mut Vec<(u32, Vec<u32>)>,
        numbers: &mut HashMap<(u32, Vec<u32>), u32, RandomState>,
        shape: (u32, Vec<u32>),
    ) -> Option<u32> {
        if let Some(number) = numbers.get(&shape) {
            return Some(*number);
        }
        if shapes.len() >= SHAPES_MAX {
            return None;
        }
        shapes.push(shape.clone());
        numbers.insert(shape, shapes.len() as u32 - 1);
        Some(shapes.len() as u32 - 1)
    }

    /// Makes the section of the table.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.shapes.len() as u64);
        for (origin, columns) in &self.shapes {
            put_varint(&mut out, u64::from(*origin));
            put_varint(&mut out, columns.len() as u64);
            let mut last = 0;
            for column in columns {
                put_varint(&mut out, u64::from(column - last));
                last = *column;
            }
        }
        out
    }
}

/// Returns the columns of each of `rows`, ascending. For few rows, each column is checked for each row; for many, the
/// rows of each column are read once.
fn columns_of_rows(rows: &[usize], n_rows: usize, presence: &[Option<RowSet>]) -> Vec<Vec<u32>> {
    let columns = || (0..).zip(presence).filter_map(|(column, set)| Some((column, set.as_ref()?)));
    if rows.len() <= SETS_MAX {
        let of_row = |row: &usize| columns().filter(|(_, set)| set.contains(*row)).map(|(column, _)| column).collect();
        return rows.iter().map(of_row).collect();
    }
    let mut places = vec![None; n_rows];
    rows.iter().enumerate().for_each(|(place, row)| places[*row] = Some(place));
    let mut found = vec![Vec::new(); rows.len()];
    for (column, set) in columns() {
        set.iter().filter_map(|row| places[row]).for_each(|place| found[place].push(column));
    }
    found
}

fn encode_by_column(n_rows: usize, origins: &[u32], presence: &[Option<RowSet>]) -> Vec<u8> {
    let mut out = vec![1];
    put_integers(&mut out, &origins.iter().map(|origin| i64::from(*origin)).collect::<Vec<_>>());
    for set in presence {
        match set {
            None => out.push(0),
            Some(set) if set.is_all() => out.push(1),
            Some(set) => {
                out.push(2);
                let bytes = set.words().iter().flat_map(|word| word.to_le_bytes());
                out.extend(bytes.take(n_rows.div_ceil(8)));
            }
        }
    }
    out
}

/// The shapes of a run, read back.
pub(crate) struct Shapes {
    /// Per shape its origin.
    origins: Vec<u32>,
    /// Per shape its columns, ascending.
    columns: Vec<Vec<u32>>,
}

impl Shapes {
    pub(crate) fn decode(bytes: &[u8], n_columns: usize, n_origins: usize) -> Decoded<Self> {
        let mut cursor = Cursor::new(bytes);
        let n_shapes = cursor.count(2)?;
        let (mut origins, mut columns) = (Vec::new(), Vec::new());
        for _ in 0..n_shapes {
            origins.push(checked(cursor.varint()?, n_origins)?);
            let n_of_shape = cursor.count(1)?;
            let mut of_shape = Vec::with_capacity(n_of_shape);
            let mut last = 0u64;
            for _ in 0..n_of_shape {
                last = last.saturating_add(cursor.varint()?);
                of_shape.push(checked(last, n_columns)?);
            }
            columns.push(of_shape);
        }
        Ok(Self { origins, columns })
    }

    /// Returns the bytes that it takes.
    pub(crate) fn n_bytes(&self) -> usize {
        let of_columns = self.columns.iter().map(heap::of_items).sum::<usize>();
        heap::of_items(&self.origins) + heap::of_items(&self.columns) + of_columns
    }

    /// Returns for each column the places in `used` of the shapes that have it.
    fn places_of_columns(&self, used: &[u32]) -> Lists {
        let columns = |number: &u32| self.columns[*number as usize].iter().copied();
        let n_columns =
            used.iter().filter_map(|number| columns(number).last()).max().map_or(0, |last| last as usize + 1);
        let pairs = used.iter().zip(0..).flat_map(|(number, place)| columns(number).map(move |column| (column, place)));
        Lists::of(n_columns, pairs)
    }
}

fn checked(number: u64, bound: usize) -> Decoded<u32> {
    if (number as usize) < bound { Ok(number as u32) } else { Err(Damage("a number is out of range")) }
}

/// Columns of a block that are asked for one by one; from then on the rows of each shape are known.
const ASKED_MAX: usize = 2;

/// Shapes of a block up to which adding up their rows costs less than looking at the shape of each row.
const SETS_MAX: usize = 64;

/// Caches of a block, filled once many of its columns are read: the shapes of each column, by their places among
/// the shapes in use, and the rows of each shape, as sets if there are few shapes, else as lists.
#[derive(Default)]
pub(crate) struct ShapeSets {
    n_asked: AtomicUsize,
    shapes: OnceLock<Lists>,
    sets: OnceLock<Vec<RowSet>>,
    lists: OnceLock<Lists>,
}

/// Lists of numbers, one after the other.
struct Lists {
    ends: Vec<usize>,
    items: Vec<u32>,
}

impl Lists {
    /// Builds `n` lists from pairs, each the number of a list and an item of it.
    fn of(n: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0; n + 1];
        pairs.clone().for_each(|(list, _)| starts[list as usize + 1] += 1);
        (0..n).for_each(|list| starts[list + 1] += starts[list]);
        let mut items = vec![0; starts[n]];
        pairs.for_each(|(list, item)| {
            items[starts[list as usize]] = item;
            starts[list as usize] += 1;
        });
        // Each start has moved to the end of its list.
        starts.truncate(n);
        Self { ends: starts, items }
    }

    fn get(&self, list: u32) -> &[u32] {
        let list = list as usize;
        let start = if list == 0 { 0 } else { self.ends.get(list - 1).copied().unwrap_or_default() };
        self.ends.get(list).map_or(&[], |end| &self.items[start..*end])
    }
}

impl ShapeSets {
    fn is_worth(&self) -> bool {
        self.n_asked.fetch_add(1, Ordering::Relaxed) >= ASKED_MAX
    }
}

/// Which rows of a block have which columns.
pub(crate) enum BlockShapes {
    /// By the shape of each row, where a run has at most 256; and the shapes that some row has.
    Small { numbers: Vec<u8>, used: Vec<u32>, sets: ShapeSets },
    /// The same where a run has more.
    Numbers { numbers: Vec<u32>, used: Vec<u32>, sets: ShapeSets },
    /// By column; origins by row.
    Columns { origins: Vec<u32>, presence: Vec<RowSet> },
}

impl BlockShapes {
    pub(crate) fn decode(
        bytes: &[u8],
        n_rows: usize,
        n_columns: usize,
        n_origins: usize,
        shapes: &Shapes,
    ) -> Decoded<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.byte()? == 0 {
            let numbers = cursor.codes(n_rows)?;
            if numbers.iter().any(|number| *number as usize >= shapes.columns.len()) {
                return Err(Damage("a shape number is out of range"));
            }
            let mut is_used = vec![false; shapes.columns.len()];
            numbers.iter().for_each(|number| is_used[*number as usize] = true);
            let used = (0..).zip(is_used).filter(|(_, is_used)| *is_used).map(|(number, _)| number).collect();
            let is_small = shapes.columns.len() <= SMALL_SHAPES_MAX;
            let small = || numbers.iter().map(|number| *number as u8).collect();
            let sets = ShapeSets::default();
            return Ok(if is_small {
                Self::Small { numbers: small(), used, sets }
            } else {
                Self::Numbers { numbers, used, sets }
            });
        }
        let origins = cursor.codes(n_rows)?;
        if origins.iter().any(|origin| *origin as usize >= n_origins) {
            return Err(Damage("an origin number is out of range"));
        }
        let set = |_| {
            Ok(match cursor.byte()? {
                0 => RowSet::none(n_rows),
                1 => RowSet::all(n_rows),
                _ => {
                    let bytes = cursor.take(n_rows.div_ceil(8))?;
                    let word = |b: &[u8]| b.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
                    RowSet::of_words(bytes.chunks(8).map(word).collect(), n_rows)
                }
            })
        };
        let presence = (0..n_columns).map(set).collect::<Decoded<_>>()?;
        Ok(Self::Columns { origins, presence })
    }

    /// Returns the rows that have column number `column`.
    pub(crate) fn rows_with(&self, column: u32, shapes: &Shapes) -> RowSet {
        if let Self::Small { used, sets, .. } | Self::Numbers { used, sets, .. } = self {
            if sets.is_worth() {
                return self.known_rows_with(column, used, sets, shapes);
            }
            // Most columns are in all rows of a block or in none: of those no row is looked at.
            let n_with = used.iter().filter(|number| has(shapes, **number as usize, column)).count();
            let n_rows = self.n_rows();
            if n_with == 0 || n_with == used.len() {
                return if n_with == 0 { RowSet::none(n_rows) } else { RowSet::all(n_rows) };
            }
        }
        match self {
            Self::Small { numbers, .. } => {
                // Indexed by any byte, so that no bounds are checked: this is asked for every column of every block.
                let mut has = [false; SMALL_SHAPES_MAX];
                let of_shapes = shapes.columns.iter().map(|of| of.binary_search(&column).is_ok());
                has.iter_mut().zip(of_shapes).for_each(|(has, of)| *has = of);
                RowSet::of_slice(numbers, |number| has[usize::from(*number)])
            }
            Self::Numbers { numbers, .. } => {
                let has: Vec<bool> = shapes.columns.iter().map(|of| of.binary_search(&column).is_ok()).collect();
                RowSet::of_slice(numbers, |number| has[*number as usize])
            }
            Self::Columns { presence, .. } => presence[column as usize].clone(),
        }
    }

    /// Returns the rows that have column number `column`, from what `known` keeps.
    fn known_rows_with(&self, column: u32, used: &[u32], known: &ShapeSets, shapes: &Shapes) -> RowSet {
        let n_rows = self.n_rows();
        let with = known.shapes.get_or_init(|| shapes.places_of_columns(used)).get(column);
        if with.is_empty() || with.len() == used.len() {
            return if with.is_empty() { RowSet::none(n_rows) } else { RowSet::all(n_rows) };
        }
        if used.len() > SETS_MAX {
            let rows = known.lists.get_or_init(|| Lists::of(used.len(), self.places(used).into_iter().zip(0..)));
            return RowSet::of_places(n_rows, with.iter().flat_map(|shape| rows.get(*shape)).map(|row| *row as usize));
        }
        let sets = known.sets.get_or_init(|| {
            let mut sets = vec![RowSet::none(n_rows); used.len()];
            self.places(used).into_iter().enumerate().for_each(|(row, place)| sets[place as usize].insert(row));
            sets
        });
        let mut rows = RowSet::none(n_rows);
        with.iter().for_each(|shape| rows.or(&sets[*shape as usize]));
        rows
    }

    /// Returns for each row the place of its shape in `used`.
    fn places(&self, used: &[u32]) -> Vec<u32> {
        let mut places = vec![0; used.last().map_or(0, |last| *last as usize + 1)];
        (0..).zip(used).for_each(|(place, number)| places[*number as usize] = place);
        match self {
            Self::Small { numbers, .. } => numbers.iter().map(|number| places[usize::from(*number)]).collect(),
            Self::Numbers { numbers, .. } => numbers.iter().map(|number| places[*number as usize]).collect(),
            Self::Columns { .. } => Vec::new(),
        }
    }

    /// Returns for each series the columns that its rows have, where `codes` are the series of the rows; `None` where rows of one
    /// have different shapes. Series without rows have none.
    pub(crate) fn columns_of_series<'s>(
        &self,
        codes: &[u32],
        n_series: usize,
        shapes: &'s Shapes,
    ) -> Option<Vec<&'s [u32]>> {
        const NONE: u32 = u32::MAX;
        let mut of_series = vec![NONE; n_series];
        let mut is_same = |code: u32, number: u32| {
            let known = &mut of_series[code as usize];
            if *known == NONE {
                *known = number;
            }
            *known == number
        };
        let is_of_series = match self {
            Self::Small { numbers, .. } => codes.iter().zip(numbers).all(|(code, n)| is_same(*code, u32::from(*n))),
            Self::Numbers { numbers, .. } => codes.iter().zip(numbers).all(|(code, number)| is_same(*code, *number)),
            Self::Columns { .. } => false,
        };
        let columns = |number: u32| if number == NONE { &[][..] } else { &shapes.columns[number as usize][..] };
        is_of_series.then(|| of_series.into_iter().map(columns).collect())
    }

    fn n_rows(&self) -> usize {
        match self {
            Self::Small { numbers, .. } => numbers.len(),
            Self::Numbers { numbers, .. } => numbers.len(),
            Self::Columns { origins, .. } => origins.len(),
        }
    }

    /// Reports whether one of `rows` has column number `column`.
    pub(crate) fn has_any(&self, column: u32, rows: &RowSet, shapes: &Shapes) -> bool {
        match self {
            Self::Small { numbers, .. } => rows.iter().any(|row| has(shapes, usize::from(numbers[row]), column)),
            Self::Numbers { numbers, .. } => rows.iter().any(|row| has(shapes, numbers[row] as usize, column)),
            Self::Columns { presence, .. } => rows.iter().any(|row| presence[column as usize].contains(row)),
        }
    }

    /// Returns the origin of each of `rows`.
    pub(crate) fn origins(&self, rows: &RowSet, shapes: &Shapes) -> Vec<u32> {
        match self {
            Self::Small { numbers, .. } => rows.iter().map(|row| shapes.origins[usize::from(numbers[row])]).collect(),
            Self::Numbers { numbers, .. } => rows.iter().map(|row| shapes.origins[numbers[row] as usize]).collect(),
            Self::Columns { origins, .. } => rows.iter().map(|row| origins[row]).collect(),
        }
    }
}

/// Reports whether rows of shape number `shape` have column number `column`.
fn has(shapes: &Shapes, shape: usize, column: u32) -> bool {
    shapes.columns[shape].binary_search(&column).is_ok()
}

#[cfg(test)]
mod tests;
