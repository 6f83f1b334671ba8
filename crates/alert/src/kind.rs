//! Kinds of rules: each asks its questions and makes of the answers the table that is judged.
//!
//! ```text
//! Rule ─ compile ─► questions ─ ask ─► answers ─ combined by the kind, purely ─► Table ─► evaluate
//! ```
//!
//! What comes behind the table (M of N, `for`, missing data) is the same for all of them.

mod metric;

use types::Timestamp;

use crate::book::window_of;
use crate::compile::{Compiled, compile};
use crate::{Ask, Question, Rule, Table};

/// What an evaluation has at hand.
pub(crate) struct Asking<'a> {
    pub(crate) ask: &'a dyn Ask,
    /// The instant at which the rule is judged.
    pub(crate) now: Timestamp,
    /// Most rows wanted of the query's own answer.
    pub(crate) n_rows_max: usize,
}

/// Asks what a rule wants to know at an instant.
pub(crate) fn answer(rule: &Rule, asking: &Asking<'_>) -> Result<(Compiled, Table), String> {
    let mut compiled = compile(rule, asking.now).map_err(|error| error.to_string())?;
    if compiled.metric.is_some() {
        let table = metric::answer(rule, &mut compiled, asking)?;
        return Ok((compiled, table));
    }
    let question = Question {
        plan: &compiled.plan,
        groups: &rule.groups,
        scope: &rule.scope,
        range: window_of(rule, asking.now),
        now: asking.now,
        n_rows_max: asking.n_rows_max,
    };
    let table = asking.ask.ask(&question)?;
    Ok((compiled, table))
}
