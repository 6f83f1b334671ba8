//! The bytes of a store: durable files (`disk`), objects in a bucket (`objects`), a cache of objects on disk
//! (`read_cache`), readers that use it (`remote_source`), buckets of others (`bucket`), and the points at which tests make these fail (`fault`).

pub mod bucket;
pub mod disk;
pub mod fault;
pub mod objects;
pub mod read_cache;
pub mod remote_source;

#[cfg(test)]
use objects::ObjectStoreOptions;
