//! Incidents: what failed, when, and what was done, as documents of the control store (kind `incident`).
//!
//! Times are set by people, or follow from alerts among the items: detected is the first alert's beginning, mitigated the
//! end of the last one. A time that a person has set stays. An incident is about log groups, and exists for callers who
//! reach all of them.

mod change;
mod document;
mod ledger;
mod objective;
mod post_mortem;
mod report;

use std::sync::Mutex;

use alert::Alerts;
use storage::{DocumentWriter, Settings, StoreError};
use types::{GroupScope, Hold, Timestamp, ensure};

pub(crate) use self::change::present;
pub use self::change::{IncidentChange, NewItem};
pub use self::document::{Incident, IncidentItem, ItemKind};
pub use self::ledger::{Ledger, LedgerRow, Month, ledger};
pub use self::objective::Objectives;
pub use self::post_mortem::post_mortem;
pub(crate) use self::report::shown_duration;
pub use self::report::{ledger_csv, ledger_html};
use crate::author::{Author, ChangeError, Result};

/// The kind of the documents.
const KIND: &str = "incident";

/// Incidents of a store, and items of one.
const INCIDENTS_MAX: usize = 10_000;
const ITEMS_MAX: usize = 500;

/// Attempts to write a document that another node changes at the same time.
const ATTEMPTS_MAX: usize = 5;

/// All incidents of a store.
#[derive(Debug, Default)]
pub struct Incidents {
    /// Held while documents are read and then changed.
    changes: Mutex<()>,
}

impl Incidents {
    /// Returns the incidents that exist for a caller, the newest first. Blocks.
    pub fn list(&self, settings: Settings<'_>, scope: &GroupScope) -> Result<Vec<Incident>> {
        let mut all: Vec<Incident> = all(settings)?.into_iter().map(|(_, incident)| incident).collect();
        all.retain(|incident| incident.is_within(scope));
        all.sort_by(|a, b| b.start().cmp(&a.start()).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// Returns an incident that exists for a caller. Blocks.
    pub fn get(&self, settings: Settings<'_>, scope: &GroupScope, id: &str) -> Result<Incident> {
        Ok(self.found(settings, scope, id)?.1)
    }

    fn found(&self, settings: Settings<'_>, scope: &GroupScope, id: &str) -> Result<(String, Incident)> {
        let not_found = || ChangeError::NotFound("incident", id.to_owned());
        let text = settings.get(KIND, id)?.ok_or_else(not_found)?;
        let incident: Incident = serde_json::from_str(&text)
            .map_err(|error| ChangeError::Conflict(format!("incident {id} cannot be read: {error}")))?;
        ensure!(incident.is_within(scope), not_found());
        Ok((text, incident))
    }

    /// Makes an incident with a new id. Blocks.
    pub fn make(
        &self,
        settings: Settings<'_>,
        by: &Author,
        new: IncidentChange,
        (id, now): (String, Timestamp),
    ) -> Result<Incident> {
        let incident = Incident::new(id, by, now).changed(new, by, now)?;
        ensure!(!incident.title.is_empty(), ChangeError::Bad("title: is needed".into()));
        let _changing = self.changes.hold();
        if settings.all(KIND)?.len() >= INCIDENTS_MAX {
            return Err(ChangeError::Conflict(format!("there are {INCIDENTS_MAX} incidents; delete old ones")));
        }
        settings.put(KIND, &incident.id, &text_of(&incident))?;
        Ok(incident)
    }

    /// Changes an incident, and returns it. Blocks.
    pub fn change(
        &self,
        settings: Settings<'_>,
        by: &Author,
        id: &str,
        change: &dyn Fn(&Incident) -> Result<Incident>,
    ) -> Result<Incident> {
        let _changing = self.changes.hold();
        for _ in 0..ATTEMPTS_MAX {
            let (text, incident) = self.found(settings, &by.scope, id)?;
            let mut next = change(&incident)?;
            if next.items.len() > ITEMS_MAX {
                return Err(ChangeError::Conflict(format!("incident {id} has {ITEMS_MAX} items already")));
            }
            next.version = incident.version + 1;
            let json = text_of(&next);
            if settings.exchange((KIND, id), &text, &json, DocumentWriter::AnyNode)? {
                return Ok(next);
            }
        }
        Err(ChangeError::Conflict(format!("incident {id} is changed by others at the moment; try again")))
    }

    /// Removes an incident. Blocks.
    pub fn remove(&self, settings: Settings<'_>, scope: &GroupScope, id: &str) -> Result<()> {
        let _changing = self.changes.hold();
        self.found(settings, scope, id)?;
        Ok(settings.remove(KIND, id)?)
    }
}

/// Notes the end of alerts that are items of open incidents. Blocks.
///
/// # Errors
/// If the control store does not answer.
pub(crate) fn follow_alerts(settings: Settings<'_>, alerts: &Alerts, now: Timestamp) -> Result<(), StoreError> {
    let open = all(settings)?.into_iter().filter(|(_, incident)| incident.waits_for_alerts());
    let open: Vec<(String, Incident)> = open.collect();
    if open.is_empty() {
        return Ok(());
    }
    let firing = alerts.alerts();
    let fires = |id: &str| firing.iter().any(|alert| alert.id == id && alert.state == "alarm");
    for (text, incident) in open {
        let Some(next) = incident.with_ended_alerts(&fires, now) else { continue };
        // If somebody changes it just now, the next round finds the end.
        settings.exchange((KIND, &incident.id), &text, &text_of(&next), DocumentWriter::AnyNode)?;
    }
    Ok(())
}

fn text_of(incident: &Incident) -> String {
    serde_json::to_string(incident).expect("an incident is strings and numbers")
}

/// Returns all incidents with their documents; what cannot be read is left out.
fn all(settings: Settings<'_>) -> Result<Vec<(String, Incident)>, StoreError> {
    let read = |(id, text): (String, String)| match serde_json::from_str(&text) {
        Ok(incident) => Some((text, incident)),
        Err(error) => {
            tracing::warn!(incident = id, %error, "an incident cannot be read");
            None
        }
    };
    Ok(settings.all(KIND)?.into_iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests;
