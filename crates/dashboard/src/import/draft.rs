//! A dashboard of others while it is read, and what became of its parts.

use serde::Serialize;
use types::Timestamp;

use crate::check::{PANELS_MAX, check};
use crate::document::{Dashboard, Panel, Variable};

/// Limit on the panels of an import, which may have some that cannot be imported.
const FOREIGN_MAX: usize = 1_000;

/// What became of a dashboard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Import {
    /// The dashboard of what was taken.
    pub dashboard: Dashboard,
    /// Each panel, in order.
    pub panels: Vec<Outcome>,
    /// Each variable, in order.
    pub variables: Vec<Outcome>,
}

/// What became of a panel or a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What it is called.
    pub title: String,
    /// Whether it was taken.
    pub taken: bool,
    /// What of it is missing, or why all of it; empty: nothing.
    pub why: String,
}

/// A dashboard while it is read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) dashboard: Dashboard,
    pub(super) panels: Vec<(Outcome, Option<Panel>)>,
    pub(super) variables: Vec<(Outcome, Option<Variable>)>,
}

impl Draft {
    pub(super) fn take_panel(&mut self, title: String, panel: Panel, notes: &[String]) {
        self.panels.push((Outcome { title, taken: true, why: notes.join("; ") }, Some(panel)));
    }

    pub(super) fn refuse_panel(&mut self, title: String, why: impl Into<String>) {
        self.panels.push((Outcome { title, taken: false, why: why.into() }, None));
    }

    /// Keeps what our own check lets through, one by one: a part that is refused takes no other with it. The error says how many
    /// panels are too many.
    pub(super) fn finish(mut self, now: Timestamp) -> Result<Import, String> {
        let mut variables = Vec::new();
        for (mut outcome, variable) in self.variables {
            if let Some(variable) = variable {
                self.dashboard.variables.push(variable);
                if let Err(mistake) = check(&self.dashboard, now) {
                    self.dashboard.variables.pop();
                    (outcome.taken, outcome.why) = (false, mistake.problem);
                }
            }
            variables.push(outcome);
        }
        let (mut panels, mut taken) = (Vec::new(), Vec::new());
        for (at, (mut outcome, panel)) in self.panels.into_iter().enumerate() {
            if let Some(mut panel) = panel {
                panel.id = format!("p{}", at + 1);
                self.dashboard.panels = vec![panel];
                match check(&self.dashboard, now) {
                    Ok(()) => taken.append(&mut self.dashboard.panels),
                    Err(mistake) => (outcome.taken, outcome.why) = (false, mistake.problem),
                }
            }
            panels.push(outcome);
        }
        types::ensure!(taken.len() <= PANELS_MAX, too_many(taken.len()));
        let dashboard = Dashboard { panels: taken, ..self.dashboard };
        Ok(Import { dashboard, panels, variables })
    }
}

/// Refuses more panels than are looked at.
pub(super) fn check_number(n: usize) -> Result<(), String> {
    if n > FOREIGN_MAX { Err(too_many(n)) } else { Ok(()) }
}

fn too_many(n: usize) -> String {
    format!("{n} panels are too many: a dashboard has {PANELS_MAX} at most; divide it")
}
