//! Compound queries: `bool` and its relatives. Queries of one field are in `leaf`.

use serde_json::Value as Json;
use types::{TimeRange, Timestamp};

use super::members::{object, only_member};
use super::minimum::{at_least, minimum};
use super::reader::Reader;
use super::{CLAUSES_MAX, NESTING_MAX, Selection, highlight, keys, leaf};
use crate::logic::{never, not};
use crate::mapping::{Schema, of_groups};
use crate::search_error::{Result, SearchError};
use plan::balanced;
use plan::{Expr, Operator};

/// What can be asked for, as errors say it.
const QUERIES: &str = "bool, match, match_phrase, match_phrase_prefix, match_bool_prefix, multi_match, term, terms, \
    range, exists, prefix, wildcard, regexp, fuzzy, query_string, simple_query_string, ids, match_all, match_none, \
    constant_score, dis_max";

/// Reads a query; without one every event is meant. `now` is what times count from, `schema` says what fields are
/// declared to be.
pub fn parse_query(query: Option<&Json>, now: Timestamp, schema: &Schema) -> Result<Selection> {
    let mut reader = Reader::new(now, schema);
    let condition = query.map(|query| reader.clause(query, "query", 0, true)).transpose()?.flatten();
    let marks = condition.as_ref().map(highlight::marks).unwrap_or_default();
    // Never a range that ends before it begins.
    let range = TimeRange { from: reader.range.from, to: reader.range.to.max(reader.range.from) };
    Ok(Selection { operators: condition.map(Operator::Filter).into_iter().collect(), range, marks })
}

impl Reader<'_> {
    /// Reads one query. `is_necessary`: no event is meant for which it does not hold.
    pub fn clause(&mut self, json: &Json, at: &str, nesting: usize, is_necessary: bool) -> Result<Option<Expr>> {
        self.n_clauses += 1;
        if self.n_clauses > CLAUSES_MAX {
            let reason = format!("the query has more than {CLAUSES_MAX} clauses");
            return Err(SearchError { kind: "too_many_clauses", reason });
        }
        if nesting > NESTING_MAX {
            let reason = format!("the query is nested more than {NESTING_MAX} deep");
            return Err(SearchError { kind: "too_many_nested_clauses", reason });
        }
        let (kind, body) = only_member(json, at)?;
        let inside = format!("{at}.{kind}");
        keys::check_query(kind, body, &inside)?;
        match kind {
            "match_all" => Ok(None),
            "match_none" => Ok(Some(never())),
            "bool" => self.all_of(body, &inside, nesting, is_necessary),
            "constant_score" => match body.get("filter") {
                Some(filter) => self.clause(filter, &format!("{inside}.filter"), nesting + 1, is_necessary),
                None => Err(SearchError::parsing(&inside, "needs a [filter]")),
            },
            "dis_max" => self.one_of(body, &inside, nesting),
            _ => {
                let mut found = Vec::with_capacity(self.schema.n_mappings());
                for mapping in 0..self.schema.n_mappings() {
                    self.mapping = mapping;
                    let Some(condition) = leaf::condition(self, kind, body, &inside, is_necessary)? else {
                        let message = format!("query [{kind}] is not supported; supported are {QUERIES}");
                        return Err(SearchError::parsing(at, message));
                    };
                    found.push(condition);
                }
                Ok(of_groups(self.schema, found))
            }
        }
    }

    fn all_of(&mut self, body: &Json, at: &str, nesting: usize, is_necessary: bool) -> Result<Option<Expr>> {
        let members = object(body, at)?;
        let (mut must, mut should, mut least) = (Vec::new(), Vec::new(), None);
        let (mut has_should, mut holds_always, mut has_must) = (0, 0, false);
        for (name, part) in members {
            let clauses = match part {
                Json::Array(clauses) => clauses.iter().collect(),
                one => vec![one],
            };
            let place = |index: usize| format!("{at}.{name}[{index}]");
            match name.as_str() {
                "must" | "filter" => {
                    for (index, clause) in clauses.into_iter().enumerate() {
                        has_must = true;
                        must.extend(self.clause(clause, &place(index), nesting + 1, is_necessary)?);
                    }
                }
                "must_not" => {
                    for (index, clause) in clauses.into_iter().enumerate() {
                        must.push(not(self.clause(clause, &place(index), nesting + 1, false)?));
                    }
                }
                "should" => {
                    for (index, clause) in clauses.into_iter().enumerate() {
                        has_should += 1;
                        match self.clause(clause, &place(index), nesting + 1, false)? {
                            Some(condition) => should.push(condition),
                            None => holds_always += 1,
                        }
                    }
                }
                "minimum_should_match" => least = Some(part),
                "boost" | "_name" | "adjust_pure_negative" | "disable_coord" => {}
                other => return Err(SearchError::parsing(at, format!("[bool] query does not support [{other}]"))),
            }
        }
        let least = least.map(|written| minimum(written, has_should, at)).transpose()?.unwrap_or(0);
        // Where nothing must hold, one of what should hold must.
        let least = least.max(usize::from(!has_must && has_should > 0));
        must.extend(at_least(least.saturating_sub(holds_always), should));
        Ok((!must.is_empty()).then(|| balanced(must, Expr::And)))
    }

    fn one_of(&mut self, body: &Json, at: &str, nesting: usize) -> Result<Option<Expr>> {
        let Some(Json::Array(queries)) = body.get("queries") else {
            return Err(SearchError::parsing(at, "needs a list of [queries]"));
        };
        let mut conditions = Vec::new();
        for (index, query) in queries.iter().enumerate() {
            match self.clause(query, &format!("{at}.queries[{index}]"), nesting + 1, false)? {
                Some(condition) => conditions.push(condition),
                None => return Ok(None),
            }
        }
        Ok(Some(if conditions.is_empty() { never() } else { balanced(conditions, Expr::Or) }))
    }
}
