//! Zones in which groups have the times of their events read that name none.
//!
//! A group's own zone goes before that of the shipping host, and that before the server's: it was set by somebody who
//! looked at the group's events. It holds for what arrives from then on.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use parse::Zone;
use storage::{Settings, StoreError};
use types::GroupName;

/// The kind of their documents in the control store.
const KIND: &str = "group-zone";

/// Zones by group.
#[derive(Debug, Default)]
pub(crate) struct GroupZones(RwLock<Arc<BTreeMap<GroupName, (String, Zone)>>>);

impl GroupZones {
    /// Reads those that were set. What cannot be read is left out and told of.
    pub(crate) fn load(settings: Settings<'_>) -> Self {
        let documents = settings.all(KIND).unwrap_or_else(|error| {
            tracing::error!(%error, "time zones of groups not read");
            Vec::new()
        });
        let zone = |(group, text): (String, String)| {
            let zone: Zone = text.parse().map_err(|error| tracing::error!(group, %error, "time zone left out")).ok()?;
            Some((GroupName::new(&group)?, (text, zone)))
        };
        Self(RwLock::new(Arc::new(documents.into_iter().filter_map(zone).collect())))
    }

    fn all(&self) -> Arc<BTreeMap<GroupName, (String, Zone)>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the zone of a group, where it has one of its own.
    pub(crate) fn of(&self, group: &GroupName) -> Option<Zone> {
        self.all().get(group).map(|(_, zone)| *zone)
    }

    /// Returns the name of a group's zone as it was set.
    pub(crate) fn text_of(&self, group: &GroupName) -> Option<String> {
        self.all().get(group).map(|(text, _)| text.clone())
    }

    /// Sets the zone of a group, which was checked, or removes it.
    ///
    /// # Errors
    /// If the control store does not take it; then nothing is changed.
    pub(crate) fn set(&self, settings: Settings<'_>, group: &GroupName, zone: Option<&str>) -> Result<(), StoreError> {
        match zone {
            Some(text) => settings.put(KIND, group.as_str(), text)?,
            None => settings.remove(KIND, group.as_str())?,
        }
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = BTreeMap::clone(&current);
        match zone.and_then(|text| Some((text, text.parse().ok()?))) {
            Some((text, zone)) => drop(next.insert(group.clone(), (text.to_owned(), zone))),
            None => drop(next.remove(group)),
        }
        *current = Arc::new(next);
        Ok(())
    }
}
