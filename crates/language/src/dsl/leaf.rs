//! Queries of one field: words, values, patterns, presence.

use serde_json::Value as Json;
use types::Value;

use super::defaults::{defaults, field_names, is_and};
use super::members::object;
use super::minimum::{at_least, minimum};
use super::reader::Reader;
use super::{TERMS_MAX, range, simple, value_of_json};
use crate::logic::{both, never};
use crate::lucene::{FUZZY_LETTERS_MAX, Target, parse_with, wildcard};
use crate::mapping::Kind;
use crate::search_error::{Result, SearchError};
use plan::words::words_of;
use plan::{Expr, QueryErrors, Word, Words, balanced, date_value};

/// Fewer values of a `terms` query are looked for one by one, each with the index.
const FEW: usize = 9;

/// Most places that words of a phrase may be elsewhere.
const SLOP_MAX: usize = 10_000;

/// What a query comes to: a condition, or `None` where it always holds.
type Condition = Option<Expr>;

/// Reads a query of one field; `None` for a kind that is unknown.
pub(super) fn condition(
    reader: &mut Reader<'_>,
    kind: &str,
    body: &Json,
    at: &str,
    is_necessary: bool,
) -> Result<Option<Condition>> {
    Ok(Some(match kind {
        "match" => matching(&Field::read(reader, body, at, &["query"])?)?,
        "match_phrase" => phrase(&Field::read(reader, body, at, &["query"])?)?,
        "match_phrase_prefix" => phrase_prefix(reader, &Field::read(reader, body, at, &["query"])?)?,
        "match_bool_prefix" => words_and_prefix(reader, &Field::read(reader, body, at, &["query"])?)?,
        "multi_match" => multi_match(reader, body, at)?,
        "term" => Some(term(&Field::read(reader, body, at, &["value", "term"])?)?),
        "terms" => Some(terms(reader, body, at)?),
        "range" => range::condition(reader, body, at, is_necessary)?,
        "exists" => Some(exists(reader, body, at)?),
        "fuzzy" => fuzzy(reader, &Field::read(reader, body, at, &["value"])?)?,
        "prefix" | "wildcard" | "regexp" => {
            pattern(reader, kind, &Field::read(reader, body, at, &["value", "wildcard", "prefix", "regexp"])?)?
        }
        "query_string" => query_string(reader, body, at)?,
        "simple_query_string" => simple::condition(reader, body, at)?,
        "ids" => Some(ids(body, at)?),
        _ => return Ok(None),
    }))
}

/// `{"field": value}` or `{"field": {"query": value, …}}`.
pub(super) struct Field<'j> {
    pub(super) name: &'j str,
    pub(super) value: &'j Json,
    options: Option<&'j serde_json::Map<String, Json>>,
    pub(super) at: String,
    target: Target,
}

/// Returns the name and the value of the only field. Weights and names may be next to it.
fn only_field<'j>(body: &'j Json, at: &str) -> Result<(&'j String, &'j Json)> {
    let mut fields = object(body, at)?.iter().filter(|(name, _)| !matches!(name.as_str(), "boost" | "_name"));
    match (fields.next(), fields.next()) {
        (Some(field), None) => Ok(field),
        _ => Err(SearchError::parsing(at, "names one field")),
    }
}

impl<'j> Field<'j> {
    fn read(reader: &Reader<'_>, body: &'j Json, at: &str, keys: &[&str]) -> Result<Self> {
        let (name, value) = only_field(body, at)?;
        let (at, target) = (format!("{at}.{name}"), reader.target(name));
        let Some(options) = value.as_object() else { return Ok(Self { name, value, options: None, at, target }) };
        let value = keys.iter().find_map(|key| options.get(*key));
        let value = value.ok_or_else(|| SearchError::parsing(&at, format!("needs a [{}]", keys[0])))?;
        Ok(Self { name, value, options: Some(options), at, target })
    }

