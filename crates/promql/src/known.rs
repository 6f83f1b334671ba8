//! Queries that were read lately: dashboards ask the same ones again and again.
//!
//! `promql-parser` unpacks the tables of its grammar for every query, which takes longer than the evaluation of many.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::error::ParseError;
use crate::parse::parse;
use crate::syntax::Node;

/// Most queries that are kept, and the longest text of one.
const QUERIES_MAX: usize = 256;
const TEXT_BYTES_MAX: usize = 4096;

/// Queries by their texts.
#[derive(Default)]
struct KnownQueries {
    queries: HashMap<Arc<str>, (Arc<Node>, u64)>,
    /// How often one was asked for: what each query keeps of its last time.
    n_asked: u64,
}

static KNOWN: LazyLock<Mutex<KnownQueries>> = LazyLock::new(Mutex::default);

/// Reads and checks a query, unless that was done lately.
pub(crate) fn read(text: &str) -> Result<(Arc<str>, Arc<Node>), ParseError> {
    if text.len() > TEXT_BYTES_MAX {
        return Ok((text.into(), Arc::new(parse(text)?)));
    }
    if let Some(found) = lock().get(text) {
        return Ok(found);
    }
    let (text, node): (Arc<str>, Arc<Node>) = (text.into(), Arc::new(parse(text)?));
    lock().put(text.clone(), node.clone());
    Ok((text, node))
}

fn lock() -> std::sync::MutexGuard<'static, KnownQueries> {
    // Nothing is left half done where a thread may panic.
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KnownQueries {
    fn get(&mut self, text: &str) -> Option<(Arc<str>, Arc<Node>)> {
        self.n_asked += 1;
        let (known, _) = self.queries.get_key_value(text)?;
        let known = known.clone();
        let (node, last) = self.queries.get_mut(text)?;
        *last = self.n_asked;
        Some((known, node.clone()))
    }

    /// Keeps a query in the place of the one that was not asked for longest.
    fn put(&mut self, text: Arc<str>, node: Arc<Node>) {
        if self.queries.len() >= QUERIES_MAX {
            let oldest = self.queries.iter().min_by_key(|(_, (_, last))| *last).map(|(text, _)| text.clone());
            oldest.map(|text| self.queries.remove(&text));
        }
        self.queries.insert(text, (node, self.n_asked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_that_was_not_asked_for_longest_goes() {
        let mut known = KnownQueries::default();
        let node = Arc::new(parse("up").expect("a query"));
        for number in 0..QUERIES_MAX {
            known.put(format!("up + {number}").into(), node.clone());
            assert!(known.get("up + 0").is_some());
        }
        known.put("up - 1".into(), node);
        assert_eq!(known.queries.len(), QUERIES_MAX);
        assert!(known.get("up + 0").is_some() && known.get("up + 1").is_none() && known.get("up + 2").is_some());
    }

    #[test]
    fn a_query_is_read_once_and_a_mistake_each_time() {
        let (_, first) = read("sum(rate(only_here[5m]))").expect("a query");
        let (_, again) = read("sum(rate(only_here[5m]))").expect("a query");
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(
            read("sum(").map(drop).map_err(|error| error.span),
            read("sum(").map(drop).map_err(|error| error.span)
        );
    }
}
