//! Metadata of metrics, kept over restarts: documents of kind `metric-metadata` in the control store, each with the metrics whose
//! names have one remainder of their digest, as `{"NAME":["counter","help","unit"]}`.
//!
//! Changed documents are written at an interval, so that a sender that says the same each minute costs nothing. What was said in the
//! seconds before a crash is lost until its sender repeats it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use exposition::KINDS;
pub(crate) use exposition::{Metadata, kind_of_word};
use storage::{Settings, StoreError};
use types::Hold;
use xxhash_rust::xxh3::xxh3_64;

const KIND: &str = "metric-metadata";

/// Documents: with 100,000 metrics, one has about 1,500.
const DOCUMENTS: u64 = 64;

/// A document: type, help and unit by metric.
type Document = BTreeMap<String, (String, String, String)>;

/// What is known of all metrics.
#[derive(Debug, Default)]
pub(crate) struct KnownMetrics {
    pub(crate) metrics: BTreeMap<String, Metadata>,
    /// Numbers of documents that are not written as they are here.
    changed: BTreeSet<u64>,
}

impl KnownMetrics {
    /// Notes what a sender says of a metric.
    pub(crate) fn note(&mut self, metric: &str, metadata: Metadata) {
        if self.metrics.get(metric) == Some(&metadata) {
            return;
        }
        self.changed.insert(document_of(metric));
        self.metrics.insert(metric.to_owned(), metadata);
    }

    /// Adds the metrics of a document that are not known.
    fn add(&mut self, document: Document) {
        for (metric, (kind, help, unit)) in document {
            let kind = kind_of_word(&kind).unwrap_or("unknown");
            self.metrics.entry(metric).or_insert(Metadata { kind, help, unit });
        }
    }

    /// Returns a document as it is here.
    fn document(&self, number: u64) -> Document {
        let of_document = self.metrics.iter().filter(|(metric, _)| document_of(metric) == number);
        let entry = |(metric, of): (&String, &Metadata)| {
            (metric.clone(), (of.kind.to_owned(), of.help.clone(), of.unit.clone()))
        };
        of_document.map(entry).collect()
    }
}

fn document_of(metric: &str) -> u64 {
    xxh3_64(metric.as_bytes()) % DOCUMENTS
}

/// Reads what is written: what was known before the server started, and in a fleet what other nodes were told. Blocks.
pub(crate) fn load(settings: Settings<'_>, known: &Mutex<KnownMetrics>) {
    match settings.read(KIND) {
        Ok(documents) => {
            let mut known = known.hold();
            documents.into_iter().for_each(|(_, document)| known.add(document));
        }
        Err(error) => tracing::warn!(%error, "metadata of metrics not read; senders repeat it"),
    }
}

/// Writes the documents that have changed. Blocks.
///
/// # Errors
/// If the control store does not take one; it is written the next time.
pub(crate) fn save(settings: Settings<'_>, known: &Mutex<KnownMetrics>) -> Result<(), StoreError> {
    let changed = std::mem::take(&mut known.hold().changed);
    for number in &changed {
        let saved = save_one(settings, known, *number);
        if saved.is_err() {
            let mut known = known.hold();
            known.changed.extend(changed.range(*number..).copied());
            return saved;
        }
    }
    Ok(())
}

fn save_one(settings: Settings<'_>, known: &Mutex<KnownMetrics>, number: u64) -> Result<(), StoreError> {
    let name = number.to_string();
    // Other nodes of a fleet write the same documents.
    let stored = settings.get(KIND, &name)?.and_then(|text| serde_json::from_str::<Document>(&text).ok());
    let mut known = known.hold();
    known.add(stored.unwrap_or_default());
    let document = known.document(number);
    drop(known);
    let text = serde_json::to_string(&document).expect("texts are JSON");
    settings.put(KIND, &name, &text)
}

/// Returns Prometheus' word for a type; the numbers are the same in both versions of remote write.
pub(crate) fn kind_of_number(number: u64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| KINDS.get(number)).copied().unwrap_or(KINDS[0])
}

#[cfg(test)]
mod tests;
