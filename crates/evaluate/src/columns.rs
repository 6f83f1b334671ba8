//! Columns of rows in memory: frames, cells, paths, keys, and the memory that they take.

pub mod cell;
pub mod frame;
pub mod key;
pub mod memory;
pub mod order_key;
pub mod place;
pub mod row_columns;
pub mod stop;
pub mod value_size;
