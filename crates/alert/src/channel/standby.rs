//! Several nodes of a fleet evaluate the same rules over the same events, and one of them tells people.
//!
//! The others come to the same notifications and keep each for a while, in which a node that has stopped loses its place
//! and another one takes it: whoever then has the place sends what it kept. After that time it was sent by the node that
//! had the place all along. So a change of nodes loses no notification; one that the old node sent just before may come twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use storage::Store;
use types::Timestamp;

use super::Channel;
use super::deliver::Post;
use crate::PostError;

/// How long a notification is kept: longer than a node that does not answer keeps its place.
const KEPT: Duration = Duration::from_secs(25);

/// Pause until it is looked at again.
const PAUSE: Duration = Duration::from_secs(5);

/// Delivers where this node is the one that does.
pub(crate) struct StandbyPost {
    inner: Arc<dyn Post>,
    store: Arc<Store>,
    kept: Mutex<HashMap<(String, String), Instant>>,
}

impl StandbyPost {
    pub(crate) fn new(inner: Arc<dyn Post>, store: Arc<Store>) -> Self {
        Self { inner, store, kept: Mutex::default() }
    }
}

impl Post for StandbyPost {
    fn post(&self, channel: &Channel, notification: &Json, now: Timestamp) -> Result<(), PostError> {
        let key = (channel.name.clone(), notification["id"].as_str().unwrap_or_default().to_owned());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if self.store.has_alerts() {
            kept.remove(&key);
            drop(kept);
            return self.inner.post(channel, notification, now);
        }
        if kept.entry(key.clone()).or_insert_with(Instant::now).elapsed() < KEPT {
            let reason = "another node of the fleet sends it".into();
            return Err(PostError::Retry { after: Some(PAUSE), reason });
        }
        kept.remove(&key);
        Ok(())
    }

    fn repeat(&self, channel: &Channel, firing: &[Json], now: Timestamp) -> Result<(), PostError> {
        if self.store.has_alerts() { self.inner.repeat(channel, firing, now) } else { Ok(()) }
    }
}
