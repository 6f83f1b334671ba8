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
//! | `key` | the id | `{"name","role","groups","hash","created_ns","expires_ns","used_ns","line"}` |
//! | `key-secret` | `signing` | `{"secret"}`: made with the first key; that it is there ends anonymous access for good |
//!
//! A key is changed by another in its place ([`Keys::rotate`]): the new one has an id and a pair of its own, the old
//! one goes on for a time. Both are of one `line`, within which the ids of batches stay unique.

mod reload;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::{Store, StoreError};
use subtle::ConstantTimeEq;
use types::{GroupPattern, GroupScope, Timestamp};

use super::caller::{Caller, Role};
use super::rate::Bucket;
use super::validity::Validity;

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

/// Longest name in characters, and most patterns of a key with their longest.
const NAME_CHARS_MAX: usize = 128;
const PATTERNS_MAX: usize = 100;
const PATTERN_BYTES_MAX: usize = 512;

/// All keys.
pub struct Keys {
    store: Arc<Store>,
    /// Held while documents change, so that memory and control store say the same.
    changes: Mutex<()>,
    book: RwLock<Book>,
    /// Of those without a key.
    anonymous: Validity,
    /// What each key may send, `[limits] key_rate`.
    bytes_per_s: Option<u64>,
    /// Ids and names of keys that were used for the first time, of which nobody was told yet.
    first_uses: Mutex<Vec<(String, Arc<str>)>>,
    has_first_uses: AtomicBool,
}

#[derive(Default)]
struct Book {
    keys: HashMap<String, Arc<Key>>,
    signing_secret: Option<String>,
}

/// A key as it is kept in memory.
struct Key {
    id: String,
    document: Document,
    hash: [u8; 32],
    caller: Arc<Caller>,
    used_ns: AtomicI64,
}

/// A key as it is kept in the control store.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Document {
    name: String,
    role: String,
    groups: Vec<String>,
    hash: String,
    created_ns: i64,
    expires_ns: Option<i64>,
    used_ns: Option<i64>,
    line: String,
}

#[derive(Serialize, Deserialize)]
struct SecretDocument {
    secret: String,
}

/// The key that somebody wants.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOrder {
    /// What it is called, in lists and records.
    pub name: String,
    /// `ingest`, `read`, `operate`, `admin`.
    pub role: String,
    /// Patterns of the groups that exist for it; without them, all.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
}

/// A key that was made; its secrets are nowhere else and are shown once.
#[derive(Clone, Serialize)]
pub struct NewKey {
    /// What it is.
    #[serde(flatten)]
    pub view: KeyView,
    /// The key.
    pub key: String,
    /// Its pair for signatures.
    pub access_key_id: String,
    /// The secret half of it.
    pub secret_access_key: String,
}

/// What may be seen of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyView {
    /// By which it is revoked; a part of the key that is no secret.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its role.
    pub role: String,
    /// Patterns of its groups.
    pub groups: Vec<String>,
    /// When it was made.
    pub created: String,
    /// When it was last used; kept to the hour over a restart.
    pub last_used: Option<String>,
    /// When it ends, where another took its place.
    pub expires: Option<String>,
}

