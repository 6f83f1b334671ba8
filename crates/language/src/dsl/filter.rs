//! Compound queries: `bool` and its relatives. What one field is asked for stands in `leaf`.

use serde_json::{Map, Value as Json};
use types::{TimeRange, Timestamp, Value};

use super::{CLAUSES_MAX, NESTING_MAX, Selection, both, highlight, keys, leaf, never, not};
use crate::lucene::condition::{Analysis, Target};
use crate::mapping::{Schema, of_groups};
use crate::search_error::SearchError;
use plan::balanced;
use plan::function::Function;
use plan::regular_expression::{REGEXES_MAX, compile_regex};
use plan::{ArithmeticOperator, Comparison, Expr, Operator};

/// What can be asked for, as errors say it.
const QUERIES: &str = "bool, match, match_phrase, match_phrase_prefix, match_bool_prefix, multi_match, term, terms, \
    range, exists, prefix, wildcard, regexp, fuzzy, query_string, simple_query_string, ids, match_all, match_none, \
    constant_score, dis_max";

/// Reads a query; without one every event is meant. `now` is what times count from, `schema` says what fields are declared
/// to be.
pub fn parse_query(query: Option<&Json>, now: Timestamp, schema: &Schema) -> Result<Selection, SearchError> {
    let mut reader = Reader::new(now, schema);
    let condition = query.map(|query| reader.clause(query, "query", 0, true)).transpose()?.flatten();
    let marks = condition.as_ref().map(highlight::marks).unwrap_or_default();
    // Never a range that ends before it begins.
    let range = TimeRange { from: reader.range.from, to: reader.range.to.max(reader.range.from) };
    Ok(Selection { operators: condition.map(Operator::Filter).into_iter().collect(), range, marks })
}

/// Turns queries into conditions. `None` is one that always holds.
pub struct Reader<'s> {
    /// The time that `now` means.
    pub now: Timestamp,
    /// The mappings that decide how fields are searched.
    pub schema: &'s Schema,
    /// Which of the mappings a query is being read for.
    pub(super) mapping: usize,
    /// The time that all events must lie in.
    pub(super) range: TimeRange,
    n_clauses: usize,
    n_regexes: usize,
}

impl<'s> Reader<'s> {
    /// Returns a reader of queries over these mappings.
    pub fn new(now: Timestamp, schema: &'s Schema) -> Self {
        Self { now, schema, mapping: 0, range: TimeRange::ALL, n_clauses: 0, n_regexes: 0 }
    }

    /// Reads one query. `is_necessary`: no event is meant for which it does not hold.
    pub fn clause(
        &mut self,
        json: &Json,
        at: &str,
        nesting: usize,
        is_necessary: bool,
    ) -> Result<Option<Expr>, SearchError> {
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

    /// The field that a name means.
    pub(super) fn target(&self, written: &str) -> Target {
        Target::of(self.schema.mapping(self.mapping), written, Analysis::Words)
    }

    fn all_of(
        &mut self,
        body: &Json,
        at: &str,
        nesting: usize,
        is_necessary: bool,
    ) -> Result<Option<Expr>, SearchError> {
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

    fn one_of(&mut self, body: &Json, at: &str, nesting: usize) -> Result<Option<Expr>, SearchError> {
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

    /// Compiles a regular expression within limits.
    pub fn regex(&mut self, source: &str, at: &str) -> Result<regex::Regex, SearchError> {
        self.n_regexes += 1;
        if self.n_regexes > REGEXES_MAX {
            let message = format!("the query has more than {REGEXES_MAX} regular expressions and wildcards");
            return Err(SearchError::parsing(at, message));
        }
        compile_regex(source, false).map_err(|(message, _)| SearchError::parsing(at, message))
    }
}

/// The condition that at least `least` of the conditions hold; `None` where that is always so.
pub(super) fn at_least(least: usize, conditions: Vec<Expr>) -> Option<Expr> {
    match least {
        0 => None,
        1 if !conditions.is_empty() => Some(balanced(conditions, Expr::Or)),
        least if least > conditions.len() => Some(never()),
        least if least == conditions.len() => Some(balanced(conditions, Expr::And)),
        least => {
            let number = |number: i64| Expr::Literal(Some(Value::Integer(number)));
            let one = |condition| Expr::Call(Function::If, vec![condition, number(1), number(0)]);
            let add = |a, b| Expr::Arithmetic(ArithmeticOperator::Add, a, b);
            let sum = balanced(conditions.into_iter().map(one).collect(), add);
            Some(both(sum, number(least as i64), |a, b| Expr::Compare(Comparison::GreaterOrEqual, a, b)))
        }
    }
}

/// `2`, `-1`, `75%` of `n` clauses, `3<90% 9<-2` of more than so many.
pub(super) fn minimum(written: &Json, n: usize, at: &str) -> Result<usize, SearchError> {
    let unreadable = || SearchError::parsing(at, format!("minimum_should_match [{written}] is not supported"));
    let text = match written {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return Err(unreadable()),
    };
    if text.contains('<') {
        let mut least = n;
        for condition in text.replace(" <", "<").replace("< ", "<").split_whitespace() {
            let (bound, of_more) = condition.split_once('<').ok_or_else(unreadable)?;
            if n <= bound.parse::<usize>().map_err(|_| unreadable())? {
                break;
            }
            least = match of_more.contains('<') {
                true => return Err(unreadable()),
                false => minimum(&Json::from(of_more), n, at)?,
            };
        }
        return Ok(least);
    }
    let of_all = |percent: i64| n as i64 * percent.clamp(-100, 100) / 100;
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.parse().map(of_all),
        None => text.parse::<i64>(),
    };
    let number = number.map_err(|_| unreadable())?;
    let least = if text.starts_with('-') { (n as i64).saturating_add(number) } else { number };
    Ok(usize::try_from(least.max(0)).unwrap_or(usize::MAX))
}

/// The members of an object.
pub fn object<'j>(json: &'j Json, at: &str) -> Result<&'j Map<String, Json>, SearchError> {
    json.as_object().ok_or_else(|| SearchError::parsing(at, "is no object"))
}

/// The only member of an object.
pub fn only_member<'j>(json: &'j Json, at: &str) -> Result<(&'j str, &'j Json), SearchError> {
    let mut members = object(json, at)?.iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        (None, _) => Err(SearchError::parsing(at, "is empty; a query has one name")),
        (_, Some((second, _))) => {
            let message = format!("malformed query, expected one name but found [{second}] too");
            Err(SearchError::parsing(at, message))
        }
    }
}
