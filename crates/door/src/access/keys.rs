//! Keys of senders and readers: each has a role and the groups that exist for it.
//!
//! A key is `catat_ID_SECRET`: 8 random bytes by which it is found and 24 that make it one, both in hexadecimal. Only the
//! SHA-256 of the whole text is kept, and compared in constant time; a random key needs no slow hash. The second
//! half of a pair for signatures (SigV4) has to be known in clear where it is checked: it is the HMAC of the id under a
//! secret of the server's. That one lies in the control store, so that pairs work after a restore: a copy of the store
//! gives no key away, but whoever has one can sign with any pair, and it is to be guarded like one.
//!
//! Documents of the control store, read once and then kept:
//!
//! | kind | name | document |
//! |---|---|---|
//! | `key` | the id | `{"name","role","groups","hash","created_ns","expires_ns","used_ns","line","lifetime_ns"}` |
//! | `key-secret` | `signing` | `{"secret","anonymous_until_ns"}`: made with the first key; that it is there ends anonymous access for good, but sending only then |
//! | `key-use` | `all` | when keys were last used (`uses`) |
//!
//! A key is changed by another in its place ([`Keys::rotate`]): the new one has an id and a pair of its own, the old
//! one goes on for a time. Both are of one `line`, within which the ids of batches stay unique. A key that expired stays
//! for a month, so that those who still use it are told which it was.

mod anonymous;
mod key;
mod order;
mod reload;
mod senders;
mod uses;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::{Store, StoreError};
use subtle::ConstantTimeEq;
use types::{GroupScope, Hold, Timestamp, ensure};

use self::anonymous::AnonymousAccess;
use self::key::{Document, Key, read_uses};
use self::order::{check_groups, check_name, expiry_of, role_of, whole_seconds};
use super::caller::{Caller, Role};

pub use self::key::covers;
pub use self::order::{KeyError, KeyOrder, KeyView, NewKey, grace_ns_of};

/// How every key begins.
pub(super) const PREFIX: &str = "catat_";

/// Bytes of an id and of a secret, and the characters of the latter.
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 24;
pub(super) const SECRET_CHARS: usize = 2 * SECRET_BYTES;

/// Kinds of documents.
const KIND: &str = "key";
const SECRET_KIND: &str = "key-secret";
const SECRET_NAME: &str = "signing";

/// Most keys. Each is a document, and a change of a setting goes over all of them.
const KEYS_MAX: usize = 10_000;

/// What a new key is to be.
struct NewDocument {
    name: String,
    role: Role,
    groups: Vec<String>,
    lifetime_ns: Option<i64>,
    line: Option<String>,
}

/// All keys.
pub struct Keys {
    store: Arc<Store>,
    /// Held while documents change, so that memory and control store say the same.
    changes: Mutex<()>,
    book: RwLock<Book>,
    /// Of those without a key.
    anonymous: AnonymousAccess,
    /// What each key may send, `[limits] key_rate`.
    bytes_per_s: Option<u64>,
    /// Ids and names of keys that were used for the first time, of which nobody was told yet.
    first_uses: Mutex<Vec<(String, Arc<str>)>>,
    has_first_uses: AtomicBool,
    /// Whether a key was used since uses were saved, and whether somebody is about to save them.
    has_unsaved_uses: AtomicBool,
    is_save_planned: AtomicBool,
}

