//! The limit of a group of rules, as Prometheus reads it.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Most alerts or series of each rule of a group; 0 for no limit.
#[derive(Clone, Copy)]
pub(super) struct GroupLimit(pub(super) usize);

impl<'de> Deserialize<'de> for GroupLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitVisitor)
    }
}

struct LimitVisitor;

impl Visitor<'_> for LimitVisitor {
    type Value = GroupLimit;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a whole number")
    }

    /// Takes a negative number as no limit.
    fn visit_i64<E: Error>(self, limit: i64) -> Result<GroupLimit, E> {
        Ok(GroupLimit(usize::try_from(limit).unwrap_or(0)))
    }

    fn visit_u64<E: Error>(self, limit: u64) -> Result<GroupLimit, E> {
        let limit = i64::try_from(limit).map_err(|_| E::invalid_value(Unexpected::Unsigned(limit), &self))?;
        self.visit_i64(limit)
    }

    /// Cuts off the fraction, as Prometheus does.
    fn visit_f64<E: Error>(self, limit: f64) -> Result<GroupLimit, E> {
        match limit.abs() < i64::MAX as f64 {
            true => self.visit_i64(limit as i64),
            false => Err(E::invalid_value(Unexpected::Float(limit), &self)),
        }
    }
}
