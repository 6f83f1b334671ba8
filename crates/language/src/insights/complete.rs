//! What may be at a place in a query: commands, keywords, functions, and what only the store knows (fields, values,
//! groups), of which it is said that they may.
//!
//! The grammar itself is asked: what it expects after the text up to the cursor. What earlier commands made of the
//! fields is read off their plan. A word or text that was begun counts as not yet written. Where the text before is
//! wrong, the command that the cursor is in is looked at alone.

mod choice;
mod expected;
mod lexer;
#[cfg(test)]
mod tests;

use pest::Parser;
use plan::insights_text::written;
use plan::{Expr, Operator, ParseMethod, PlanDraft, compile_regex, stop_of};
use regex::Regex;

pub use self::choice::{Choice, ChoiceKind};
use self::lexer::{Place, Sign, is_word};
use super::ParseOptions;
use super::aggregate_name::AggregateName;
use super::grammar::{Insights, Rule};
use crate::search_query::QUERY_BYTES_MAX;
use plan::function::SIGNATURES;

/// A character that no query may have at any place but in texts and comments.
const NOTHING: char = '\u{1}';

/// What may be at the cursor.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// Where the text to be replaced starts, in UTF-16 units.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What was typed of it already, without an opening quote.
    pub prefix: String,
    /// The quote that it is in: `"`, `'` or a backtick.
    pub quote: Option<char>,
    /// What the language knows, the most likely first; those that do not begin like `prefix` are left out.
    pub choices: Vec<Choice>,
    /// Whether fields of events may be here.
    pub takes_fields: bool,
    /// Whether names of groups may.
    pub takes_groups: bool,
    /// Whether names of uploaded tables may.
    pub takes_tables: bool,
    /// The uploaded table whose columns may be here.
    pub columns_of_table: Option<String>,
    /// The field whose values may be here.
    pub values_of: Option<String>,
    /// The commands before, which choose the events whose fields and values are of interest.
    pub earlier: Option<PlanDraft>,
}

/// Tells what may be at `cursor`, which counts UTF-16 units from the start of `text`.
pub fn complete_insights(text: &str, cursor: usize, options: &ParseOptions) -> Completion {
    let head = &text[..byte_of(text, cursor)];
    let at = |byte: usize| head[..byte].encode_utf16().count();
    let n_units = at(head.len());
    let mut completion = Completion { start: n_units, end: n_units, ..Completion::default() };
    if text.len() > QUERY_BYTES_MAX {
        return completion;
    }
    let word_start = head.rfind(|c: char| !is_word(c)).map_or(0, |last| last + width(head, last));
    let place = lexer::place(&head[..word_start]);
    let Some((expected, reached)) = expected_at(&head[..word_start], &place) else { return completion };
    let begun = &head[reached.min(word_start)..];
    let (prefix, quote) = match begun.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) if reached < word_start => (&begun[1..], Some(quote)),
        _ if !head[reached.min(word_start)..word_start].trim().is_empty() => return completion,
        _ => (&head[word_start..], None),
    };
    if quote.is_none() && prefix.starts_with(|c: char| c.is_ascii_digit()) {
        return completion;
    }
    completion.start = at(head.len() - prefix.len() - usize::from(quote.is_some()));
    if quote.is_some_and(|quote| text[head.len()..].starts_with(quote)) {
        completion.end += 1;
    }
    completion.prefix = prefix.to_owned();
    completion.quote = quote;
    let place = if quote.is_some() { lexer::place(&head[..reached]) } else { place };
    fill(&mut completion, &expected, &place, options);
    completion
}

/// Puts in what the grammar expects.
fn fill(completion: &mut Completion, expected: &[Rule], place: &Place<'_>, options: &ParseOptions) {
    let takes_value = expected.iter().any(|rule| expected::is_value(*rule));
    let names_something_new = place.follows_word(&["as", "into"]);
    let lookup = place.lookup();
    if let Some(lexer::InLookup::Table) = lookup {
        completion.takes_tables = completion.quote != Some('`');
        return;
    }
    let names_something_new = names_something_new && lookup != Some(lexer::InLookup::Field);
    let takes_name = !names_something_new && expected.iter().any(|rule| expected::is_name(*rule));
    completion.takes_groups = place.command_is(&["source"])
        && completion.quote != Some('`')
        && (expected.contains(&Rule::string) || place.last == Some(Sign::Comma));
    if completion.takes_groups {
        return;
    }
    completion.earlier = super::draft(place.earlier, options).ok();
    let made = ComputedFields::by(completion.earlier.as_ref());
    if takes_value || expected.contains(&Rule::list) || expected.contains(&Rule::regex) {
        completion.values_of = place.compared.clone().filter(|field| !made.has(field) && made.keeps_events);
    }
    let takes_fields = (takes_value || takes_name) && !matches!(completion.quote, Some('"' | '\''));
    completion.takes_fields = takes_fields && made.keeps_events;
    let mut choices = Vec::new();
    if let Some(lexer::InLookup::Column { table, is_taken }) = lookup {
        completion.columns_of_table = Some(table.to_owned()).filter(|_| takes_name);
        // What is taken comes from the table; a key without a field is the field of the same name.
        completion.takes_fields &= !is_taken;
    }
    if takes_fields {
        let column = |name: &String| {
            let detail = if made.keeps_events { "made by an earlier command" } else { "a column of this table" };
            Choice { kind: ChoiceKind::Column, label: name.clone(), insert: written(name), detail: detail.into() }
        };
        choices.extend(made.names.iter().map(column));
    }
    if completion.quote.is_none() {
        if expected.iter().any(|rule| expected::is_command(*rule)) || place.is_at_start() {
            choices.extend(expected::commands());
        }
        choices.extend(expected::options(expected, |name| place.command_is(&[name])));
        choices.extend(expected::keywords(expected, !completion.prefix.is_empty()));
        if takes_value {
            choices.extend(functions(place.command_is(&["stats", "timechart"])));
        }
    }
    let prefix = completion.prefix.to_lowercase();
    choices.retain(|choice| choice.label.to_lowercase().contains(&prefix));
    // What begins like that comes before what only holds it.
    choices.sort_by_key(|choice| !choice.label.to_lowercase().starts_with(&prefix));
    choices.dedup_by(|a, b| a.label == b.label && a.kind == b.kind);
    completion.choices = choices;
}