#[derive(Default)]
struct Book {
    keys: HashMap<String, Arc<Key>>,
    signing_secret: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct SecretDocument {
    secret: String,
    /// Until when those without a key may still send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anonymous_until_ns: Option<i64>,
}

impl Keys {
    /// Reads all keys. One whose document cannot be read is none, and is reported in the log.
    ///
    /// # Errors
    /// If the control store cannot be read: then no one may be admitted.
    pub fn open(store: Arc<Store>, bytes_per_s: Option<u64>, now: Timestamp) -> Result<Self, StoreError> {
        let mut book = Book::default();
        let uses = read_uses(&store)?;
        for (id, json) in store.settings().all(KIND)? {
            let document = serde_json::from_str(&json).ok().map(|document: Document| {
                let used_ns = document.used_ns.max(uses.get(&id).copied());
                Document { used_ns, ..document }
            });
            match document.and_then(|document| Key::of(&id, document, bytes_per_s, now)) {
                Some(key) => drop(book.keys.insert(id, Arc::new(key))),
                None => tracing::error!(id, "a key cannot be read from the control store and is not valid"),
            }
        }
        let anonymous = AnonymousAccess::new(now);
        let secret = store.settings().get(SECRET_KIND, SECRET_NAME)?;
        if !book.keys.is_empty() || secret.is_some() {
            anonymous.end(None);
        }
        if let Some(document) = secret.and_then(|json| serde_json::from_str::<SecretDocument>(&json).ok()) {
            anonymous.end(document.anonymous_until_ns.map(Timestamp));
            book.signing_secret = Some(document.secret);
        }
        Ok(Self {
            store,
            changes: Mutex::new(()),
            book: RwLock::new(book),
            anonymous,
            bytes_per_s,
            first_uses: Mutex::default(),
            has_first_uses: AtomicBool::new(false),
            has_unsaved_uses: AtomicBool::new(false),
            is_save_planned: AtomicBool::new(false),
        })
    }

    /// Reports whether callers without a key may do everything: until the first key is created.
    pub fn admits_anonymous(&self) -> bool {
        self.anonymous.is_open()
    }

    /// Returns what those without a key may do, and who does it.
    pub fn anonymous(&self) -> &AnonymousAccess {
        &self.anonymous
    }

    /// Returns the owner of a key.
    ///
    /// # Errors
    /// If the key has expired. One that is not known is no error.
    pub(super) fn find(&self, text: &str, now: Timestamp) -> Result<Option<Arc<Caller>>, KeyError> {
        let id = text.strip_prefix(PREFIX).and_then(|rest| Some(rest.split_once('_')?.0));
        let Some(key) = id.and_then(|id| self.book().keys.get(id).cloned()) else { return Ok(None) };
        let given: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if !bool::from(key.hash.ct_eq(&given)) {
            return Ok(None);
        }
        match key.check_expiry(now) {
            Err(KeyError::Unknown(_)) => return Ok(None),
            checked => checked?,
        }
        self.note_use(&key, now);
        Ok(Some(key.caller.clone()))
    }

    /// Returns the owner of the key with the role `ingest` whose name is in the certificate of a client.
    ///
    /// # Errors
    /// If the key has expired, or there are several.
    pub(super) fn find_named(&self, names: &[String], now: Timestamp) -> Result<Option<Arc<Caller>>, KeyError> {
        let keys: Vec<Arc<Key>> = self.book().keys.values().cloned().collect();
        let is_meant = |key: &&Arc<Key>| key.caller.role == Role::Ingest && names.contains(&key.document.name);
        // Of a key and those that it replaced, the newest; they may be as old as each other.
        let newest = keys.iter().filter(is_meant).max_by_key(|key| (key.document.created_ns, !key.is_replaced()));
        let Some(key) = newest else { return Ok(None) };
        key.check_expiry(now)?;
        if keys.iter().filter(is_meant).any(|other| other.document.line != key.document.line && other.is_valid(now)) {
            return Err(KeyError::Ambiguous(names.join(", ")));
        }
        self.note_use(key, now);
        Ok(Some(key.caller.clone()))
    }

    /// Reports whether there is a key with an id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.book().keys.contains_key(id)
    }

    /// Returns the owner of a pair for signatures, and its secret half. It is used once a signature was right ([`Self::signed`]).
    ///
    /// # Errors
    /// If the key has expired.
    pub fn signing_key(&self, access_key_id: &str, now: Timestamp) -> Result<Option<(Arc<Caller>, String)>, KeyError> {
        let book = self.book();
        let Some(key) = book.keys.get(access_key_id) else { return Ok(None) };
        key.check_expiry(now)?;
        let secret = book.signing_secret.as_deref().map(|secret| pair_secret(secret, access_key_id));
        Ok(secret.map(|secret| (key.caller.clone(), secret)))
    }

