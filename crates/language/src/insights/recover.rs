//! More than one mistake of grammar at once: where one command cannot be read, the ones after it still can.
//!
//! After a mistake, reading continues after the next `|`, or at the next command on a line of its own. Where a text or
//! a bracket is open at the mistake, no one knows where its command ends, and nothing further is told: a mistake too
//! few is better than one that is none.

use pest::Parser;
use pest::error::Error;

use super::command_names::starts_with_command;
use super::expect;
use super::grammar::{Insights, Rule};
use plan::{QueryError, QueryErrors, stop_of};

/// Most mistakes of grammar that are told; each costs another reading.
const MISTAKES_MAX: usize = 8;

/// Returns the mistake that stopped the grammar in `text`, and those after it. Places refer to `shown`.
pub(super) fn mistakes(first: &Error<Rule>, text: &str, shown: &str) -> QueryErrors {
    let mut errors = vec![expect::explain(first, text, shown)];
    let mut end = next_command(text, 0, stop_of(first).0);
    while let Some(start) = end {
        // Blanks instead of what was read: places stay.
        let rest = format!("{}{}", " ".repeat(start), &text[start..]);
        let Err(error) = Insights::parse(Rule::query, &rest) else { break };
        errors.push(expect::explain(&error, &rest, shown));
        if errors.len() >= MISTAKES_MAX || errors.last().is_some_and(hides_what_follows) {
            break;
        }
        end = next_command(text, start, stop_of(&error).0);
    }
    QueryErrors(errors)
}

fn hides_what_follows(error: &QueryError) -> bool {
    matches!(error.code, "unclosed-text" | "unclosed-regex" | "nested-too-deeply")
}

/// Returns where the command after byte `at` begins, for commands that begin at byte `start`.
fn next_command(text: &str, start: usize, at: usize) -> Option<usize> {
    let (mut open, mut n_brackets) = (None, 0usize);
    let mut characters = text[start..].char_indices().map(|(offset, c)| (start + offset, c)).peekable();
    while let Some((place, c)) = characters.next() {
        let is_behind = place >= at;
        match (open, c) {
            (Some(quote), c) if c == quote => open = None,
            (Some('\n'), _) => {}
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => open = Some(c),
            (None, '#') => open = Some('\n'),
            (None, '(' | '[') => n_brackets += 1,
            (None, ')' | ']') => n_brackets = n_brackets.saturating_sub(1),
            (None, '|') if characters.peek().is_some_and(|(_, next)| *next == '|') => {
                characters.next();
            }
            (None, '|') if is_behind && n_brackets == 0 => return Some(place + 1),
            _ => {}
        }
        let is_line_end = c == '\n' && open.is_none() && n_brackets == 0 && is_behind;
        if is_line_end && starts_with_command(text[place..].trim_start()) {
            return Some(place + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests;
