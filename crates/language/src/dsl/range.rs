//! `range`: between two values. What is asked of the time of all events becomes the range of the search.

use chrono_tz::Tz;
use plan::{Comparison, Expr, date_math as times, date_value, within};
use serde_json::{Map, Value as Json};
use types::Timestamp;

use super::members::{object, only_member};
use super::reader::Reader;
use super::value_of_json;
use crate::lucene::{Bound, Target};
use crate::mapping::Kind;
use crate::search_error::{Result, SearchError};
use plan::date_math::zone_of;

/// Bounds by their names, and whether each is an upper one and includes its value.
const BOUNDS: [(&str, bool, bool); 4] =
    [("gte", false, true), ("gt", false, false), ("lte", true, true), ("lt", true, false)];

/// Reads the query.
pub(super) fn condition(reader: &mut Reader<'_>, body: &Json, at: &str, is_necessary: bool) -> Result<Option<Expr>> {
    let (name, options) = only_member(body, at)?;
    let at = format!("{at}.{name}");
    let options = object(options, &at)?;
    let bounds = bounds(options, &at)?;
    let format = options.get("format").and_then(Json::as_str);
    let zone = match options.get("time_zone").and_then(Json::as_str) {
        Some(text) => zone_of(text).ok_or_else(|| {
            SearchError::parsing(&at, format!("the time zone [{text}] is not known; name one like Asia/Jakarta"))
        })?,
        None => Tz::UTC,
    };
    if name != "@timestamp" {
        let read = |bound: &Json| times::read(bound, format, reader.now, zone);
        return of_values(&reader.target(name), &bounds, format, read, &at).map(Some);
    }
    let (mut from, mut to) = (i64::MIN, i64::MAX);
    for (bound, is_upper, is_included) in bounds {
        let written = times::read(bound, format, reader.now, zone);
        let written =
            written.ok_or_else(|| SearchError::parsing(&at, format!("{bound} is no time that can be read")))?;
        match (is_upper, is_included) {
            (false, true) => from = from.max(written.first),
            (false, false) => from = from.max(written.last.saturating_add(1)),
            (true, true) => to = to.min(written.last.saturating_add(1)),
            (true, false) => to = to.min(written.first),
        }
    }
    if is_necessary {
        reader.range.from = reader.range.from.max(Timestamp(from));
        reader.range.to = reader.range.to.min(Timestamp(to));
        return Ok(None);
    }
    Ok(Some(within(Box::new(Expr::Field("@timestamp".into())), from, to)))
}

/// Bounds that are there, with what kind each is.
fn bounds<'j>(options: &'j Map<String, Json>, at: &str) -> Result<Vec<(&'j Json, bool, bool)>> {
    let flag = |name: &str| options.get(name).and_then(Json::as_bool).unwrap_or(true);
    let mut found = Vec::new();
    for (name, value) in options {
        let kind = match name.as_str() {
            "from" => Some((false, flag("include_lower"))),
            "to" => Some((true, flag("include_upper"))),
            "format" | "time_zone" | "boost" | "_name" | "relation" | "include_lower" | "include_upper" => None,
            name => match BOUNDS.iter().find(|(known, ..)| *known == name) {
                Some((_, is_upper, is_included)) => Some((*is_upper, *is_included)),
                None => return Err(SearchError::parsing(at, format!("[range] query does not support [{name}]"))),
            },
        };
        if let Some((is_upper, is_included)) = kind
            && !value.is_null()
        {
            found.push((value, is_upper, is_included));
        }
    }
    Ok(found)
}

/// Returns the condition on a field whose values may be numbers, texts or dates.
fn of_values(
    target: &Target,
    bounds: &[(&Json, bool, bool)],
    format: Option<&str>,
    read: impl Fn(&Json) -> Option<times::DateRange>,
    at: &str,
) -> Result<Expr> {
    if bounds.is_empty() {
        return Ok(target.is_there());
    }
    let is_declared_date = matches!(target.kind(), Some(Kind::Date { .. }));
    let is_of_other_times = format.is_some_and(|format| !format.contains("epoch_millis"));
    let mut found = Vec::new();
    for (bound, is_upper, is_included) in bounds {
        let comparison = match (is_upper, is_included) {
            (false, true) => Comparison::GreaterOrEqual,
            (false, false) => Comparison::Greater,
            (true, true) => Comparison::LessOrEqual,
            (true, false) => Comparison::Less,
        };
        let is_date = |text: &str| text.contains("||") || text.starts_with("now") || date_value(text).is_some();
        let is_only_time = is_of_other_times || bound.as_str().is_some_and(is_date);
        let is_text = target.is_keyword() && !target.is_time() && !is_declared_date;
        let time = if is_text { None } else { read(bound) };
        let value = value_of_json(bound).ok_or_else(|| SearchError::parsing(at, format!("{bound} is no value")))?;
        if time.is_none() && is_of_other_times && !is_text {
            return Err(SearchError::parsing(at, format!("{bound} is no time that can be read")));
        }
        let text = value.to_string();
        let why = if is_declared_date && time.is_some() { None } else { target.misfit(&text) };
        if let Some(why) = why.or_else(|| (is_declared_date && time.is_none()).then(|| format!("{bound} is no time"))) {
            return Err(SearchError { kind: "query_shard_exception", reason: format!("[{at}] {why}") });
        }
        let value = (time.is_none() || !is_only_time).then_some(value);
        found.push(Bound { comparison, text, value, time: time.map(|written| (written.first, written.last)) });
    }
    Ok(target.between(found))
}
