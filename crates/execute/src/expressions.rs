//! Expressions and functions over columns.

pub(crate) mod address;
pub(crate) mod any;
pub(crate) mod each;
pub(crate) mod elements;
pub(crate) mod environment;
pub(crate) mod expression;
pub(crate) mod functions;
pub(crate) mod lookup;
pub(crate) mod matching;
pub(crate) mod parse;
pub(crate) mod partners;
pub(crate) mod probe;
pub(crate) mod warnings;
