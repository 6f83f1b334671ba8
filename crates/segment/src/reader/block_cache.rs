//! What a run keeps during a query, within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use crate::error::Result;
use types::Hold;

/// What of blocks a run keeps for the next field that a query asks for: one block for each of a few threads.
const RECENT_BLOCKS_MAX: usize = 4;

/// Literals for which a run keeps what it found; a query has a handful.
const LITERALS_MAX: usize = 16;

/// What was read of the last `N` blocks: a query asks for several fields of a block, one after the other.
pub(super) struct BlockCache<T, const N: usize = RECENT_BLOCKS_MAX>(Mutex<VecDeque<(usize, Arc<T>)>>);

impl<T, const N: usize> Default for BlockCache<T, N> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T, const N: usize> BlockCache<T, N> {
    pub(super) fn get(&self, block: usize, read: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let lock = || self.0.hold();
        let known = lock().iter().find(|(known, _)| *known == block).map(|(_, value)| value.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let value = Arc::new(read()?);
        let mut recent = lock();
        recent.truncate(N.saturating_sub(1));
        recent.push_front((block, value.clone()));
        Ok(value)
    }
}

/// An answer for each literal that a query asks for, with whether case is ignored.
pub(super) struct LiteralCache<T>(Mutex<Vec<(String, bool, Arc<T>)>>);

impl<T> Default for LiteralCache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> LiteralCache<T> {
    pub(super) fn get(&self, literal: &str, ignores_case: bool, answer: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        // A poisoned lock only means that another query thread panicked; the list is still whole.
        let lock = || self.0.hold();
        let is_same = |(text, case, _): &&(String, bool, Arc<T>)| text == literal && *case == ignores_case;
        let known = lock().iter().find(is_same).map(|(.., answer)| answer.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = Arc::new(answer()?);
        let mut known = lock();
        if known.len() >= LITERALS_MAX {
            known.remove(0);
        }
        known.push((literal.to_owned(), ignores_case, answer.clone()));
        Ok(answer)
    }
}
