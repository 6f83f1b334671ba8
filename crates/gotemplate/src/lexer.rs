//! Cuts a template into texts and actions, and an action into tokens.

use crate::escape::escaped;
use crate::numbers::parse_integer;
use crate::value::Value;

/// A word of an action.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// `.name`, without the dot.
    Field(String),
    /// `.`.
    Dot,
    /// `$` or `$name`, with the sign.
    Variable(String),
    /// A function or keyword.
    Name(String),
    /// A text, number or character.
    Constant(Value),
    /// `|`, `,`, `(`, `)` or `=`; a colon is `:=`.
    Sign(char),
}

/// A word and its place.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) word: Word,
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Whether a value ends directly before it: `$x .y` are two operands, `$x.y` is one.
    pub(crate) follows_value: bool,
}

impl Token {
    /// Returns the name of the member that this token takes of the value before it.
    pub(crate) fn member(&self) -> Option<&String> {
        match &self.word {
            Word::Field(name) if self.follows_value => Some(name),
            _ => None,
        }
    }
}

/// A text, or the tokens of an action.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(String),
    Action(Vec<Token>),
}

/// Cuts a template into its pieces. `{{-` and `-}}` trim the texts next to them.
pub(crate) fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut rest, mut is_trimmed) = (Vec::new(), template, false);
    loop {
        let at = rest.find("{{");
        let mut text = &rest[..at.unwrap_or(rest.len())];
        if is_trimmed {
            text = text.trim_start_matches(is_space);
        }
        let mut inner = at.map_or("", |at| &rest[at + 2..]);
        // A minus belongs to the braces if white space follows.
        if inner.starts_with('-') && inner[1..].starts_with(is_space) {
            text = text.trim_end_matches(is_space);
            inner = &inner[2..];
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        if at.is_none() {
            return Ok(pieces);
        }
        (rest, is_trimmed) = if let Some(comment) = inner.trim_start_matches(is_space).strip_prefix("/*") {
            let (_, after) = comment.split_once("*/").ok_or("unclosed comment")?;
            closing(after).ok_or("comment ends before closing delimiter")?
        } else {
            let (tokens, after) = action(template, inner)?;
            pieces.push(Piece::Action(tokens));
            after
        };
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Returns what follows `}}` or ` -}}` at the start of a text, and whether it trims.
fn closing(rest: &str) -> Option<(&str, bool)> {
    if let Some(after) = rest.strip_prefix("}}") {
        return Some((after, false));
    }
    let trimmed = rest.trim_start_matches(is_space);
    (trimmed.len() < rest.len()).then(|| trimmed.strip_prefix("-}}")).flatten().map(|after| (after, true))
}

/// Reads the tokens of an action; returns also what follows it, and whether it trims that.
fn action<'t>(template: &str, inner: &'t str) -> Result<(Vec<Token>, (&'t str, bool)), String> {
    let (mut tokens, mut rest, mut follows_value) = (Vec::new(), inner, false);
    loop {
        if let Some(after) = closing(rest) {
            return Ok((tokens, after));
        }
        let Some(first) = rest.chars().next() else { return Err("unclosed action".to_owned()) };
        if is_space(first) {
            (rest, follows_value) = (&rest[1..], false);
            continue;
        }
        let (word, n_bytes) = word(rest, first)?;
        let is_value = matches!(word, Word::Field(_) | Word::Variable(_) | Word::Name(_) | Word::Sign(')'));
        let from = template.len() - rest.len();
        tokens.push(Token { word, from, to: from + n_bytes, follows_value });
        (rest, follows_value) = (&rest[n_bytes..], is_value);
    }
}

fn word(rest: &str, first: char) -> Result<(Word, usize), String> {
    let name = |from: usize| {
        let text = &rest[from..];
        &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
    };
    match first {
        '|' | ',' | '(' | ')' | '=' => Ok((Word::Sign(first), 1)),
        ':' if rest.starts_with(":=") => Ok((Word::Sign(':'), 2)),
        '"' | '`' => quoted(rest, first).ok_or_else(|| "unterminated quoted string".to_owned()),
        '\'' => character(rest).ok_or_else(|| "malformed character constant".to_owned()),
        '$' => Ok((Word::Variable(rest[..=name(1).len()].to_owned()), 1 + name(1).len())),
        '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => match name(1) {
            "" => Ok((Word::Dot, 1)),
            name => Ok((Word::Field(name.to_owned()), 1 + name.len())),
        },
        c if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => number(rest),
        c if c.is_alphabetic() || c == '_' => Ok((Word::Name(name(0).to_owned()), name(0).len())),
        c => Err(format!("unexpected {c:?} in action")),
    }
}

/// Reads a number: with a point or an exponent it is a float, as in Go.
fn number(rest: &str) -> Result<(Word, usize), String> {
    let is_exponent_sign =
        |at: usize, c: char| matches!(c, '+' | '-') && (at == 0 || matches!(rest.as_bytes()[at - 1], b'e' | b'E'));
    let is_part = |(at, c): &(usize, char)| c.is_alphanumeric() || matches!(c, '.' | '_') || is_exponent_sign(*at, *c);
    let n_bytes = rest.char_indices().take_while(is_part).map(|(at, c)| at + c.len_utf8()).last().unwrap_or(0);
    let text = &rest[..n_bytes];
    let plain = text.replace('_', "");
    let float = || plain.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Float);
    let number = parse_integer(&plain).map(Value::Integer).or_else(float);
    number.map(|number| (Word::Constant(number), n_bytes)).ok_or_else(|| format!("bad number syntax: {text:?}"))
}

/// Reads a text in quotes.
fn quoted(rest: &str, quote: char) -> Option<(Word, usize)> {
    let (mut text, mut at) = (String::new(), 1);
    loop {
        let c = rest[at..].chars().next()?;
        at += c.len_utf8();
        match c {
            c if c == quote => return Some((Word::Constant(text.into()), at)),
            '\n' if quote == '"' => return None,
            '\\' if quote == '"' => {
                let (escaped, n_bytes) = escaped(&rest[at..])?;
                text.push(escaped);
                at += n_bytes;
            }
            c => text.push(c),
        }
    }
}

/// `'x'` is the number of a character.
fn character(rest: &str) -> Option<(Word, usize)> {
    let inner = &rest[1..];
    let (c, n_bytes) = match inner.strip_prefix('\\') {
        Some(escape) => escaped(escape).map(|(c, n_bytes)| (c, n_bytes + 1))?,
        None => inner.chars().next().filter(|c| !matches!(c, '\'' | '\n')).map(|c| (c, c.len_utf8()))?,
    };
    let number = Value::Integer(i64::from(u32::from(c)));
    inner[n_bytes..].starts_with('\'').then_some((Word::Constant(number), n_bytes + 2))
}