/// Returns what the grammar expects at the end of `head`, and how far it could read.
fn expected_at(head: &str, place: &Place<'_>) -> Option<(Vec<Rule>, usize)> {
    let whole = ask(head)?;
    if whole.1 >= head.trim_end().len() || head[whole.1..].starts_with(['"', '\'', '`']) {
        return Some(whole);
    }
    // Something before the cursor is wrong; its own command may be right all the same.
    let (rules, reached) = ask(&head[place.command_start..])?;
    Some((rules, reached + place.command_start))
}

/// Reads a text that cannot continue; `None` inside a comment, where anything may.
fn ask(head: &str) -> Option<(Vec<Rule>, usize)> {
    let error = Insights::parse(Rule::query, &format!("{head}{NOTHING}")).err()?;
    let (reached, rules) = stop_of(&error);
    Some((rules?.to_vec(), reached))
}

/// What the commands before the cursor made of the fields.
struct ComputedFields {
    names: Vec<String>,
    /// Whether rows are still events with all their fields.
    keeps_events: bool,
}

impl ComputedFields {
    fn by(draft: Option<&PlanDraft>) -> Self {
        let mut made = Self { names: Vec::new(), keeps_events: true };
        for operator in draft.iter().flat_map(|draft| &draft.operators) {
            match operator {
                Operator::Extend { name, expr: Expr::Literal(None) } => made.names.retain(|known| **known != **name),
                Operator::Extend { name, .. } | Operator::Unnest { name, .. } => made.add(name),
                Operator::Parse(parse) => match &parse.method {
                    ParseMethod::Glob { names, .. } => names.iter().for_each(|name| made.add(name)),
                    ParseMethod::Regex { names, .. } => names.iter().for_each(|(name, _)| made.add(name)),
                    _ => {}
                },
                Operator::Project { columns, is_events } => {
                    made.keeps_events = *is_events;
                    if !is_events {
                        made.names.clear();
                        columns.iter().for_each(|(name, _)| made.add(name));
                    }
                }
                _ => {}
            }
        }
        made
    }

    fn add(&mut self, name: &str) {
        if !self.has(name) {
            self.names.push(name.to_owned());
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// Functions with their signatures.
fn functions(takes_aggregates: bool) -> Vec<Choice> {
    let choice = |kind, name: &str, arguments: &str| Choice {
        kind,
        label: name.to_owned(),
        insert: if arguments.is_empty() { format!("{name}()") } else { format!("{name}(") },
        detail: format!("{name}({arguments})"),
    };
    let mut all = Vec::new();
    if takes_aggregates {
        let arguments = |name: &str| AggregateName::find(name).map_or("", AggregateName::arguments);
        all.extend(AggregateName::all().map(|name| choice(ChoiceKind::Aggregate, name, arguments(name))));
    }
    all.push(choice(ChoiceKind::Function, "bin", "5m"));
    all.extend(SIGNATURES.iter().map(|signature| choice(ChoiceKind::Function, signature.name, signature.arguments)));
    all
}

/// Matches texts that begin with `prefix`, whatever the case; `None` where anything would do.
pub fn prefix_regex(prefix: &str) -> Option<Regex> {
    if prefix.is_empty() {
        return None;
    }
    compile_regex(&format!("^{}", regex::escape(prefix)), true).ok()
}

fn width(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Returns the byte at which so many UTF-16 units are over; the end where there are fewer.
fn byte_of(text: &str, units: usize) -> usize {
    let mut before = 0;
    for (byte, c) in text.char_indices() {
        if before >= units {
            return byte;
        }
        before += c.len_utf16();
    }
    text.len()
}
