//! Cuts a template into texts and actions, and an action into tokens.

/// A piece of what is between braces.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// `.name`, directly after a value its member.
    Field {
        name: String,
        is_member: bool,
    },
    Dot,
    /// `$` or `$name`.
    Variable(String),
    Word(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Pipe,
    Comma,
    Open,
    Close,
    Declare,
    Assign,
}

/// Where a token is in the template: its first byte, and what follows its last one.
pub(super) type Place = (usize, usize);

/// A text, or the tokens of an action and their places.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Action(Vec<Token>, Vec<Place>),
}

/// Cuts a template into its pieces. `{{-` and `-}}` trim the texts next to them.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut rest, mut is_trimmed) = (Vec::new(), template, false);
    loop {
        let at = rest.find("{{");
        let mut text = &rest[..at.unwrap_or(rest.len())];
        if is_trimmed {
            text = text.trim_start_matches(is_space);
        }
        let Some(at) = at else {
            push_text(&mut pieces, text);
            return Ok(pieces);
        };
        let mut inner = &rest[at + 2..];
        if inner.starts_with('-') && inner[1..].starts_with(is_space) {
            text = text.trim_end_matches(is_space);
            inner = &inner[2..];
        }
        push_text(&mut pieces, text);
        (rest, is_trimmed) = if inner.trim_start_matches(is_space).starts_with("/*") {
            comment(inner)?
        } else {
            let start = template.len() - inner.len();
            let mut action = action(inner)?;
            action.places.iter_mut().for_each(|(from, to)| (*from, *to) = (*from + start, *to + start));
            pieces.push(Piece::Action(action.tokens, action.places));
            (action.after, action.trims)
        };
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Returns what follows a comment, and whether it trims.
fn comment(inner: &str) -> Result<(&str, bool), String> {
    let end = inner.find("*/").ok_or("unclosed comment")?;
    closing(&inner[end + 2..]).ok_or_else(|| "comment ends before closing delimiter".to_owned())
}

/// Returns what follows `}}` or ` -}}` at the start of a text, and whether it trims.
fn closing(rest: &str) -> Option<(&str, bool)> {
    if let Some(after) = rest.strip_prefix("}}") {
        return Some((after, false));
    }
    let trimmed = rest.trim_start_matches(is_space);
    (trimmed.len() < rest.len()).then(|| trimmed.strip_prefix("-}}")).flatten().map(|after| (after, true))
}

/// An action that was read.
struct Action<'t> {
    tokens: Vec<Token>,
    places: Vec<Place>,
    /// What follows it.
    after: &'t str,
    /// Whether it trims what follows.
    trims: bool,
}

fn action(inner: &str) -> Result<Action<'_>, String> {
    let (mut tokens, mut places, mut rest, mut follows_value) = (Vec::new(), Vec::new(), inner, false);
    loop {
        if let Some((after, trims)) = closing(rest) {
            return Ok(Action { tokens, places, after, trims });
        }
        let Some(first) = rest.chars().next() else { return Err("unclosed action".to_owned()) };
        if is_space(first) {
            (rest, follows_value) = (&rest[1..], false);
            continue;
        }
        let (token, n_bytes) = token(rest, first, follows_value)?;
        follows_value = matches!(token, Token::Field { .. } | Token::Variable(_) | Token::Close | Token::Word(_));
        tokens.push(token);
        let at = inner.len() - rest.len();
        places.push((at, at + n_bytes));
        rest = &rest[n_bytes..];
    }
}

fn token(rest: &str, first: char, is_member: bool) -> Result<(Token, usize), String> {
    let sign = match first {
        '|' => Some((Token::Pipe, 1)),
        ',' => Some((Token::Comma, 1)),
        '(' => Some((Token::Open, 1)),
        ')' => Some((Token::Close, 1)),
        '=' => Some((Token::Assign, 1)),
        ':' if rest.starts_with(":=") => Some((Token::Declare, 2)),
        _ => None,
    };
    if let Some(sign) = sign {
        return Ok(sign);
    }
    let name = |from: usize| {
        let text = &rest[from..];
        &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
    };
    match first {
        '"' | '`' => quoted(rest, first).ok_or_else(|| "unterminated quoted string".to_owned()),
        '\'' => character(rest).ok_or_else(|| "malformed character constant".to_owned()),
        '$' => Ok((Token::Variable(format!("${}", name(1))), 1 + name(1).len())),
        '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => match name(1) {
            "" => Ok((Token::Dot, 1)),
            name => Ok((Token::Field { name: name.to_owned(), is_member }, 1 + name.len())),
        },
        c if c.is_ascii_digit() || matches!(c, '+' | '-' | '.') => number(rest),
        c if c.is_alphabetic() || c == '_' => Ok((Token::Word(name(0).to_owned()), name(0).len())),
        c => Err(format!("unexpected {c:?} in a template")),
    }
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    let is_exponent_sign = |at: usize, c: char| {
        at == 0 && matches!(c, '+' | '-')
            || at > 0 && matches!(c, '+' | '-') && matches!(rest.as_bytes()[at - 1], b'e' | b'E')
    };
    let is_part = |(at, c): &(usize, char)| c.is_alphanumeric() || matches!(c, '.' | '_') || is_exponent_sign(*at, *c);
    let n_bytes = rest.char_indices().take_while(is_part).map(|(at, c)| at + c.len_utf8()).last().unwrap_or(0);
    let text = &rest[..n_bytes];
    let plain = text.replace('_', "");
    let token = match super::numbers::parse_integer(&plain) {
        Some(number) => Some(Token::Integer(number)),
        None => plain.parse::<f64>().ok().filter(|n| n.is_finite()).map(Token::Float),
    };
    token.map(|token| (token, n_bytes)).ok_or_else(|| format!("bad number syntax: {text:?}"))
}

/// Returns a text in quotes, and how long it is with them.
fn quoted(rest: &str, quote: char) -> Option<(Token, usize)> {
    let (mut text, mut at) = (String::new(), 1);
    loop {
        let c = rest[at..].chars().next()?;
        at += c.len_utf8();
        match c {
            c if c == quote => return Some((Token::Text(text), at)),
            '\\' if quote == '"' => {
                let (escaped, n_bytes) = crate::escape::escaped(&rest[at..])?;
                text.push(escaped);
                at += n_bytes;
            }
            c => text.push(c),
        }
    }
}

/// `'x'` is the number of a character.
fn character(rest: &str) -> Option<(Token, usize)> {
    let inner = &rest[1..];
    let (c, n_bytes) = match inner.strip_prefix('\\') {
        Some(escape) => crate::escape::escaped(escape).map(|(c, n_bytes)| (c, n_bytes + 1))?,
        None => inner.chars().next().map(|c| (c, c.len_utf8()))?,
    };
    inner[n_bytes..].starts_with('\'').then(|| (Token::Integer(i64::from(u32::from(c))), n_bytes + 2))
}