    /// Notes that a signature of a pair was right.
    pub fn signed(&self, access_key_id: &str, now: Timestamp) {
        let key = self.book().keys.get(access_key_id).cloned();
        key.inspect(|key| self.note_use(key, now));
    }

    /// Makes a key for somebody, within what `maker` reaches.
    pub fn create(&self, order: &KeyOrder, maker: &GroupScope, now: Timestamp) -> Result<NewKey, KeyError> {
        let groups = order.groups.clone().unwrap_or_else(|| vec!["*".to_owned()]);
        let role = role_of(&order.role)?;
        check_name(&order.name)?;
        check_groups(&groups)?;
        ensure!(groups.iter().all(|pattern| covers(maker, pattern)), KeyError::OutOfScope);
        let expires = order.expires.as_deref().map(|text| expiry_of(text, now)).transpose()?;
        let grace_ns = order.anonymous_grace.as_deref().map(grace_ns_of).transpose()?;
        let _changes = self.changes.hold();
        if grace_ns.is_some() && !self.admits_anonymous() {
            let message = "anonymous_grace is for the first key; a key was made before, which ended access without one";
            return Err(KeyError::Bad(message.into()));
        }
        let until = grace_ns.filter(|ns| *ns > 0).map(|ns| whole_seconds(Timestamp(now.0.saturating_add(ns))));
        let lifetime_ns = expires.map(|expires| expires.0.saturating_sub(now.0));
        self.add(NewDocument { name: order.name.clone(), role, groups, lifetime_ns, line: None }, until, now)
    }

    /// Returns the keys that `viewer` reaches, oldest first; those that expired for some time, too.
    pub fn list(&self, viewer: &GroupScope, now: Timestamp) -> Vec<KeyView> {
        let mut keys: Vec<Arc<Key>> = self.book().keys.values().cloned().collect();
        keys.retain(|key| key.is_within(viewer));
        keys.sort_by(|a, b| (a.document.created_ns, &a.id).cmp(&(b.document.created_ns, &b.id)));
        keys.iter().map(|key| key.view(now)).collect()
    }

    /// Ends what those without a key may still do after the first one was made.
    pub fn end_grace(&self, now: Timestamp) -> Result<(), KeyError> {
        let _changes = self.changes.hold();
        let secret = self.book().signing_secret.clone();
        let Some(secret) = secret.filter(|_| self.anonymous.sending_until(now).is_some()) else {
            return Err(KeyError::Bad("there is no grace period for senders without a key".into()));
        };
        self.anonymous.end(None);
        let document = SecretDocument { secret, anonymous_until_ns: None };
        Ok(self.store.settings().put(SECRET_KIND, SECRET_NAME, &as_json(&document))?)
    }

    /// Ends a key at once, on what is under way too. What it was is told.
    pub fn revoke(&self, id: &str, by: &GroupScope, now: Timestamp) -> Result<KeyView, KeyError> {
        let _changes = self.changes.hold();
        let key = self.of_id(id, by)?;
        let view = key.view(now);
        // First in memory: a key that is being revoked must not be good until a disk has answered.
        key.caller.validity.end();
        self.store.settings().remove(KIND, id)?;
        self.book_mut().keys.remove(id);
        Ok(view)
    }