    fn option(&self, name: &str) -> Option<&'j Json> {
        self.options.and_then(|options| options.get(name))
    }

    fn ignores_case(&self) -> bool {
        self.option("case_insensitive").is_some_and(|flag| flag == true || flag == "true")
    }

    fn text(&self) -> Result<String> {
        match value_of_json(self.value) {
            Some(value) => Ok(value.to_string()),
            None => Err(SearchError::parsing(&self.at, "is no text")),
        }
    }

    /// Refuses a value that the field cannot have; `true`: it finds nothing instead.
    fn is_unfit(&self, text: &str) -> Result<bool> {
        self.refused(self.target.misfit(text))
    }

    /// Refuses a pattern that the field cannot be asked for; `true`: it finds nothing instead.
    fn is_no_text(&self, query: &str) -> Result<bool> {
        self.refused(self.target.misfit_of_pattern(query))
    }

    fn refused(&self, why: Option<String>) -> Result<bool> {
        let Some(why) = why else { return Ok(false) };
        let is_lenient = self.option("lenient").is_some_and(|flag| flag == true || flag == "true");
        if is_lenient && !matches!(self.target.kind(), Some(Kind::Refused(_))) {
            return Ok(true);
        }
        Err(SearchError { kind: "query_shard_exception", reason: format!("[{}] {why}", self.at) })
    }

    /// Returns how many places words may be elsewhere.
    fn slop(&self) -> Result<usize> {
        let Some(written) = self.option("slop").filter(|slop| !slop.is_null()) else { return Ok(0) };
        let number = written.as_u64().or_else(|| written.as_str()?.trim().parse().ok());
        let number = number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number <= SLOP_MAX);
        let message = || format!("[slop] is a number from 0 to {SLOP_MAX}, not {written}");
        number.ok_or_else(|| SearchError::parsing(&self.at, message()))
    }

    fn refuse(&self, option: &str, harmless: &[&str]) -> Result<()> {
        match self.option(option) {
            Some(value) if !harmless.iter().any(|known| value.to_string().trim_matches('"') == *known) => {
                Err(SearchError::parsing(&self.at, format!("[{option}] is not supported")))
            }
            _ => Ok(()),
        }
    }
}

fn matching(field: &Field<'_>) -> Result<Condition> {
    field.refuse("fuzziness", &["0", "0.0"])?;
    let (target, text) = (&field.target, field.text()?);
    if field.is_unfit(&text)? {
        return Ok(Some(never()));
    }
    if target.is_time() {
        return Ok(Some(target.term(&Value::text(text))));
    }
    if target.is_keyword() {
        return Ok(target.phrase(&text));
    }
    let words = words_of(&text);
    if words.len() < 2 || (date_value(&text).is_some() && target.takes_dates()) {
        return match target.value(&text) {
            Some(condition) => Ok(Some(condition)),
            None => without_words(field),
        };
    }
    enough_of(words.iter().map(|word| target.term(&Value::text(word.as_str()))).collect(), field)
}

/// Returns what a text without words finds: nothing, unless everything is wanted then.
fn without_words(field: &Field<'_>) -> Result<Condition> {
    match field.option("zero_terms_query").map(|wanted| wanted.as_str().unwrap_or_default().to_ascii_lowercase()) {
        None => Ok(Some(never())),
        Some(wanted) if wanted == "none" => Ok(Some(never())),
        Some(wanted) if wanted == "all" => Ok(None),
        Some(wanted) => Err(SearchError::parsing(&field.at, format!("Unsupported zero_terms_query value [{wanted}]"))),
    }
}

/// Joins conditions of which all must hold, or the number that is asked for.
fn enough_of(words: Vec<Expr>, field: &Field<'_>) -> Result<Condition> {
    if is_and(field.option("operator")) {
        return Ok(Some(balanced(words, Expr::And)));
    }
    let least = match field.option("minimum_should_match") {
        Some(written) => minimum(written, words.len(), &field.at)?.max(1),
        None => 1,
    };
    Ok(at_least(least, words))
}

/// Words in any order, the last of which only begins so.
fn words_and_prefix(reader: &mut Reader<'_>, field: &Field<'_>) -> Result<Condition> {
    field.refuse("fuzziness", &["0", "0.0"])?;
    let (target, text) = (&field.target, field.text()?);
    if field.is_no_text("prefix")? {
        return Ok(Some(never()));
    }
    if target.is_keyword() {
        return beginning(reader, target, &text, &field.at).map(Some);
    }
    let mut words = words_of(&text);
    let Some(last) = words.pop() else { return without_words(field) };
    let mut conditions: Vec<Expr> = words.iter().map(|word| target.term(&Value::text(word.as_str()))).collect();
    conditions.push(beginning(reader, target, &last, &field.at)?);
    enough_of(conditions, field)
}

fn phrase(field: &Field<'_>) -> Result<Condition> {
    let (text, slop) = (field.text()?, field.slop()?);
    if field.is_unfit(&text)? {
        return Ok(Some(never()));
    }
    has_positions(field, &text)?;
    match field.target.near(&text, slop) {
        Some(condition) => Ok(Some(condition)),
        None => without_words(field),
    }
}

