//! Expressions and functions over columns.

pub mod address;
pub mod any;
pub mod each;
pub mod elements;
pub mod environment;
pub mod expression;
pub mod functions;
pub mod lookup;
pub mod matching;
pub mod parse;
pub mod partners;
pub mod probe;
pub mod warnings;
