//! Writes the audit log: what administrators did, first uses of keys, and refusals, a bounded number a minute.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, Value, json};
use types::{GroupName, Timestamp};

use crate::server::{Server, Shared};
use crate::users::user_of_name;

/// Wrong keys of so many addresses are told of in a minute.
const REFUSALS_MAX: u64 = 60;

/// How often it is kept when people were last there.
const SESSIONS_KEPT_EVERY_NS: i64 = Timestamp::HOUR;

/// How long after a use of a key it is kept, with all others until then.
const USES_KEPT_AFTER: Duration = Duration::from_secs(60);

impl Server {
    /// Writes down what somebody did. Blocks. That it could not be written is no reason to undo what was done.
    pub fn audit(&self, who: &str, action: &str, details: &Value) {
        let mut record = Map::new();
        record.insert("message".into(), format!("{action} by {who}").into());
        record.insert("level".into(), "info".into());
        record.insert("action".into(), action.into());
        record.insert("caller".into(), who.into());
        record.extend(details.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        let group = GroupName::new(ingest::AUDIT_GROUP).expect("the name is made of letters and a slash");
        let body = Value::Object(record).to_string();
        if let Err(error) = self.app.intake.record_own(&group, body.as_bytes(), self.now()) {
            tracing::warn!(%error, action, "audit event not stored");
        }
    }

    /// Does after a request what is due: tells of first uses, keeps when keys were used and people were there.
    pub fn look_after_keys(self: &Arc<Self>) {
        let now = self.now();
        if self.app.keys.take_save_of_uses() {
            let server = Arc::downgrade(self);
            tokio::spawn(async move {
                tokio::time::sleep(USES_KEPT_AFTER).await;
                let Some(server) = server.upgrade() else { return };
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = server.app.keys.keep_uses(server.now()) {
                        tracing::warn!(%error, "time of last use of keys not saved");
                    }
                });
            });
        }
        let firsts = self.app.keys.take_first_uses();
        let kept = &self.audit.sessions_kept_ns;
        let last = kept.load(Ordering::Relaxed);
        let is_due = now.0.saturating_sub(last) >= SESSIONS_KEPT_EVERY_NS
            && kept.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if firsts.is_empty() && !is_due {
            return;
        }
        let server = self.clone();
        tokio::task::spawn_blocking(move || {
            for (id, name) in firsts {
                server.audit(&name, "key used first", &json!({"key_id": id}));
            }
            let active = if is_due { server.sessions.used_since(Timestamp(last)) } else { BTreeSet::new() };
            active.iter().filter_map(|name| user_of_name(name)).for_each(|name| server.keep_sessions_of(name));
        });
    }

    /// Tells of a wrong key, unless enough was told in this minute.
    pub fn audit_refusal(self: &Arc<Self>, peer: Option<IpAddr>, code: &'static str) {
        let minute = self.now().0 / Timestamp::MINUTE;
        if self.audit.minute.swap(minute, Ordering::Relaxed) != minute {
            self.audit.n_refusals.store(0, Ordering::Relaxed);
        }
        if self.audit.n_refusals.fetch_add(1, Ordering::Relaxed) >= REFUSALS_MAX {
            return;
        }
        let server = self.clone();
        let address = peer.map(|peer| peer.to_string());
        tokio::task::spawn_blocking(move || {
            server.audit("anonymous", "key refused", &json!({"address": address, "reason": code, "level": "warn"}));
        });
    }
}

impl Shared {
    /// Writes down what the caller did. Blocks.
    pub fn audit_own(&self, action: &str, details: &Value) {
        self.audit(&self.caller.name, action, details);
    }
}
