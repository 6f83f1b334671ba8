//! Columns of rows in memory: frames, cells, paths, keys, and the memory that they take.

pub(crate) mod cell;
pub(crate) mod frame;
pub(crate) mod key;
pub(crate) mod memory;
pub(crate) mod order_key;
pub(crate) mod place;
pub(crate) mod row_columns;
pub(crate) mod stop;
pub(crate) mod value_size;
