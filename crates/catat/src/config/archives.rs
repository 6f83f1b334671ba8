//! Archives that the server answers from, each as one group.

use std::path::PathBuf;

use archive::ServedArchives;
use storage::Clock;
use types::{GroupName, Limits};

use super::values::Reader;

/// Archives and the memory for their events.
#[derive(Clone, Debug)]
pub(crate) struct ArchivesConfig {
    named: Vec<(GroupName, Vec<PathBuf>)>,
    memory_bytes: usize,
}

/// Reads the section.
pub(super) fn read(read: &mut Reader<'_>) -> ArchivesConfig {
    let mut named: Vec<(GroupName, Vec<PathBuf>)> = Vec::new();
    for archive in read.list("archives", "groups") {
        let parts = archive.split_once('=').map(|(name, place)| (name.trim(), place.trim()));
        let group = parts.and_then(|(name, place)| Some((GroupName::new(&format!("archive/{name}"))?, place)));
        let group = group.filter(|(group, place)| !place.is_empty() && group.as_str().len() > "archive/".len());
        let wanted = "NAME=PLACE, such as trails=s3://logs/AWSLogs or old=/backup/logs";
        read.require(group.is_some(), "archives", "groups", wanted);
        let Some((group, place)) = group else { continue };
        match named.iter_mut().find(|(known, _)| *known == group) {
            Some((_, places)) => places.push(place.into()),
            None => named.push((group, vec![place.into()])),
        }
    }
    ArchivesConfig { named, memory_bytes: read.size("archives", "memory") as usize }
}

impl ArchivesConfig {
    /// Returns the archives; none where none are named. Times without a zone are of `zone`.
    pub(crate) fn open(
        &self,
        zone: chrono_tz::Tz,
        limits: &Limits,
        clock: &Clock,
    ) -> Option<Box<dyn execute::Archives>> {
        if self.named.is_empty() {
            return None;
        }
        let (zone, clock) = (parse::Zone::Named(zone), clock.clone());
        let archives =
            ServedArchives::new(self.named.clone(), self.memory_bytes, zone, limits.clone(), move || clock.now());
        Some(Box::new(archives))
    }
}
