//! Keys that other nodes of a fleet have made, revoked or rotated.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use storage::StoreError;
use types::{Hold, Timestamp};

use super::key::{Document, Key, read_uses};
use super::{KIND, Keys, SECRET_KIND, SECRET_NAME, SecretDocument};

impl Keys {
    /// Takes over what other nodes of a fleet have changed: keys that were made, revoked or rotated there.
    ///
    /// # Errors
    /// If the control store cannot be read: then what is known holds.
    pub fn reload(&self, now: Timestamp) -> Result<(), StoreError> {
        let _changes = self.changes.hold();
        let stored: HashMap<String, String> = self.store.settings().all(KIND)?.into_iter().collect();
        let secret = self.store.settings().get(SECRET_KIND, SECRET_NAME)?;
        let uses = read_uses(&self.store)?;
        let mut book = self.book_mut();
        book.keys.retain(|id, key| {
            let is_stored = stored.contains_key(id);
            if !is_stored {
                key.caller.validity.end();
            }
            is_stored
        });
        for (id, json) in stored {
            let Ok(document) = serde_json::from_str::<Document>(&json) else { continue };
            let used_ns = document.used_ns.max(uses.get(&id).copied());
            let key = match book.keys.get(&id) {
                Some(known) => {
                    if let Some(expires_ns) = document.expires_ns {
                        known.caller.validity.end_at(Timestamp(expires_ns));
                    }
                    known.used_ns.fetch_max(used_ns.unwrap_or(i64::MIN), Ordering::Relaxed);
                    let is_replaced = known.document.lifetime_ns != document.lifetime_ns;
                    is_replaced.then(|| known.with(document))
                }
                None => Key::of(&id, Document { used_ns, ..document }, self.bytes_per_s, now),
            };
            key.and_then(|key| book.keys.insert(id, Arc::new(key)));
        }
        if let Some(document) = secret.and_then(|json| serde_json::from_str::<SecretDocument>(&json).ok()) {
            self.anonymous.end(document.anonymous_until_ns.map(Timestamp));
            book.signing_secret = Some(document.secret);
        }
        Ok(())
    }
}
