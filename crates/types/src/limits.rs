//! The limits that keep one sender or one query from hurting the rest.

/// Limits on what comes in and on what a query may use; `[limits]` in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most log groups; events of further ones go to the group `overflow`.
    pub groups: usize,
    /// Longest text of one event in bytes; longer texts are split into parts.
    pub event_bytes_max: usize,
    /// Largest request body in bytes after decompression.
    pub body_bytes_max: usize,
    /// Most fields of one event.
    pub fields_max: usize,
    /// Deepest nesting of one event.
    pub nesting_max: usize,
    /// Longest value of one field in bytes.
    pub field_bytes_max: usize,
    /// How far in nanoseconds a time may lie ahead of the server's clock.
    pub future_ns_max: i64,
    /// Memory in bytes that one query may hold.
    pub query_memory_bytes: usize,
    /// Memory in bytes that all queries may hold together; `[query] memory_total`.
    pub queries_memory_bytes: usize,
    /// Nanoseconds that one query may run.
    pub query_timeout_ns: i64,
    /// Memory in bytes for partial results that are kept for later queries; `[query] cache`.
    pub query_cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            groups: 10_000,
            event_bytes_max: 1 << 20,
            body_bytes_max: 64 << 20,
            fields_max: 1_000,
            nesting_max: 64,
            field_bytes_max: 64 << 10,
            future_ns_max: 24 * crate::Timestamp::HOUR,
            query_memory_bytes: 256 << 20,
            queries_memory_bytes: 512 << 20,
            query_timeout_ns: 60 * crate::Timestamp::SECOND,
            query_cache_bytes: 64 << 20,
        }
    }
}
