//! Rows with named columns that are read when asked for.
//!
//! A frame is either the surviving rows of one block of a run, or the rows of a result in memory. Computed
//! columns lie over what is stored in layers, the last one on top. Names are paths: `items.0.id` reads from the
//! list `items`, and `req` is put together from `req.method`, `req.path` where there is no field of that name.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use plan::fields::is_system;
use plan::{Name, PLACE_FIELDS};
use types::{Addresses, Column, EventId, MISSING_CODE, RowSet, Run, ScanError, Value, path};

use crate::columns::cell::Cell;
use crate::columns::memory::Lease;

/// A run with what is asked of it again and again.
pub struct Source {
    /// The run.
    pub run: Arc<dyn Run>,
    names: OnceLock<Result<Vec<Arc<str>>, ScanError>>,
}

impl Source {
    /// Takes a run.
    pub fn new(run: Arc<dyn Run>) -> Self {
        Self { run, names: OnceLock::new() }
    }

    /// Returns names of the run's fields, sorted.
    pub fn names(&self) -> Result<&[Arc<str>], ScanError> {
        let names = self.names.get_or_init(|| {
            let mut names = self.run.field_names()?;
            names.sort();
            Ok(names)
        });
        names.as_deref().map_err(Clone::clone)
    }

    /// Returns names that begin with `name.`.
    pub fn names_below(&self, name: &str) -> Result<&[Arc<str>], ScanError> {
        let names = self.names()?;
        let from = names.partition_point(|known| known.strip_prefix(name).map_or(**known < *name, |rest| rest < "."));
        let is_below = |known: &&Arc<str>| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let n_below = names[from..].iter().take_while(is_below).count();
        Ok(&names[from..from + n_below])
    }

    /// Reports whether the run has a field of exactly this name.
    pub fn has(&self, name: &str) -> Result<bool, ScanError> {
        Ok(self.names()?.binary_search_by(|known| (**known).cmp(name)).is_ok())
    }
}

/// Rows of one block.
#[derive(Clone)]
pub struct BlockRows<'a> {
    /// What has the block.
    pub source: &'a Source,
    /// The number of the block in it.
    pub block: usize,
    /// Rows of the block.
    pub rows: RowSet,
}

/// What lies over the stored columns.
#[derive(Clone)]
enum Layer {
    /// A column of this name.
    Named(Name, Arc<Column>),
    /// Objects whose members are columns, for the rows that have them.
    Members(Arc<Column>),
}

/// Rows with columns.
#[derive(Clone)]
pub struct Frame<'a> {
    n_rows: usize,
    layers: Vec<Layer>,
    cache: HashMap<Arc<str>, Arc<Column>>,
    block: Option<BlockRows<'a>>,
    /// Memory of the columns that were computed for these rows.
    leases: Vec<Arc<Lease>>,
}

impl<'a> Frame<'a> {
    /// Returns rows of a block.
    pub fn of_block(block: BlockRows<'a>) -> Self {
        Self {
            n_rows: block.rows.count(),
            layers: Vec::new(),
            cache: HashMap::new(),
            block: Some(block),
            leases: Vec::new(),
        }
    }

    /// Returns rows in memory.
    pub fn of_columns(n_rows: usize, columns: Vec<(Name, Arc<Column>)>) -> Self {
        let layers = columns.into_iter().map(|(name, column)| Layer::Named(name, column)).collect();
        Self { n_rows, layers, cache: HashMap::new(), block: None, leases: Vec::new() }
    }