    /// Makes a key in the place of another, which goes on until `until`. The new one is valid for as long as the other was
    /// meant to be.
    pub fn rotate(&self, id: &str, until: Timestamp, by: &GroupScope, now: Timestamp) -> Result<NewKey, KeyError> {
        let _changes = self.changes.hold();
        let old = self.of_id(id, by)?;
        old.check_expiry(now)?;
        let Document { name, groups, line, lifetime_ns, .. } = old.document.clone();
        let of_new = NewDocument { name, role: old.caller.role, groups, lifetime_ns, line: Some(line) };
        let new = self.add(of_new, None, now)?;
        let until = old.caller.validity.ends().map_or(until, |ends| ends.min(until));
        let (expires_ns, lifetime_ns) = (Some(until.0), None);
        let document = Document { expires_ns, lifetime_ns, used_ns: old.used(), ..old.document.clone() };
        self.put(id, &document)?;
        old.caller.validity.end_at(until);
        self.book_mut().keys.insert(id.to_owned(), Arc::new(old.with(document)));
        Ok(new)
    }

    /// Adds a key. The first one ends anonymous access, but sending only at `anonymous_until`.
    fn add(&self, new: NewDocument, anonymous_until: Option<Timestamp>, now: Timestamp) -> Result<NewKey, KeyError> {
        if self.book().keys.len() >= KEYS_MAX {
            return Err(KeyError::Bad(format!("there are {KEYS_MAX} keys; revoke one first")));
        }
        let signing_secret = self.signing_secret(anonymous_until)?;
        let id = random::<ID_BYTES>()?;
        let text = format!("{PREFIX}{id}_{}", random::<SECRET_BYTES>()?);
        let NewDocument { name, role, groups, lifetime_ns, line } = new;
        let document = Document {
            name,
            role: role.name().to_owned(),
            groups,
            hash: HEXLOWER.encode(&Sha256::digest(text.as_bytes())),
            created_ns: now.0,
            expires_ns: lifetime_ns.map(|ns| now.0.saturating_add(ns)),
            used_ns: None,
            line: line.unwrap_or_else(|| id.clone()),
            lifetime_ns,
        };
        let key = Key::of(&id, document, self.bytes_per_s, now).ok_or_else(|| KeyError::Bad("no key".into()))?;
        self.put(&id, &key.document)?;
        let view = key.view(now);
        self.book_mut().keys.insert(id.clone(), Arc::new(key));
        let secret_access_key = pair_secret(&signing_secret, &id);
        Ok(NewKey { view, key: text, access_key_id: id, secret_access_key })
    }

    /// Returns the secret of the server, which is created with the first key and ends anonymous access.
    fn signing_secret(&self, anonymous_until: Option<Timestamp>) -> Result<String, KeyError> {
        if let Some(secret) = &self.book().signing_secret {
            return Ok(secret.clone());
        }
        let secret = random::<32>()?;
        let anonymous_until_ns = anonymous_until.map(|until| until.0);
        let document = SecretDocument { secret: secret.clone(), anonymous_until_ns };
        self.store.settings().put(SECRET_KIND, SECRET_NAME, &as_json(&document))?;
        self.anonymous.end(anonymous_until);
        self.book_mut().signing_secret = Some(secret.clone());
        Ok(secret)
    }

    fn of_id(&self, id: &str, by: &GroupScope) -> Result<Arc<Key>, KeyError> {
        let key = self.book().keys.get(id).cloned();
        key.filter(|key| key.is_within(by)).ok_or_else(|| KeyError::Unknown(id.to_owned()))
    }

    fn put(&self, id: &str, document: &Document) -> Result<(), KeyError> {
        Ok(self.store.settings().put(KIND, id, &as_json(document))?)
    }

    fn book(&self) -> std::sync::RwLockReadGuard<'_, Book> {
        // Every change of the book is one insertion or removal.
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn book_mut(&self) -> std::sync::RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the secret half of a pair for signatures.
fn pair_secret(signing_secret: &str, id: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(signing_secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"catat sigv4 ");
    mac.update(id.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Random bytes in hexadecimal.
fn random<const N: usize>() -> Result<String, KeyError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(HEXLOWER.encode(&bytes))
}

fn as_json<T: Serialize>(document: &T) -> String {
    serde_json::to_string(document).expect("texts and numbers make JSON")
}

#[cfg(test)]
mod tests;
