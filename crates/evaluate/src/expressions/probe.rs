//! Texts that an index can look for before anything is read.
//!
//! A probe only ever takes rows away that cannot match. Whatever an index answers, the condition is still checked,
//! unless the index says that its answer is exact.

use plan::regular_expression::required_literal;
use types::{ProbeField, ScanError, TextProbe, Value};

use crate::columns::frame::Source;
use plan::fields::is_system;
use plan::{Comparison, Expr, Name, Number, TextPattern};

/// Shorter texts are in nearly every block: asking costs more than it saves.
const LITERAL_BYTES_MIN: usize = 3;

/// Shortest text that is taken for an id, which hardly a block has.
const ID_BYTES_MIN: usize = 16;

/// What a condition asks an index.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The field that is asked about.
    pub field: String,
    /// The text that every value wanted holds.
    pub literal: String,
    /// Whether upper and lower case of it are the same.
    pub ignores_case: bool,
    /// Whether the values wanted are the literal, and not only hold it.
    is_whole: bool,
    /// Whether rows that surely hold the text surely fulfil the condition.
    pub settles: bool,
}

impl Probe {
    /// Returns the probe of a condition, where it has one.
    pub fn of(condition: &Expr) -> Option<Self> {
        let is_whole = matches!(condition, Expr::Compare(..));
        let (field, literal, ignores_case, settles) = match condition {
            Expr::Match(text, pattern) => {
                let Expr::Field(name) = &**text else { return None };
                let (literal, ignores_case, settles) = match pattern {
                    TextPattern::Substring(text) => (text.clone(), false, true),
                    TextPattern::Phrase(words) => (words.iter().max_by_key(|word| word.len())?.clone(), true, false),
                    // The expression may have been compiled to ignore case, which its text does not say.
                    TextPattern::Regex(regex) => (required_literal(regex.as_str())?, true, false),
                    TextPattern::OneOf(_) => return None,
                    // Equal numbers may be written in different ways.
                    TextPattern::Words(words) if words.exact().is_some_and(|words| words.len() == 1) => {
                        let literal = words.required().filter(|word| Number::read(word).is_none())?;
                        (literal.to_owned(), true, false)
                    }
                    TextPattern::Words(words) => (words.required()?.to_owned(), true, false),
                };
                (name, literal, ignores_case, settles)
            }
            Expr::Compare(Comparison::Equal, a, b) => {
                let (name, text) = equal_text(a, b)?;
                (name, text.to_owned(), false, false)
            }
            _ => return None,
        };
        let is_plain = !ignores_case || literal.is_ascii();
        let is_other_system = is_system(field) && **field != *"@message";
        let is_usable = literal.len() >= LITERAL_BYTES_MIN && is_plain && !is_other_system;
        is_usable.then(|| Self { field: field.to_string(), literal, ignores_case, is_whole, settles })
    }

    /// Returns the probe for a field that equals an id.
    pub fn of_id(field: &Expr, id: &Expr) -> Option<Self> {
        let (name, text) = equal_text(field, id)?;
        let is_id = text.len() >= ID_BYTES_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let (field, literal) = (name.to_string(), text.to_owned());
        is_id.then_some(Self { field, literal, ignores_case: false, is_whole: true, settles: false })
    }

    /// Returns the probe for a run; `None` where the field is more than what is stored under its name.
    pub fn for_source(&self, source: &Source) -> Result<Option<TextProbe<'_>>, ScanError> {
        self.for_field(&self.field, source)
    }

    /// Returns the same, asked of another field.
    pub fn for_field<'q>(&'q self, name: &'q str, source: &Source) -> Result<Option<TextProbe<'q>>, ScanError> {
        let probe = self.asked_of(name);
        match probe.map(|probe| probe.field) {
            // A name with others below it stands for an object.
            Some(ProbeField::Named(name)) if !source.names_below(name)?.is_empty() => Ok(None),
            _ => Ok(probe),
        }
    }

    /// Returns the probe for a run as a whole ([`Run::may_hold`](types::Run::may_hold)); `None` where the field is more than what is
    /// stored under its name or below it.
    pub fn for_whole_run(&self) -> Option<TextProbe<'_>> {
        self.asked_of(&self.field)
    }

    fn asked_of<'q>(&'q self, name: &'q str) -> Option<TextProbe<'q>> {
        let field = match name {
            "@message" => ProbeField::Message,
            "@any" => ProbeField::Any,
            // A path may lead into a list.
            name if name.split('.').skip(1).any(|part| part.starts_with(|c: char| c.is_ascii_digit())) => return None,
            name => ProbeField::Named(name),
        };
        Some(TextProbe { field, literal: &self.literal, ignores_case: self.ignores_case, is_whole: self.is_whole })
    }
}

/// Returns a field and a text that it equals only if it holds it.
fn equal_text<'e>(field: &'e Expr, value: &'e Expr) -> Option<(&'e Name, &'e str)> {
    let (Expr::Field(name), Expr::Literal(Some(Value::String(text)))) = (field, value) else { return None };
    // Equal numbers may be written in different ways, and so may levels and times.
    let is_other_system = is_system(name) && **name != *"@message";
    (Number::read(text).is_none() && !is_other_system).then_some((name, &**text))
}
