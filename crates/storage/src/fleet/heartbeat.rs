//! Says that a node is alive, takes what only one node may do, and removes objects that no one reads any more.

use std::sync::Arc;
use std::time::Duration;

use database::postgres::Database;

use super::follower::Follower;
use crate::catalog::postgres::fleet::news;
use crate::fleet::Follow;
use crate::segments::Segments;

/// How often a node says that it is alive: several times within its lease.
const RENEW: Duration = Duration::from_secs(2);

/// How often it asks for what is new if no question makes it.
const LOOK: Duration = Duration::from_millis(250);

/// Objects removed at once.
const REMOVED_AT_ONCE: i64 = 200;

/// Runs the thread that keeps a node in the fleet.
pub(crate) fn run(segments: &Segments, follower: &Arc<Follower>, database: &mut Database, does_upkeep: bool) {
    let (mut since_renewed, mut is_away) = (RENEW, false);
    while segments.claim.signal.pause(LOOK) {
        if let Err(error) = follower.catch_up() {
            tracing::debug!(%error, "this node is behind");
        }
        since_renewed += LOOK;
        if since_renewed < RENEW {
            continue;
        }
        since_renewed = Duration::ZERO;
        let renewed = follower.member.renew(database);
        let renewed = renewed.and_then(|()| follower.meet(database));
        segments.claim.note(renewed.as_ref().err());
        if renewed.is_ok()
            && let Err(error) = segments.follow_limits()
        {
            tracing::debug!(%error, "limits that other nodes have set are not known");
        }
        match renewed {
            Ok(()) if does_upkeep => sweep(segments, follower, database),
            Ok(()) => {}
            Err(error) if !is_away => tracing::warn!(%error, "the fleet's database does not answer"),
            Err(_) => {}
        }
        is_away = segments.claim.problem().is_some();
    }
    // Others may take over at once what only one may do.
    let _ = follower.member.leave(database);
}

/// Removes objects that no node can name any more.
fn sweep(segments: &Segments, follower: &Arc<Follower>, database: &mut Database) {
    let Some(remote) = &segments.files.remote else { return };
    let gone = match news::removable(database, follower.member.epoch(), REMOVED_AT_ONCE) {
        Ok(gone) => gone,
        Err(error) => {
            tracing::debug!(%error, "objects that are not needed stay for now");
            return;
        }
    };
    let removed: Vec<String> = gone.into_iter().filter(|name| remote.objects.remove(name).is_ok()).collect();
    if let Err(error) = news::forget_removed(database, &removed) {
        tracing::debug!(%error, "removed objects are removed once more");
    }
}
