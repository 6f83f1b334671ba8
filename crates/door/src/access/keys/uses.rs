//! When keys were last used: noted in memory with each request, written down once a minute for all keys together.
//!
//! They are one document, apart from those of the keys, so that nodes of a fleet that write it at the same time can neither
//! restore a revoked key nor lose an expiry. Where two nodes noted the use of one key, the later time is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use types::{Hold, Timestamp};

use super::key::{Key, USES_KIND, USES_NAME, read_uses};
use super::{KIND, KeyError, Keys, as_json};

/// How long an expired key is kept, so that it can be named to those who still use it.
const EXPIRED_KEPT_NS: i64 = 30 * Timestamp::DAY;

impl Keys {
    pub(super) fn note_use(&self, key: &Key, now: Timestamp) {
        if key.used_ns.fetch_max(now.0, Ordering::Relaxed) == i64::MIN {
            let first = (key.id.clone(), key.caller.name.clone());
            self.first_uses.hold().push(first);
            self.has_first_uses.store(true, Ordering::Release);
        }
        self.has_unsaved_uses.store(true, Ordering::Release);
    }

    /// Keys that were used for the first time since this was asked last.
    pub fn take_first_uses(&self) -> Vec<(String, Arc<str>)> {
        if !self.has_first_uses.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *self.first_uses.hold())
    }

    /// Reports whether uses are to be saved and the caller is to do it soon; others are told no until it is done.
    pub fn take_save_of_uses(&self) -> bool {
        self.has_unsaved_uses.load(Ordering::Acquire) && !self.is_save_planned.swap(true, Ordering::AcqRel)
    }

    /// Writes down when keys were used, if any was; and forgets keys that expired long ago. Blocks.
    ///
    /// # Errors
    /// If the control store does not take it; then the next use brings another attempt.
    pub fn keep_uses(&self, now: Timestamp) -> Result<(), KeyError> {
        let _changes = self.changes.hold();
        self.is_save_planned.store(false, Ordering::Release);
        let is_over = |key: &Key| key.caller.validity.ends().is_some_and(|ends| ends.0 < now.0 - EXPIRED_KEPT_NS);
        let keys: Vec<Arc<Key>> = self.book().keys.values().cloned().collect();
        for key in keys.iter().filter(|key| is_over(key)) {
            self.store.settings().remove(KIND, &key.id)?;
            self.book_mut().keys.remove(&key.id);
        }
        if !self.has_unsaved_uses.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let saved = read_uses(&self.store).and_then(|saved| {
            let used = |key: &Arc<Key>| key.used().max(saved.get(&key.id).copied()).map(|ns| (key.id.clone(), ns));
            let uses: BTreeMap<String, i64> = keys.iter().filter(|key| !is_over(key)).filter_map(used).collect();
            self.store.settings().put(USES_KIND, USES_NAME, &as_json(&uses))
        });
        saved.inspect_err(|_| self.has_unsaved_uses.store(true, Ordering::Release))?;
        Ok(())
    }
}
