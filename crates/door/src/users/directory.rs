//! People with passwords: documents of the control settings, and who of them is signed in.
//!
//! A user has a name, a role, the groups that exist for them, and an argon2id hash of a password. What is asked here
//! blocks (the settings, the hash) and runs behind a gate.
//! Nothing tells an unknown name from a wrong password, neither the answer nor the time that it takes.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use storage::Settings;
use types::{GroupScope, Hold, Timestamp};

use super::password::{self, fingerprint};
use crate::access::{Caller, Role, SignInWay};
use crate::problem::{Problem, Result, to_json};

/// The kind of documents that users are.
pub(super) const KIND: &str = "user";

/// Most users. Every change of a setting goes over all of them.
pub(super) const USERS_MAX: usize = 10_000;

/// Longest name.
pub const NAME_BYTES_MAX: usize = 128;

/// Shortest and longest password. Length is what makes one good; the longest only bounds the work.
const PASSWORD_CHARS_MIN: usize = 8;
const PASSWORD_BYTES_MAX: usize = 1024;

/// Most group patterns of a user.
const GROUPS_MAX: usize = 100;

/// What a user is made of, as it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) role: String,
    pub(super) groups: Option<Vec<String>>,
}

/// A user as the control store has them.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) role: String,
    /// `None` for all groups.
    pub(super) groups: Option<Vec<String>>,
    /// The hash, in the usual text form.
    pub(super) password: String,
    pub(super) created: String,
    /// The account at a provider that they sign in with; `None` for a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
}

impl Document {
    /// Returns how the user signs in.
    fn way(&self) -> SignInWay {
        if self.account.is_some() { SignInWay::Provider } else { SignInWay::Password }
    }
}

/// All users of a store.
#[derive(Debug, Default)]
pub struct Users {
    /// Held while documents are looked at and then changed.
    pub(super) changes: Mutex<()>,
    /// The same of who is signed in.
    pub(super) keeping: Mutex<()>,
}

/// Somebody who signed in.
pub struct SignedIn {
    /// The user as a caller.
    pub caller: Caller,
    /// What tells the password, or the role that a provider's user had, from others that the user had or will have.
    pub password: String,
}

impl Users {
    /// Returns all users, without what they sign in with.
    pub fn list(&self, settings: Settings<'_>) -> Result<Vec<Value>> {
        let documents = settings.all(KIND)?;
        let read = |(name, json): &(String, String)| Some(described(name, &document_of(json)?));
        Ok(documents.iter().filter_map(read).collect())
    }

    /// Makes a user.
    pub fn add(&self, settings: Settings<'_>, new: &NewUser, now: Timestamp) -> Result<Value> {
        check_name(&new.name)?;
        check_password(&new.password)?;
        let role = role_named(&new.role)?;
        new.groups.as_deref().map_or(Ok(()), check_groups)?;
        let password = password::hash(&new.password)?;
        let _changing = self.changes.hold();
        let documents = settings.all(KIND)?;
        if documents.iter().any(|(known, _)| *known == new.name) {
            let problem = Problem::conflict("user-exists", format!("user {:?} exists", new.name));
            return Err(problem.hint("set another password with `catat users password`, or remove the user first"));
        }
        if documents.len() >= USERS_MAX {
            return Err(Problem::bad_request("too-many-users", format!("{USERS_MAX} users are the most there can be")));
        }
        let groups = new.groups.clone();
        let document =
            Document { role: role.name().to_owned(), groups, password, created: now.to_string(), account: None };
        put(settings, &new.name, &document)?;
        Ok(described(&new.name, &document))
    }

    /// Takes a user away; `false` where there is none.
    pub fn remove(&self, settings: Settings<'_>, name: &str) -> Result<bool> {
        let _changing = self.changes.hold();
        let is_there = settings.get(KIND, name)?.is_some();
        settings.remove(KIND, name)?;
        Ok(is_there)
    }

    /// Gives a user another password; returns the fingerprint of the password.
    pub fn set_password(&self, settings: Settings<'_>, name: &str, password: &str) -> Result<String> {
        check_password(password)?;
        let hash = password::hash(password)?;
        let _changing = self.changes.hold();
        let document = settings.get(KIND, name)?.as_deref().and_then(document_of);
        let document = document.ok_or_else(|| no_user(name))?;
        if document.account.is_some() {
            let message = format!("{name:?} signs in with an account at a provider and has no password");
            return Err(Problem::conflict("no-password", message));
        }
        let fingerprint = fingerprint(&hash);
        put(settings, name, &Document { password: hash, ..document })?;
        Ok(fingerprint)
    }

