//! Events of runs, block by block: conditions, indexes, order, and the rows that are shown.

pub(crate) mod ahead;
pub(crate) mod fingerprint;
pub(crate) mod matches;
pub(crate) mod pace;
pub(crate) mod parts;
pub(crate) mod probed;
pub(crate) mod row_order;
pub(crate) mod row_reader;
pub(crate) mod rows;
pub(crate) mod scanner;
pub(crate) mod screen;
pub(crate) mod selection;
pub(crate) mod simplify;
pub(crate) mod stages;
pub(crate) mod steps;
pub(crate) mod workers;