    /// Returns how many rows there are.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Returns the block the rows come from, if they do.
    pub fn block(&self) -> Option<&BlockRows<'a>> {
        self.block.as_ref()
    }

    /// Returns the block whose stored columns these are, with nothing computed over them.
    pub fn stored(&self) -> Option<&BlockRows<'a>> {
        self.block.as_ref().filter(|_| self.layers.is_empty())
    }

    /// Holds memory for as long as these rows are there.
    pub fn add_lease(&mut self, lease: Lease) {
        self.leases.push(Arc::new(lease));
    }

    /// Takes over the memory that other rows hold.
    pub fn take_leases(&mut self, other: &mut Frame<'_>) {
        self.leases.append(&mut other.leases);
    }

    /// Returns the bytes that all leases hold together.
    pub fn leased_bytes(&self) -> usize {
        self.leases.iter().map(|lease| lease.n_bytes()).sum()
    }

    /// Returns how many leases there are, for [`end_leases`](Self::end_leases).
    pub fn n_leases(&self) -> usize {
        self.leases.len()
    }

    /// Ends the leases after the first `n_kept`: the columns that they were for are gone.
    pub fn end_leases(&mut self, n_kept: usize) {
        self.leases.truncate(n_kept);
    }

    /// Gives the rows a column; one of that name, and what lay below it, is hidden.
    pub fn define(&mut self, name: Name, column: Arc<Column>) {
        self.cache.retain(|known, _| !path::is_at_or_below(known, &name));
        self.layers.retain(|layer| !matches!(layer, Layer::Named(known, _) if path::is_at_or_below(known, &name)));
        self.layers.push(Layer::Named(name, column));
    }

    /// Lays the members of objects over the rows that have an object.
    pub fn define_members(&mut self, objects: Arc<Column>) {
        self.cache.clear();
        self.layers.push(Layer::Members(objects));
    }

    /// Keeps the rows at the places `chosen`.
    pub fn retain(&mut self, chosen: &RowSet) {
        if chosen.is_all() {
            return;
        }
        let gathered = |column: &mut Arc<Column>| *column = Arc::new(column.gather(chosen));
        self.cache.values_mut().for_each(gathered);
        for layer in &mut self.layers {
            match layer {
                Layer::Named(_, column) | Layer::Members(column) => gathered(column),
            }
        }
        if let Some(block) = &mut self.block {
            block.rows = block.rows.select(chosen);
        }
        self.n_rows = chosen.count();
    }

    /// Returns how many columns rows in memory have.
    pub fn n_columns(&self) -> usize {
        self.layers.len()
    }

    /// Puts `n_more` rows without any value after rows in memory.
    pub fn extend(&mut self, n_more: usize) {
        debug_assert!(self.block.is_none(), "a block has the rows that it has");
        self.cache.clear();
        for layer in &mut self.layers {
            let (Layer::Named(_, column) | Layer::Members(column)) = layer;
            let values = (0..column.n_rows()).map(|row| column.value(row)).chain(std::iter::repeat_n(None, n_more));
            *column = Arc::new(Column::of_values(values.collect()));
        }
        self.n_rows += n_more;
    }

    /// Puts rows in memory into the order `order`, which may leave some out.
    pub fn reorder(&mut self, order: &[u32]) {
        debug_assert!(self.block.is_none(), "rows of a block keep the order in which they are stored");
        self.cache.clear();
        for layer in &mut self.layers {
            match layer {
                Layer::Named(_, column) | Layer::Members(column) => *column = Arc::new(permute(column, order)),
            }
        }
        self.n_rows = order.len();
    }

    /// Returns the column `name`.
    pub fn column(&mut self, name: &str) -> Result<Arc<Column>, ScanError> {
        if let Some(column) = self.cache.get(name) {
            return Ok(column.clone());
        }
        let column = self.resolve(name)?;
        self.cache.insert(name.into(), column.clone());
        Ok(column)
    }

    /// Returns the column `name`, without keeping it for later.
    pub fn peek(&self, name: &str) -> Result<Arc<Column>, ScanError> {
        self.cache.get(name).map_or_else(|| self.resolve(name), |column| Ok(column.clone()))
    }

    /// Returns the block of which the column `name` is what is stored under this name and nothing else, unless it was
    /// read.
    fn unread(&self, name: &str) -> Result<Option<&BlockRows<'a>>, ScanError> {
        let is_in_list = name.split('.').skip(1).any(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        let block = self.stored().filter(|_| !name.starts_with('@') && !is_in_list && !self.cache.contains_key(name));
        let Some(block) = block else { return Ok(None) };
        Ok(block.source.names_below(name)?.is_empty().then_some(block))
    }

    /// Returns the rows that have a value of `name`, where that is known without reading the column.
    pub fn presence(&self, name: &str) -> Result<Option<RowSet>, ScanError> {
        let Some(block) = self.unread(name)? else { return Ok(None) };
        let rows = block.source.run.presence(block.block, name)?;
        Ok(rows.map(|rows| block.rows.places_of(&rows)))
    }

    /// Returns the column `name` as addresses, where it is stored so.
    pub fn addresses(&self, name: &str) -> Result<Option<Addresses>, ScanError> {
        let Some(block) = self.unread(name)? else { return Ok(None) };
        block.source.run.read_addresses(block.block, name, &block.rows)
    }

    fn resolve(&self, name: &str) -> Result<Arc<Column>, ScanError> {
        let mut over = Vec::new();
        let mut base = None;
        for layer in self.layers.iter().rev() {
            match layer {
                Layer::Named(known, column) if **known == *name => base = Some(column.clone()),
                Layer::Named(known, column) if path::is_at_or_below(name, known) => {
                    base = Some(Arc::new(path::dig_column(column, &name[known.len() + 1..])));
                }
                Layer::Named(..) => {}
                Layer::Members(objects) => over.push(path::dig_column(objects, name)),
            }
            if base.is_some() {
                break;
            }
        }
        let mut column = match base {
            Some(column) => column,
            None => Arc::new(self.read(name)?),
        };
        for upper in over.iter().rev() {
            column = Arc::new(coalesce(upper, &column));
        }
        Ok(column)
    }

    /// Reads what is stored under `name`.
    fn read(&self, name: &str) -> Result<Column, ScanError> {
        let Some(block) = &self.block else { return Ok(Column::Missing { n_rows: self.n_rows }) };
        block.read(name)
    }
}

