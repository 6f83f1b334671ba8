//! Where a store's bytes are kept: files that are durable (`disk`), objects of a bucket (`objects`), and what is kept at hand of
//! those that are read (`read_cache`, `remote_source`); and the points at which a test makes any of it fail (`fault`).

pub mod disk;
pub mod fault;
pub mod objects;
pub mod read_cache;
pub mod remote_source;

#[cfg(test)]
use objects::ObjectStoreOptions;
