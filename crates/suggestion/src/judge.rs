//! What may be worth a pipeline, and what the counts of its dry run must be for it to be shown.

mod candidate;
mod fields;
mod noise;
mod secrets;
mod split;

pub use self::candidate::{Candidate, Kind, Reason};
use self::candidate::{FIELDS_SHARE_MIN, NOISE_SHARE_MIN, SPLIT_SHARE_MIN, WORTH_EVENTS_MIN};
use crate::profile::Profile;

/// Smaller groups are left alone: what is in them costs nothing.
const EVENTS_MIN: u64 = 100;

/// Events and bytes that a dry run counted in the whole range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events.
    pub n_events: u64,
    /// Bytes of their texts and fields.
    pub n_bytes: u64,
}

/// What a dry run counted for one candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Events that would be dropped, sampled out, routed or changed.
    pub concerned: Totals,
}

/// Reports whether a group has too few events for suggestions.
pub fn tiny(n_events: u64) -> bool {
    n_events < EVENTS_MIN
}

/// Returns what may be suggested for `group`, in the order in which it is shown.
pub fn candidates(group: &str, profile: &Profile) -> Vec<Candidate> {
    if tiny(profile.n_events) {
        return Vec::new();
    }
    let mut all = secrets::candidates(group);
    if profile.n_events >= WORTH_EVENTS_MIN {
        let messages = noise::messages(profile);
        all.extend(noise::candidates(group, profile, &messages));
        all.extend(fields::candidates(group, profile, &messages));
        all.extend(split::candidates(group, profile));
    }
    all
}

/// Reports whether a candidate is worth showing: of secrets every one, of the rest what is a large part of the group.
pub fn is_worth(candidate: &Candidate, outcome: &Outcome, all: &Totals) -> bool {
    let concerned = outcome.concerned;
    let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
    let share = share(concerned.n_events, all.n_events).max(share(concerned.n_bytes, all.n_bytes));
    let share_min = match candidate.kind {
        Kind::Mask => return concerned.n_events > 0,
        Kind::Drop | Kind::Sample => NOISE_SHARE_MIN,
        Kind::Fields => FIELDS_SHARE_MIN,
        Kind::Split => SPLIT_SHARE_MIN,
    };
    concerned.n_events >= WORTH_EVENTS_MIN.min(all.n_events / 4) && share >= share_min
}

#[cfg(test)]
mod tests;
