//! What a query has read of a run.

use std::sync::OnceLock;

use super::block_cache::{BlockCache, LiteralCache};
use crate::field_filter::FieldFilter;
use crate::needle::Needle;
use crate::shape::BlockShapes;
use crate::template::{Kinds, TemplateMatch};
use crate::texts::{RequirementSet, TemplateIds};

/// What a query has read of a run and may ask for again. Many queries ask a run nothing but whether it may hold a text.
#[derive(Default)]
pub(super) struct Recent {
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
