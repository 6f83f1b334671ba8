//! Makes events durable (WAL), searchable (hot events, segments), knows which segments exist (catalog), and
//! hands out snapshots. The only crate that names tantivy, and the only one that writes below the data directory.
