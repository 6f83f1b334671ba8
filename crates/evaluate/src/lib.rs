//! Evaluates expressions over columns of rows.
//!
//! A [`frame`](columns::frame) holds columns of a block that were read; an
//! [`expression`](expressions::expression) is prepared once for a query and then gives a value for each row of a frame.
//! What both may use is counted by a [`budget`]. Nothing here knows where rows come from or what is made of them.

pub mod budget;
pub mod columns;
pub mod expressions;
