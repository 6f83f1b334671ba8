//! The registry of scrolls: their progress, and whether they were closed.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use serde_json::Value as Json_;
use types::Hold;

/// Limit on the scrolls in the registry; the least recently used one is removed first.
const SCROLLS_MAX: usize = 4_096;

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

/// Scrolls by their keys, and the time of their last use.
#[derive(Debug, Default)]
struct Scrolls {
    by_key: HashMap<String, (Arc<Scroll>, u64)>,
    n_uses: u64,
}

/// The progress of all scrolls.
#[derive(Debug, Default)]
pub(crate) struct ScrollRegistry(Mutex<Scrolls>);

impl ScrollRegistry {
    /// Returns a scroll. An unknown one is added with the progress `begun`, if given.
    pub(super) fn scroll(&self, key: &str, begun: Option<Progress>) -> Option<Arc<Scroll>> {
        let mut scrolls = self.0.hold();
        scrolls.n_uses += 1;
        let now = scrolls.n_uses;
        if let Some((scroll, used)) = scrolls.by_key.get_mut(key) {
            *used = now;
            return Some(scroll.clone());
        }
        let scroll = Arc::new(Scroll { progress: Mutex::new(begun?), is_closed: AtomicBool::new(false) });
        if scrolls.by_key.len() >= SCROLLS_MAX {
            let oldest = scrolls.by_key.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            oldest.map(|key| scrolls.by_key.remove(&key));
        }
        scrolls.by_key.insert(key.to_owned(), (scroll.clone(), now));
        Some(scroll)
    }
}
