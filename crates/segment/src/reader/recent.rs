//! What a query has read of a run.

use std::sync::{Arc, OnceLock};

use types::{Examples, SampleStreams, Value};

use super::block_cache::{BlockCache, LiteralCache};
use crate::column_filter::ColumnFilter;
use crate::field_filter::FieldFilter;
use crate::needle::Needle;
use crate::shape::{BlockShapes, Shapes};
use crate::template::{Kinds, TemplateMatch};
use crate::texts::{RequirementSet, TemplateIds, Vocabulary};

/// What a query has read of a run and may ask for again. Many queries ask a run nothing but whether it may hold a text.
#[derive(Default)]
pub(super) struct Recent {
    pub(super) shapes: OnceLock<Arc<Shapes>>,
    pub(super) vocabulary: OnceLock<Arc<Vocabulary>>,
    pub(super) examples: OnceLock<Arc<Examples>>,
    /// Over the messages.
    pub(super) filter: OnceLock<Arc<Vec<u8>>>,
    /// `None` where not all events are samples.
    pub(super) stream_column: OnceLock<Option<StreamColumn>>,
    columns: OnceLock<Box<[RecentColumn]>>,
    /// The literals asked, made ready.
    pub(super) questions: LiteralCache<LiteralQuery>,
    /// What the run's templates say of each literal asked, so that each is asked once and not for each block.
    pub(super) matches: LiteralCache<TemplateMatches>,
    /// By column, whether the run's dictionary of it holds a literal.
    pub(super) dictionary_matches: LiteralCache<Vec<OnceLock<bool>>>,
    pub(super) shapes_of_blocks: BlockCache<BlockShapes>,
    pub(super) templates_of_blocks: BlockCache<TemplateIds>,
    /// The times of one block: they take the most room, and ids, messages and ranges all need them.
    pub(super) times_of_block: BlockCache<Vec<i64>, 1>,
    pub(super) filters_of_blocks: BlockCache<FieldFilter>,
}

/// What was read of a field of a run as a whole.
#[derive(Default)]
pub(super) struct RecentColumn {
    pub(super) dictionary: OnceLock<Arc<Vec<Value>>>,
    pub(super) filter: OnceLock<Arc<ColumnFilter>>,
}

impl Recent {
    /// Returns what was read of field number `index` of `n_columns`.
    pub(super) fn column(&self, index: usize, n_columns: usize) -> &RecentColumn {
        &self.columns.get_or_init(|| (0..n_columns).map(|_| RecentColumn::default()).collect())[index]
    }
}

/// The streams of a run of samples.
#[derive(Clone, Debug)]
pub(super) struct StreamColumn {
    /// The number of their column.
    pub(super) number: usize,
    /// By their codes.
    pub(super) streams: Arc<SampleStreams>,
}

/// What templates say of a literal.
pub(super) struct TemplateMatches {
    /// By template number.
    pub(super) holds: Vec<TemplateMatch>,
    /// Reports whether any of them is certain.
    pub(super) any_certain: bool,
    /// Reports whether it may reach beyond a variable of any of them.
    pub(super) any_doubtful: bool,
    /// Kinds of variables of any of them that may hold it.
    pub(super) within: Kinds,
    /// What those in doubt demand of their variables; found out where a block has such.
    pub(super) sought: OnceLock<RequirementSet>,
}

/// A text that a query looks for.
pub(super) struct LiteralQuery {
    pub(super) needle: Needle,
    /// See [`Needle::pieces`].
    pub(super) pieces: Vec<Needle>,
}
