//! Anomaly detectors: how the band of a metric, or of an expression over metrics, is made.
//!
//! A detector is a document of the control store, which all nodes of a fleet share. It holds no model: a band is made of the data of
//! a metric when it is asked for (`band`), with a detector or without one. A detector says which ranges are left out, which zone
//! hours are counted in, and whether spikes are expected.

pub(super) mod definition;
mod operations;

pub(super) use self::operations::{carry_out, role_of};
