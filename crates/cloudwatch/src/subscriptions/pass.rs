//! What a receiver takes of events, and which of them it refuses for good.
//!
//! A post that is refused for what it contains is halved until the event to blame is alone. It is left out only if the receiver
//! then takes another event, and refuses it once more: a receiver that refuses everything has another fault, which may end at any
//! time, and gets everything again.

use std::collections::BTreeMap;

use super::forms::NO_BULK_ANSWER;
use super::message::{Line, Refusal};
use alert::PostError;

/// Posts that may be refused one after the other before the receiver is taken for broken, at first.
const REFUSED_POSTS_MAX: usize = 64;

/// How often an event is refused before it is to blame, where the receiver may have had an accident.
const ACCIDENTS_MAX: u32 = 3;

/// Posts events; returns which of them are refused.
pub(super) type Post<'a> = dyn Fn(&[&Line]) -> Result<Option<Refusal>, PostError> + 'a;

/// Events that were refused and are not given up yet, and how often others were taken after they were.
pub(super) type Suspects = BTreeMap<u64, u32>;

/// Posts on their way.
pub(super) struct Pass<'a> {
    post: &'a Post<'a>,
    /// Whether the receiver gets an event again without those beside it.
    may_halve: bool,
    suspects: &'a mut Suspects,
    /// Posts that may still be refused before an event is taken.
    n_left: usize,
    /// Refused since an event was taken, with how often that has to happen, and why.
    unsure: Vec<(&'a Line, u32, String)>,
    /// Why some event comes again.
    again: Option<String>,
    pub(super) outcome: Outcome,
}

/// What became of events.
#[derive(Default)]
pub(super) struct Outcome {
    /// Sequences of the events that need not be posted again.
    pub(super) done: Vec<u64>,
    pub(super) n_taken: u64,
    /// Refused for good.
    pub(super) refused: Option<Refusal>,
}

impl<'a> Pass<'a> {
    /// Begins after so many passes in which everything was refused.
    pub(super) fn new(post: &'a Post<'a>, may_halve: bool, suspects: &'a mut Suspects, n_failed: u32) -> Self {
        let n_left = REFUSED_POSTS_MAX << n_failed.min(10);
        Self { post, may_halve, suspects, n_left, unsure: Vec::new(), again: None, outcome: Outcome::default() }
    }

    /// Posts events.
    ///
    /// # Errors
    /// If the receiver is to blame, and not an event.
    pub(super) fn post(&mut self, lines: &[&'a Line]) -> Result<(), PostError> {
        let error = match (self.post)(lines) {
            Ok(Some(refused)) if refused.n >= lines.len() as u64 => PostError::Refused(refused.reason),
            Ok(refused) => {
                self.take(lines, refused);
                return Ok(());
            }
            Err(error) => error,
        };
        let Some(needed) = refusals_needed(&error).filter(|_| self.may_halve && self.n_left > 0) else {
            return Err(error);
        };
        self.n_left -= 1;
        if let [line] = lines {
            self.suspects.entry(line.id.sequence).or_default();
            self.unsure.push((line, needed, error.to_string()));
            return Ok(());
        }
        let (first, second) = lines.split_at(lines.len() / 2);
        self.post(first)?;
        self.post(second)
    }

    /// Ends the pass.
    ///
    /// # Errors
    /// If some events have to be posted again.
    pub(super) fn end(&mut self) -> Result<(), PostError> {
        let again = self.unsure.pop().map(|(.., reason)| reason).or_else(|| self.again.take());
        again.map_or(Ok(()), |reason| Err(PostError::Retry { after: None, reason }))
    }

    /// Takes events for delivered, and looks at those that were refused before them.
    fn take(&mut self, lines: &[&Line], refused: Option<Refusal>) {
        self.n_left = REFUSED_POSTS_MAX;
        self.outcome.n_taken += lines.len() as u64 - refused.as_ref().map_or(0, |refused| refused.n);
        for line in lines {
            self.suspects.remove(&line.id.sequence);
            self.outcome.done.push(line.id.sequence);
        }
        refused.into_iter().for_each(|refused| self.refuse(refused));
        for (line, needed, reason) in std::mem::take(&mut self.unsure) {
            self.judge(line, needed, reason);
        }
    }

    /// Posts an event again that was refused before another one was taken.
    fn judge(&mut self, line: &Line, needed: u32, reason: String) {
        let sequence = line.id.sequence;
        match (self.post)(&[line]) {
            Ok(None) => {
                self.suspects.remove(&sequence);
                self.outcome.done.push(sequence);
                self.outcome.n_taken += 1;
                return;
            }
            Ok(Some(_)) => {}
            Err(error) if refusals_needed(&error).is_some() => {}
            Err(_) => {
                self.again = Some(reason);
                return;
            }
        }
        let n_refused = self.suspects.entry(sequence).or_default();
        *n_refused += 1;
        if *n_refused < needed {
            self.again = Some(reason);
            return;
        }
        self.suspects.remove(&sequence);
        self.outcome.done.push(sequence);
        self.refuse(Refusal { n: 1, reason: format!("{}: {reason}", line.id.encode()) });
    }

    fn refuse(&mut self, refused: Refusal) {
        let n_before = self.outcome.refused.take().map_or(0, |before| before.n);
        self.outcome.refused = Some(Refusal { n: n_before + refused.n, ..refused });
    }
}

/// Returns how often an event has to be refused in this way, if it may be to blame at all.
pub(super) fn refusals_needed(error: &PostError) -> Option<u32> {
    let (PostError::Refused(reason) | PostError::Retry { reason, .. }) = error;
    match (reason.strip_prefix("answered ").and_then(|rest| rest.get(..3)), error) {
        (Some("400" | "413" | "422"), _) | (None, PostError::Refused(_)) => Some(1),
        (Some("500"), _) => Some(ACCIDENTS_MAX),
        (None, _) if reason == NO_BULK_ANSWER => Some(ACCIDENTS_MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
