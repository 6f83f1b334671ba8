//! Tokens to lines.

use std::borrow::Cow;

/// Columns that a line should not pass.
const WIDTH: usize = 100;

/// What lines that continue with a command begin with.
const INDENT: &str = "    ";

/// A piece of a query that is never cut.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) kind: Kind,
    /// Whether it is the first of a command.
    pub(super) begins_command: bool,
}

/// What decides the space around a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, value, keyword.
    Word,
    /// Words that are searched instead of a first command.
    Phrase,
    /// A word that a long command is cut before.
    Break,
    /// A word whose bracket follows at once.
    Function,
    /// An operator between two values.
    Binary,
    /// An operator before its value.
    Prefix,
    /// The `=` of an option.
    Tight,
    /// A sign at the end of a part.
    Comma,
    Open,
    Close,
    Pipe,
    /// To the end of the line. `own_line`: nothing but comments is before it there.
    Comment {
        own_line: bool,
    },
}

fn is_comment(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Comment { .. })
}

/// Gives the whole text, without a newline at its end.
pub(super) fn lay_out(tokens: &[Token<'_>]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut command: Vec<&Token<'_>> = Vec::new();
    let (mut n_commands, mut depth) = (0, 0_usize);
    for token in tokens {
        let is_outside = depth == 0;
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if is_outside && token.begins_command {
            end_command(&mut lines, &mut command, &mut n_commands);
        }
        match token.kind {
            Kind::Pipe if is_outside => {}
            _ => command.push(token),
        }
    }
    end_command(&mut lines, &mut command, &mut n_commands);
    lines.join("\n")
}

/// Writes a command and the comments around it.
fn end_command(lines: &mut Vec<String>, command: &mut Vec<&Token<'_>>, n_commands: &mut usize) {
    let tokens = std::mem::take(command);
    let n_code = tokens.iter().rposition(|token| !is_comment(token)).map_or(0, |last| last + 1);
    let (code, mut comments) = tokens.split_at(n_code);
    if !code.is_empty() {
        let sign = if *n_commands > 0 { "| " } else { "" };
        *n_commands += 1;
        let mut line = format!("{sign}{}", line_of(code, None));
        if line.chars().count() > WIDTH {
            line = format!("{sign}{}", line_of(code, depth_of_cuts(code)));
        }
        let is_phrase = code[0].kind == Kind::Phrase;
        if let [first, rest @ ..] = comments
            && !is_phrase
            && first.kind == (Kind::Comment { own_line: false })
        {
            line = format!("{line}  {}", first.text);
            comments = rest;
        }
        lines.push(line);
        if let [first, rest @ ..] = comments
            && is_phrase
        {
            // A sign of a comment beside words makes them no phrase: the pipe is between.
            lines.push(format!("| {}", first.text));
            comments = rest;
            *n_commands = 0;
        }
    }
    lines.extend(comments.iter().map(|comment| comment.text.clone().into_owned()));
}

/// Returns how deep in brackets the places are at which a long command is cut first.
fn depth_of_cuts(tokens: &[&Token<'_>]) -> Option<usize> {
    let (mut depth, mut least) = (0_usize, None);
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Comma | Kind::Break | Kind::Pipe => {
                least = Some(least.map_or(depth, |least: usize| least.min(depth)))
            }
            _ => {}
        }
    }
    least
}

/// Writes the tokens of one command; `cuts` is the depth at which every part begins a line.
fn line_of(tokens: &[&Token<'_>], cuts: Option<usize>) -> String {
    let mut out = String::new();
    let (mut depth, mut line_start) = (0_usize, 0);
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).map(|before| tokens[before]);
        if token.kind == Kind::Close {
            depth = depth.saturating_sub(1);
        }
        // A newline does as well as a pipe in front of a command, in brackets too.
        let lacks_pipe = token.begins_command
            && previous
                .is_some_and(|previous| !matches!(previous.kind, Kind::Pipe | Kind::Open) && !is_comment(previous));
        if let Some(previous) = previous {
            let n_columns = out.len() - line_start + token.text.len();
            if is_cut(previous, token, depth, cuts, n_columns) {
                out.push('\n');
                line_start = out.len();
                out.push_str(INDENT);
            } else if has_space(previous, token) {
                out.push(' ');
            }
        }
        out.push_str(if lacks_pipe { "| " } else { "" });
        out.push_str(&token.text);
        if token.kind == Kind::Open {
            depth += 1;
        }
    }
    out
}

/// Reports whether a new line begins between two tokens.
fn is_cut(previous: &Token<'_>, token: &Token<'_>, depth: usize, cuts: Option<usize>, n_columns: usize) -> bool {
    if is_comment(previous) || token.kind == (Kind::Comment { own_line: true }) {
        return true;
    }
    let is_at_cut = cuts == Some(depth);
    match (previous.kind, token.kind) {
        (_, Kind::Comment { .. }) => false,
        (Kind::Comma, _) => cuts.is_some() && ((is_at_cut && depth == 0) || n_columns > WIDTH),
        (_, Kind::Break | Kind::Pipe) => is_at_cut,
        _ => false,
    }
}

fn has_space(previous: &Token<'_>, token: &Token<'_>) -> bool {
    match (previous.kind, token.kind) {
        (_, Kind::Comment { .. }) => true,
        (_, Kind::Comma | Kind::Close | Kind::Tight) => false,
        (Kind::Function, Kind::Open) => false,
        (Kind::Word, Kind::Open) => &*previous.text != "logGroups",
        (Kind::Open | Kind::Prefix | Kind::Tight, _) => false,
        _ => true,
    }
}