/// Refuses a phrase where the places of words are not known.
fn has_positions(field: &Field<'_>, text: &str) -> Result<()> {
    match field.target.misfit_of_phrase(words_of(text).len()) {
        Some(why) => Err(SearchError { kind: "query_shard_exception", reason: format!("[{}] {why}", field.at) }),
        None => Ok(()),
    }
}

/// Words one after the other, the last of which only begins so; of a keyword the beginning.
fn phrase_prefix(reader: &mut Reader<'_>, field: &Field<'_>) -> Result<Condition> {
    let (text, target) = (field.text()?, &field.target);
    if field.is_no_text("phrase prefix")? {
        return Ok(Some(never()));
    }
    if target.is_keyword() {
        return beginning(reader, target, &text, &field.at).map(Some);
    }
    has_positions(field, &text)?;
    let slop = field.slop()?;
    let mut words: Vec<Word> = words_of(&text).into_iter().map(|word| Word::Exact(word.into())).collect();
    let Some(Word::Exact(last)) = words.pop() else { return Ok(Some(never())) };
    words.push(Word::Matching(reader.regex(&begins_with(&last), &field.at)?));
    Ok(Some(Words::new(words).map_or_else(never, |words| target.has(words.with_slop(slop)))))
}

fn begins_with(text: &str) -> String {
    format!("(?s)^{}.*$", regex::escape(text))
}

fn beginning(reader: &mut Reader<'_>, target: &Target, text: &str, at: &str) -> Result<Expr> {
    Ok(target.matching(reader.regex(&begins_with(&target.normal(text)), at)?))
}

fn multi_match(reader: &mut Reader<'_>, body: &Json, at: &str) -> Result<Condition> {
    let members = object(body, at)?;
    let Some(query) = members.get("query") else { return Err(SearchError::parsing(at, "needs a [query]")) };
    let kind = members.get("type").and_then(Json::as_str).unwrap_or("best_fields");
    let names = field_names(members.get("fields"), at)?;
    let mut found = Vec::new();
    for name in &names {
        let target = reader.target(name);
        let field = Field { name, value: query, options: Some(members), at: at.to_owned(), target };
        let condition = match kind {
            "phrase" => phrase(&field)?,
            "phrase_prefix" => phrase_prefix(reader, &field)?,
            "bool_prefix" => words_and_prefix(reader, &field)?,
            "best_fields" | "most_fields" => matching(&field)?,
            // Words that may each be in another field.
            "cross_fields" if names.len() < 2 || !is_and(members.get("operator")) => matching(&field)?,
            other => return Err(SearchError::parsing(at, format!("type [{other}] is not supported"))),
        };
        // Where one field has all events, so have all together.
        let Some(condition) = condition else { return Ok(None) };
        found.push(condition);
    }
    Ok(Some(balanced(found, Expr::Or)))
}

/// Returns the whole value; of texts a word. An id is the sender's or ours.
fn term(field: &Field<'_>) -> Result<Expr> {
    let value = value_of_json(field.value).ok_or_else(|| SearchError::parsing(&field.at, "is no value"))?;
    if field.name == "_id" {
        return Ok(of_ids(vec![Expr::Literal(Some(value))]));
    }
    if field.is_unfit(&value.to_string())? {
        return Ok(never());
    }
    let target = &field.target;
    match &value {
        Value::String(text) if field.ignores_case() && target.is_keyword() => {
            let source = format!("(?is)^{}$", regex::escape(text));
            let regex = regex::Regex::new(&source).map_err(|_| SearchError::parsing(&field.at, "is too long"))?;
            Ok(target.matching(regex))
        }
        Value::String(text) if field.ignores_case() => Ok(target.term(&Value::text(text.to_lowercase()))),
        value => Ok(target.term(value)),
    }
}

