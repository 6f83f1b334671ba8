//! The registry of scrolls: their progress, and whether they were closed.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use lru::LruCache;
use serde_json::Value as Json_;
use types::Hold;

/// Limit on the scrolls in the registry; the least recently used one is removed first.
const SCROLLS_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("4,096 is not 0");

/// Sort values and id of the last hit; `None` at the end.
pub(super) type Last = Option<(Vec<Json_>, String)>;

/// The progress of a scroll.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) last: Last,
    pub(super) page: u64,
}

/// A scroll in the registry.
#[derive(Debug, Default)]
pub(super) struct Scroll {
    /// Locked while a page is read: two requests at once get two pages.
    pub(super) progress: Mutex<Progress>,
    pub(super) is_closed: AtomicBool,
}

/// The progress of all scrolls, by their keys.
#[derive(Debug)]
pub(crate) struct ScrollRegistry(Mutex<LruCache<String, Arc<Scroll>>>);

impl Default for ScrollRegistry {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(SCROLLS_MAX)))
    }
}

impl ScrollRegistry {
    /// Returns a scroll. An unknown one is added with the progress `begun`, if given.
    pub(super) fn scroll(&self, key: &str, begun: Option<Progress>) -> Option<Arc<Scroll>> {
        let mut scrolls = self.0.hold();
        let begin = || {
            let progress = Mutex::new(begun.ok_or(())?);
            Ok::<_, ()>(Arc::new(Scroll { progress, is_closed: AtomicBool::new(false) }))
        };
        scrolls.try_get_or_insert_ref(key, begin).ok().cloned()
    }
}
