//! What becomes of documents that are to be created, by their ids.

use std::collections::HashMap;

use ingest::Intake;
use ingest::ids::{IdClaim, IdField};
use types::{GroupName, TimeRange};

use super::item::{Action, Item, Outcome};

/// The field that holds the id which a document was sent with.
const FIELD: &str = "_id";

/// Claims the ids that are to be created, and says of those which cannot be why: others are about to store them, or the
/// store has them. Reports also whether the request has one of them twice.
pub(super) fn settle<'c>(
    intake: &'c Intake,
    items: &mut [Item<'_>],
    places: &[Option<(usize, GroupName)>],
) -> (IdClaim<'c>, bool) {
    let mut claimed = intake.claims.none();
    let mut wanted: HashMap<&GroupName, Vec<usize>> = HashMap::new();
    for (at, (item, place)) in items.iter().zip(places).enumerate() {
        if let Some((_, group)) = place
            && item.action == Action::Create
            && item.id.is_some()
        {
            wanted.entry(group).or_default().push(at);
        }
    }
    let mut n_claimed = 0;
    for (group, places) in wanted {
        let id = |at: usize| items[at].id.as_deref().unwrap_or_default();
        let is_free = intake.claims.claim(group, places.iter().map(|at| id(*at)), &mut claimed);
        n_claimed += is_free.iter().filter(|is_free| **is_free).count();
        let free = places.iter().zip(&is_free).filter(|(_, is_free)| **is_free).map(|(at, _)| id(*at));
        let exists = intake.known_ids(group, IdField::One(FIELD), TimeRange::ALL, free);
        let outcome = |at, is_free| match is_free {
            false => Some((at, Outcome::Busy)),
            true => exists.contains(id(at)).then_some((at, Outcome::Exists)),
        };
        let settled: Vec<_> = places.iter().zip(is_free).filter_map(|(at, is_free)| outcome(*at, is_free)).collect();
        settled.into_iter().for_each(|(at, outcome)| items[at].outcome = outcome);
    }
    let has_repeated = claimed.n_ids() < n_claimed;
    (claimed, has_repeated)
}