fn terms(reader: &Reader<'_>, body: &Json, at: &str) -> Result<Expr> {
    let (name, list) = only_field(body, at)?;
    let Json::Array(list) = list else {
        return Err(SearchError::parsing(&format!("{at}.{name}"), "is no list of values; lookups are not supported"));
    };
    if list.len() > TERMS_MAX {
        let reason = format!(
            "The number of terms [{}] used in the Terms Query request has exceeded the allowed maximum of [{TERMS_MAX}]",
            list.len()
        );
        return Err(SearchError::argument(reason));
    }
    let values: Vec<Value> = list.iter().filter_map(value_of_json).collect();
    if values.is_empty() {
        return Ok(never());
    }
    let literals = |values: Vec<Value>| values.into_iter().map(|value| Expr::Literal(Some(value))).collect();
    if name == "_id" {
        return Ok(of_ids(literals(values)));
    }
    let target = reader.target(name);
    if let Some(why) = values.iter().find_map(|value| target.misfit(&value.to_string())) {
        return Err(SearchError { kind: "query_shard_exception", reason: format!("[{at}.{name}] {why}") });
    }
    if target.is_keyword() && !target.is_time() {
        return Ok(target.one_of(values));
    }
    let is_date = |value: &Value| matches!(value, Value::String(text) if date_value(text).is_some());
    if target.is_time() || values.len() < FEW || (values.iter().any(is_date) && target.takes_dates()) {
        return Ok(balanced(values.iter().map(|value| target.term(value)).collect(), Expr::Or));
    }
    let numbers: Vec<Value> = values.iter().filter(|value| !matches!(value, Value::String(_))).cloned().collect();
    let words = target.has(Words::one_of(values.iter().map(ToString::to_string)));
    Ok(if numbers.is_empty() { words } else { both(words, target.one_of(numbers), Expr::Or) })
}

fn of_ids(ids: Vec<Expr>) -> Expr {
    let one_of = |name: &str| Expr::In(Box::new(Expr::Field(name.into())), ids.clone());
    both(one_of("@id"), one_of("_id"), Expr::Or)
}

fn ids(body: &Json, at: &str) -> Result<Expr> {
    let Some(Json::Array(values)) = object(body, at)?.get("values") else {
        return Err(SearchError::parsing(at, "needs a list of [values]"));
    };
    let values: Vec<Value> = values.iter().take(TERMS_MAX).filter_map(value_of_json).collect();
    Ok(of_ids(values.into_iter().map(|value| Expr::Literal(Some(Value::text(value.to_string())))).collect()))
}

fn exists(reader: &Reader<'_>, body: &Json, at: &str) -> Result<Expr> {
    let field = object(body, at)?.get("field").and_then(Json::as_str);
    field.map(|name| reader.target(name).is_there()).ok_or_else(|| SearchError::parsing(at, "needs a [field]"))
}

/// Returns values that begin so, or match a pattern as a whole; in sentences, words.
fn pattern(reader: &mut Reader<'_>, kind: &str, field: &Field<'_>) -> Result<Condition> {
    let (target, text) = (&field.target, field.text()?);
    if field.is_no_text(kind)? {
        return Ok(Some(never()));
    }
    // A keyword that is kept in small letters takes patterns in them.
    let text = if target.is_keyword() { target.normal(&text) } else { text };
    let source = match kind {
        "regexp" => target.expression(&text).map_err(|why| SearchError::parsing(&field.at, why))?,
        "wildcard" => wildcard(&text),
        _ => begins_with(&text),
    };
    let flags = if field.ignores_case() { "(?i)" } else { "" };
    Ok(Some(target.matching(reader.regex(&format!("{flags}{source}"), &field.at)?)))
}

/// Words like one, which differ in one letter.
fn fuzzy(reader: &mut Reader<'_>, field: &Field<'_>) -> Result<Condition> {
    let text = field.text()?;
    let n_letters = text.chars().count();
    let fuzziness = match field.option("fuzziness") {
        None => "AUTO".to_owned(),
        Some(written) => written.as_str().map_or_else(|| written.to_string(), str::to_ascii_uppercase),
    };
    let is_one = fuzziness == "1" || (fuzziness == "AUTO" && (3..=5).contains(&n_letters));
    if n_letters > FUZZY_LETTERS_MAX || !is_one {
        let message = "[fuzziness] other than 1 is not supported, nor AUTO where it means another";
        return Err(SearchError::parsing(&field.at, message));
    }
    let target = &field.target;
    if field.is_no_text("fuzzy")? {
        return Ok(Some(never()));
    }
    let source = target.similar(&text);
    Ok(Some(target.matching(reader.regex(&source, &field.at)?)))
}

fn query_string(reader: &Reader<'_>, body: &Json, at: &str) -> Result<Condition> {
    let members = object(body, at)?;
    let text =
        members.get("query").and_then(Json::as_str).ok_or_else(|| SearchError::parsing(at, "needs a [query]"))?;
    parse_with(text, &defaults(reader, members, at)?).map_err(|errors| located(&errors, text, at))
}

/// Mistakes in a query string, with their places in it.
fn located(errors: &QueryErrors, text: &str, at: &str) -> SearchError {
    let all: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
    let reason = format!("[{at}] Failed to parse query [{text}]: {}", all.join("; "));
    SearchError { kind: "query_shard_exception", reason }
}
