//! Says that a node is alive, takes what only one node may do, and removes objects that no one reads any more.

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

/// Runs the thread that keeps what a node knows new while nobody asks, and removes objects.
pub(crate) fn follow(segments: &Segments, follower: &Follower, database: &mut Database, does_upkeep: bool) {
    let mut since_swept = Duration::ZERO;
    while segments.claim.signal.pause(LOOK) {
        if let Err(error) = follower.catch_up() {
            tracing::debug!(%error, "this node is behind");
        }
        since_swept += LOOK;
        if does_upkeep && since_swept >= RENEW {
            since_swept = Duration::ZERO;
            sweep(segments, follower, database);
        }
    }
}

/// Runs the thread that keeps a node in the fleet. It waits for the database alone: a bucket that is slow must not cost a
/// node its place.
pub(crate) fn run(segments: &Segments, follower: &Follower, database: &mut Database) {
    let mut is_away = false;
    while segments.claim.signal.pause(RENEW) {
        follower.note_work();
        let renewed = follower.member.renew(database);
        let renewed = renewed.and_then(|()| follower.meet(database));
        segments.claim.note(renewed.as_ref().err());
        if renewed.is_ok()
            && let Err(error) = segments.follow_limits()
        {
            tracing::debug!(%error, "limits that other nodes have set are not known");
        }
        if let Err(error) = renewed
            && !is_away
        {
            tracing::warn!(%error, "the fleet's database does not answer");
        }
        is_away = segments.claim.problem().is_some();
    }
    // Others may take over at once what only one may do.
    let _ = follower.member.leave(database);
}

/// Removes objects that no node can name any more.
fn sweep(segments: &Segments, follower: &Follower, database: &mut Database) {
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
    if segments.is_in_charge() {
        let _upkeep = segments.replacement();
        segments.settle_deletions();
    }
}
