//! Archives, asked where they are: folders and buckets of packed text, tables, documents and Parquet, as runs that pass by once.
//!
//! [`inputs()`] finds the files, [`FileFeed`] lets their events pass by. Text is read in pieces and parsed by several threads; of
//! Parquet only the columns that are asked for are read, row group by row group. A member that cannot be read is an error of its own,
//! and the others go through.

mod columnar;
mod feed;
mod inputs;
mod journal;
mod names;
mod reader;
mod rewrite;
mod served;

pub use feed::FileFeed;
pub use files::bucket::Bucket;
pub use inputs::{Input, InputError, inputs, is_passing, leave_out, names_object, object, objects};
pub use reader::{open_lines, open_text};
pub use served::ServedArchives;

#[cfg(test)]
mod tests;