impl BlockRows<'_> {
    fn read_exactly(&self, name: &str) -> Result<Column, ScanError> {
        let name = if name == "@ptr" { "@id" } else { name };
        let column = self.source.run.read(self.block, &[name], &self.rows)?.into_iter().next();
        Ok(column.unwrap_or(Column::Missing { n_rows: self.rows.count() }))
    }

    /// Reads a part of the places of events.
    fn read_place(&self, name: &str) -> Result<Column, ScanError> {
        let column = self.read_exactly(if name == PLACE_FIELDS[0] { "@timestamp" } else { "@id" })?;
        let number = |row| match Cell::at(&column, row) {
            Cell::Time(nanos) => nanos,
            Cell::Text(id) => match EventId::decode(id) {
                Some(id) if name == PLACE_FIELDS[1] => id.group_id.into(),
                Some(id) => id.sequence.cast_signed(),
                None => 0,
            },
            _ => 0,
        };
        Ok(Column::Integers { values: (0..column.n_rows()).map(number).collect(), present: None })
    }

    /// Reads a field, a path into a list, or an object put together from its members.
    pub fn read(&self, name: &str) -> Result<Column, ScanError> {
        if PLACE_FIELDS.contains(&name) {
            return self.read_place(name);
        }
        let mut column = self.read_exactly(name)?;
        if is_system(name) || is_complete(&column) {
            return Ok(column);
        }
        for (at, _) in name.match_indices('.') {
            let (list, rest) = (&name[..at], &name[at + 1..]);
            if rest.starts_with(|c: char| c.is_ascii_digit()) && self.source.has(list)? {
                let inside = path::dig_column(&self.read_exactly(list)?, rest);
                column = coalesce(&column, &inside);
            }
        }
        let below = self.source.names_below(name)?;
        if below.is_empty() || is_complete(&column) {
            return Ok(column);
        }
        let members: Vec<(&str, Column)> = below
            .iter()
            .map(|member| Ok((&member[name.len() + 1..], self.read_exactly(member)?)))
            .collect::<Result<_, ScanError>>()?;
        Ok(coalesce(&column, &path::assemble(&members, self.rows.count())))
    }
}

/// Reports whether surely every row has a value.
fn is_complete(column: &Column) -> bool {
    match column {
        Column::Missing { n_rows } => *n_rows == 0,
        Column::Timestamps(_) => true,
        Column::Integers { present, .. } | Column::Floats { present, .. } | Column::Strings { present, .. } => {
            present.as_ref().is_none_or(RowSet::is_all)
        }
        Column::Dictionary { codes, .. } => !codes.contains(&MISSING_CODE),
        Column::Mixed(values) => values.iter().all(Option::is_some),
    }
}

/// Returns the values of `upper`, where it has none those of `lower`.
pub fn coalesce(upper: &Column, lower: &Column) -> Column {
    if matches!(lower, Column::Missing { .. }) || is_complete(upper) {
        return upper.clone();
    }
    if upper.presence().is_empty() {
        return lower.clone();
    }
    Column::of_values((0..upper.n_rows()).map(|row| upper.value(row).or_else(|| lower.value(row))).collect())
}

/// Returns the rows of a column in the order `order`.
pub fn permute(column: &Column, order: &[u32]) -> Column {
    match column {
        Column::Missing { .. } => Column::Missing { n_rows: order.len() },
        Column::Timestamps(values) => Column::Timestamps(order.iter().map(|row| values[*row as usize]).collect()),
        Column::Dictionary { codes, values } => {
            Column::Dictionary { codes: order.iter().map(|row| codes[*row as usize]).collect(), values: values.clone() }
        }
        Column::Integers { values, present: None } => {
            Column::Integers { values: order.iter().map(|row| values[*row as usize]).collect(), present: None }
        }
        Column::Strings { values, present: None } => {
            Column::Strings { values: values.gather(order.iter().map(|row| *row as usize)), present: None }
        }
        other => Column::Mixed(order.iter().map(|row| other.value(*row as usize)).collect()),
    }
}

/// Returns a column of booleans.
pub fn booleans(rows: &RowSet) -> Column {
    let mut codes = vec![0; rows.n_rows()];
    rows.iter().for_each(|row| codes[row] = 1);
    Column::Dictionary { codes, values: Arc::new(vec![Value::Boolean(false), Value::Boolean(true)]) }
}
