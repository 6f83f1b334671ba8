//! Everything that is recognised, in the order in which it is read, and the dashboard that it becomes.

use std::collections::BTreeSet;

use super::board::Board;
use super::facts::{Facts, Part};
use super::indonesian::DESCRIPTION;
use super::{access, flows, general, kubernetes, lambda, node, own, postgres, samples, spans, sshd, systemd};
use crate::document::Dashboard;

/// Returns the conditions on one part of the events, of which the facts have to hold those that an event meets. Any number of
/// them may be left out: their panels are, too.
pub fn conditions(facts: &Facts, part: Part) -> BTreeSet<String> {
    board(facts, true).conditions(part)
}

/// Returns the dashboard of a subject; none where nothing is known that could be shown.
pub fn derive(facts: &Facts) -> Option<Dashboard> {
    let panels = board(facts, false).panels();
    let subject = &facts.subject;
    (!panels.is_empty()).then(|| Dashboard {
        title: format!("{} {}", capital(subject.kind()), subject.name()).chars().take(200).collect(),
        description: DESCRIPTION.to_owned(),
        tags: vec![subject.kind().to_owned()],
        refresh: Some("1m".to_owned()),
        panels,
        ..Dashboard::default()
    })
}

/// Returns all panels that facts may lead to.
fn board(facts: &Facts, is_asking: bool) -> Board<'_> {
    let mut all = Board::new(facts, is_asking);
    let board = &mut all;
    general::add_overview(board);
    spans::add(board);
    access::add(board);
    lambda::add(board);
    flows::add(board);
    postgres::add(board);
    sshd::add(board);
    systemd::add(board);
    kubernetes::add(board);
    own::add_audit(board);
    general::add_errors(board);
    node::add(board);
    samples::add_nginx(board);
    own::add_metrics(board);
    samples::add_others(board);
    all
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