/// Errors of the management of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The request is invalid.
    #[error("{0}")]
    Bad(String),
    /// The key would cover groups that the caller's own key does not.
    #[error("a key can only be created for groups that your own key covers")]
    OutOfScope,
    /// There is no such key.
    #[error("there is no key with the id {0:?}")]
    Unknown(String),
    /// The control store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("view", &self.view).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads all keys. One whose document cannot be read is none, and is reported in the log.
    ///
    /// # Errors
    /// If the control store cannot be read: then no one may be admitted.
    pub fn open(store: Arc<Store>, bytes_per_s: Option<u64>, now: Timestamp) -> Result<Self, StoreError> {
        let mut book = Book::default();
        for (id, json) in store.settings().all(KIND)? {
            match serde_json::from_str(&json).ok().and_then(|document| key_of(&id, document, bytes_per_s, now)) {
                Some(key) => drop(book.keys.insert(id, Arc::new(key))),
                None => tracing::error!(id, "a key cannot be read from the control store and is not valid"),
            }
        }
        let anonymous = Validity::default();
        if let Some(json) = store.settings().get(SECRET_KIND, SECRET_NAME)? {
            anonymous.end();
            book.signing_secret = serde_json::from_str(&json).ok().map(|document: SecretDocument| document.secret);
        }
        if !book.keys.is_empty() {
            anonymous.end();
        }
        Ok(Self {
            store,
            changes: Mutex::new(()),
            book: RwLock::new(book),
            anonymous,
            bytes_per_s,
            first_uses: Mutex::default(),
            has_first_uses: AtomicBool::new(false),
        })
    }

    /// Reports whether callers without a key are admitted: until the first key is created.
    pub fn admits_anonymous(&self) -> bool {
        self.anonymous.ends().is_none()
    }

    pub(super) fn anonymous_life(&self) -> Validity {
        self.anonymous.clone()
    }

    /// Who owns a key.
    pub(super) fn find(&self, text: &str, now: Timestamp) -> Option<Arc<Caller>> {
        let (id, _) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let key = self.book().keys.get(id)?.clone();
        let given: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if !bool::from(key.hash.ct_eq(&given)) || !key.caller.validity.is_valid_at(now) {
            return None;
        }
        self.note_use(&key, now);
        Some(key.caller.clone())
    }

    fn note_use(&self, key: &Key, now: Timestamp) {
        if key.used_ns.fetch_max(now.0, Ordering::Relaxed) == i64::MIN {
            let first = (key.id.clone(), key.caller.name.clone());
            self.first_uses.lock().unwrap_or_else(PoisonError::into_inner).push(first);
            self.has_first_uses.store(true, Ordering::Release);
        }
    }

    /// Keys that were used for the first time since this was asked last.
    pub fn take_first_uses(&self) -> Vec<(String, Arc<str>)> {
        if !self.has_first_uses.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *self.first_uses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who owns a pair for signatures, and its secret half. It is used once a signature was right ([`Self::signed`]).
    pub fn signing_key(&self, access_key_id: &str, now: Timestamp) -> Option<(Arc<Caller>, String)> {
        let book = self.book();
        let key = book.keys.get(access_key_id).filter(|key| key.caller.validity.is_valid_at(now))?;
        let secret = book.signing_secret.as_deref()?;
        Some((key.caller.clone(), pair_secret(secret, access_key_id)))
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
        if !groups.iter().all(|pattern| covers(maker, pattern)) {
            return Err(KeyError::OutOfScope);
        }
        let _changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        self.add(order.name.clone(), role, groups, None, now)
    }

    /// Returns the valid keys that `viewer` reaches, oldest first.
    pub fn list(&self, viewer: &GroupScope, now: Timestamp) -> Vec<KeyView> {
        let mut keys: Vec<Arc<Key>> = self.book().keys.values().cloned().collect();
        keys.retain(|key| key.caller.validity.is_valid_at(now) && key.is_within(viewer));
        keys.sort_by(|a, b| (a.document.created_ns, &a.id).cmp(&(b.document.created_ns, &b.id)));
        keys.iter().map(|key| key.view()).collect()
    }

    /// Ends a key at once, on what is under way too. What it was is told.
    pub fn revoke(&self, id: &str, by: &GroupScope) -> Result<KeyView, KeyError> {
        let _changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.of_id(id, by)?;
        // First in memory: a key that is being revoked must not be good until a disk has answered.
        key.caller.validity.end();
        self.store.settings().remove(KIND, id)?;
        self.book_mut().keys.remove(id);
        Ok(key.view())
    }

    /// Makes a key in the place of another, which goes on until `until`.
    pub fn rotate(&self, id: &str, until: Timestamp, by: &GroupScope, now: Timestamp) -> Result<NewKey, KeyError> {
        let _changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.of_id(id, by).and_then(|key| {
            if key.caller.validity.is_valid_at(now) { Ok(key) } else { Err(KeyError::Unknown(id.to_owned())) }
        })?;
        let Document { name, groups, line, .. } = old.document.clone();
        let new = self.add(name, old.caller.role, groups, Some(line), now)?;
        let until = old.caller.validity.ends().map_or(until, |ends| ends.min(until));
        let document = Document { expires_ns: Some(until.0), ..old.document_now() };
        self.put(id, &document)?;
        old.caller.validity.end_at(until);
        Ok(new)
    }

    /// Writes down when keys were used, those whose document says less than `since`; and forgets those that ended.
    pub fn keep_uses(&self, since: Timestamp, now: Timestamp) -> Result<(), KeyError> {
        let _changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<Arc<Key>> = self.book().keys.values().cloned().collect();
        for key in keys {
            if !key.caller.validity.is_valid_at(now) {
                self.store.settings().remove(KIND, &key.id)?;
                self.book_mut().keys.remove(&key.id);
            } else if key.used().is_some_and(|used| used > key.document.used_ns.unwrap_or(i64::MIN).max(since.0)) {
                let document = key.document_now();
                self.put(&key.id, &document)?;
                let (used_ns, hash, caller) = (AtomicI64::new(key.used_now()), key.hash, key.caller.clone());
                let kept = Key { id: key.id.clone(), document, hash, caller, used_ns };
                self.book_mut().keys.insert(key.id.clone(), Arc::new(kept));
            }
        }
        Ok(())
    }

    fn add(
        &self,
        name: String,
        role: Role,
        groups: Vec<String>,
        line: Option<String>,
        now: Timestamp,
    ) -> Result<NewKey, KeyError> {
        if self.book().keys.len() >= KEYS_MAX {
            return Err(KeyError::Bad(format!("there are {KEYS_MAX} keys; revoke one first")));
        }
        let signing_secret = self.signing_secret()?;
        let id = random::<ID_BYTES>()?;
        let text = format!("{PREFIX}{id}_{}", random::<SECRET_BYTES>()?);
        let document = Document {
            name,
            role: role.name().to_owned(),
            groups,
            hash: HEXLOWER.encode(&Sha256::digest(text.as_bytes())),
            created_ns: now.0,
            expires_ns: None,
            used_ns: None,
            line: line.unwrap_or_else(|| id.clone()),
        };
        let key = key_of(&id, document, self.bytes_per_s, now).ok_or_else(|| KeyError::Bad("no key".into()))?;
        self.put(&id, &key.document)?;
        let view = key.view();
        self.book_mut().keys.insert(id.clone(), Arc::new(key));
        let secret_access_key = pair_secret(&signing_secret, &id);
        Ok(NewKey { view, key: text, access_key_id: id, secret_access_key })
    }

    /// Returns the secret of the server, which is created with the first key and ends anonymous access.
    fn signing_secret(&self) -> Result<String, KeyError> {
        if let Some(secret) = &self.book().signing_secret {
            return Ok(secret.clone());
        }
        let secret = random::<32>()?;
        let document = SecretDocument { secret: secret.clone() };
        self.store.settings().put(SECRET_KIND, SECRET_NAME, &as_json(&document))?;
        self.anonymous.end();
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

impl Key {
    fn used(&self) -> Option<i64> {
        Some(self.used_now()).filter(|used_ns| *used_ns != i64::MIN)
    }

    fn used_now(&self) -> i64 {
        self.used_ns.load(Ordering::Relaxed)
    }

    /// Returns the document with the newer values from memory.
    fn document_now(&self) -> Document {
        let expires_ns = self.caller.validity.ends().map(|ends| ends.0);
        Document { used_ns: self.used(), expires_ns, ..self.document.clone() }
    }

    /// Reports whether all groups of the key are within a scope.
    fn is_within(&self, scope: &GroupScope) -> bool {
        self.document.groups.iter().all(|pattern| covers(scope, pattern))
    }

    fn view(&self) -> KeyView {
        let Document { name, role, groups, created_ns, .. } = self.document.clone();
        let time = |ns: i64| Timestamp(ns).to_string();
        let expires = self.caller.validity.ends().filter(|ends| ends.0 != i64::MIN).map(|ends| time(ends.0));
        let (created, last_used) = (time(created_ns), self.used().map(time));
        KeyView { id: self.id.clone(), name, role, groups, created, last_used, expires }
    }
}

/// Returns the key of a document; `None` for an invalid one.
fn key_of(id: &str, document: Document, bytes_per_s: Option<u64>, now: Timestamp) -> Option<Key> {
    let role = role_of(&document.role).ok()?;
    let hash = HEXLOWER.decode(document.hash.as_bytes()).ok()?.try_into().ok()?;
    let patterns = document.groups.iter().map(|pattern| GroupPattern::new(pattern.as_str())).collect();
    let validity = Validity::default();
    if let Some(expires_ns) = document.expires_ns {
        validity.end_at(Timestamp(expires_ns));
    }
    let caller = Caller {
        role,
        sends: matches!(role, Role::Ingest | Role::Admin),
        scope: GroupScope::Matching(patterns),
        name: format!("key:{}", document.name).into(),
        validity,
        bucket: bytes_per_s.map(|bytes_per_s| Arc::new(Bucket::new(bytes_per_s, now))),
        batches: document.line.as_str().into(),
        way: None,
    };
    let used_ns = AtomicI64::new(document.used_ns.unwrap_or(i64::MIN));
    Some(Key { id: id.to_owned(), document, hash, caller: Arc::new(caller), used_ns })
}

/// Reports whether every group that a pattern may match is within a scope. A `*` of the pattern is only taken up by one of the
/// scope's, which takes up all that it may stand for.
pub fn covers(scope: &GroupScope, pattern: &str) -> bool {
    scope.admits(pattern)
}

fn role_of(name: &str) -> Result<Role, KeyError> {
    let roles = [Role::Ingest, Role::Read, Role::Operate, Role::Admin];
    let found = roles.into_iter().find(|role| role.name() == name);
    found.ok_or_else(|| KeyError::Bad(format!("role {name:?} is none of ingest, read, operate, admin")))
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let is_good = !name.trim().is_empty() && name.chars().count() <= NAME_CHARS_MAX;
    if is_good && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(KeyError::Bad(format!("a key's name is 1–{NAME_CHARS_MAX} characters, none of them a control character")))
}

fn check_groups(groups: &[String]) -> Result<(), KeyError> {
    if groups.is_empty() || groups.len() > PATTERNS_MAX {
        return Err(KeyError::Bad(format!("a key has 1–{PATTERNS_MAX} patterns of groups; \"*\" is every group")));
    }
    let is_usual = |b: u8| b.is_ascii_alphanumeric() || b"._/#-*".contains(&b);
    let is_good = |pattern: &String| (1..=PATTERN_BYTES_MAX).contains(&pattern.len()) && pattern.bytes().all(is_usual);
    match groups.iter().find(|pattern| !is_good(pattern)) {
        None => Ok(()),
        Some(bad) => Err(KeyError::Bad(format!("{bad:?} is no pattern of groups: A-Z a-z 0-9 . _ / # - and *"))),
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
