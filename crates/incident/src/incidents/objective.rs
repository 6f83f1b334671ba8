//! Objectives: in which share of a month services are to work, and what that leaves for incidents.

use std::collections::BTreeMap;

/// Percent of the time, unless another objective is named: 43 minutes of a month are left.
const PERCENT_DEFAULT: f64 = 99.9;

/// Objectives of services.
#[derive(Clone, Debug, PartialEq)]
pub struct Objectives {
    /// Percent for services without their own.
    percent: f64,
    services: BTreeMap<String, f64>,
}

impl Default for Objectives {
    fn default() -> Self {
        Self { percent: PERCENT_DEFAULT, services: BTreeMap::new() }
    }
}

impl Objectives {
    /// Reads `99.9`, or with services that have their own: `99.9,pay=99.95`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut objectives = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (service, percent) = part.rsplit_once('=').map_or((None, part), |(name, text)| (Some(name), text));
            let percent = percent.trim().trim_end_matches('%').trim_end().parse::<f64>();
            let Some(percent) = percent.ok().filter(|percent| *percent > 0.0 && *percent < 100.0) else {
                return Err(format!("{part:?} has no percentage above 0 and below 100"));
            };
            match service.map(str::trim) {
                Some(service) => drop(objectives.services.insert(service.to_owned(), percent)),
                None => objectives.percent = percent,
            }
        }
        Ok(objectives)
    }

    /// Returns the objective of a service in percent.
    pub(super) fn percent(&self, service: &str) -> f64 {
        self.services.get(service).copied().unwrap_or(self.percent)
    }

    /// Returns the part of a length of time in which a service may be in incidents.
    pub(super) fn budget(&self, service: &str, length: i64) -> i64 {
        (length as f64 * (100.0 - self.percent(service)) / 100.0).round() as i64
    }
}

#[cfg(test)]
mod tests;
