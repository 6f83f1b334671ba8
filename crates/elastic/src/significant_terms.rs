//! `significant_terms`: values that are more frequent among the events of a bucket than among all events of the indices.

use serde_json::Value as Json;

use super::BUCKETS_MAX;
use super::operands::{named, number};
use super::terms::{self, SIZE_DEFAULT};
use language::dsl::{Reader, object};
use language::search_error::{Result, SearchError};
use plan::Expr;

/// Default for the least number of events of a value, as in Elasticsearch.
const LEAST_DEFAULT: usize = 3;

/// The measure of significance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Score {
    /// The absolute growth of the share times its relative growth.
    Growth,
    /// The share of the value's events that are in the bucket.
    Share,
}

/// A `significant_terms` aggregation.
#[derive(Clone, Debug)]
pub(super) struct SignificantTerms {
    pub(super) value: Expr,
    pub(super) filter: Option<Expr>,
    /// The condition of the background; `None` for all events.
    pub(super) background: Option<Expr>,
    pub(super) size: usize,
    pub(super) least: u64,
    pub(super) score: Score,
}

/// Reads `significant_terms`.
pub(super) fn parse(reader: &mut Reader<'_>, body: &Json, at: &str) -> Result<SignificantTerms> {
    let members = object(body, at)?;
    let field = named(members.get("field"), "field", at)?;
    if let Some(name) = ["mutual_information", "chi_square", "gnd", "script_heuristic", "p_value"]
        .into_iter()
        .find(|name| members.contains_key(*name))
    {
        return Err(SearchError::parsing(at, format!("[{name}] is not supported; jlh and percentage are")));
    }
    let value = reader.schema.value(field)?;
    let filter = terms::included(reader, members, &value, at)?;
    let background = match members.get("background_filter").filter(|filter| !filter.is_null()) {
        Some(filter) => reader.clause(filter, &format!("{at}.background_filter"), 0, false)?,
        None => None,
    };
    Ok(SignificantTerms {
        value,
        filter,
        background,
        size: number(members.get("size"), at)?.unwrap_or(SIZE_DEFAULT).clamp(1, BUCKETS_MAX),
        least: number(members.get("min_doc_count"), at)?.unwrap_or(LEAST_DEFAULT) as u64,
        score: if members.contains_key("percentage") { Score::Share } else { Score::Growth },
    })
}

/// The number of events with a value, and of all events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frequency {
    pub(super) n: u64,
    pub(super) of: u64,
}

impl Score {
    pub(super) fn of(self, inside: Frequency, background: Frequency) -> f64 {
        if inside.of == 0 || background.of == 0 {
            return 0.0;
        }
        let share = inside.n as f64 / inside.of as f64;
        let usual = background.n.max(1) as f64 / background.of as f64;
        match self {
            Self::Growth if share > usual => (share - usual) * (share / usual),
            Self::Growth => 0.0,
            Self::Share => inside.n as f64 / background.n.max(1) as f64,
        }
    }
}