    /// Who somebody is that says this name and this password; `None` where it is not so.
    pub fn verify(&self, settings: Settings<'_>, name: &str, password: &str) -> Result<Option<SignedIn>> {
        let document = settings.get(KIND, name)?.as_deref().and_then(document_of);
        let hash = document.as_ref().map(|document| document.password.as_str());
        let is_right = password::verify(password, hash)?;
        let document = document.filter(|_| is_right);
        Ok(document.and_then(|document| {
            let password = fingerprint(&document.password);
            Some(SignedIn { caller: caller_of(name, &document)?, password })
        }))
    }
}

/// Returns the problem of a user that does not exist.
pub fn no_user(name: &str) -> Problem {
    Problem::not_found(format!("there is no user {name:?}"))
}

/// Returns the caller name of a user.
pub fn caller_name(name: &str) -> String {
    format!("user:{name}")
}

/// Returns the name of the user whom a caller is.
pub fn user_of(caller: &Caller) -> Option<&str> {
    user_of_name(&caller.name)
}

/// Returns the user of a caller name.
pub fn user_of_name(name: &str) -> Option<&str> {
    name.strip_prefix("user:")
}

pub(super) fn caller_of(name: &str, document: &Document) -> Option<Caller> {
    let role = role_named(&document.role).ok()?;
    let scope = GroupScope::of_texts(document.groups.as_deref());
    let name: Arc<str> = caller_name(name).into();
    let batches = name.clone();
    Some(Caller {
        role,
        sends: role == Role::Admin,
        scope,
        name,
        batches,
        way: Some(document.way()),
        ..Caller::default()
    })
}

pub(super) fn document_of(json: &str) -> Option<Document> {
    serde_json::from_str(json).ok()
}

pub(super) fn put(settings: Settings<'_>, name: &str, document: &Document) -> Result<()> {
    Ok(settings.put(KIND, name, &to_json(document)?)?)
}

fn described(name: &str, document: &Document) -> Value {
    let all = ["*".to_owned()];
    let groups = document.groups.as_deref().unwrap_or(&all);
    json!({
        "name": name, "role": document.role, "groups": groups, "created": document.created, "sign_in": document.way().name(),
    })
}

/// Returns the role of a user; the role `ingest` has no use for a page.
pub(super) fn role_named(name: &str) -> Result<Role> {
    [Role::Read, Role::Operate, Role::Admin].into_iter().find(|role| role.name() == name).ok_or_else(|| {
        Problem::bad_request("bad-role", format!("{name:?} is no role of a user")).hint("one of: read, operate, admin")
    })
}

pub(super) fn check_name(name: &str) -> Result<()> {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte);
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(is_usual) {
        return Ok(());
    }
    let problem = Problem::bad_request("bad-name", format!("{name:?} is no name of a user"));
    Err(problem.hint(format!("a name is 1–{NAME_BYTES_MAX} of A-Z a-z 0-9 . _ @ + -")))
}

fn check_password(password: &str) -> Result<()> {
    if password.chars().count() >= PASSWORD_CHARS_MIN && password.len() <= PASSWORD_BYTES_MAX {
        return Ok(());
    }
    // Not the password: an answer may be written down somewhere.
    let message =
        format!("a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes");
    Err(Problem::bad_request("bad-password", message).hint("several words are easy to remember and hard to guess"))
}

pub(super) fn check_groups(groups: &[String]) -> Result<()> {
    let bad = |message: String| Problem::bad_request("bad-groups", message).hint("patterns such as \"app/*\"");
    if groups.is_empty() || groups.len() > GROUPS_MAX {
        return Err(bad(format!("groups are 1–{GROUPS_MAX} patterns, or left out for all groups")));
    }
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"._/#-*".contains(&byte);
    let is_pattern = |text: &&String| !text.is_empty() && text.len() <= 512 && text.bytes().all(is_usual);
    match groups.iter().find(|text| !is_pattern(text)) {
        None => Ok(()),
        Some(text) => Err(bad(format!("{text:?} is no pattern of group names"))),
    }
}

#[cfg(test)]
mod tests;
