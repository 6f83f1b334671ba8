//! Links that open the page for everybody without a key, until they expire or are withdrawn.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `for-link` | the id, sixteen hexadecimal digits | [`Stored`] |
//!
//! A link contains a secret; only its hash is stored. It opens one page, within the scope that its creator had at that time.

use axum::http::StatusCode;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use storage::Settings;
use subtle::ConstantTimeEq;
use types::{GroupPattern, GroupScope, Timestamp, ensure};

use door::access::Validity;
use door::users::user_of;
use door::{Caller, Problem, Result, Role, random, to_json};

/// The kind of documents.
const KIND: &str = "for-link";

/// Most links: every change of a setting goes over all of them.
const LINKS_MAX: usize = 2_000;

/// Bytes of the id and of the secret.
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// A link as the control store has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    /// The group or service, as `service:pay`.
    subject: String,
    /// The groups that exist for those who have the link.
    groups: Vec<String>,
    /// What tells the maker from others.
    owner_id: String,
    /// What the maker was called.
    by: String,
    created: String,
    expires: String,
    /// SHA-256 of the secret, in hexadecimal.
    hash: String,
}

/// A link that was just made; its token is shown once.
pub(crate) struct NewLink {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
}

/// Makes a link to the page of a subject. Blocks.
pub(crate) fn make(
    settings: Settings<'_>,
    caller: &Caller,
    subject: &str,
    (now, expires): (Timestamp, Timestamp),
) -> Result<NewLink> {
    let mut others = settings.read::<Stored>(KIND)?;
    for (id, link) in &others {
        if is_over(link, now) {
            settings.remove(KIND, id)?;
        }
    }
    others.retain(|(_, link)| !is_over(link, now));
    if others.len() >= LINKS_MAX {
        let message = format!("there can be {LINKS_MAX} links");
        return Err(Problem::conflict("too-many-links", message).hint("withdraw some that nobody uses"));
    }
    let (id, secret) = (random::<ID_BYTES>()?, random::<SECRET_BYTES>()?);
    let (id, secret) = (HEXLOWER.encode(&id), BASE64URL_NOPAD.encode(&secret));
    let stored = Stored {
        subject: subject.to_owned(),
        // A link never reaches what is for administrators alone.
        groups: caller.scope.texts().unwrap_or_else(|| vec!["*".to_owned()]),
        owner_id: caller.identity().to_string(),
        by: user_of(caller).unwrap_or(&caller.name).to_owned(),
        created: now.to_string(),
        expires: expires.to_string(),
        hash: hash_of(&secret),
    };
    settings.put(KIND, &id, &to_json(&stored)?)?;
    Ok(NewLink { token: format!("{id}.{secret}"), id, expires })
}

/// Returns the caller that a request with a link has: one with the link's groups, for the page of its subject alone. Blocks.
pub(crate) fn caller_of(settings: Settings<'_>, token: &str, subject: &str, now: Timestamp) -> Result<Caller> {
    let found = token.split_once('.').filter(|(id, _)| is_id(id)).map(|(id, secret)| {
        let json = settings.get(KIND, id)?;
        let link: Option<Stored> = json.and_then(|json| serde_json::from_str(&json).ok());
        let sent = hash_of(secret);
        let is_right = |link: &Stored| {
            let is_same: bool = link.hash.as_bytes().ct_eq(sent.as_bytes()).into();
            is_same && link.subject == subject && !is_over(link, now)
        };
        Ok::<_, Problem>(link.filter(is_right).map(|link| (id, link)))
    });
    let Some((id, link)) = found.transpose()?.flatten() else {
        let problem = Problem::new(StatusCode::GONE, "link-expired", "this link has expired or was withdrawn");
        return Err(problem.hint("ask the person who sent it for a new one"));
    };
    let validity = Validity::default();
    validity.end_at(Timestamp::parse_rfc3339(&link.expires).unwrap_or(now));
    let scope = GroupScope::Matching(link.groups.into_iter().map(GroupPattern::new).collect());
    Ok(Caller { role: Role::Read, scope, name: format!("link:{id}").into(), validity, ..Caller::default() })
}

/// Returns the links to a subject's page that the caller may withdraw: their own, and all to who administrates. Blocks.
pub(crate) fn list(settings: Settings<'_>, caller: &Caller, subject: &str, now: Timestamp) -> Result<Vec<Value>> {
    let mut links = settings.read::<Stored>(KIND)?;
    links.retain(|(_, link)| link.subject == subject && is_own(link, caller) && !is_over(link, now));
    links.sort_by(|(_, a), (_, b)| b.created.cmp(&a.created));
    let view = |(id, link): &(String, Stored)| json!({"id": id, "by": link.by, "created": link.created, "expires": link.expires});
    Ok(links.iter().map(view).collect())
}

/// Withdraws a link. Blocks.
pub(crate) fn remove(settings: Settings<'_>, caller: &Caller, subject: &str, id: &str) -> Result<()> {
    let link = settings.read::<Stored>(KIND)?.into_iter().find(|(known, _)| known == id);
    let is_theirs = link.is_some_and(|(_, link)| link.subject == subject && is_own(&link, caller));
    ensure!(is_theirs, Problem::not_found(format!("there is no link {id:?}")));
    Ok(settings.remove(KIND, id)?)
}

fn is_own(link: &Stored, caller: &Caller) -> bool {
    link.owner_id == *caller.identity() || caller.role == Role::Admin
}

fn is_over(link: &Stored, now: Timestamp) -> bool {
    Timestamp::parse_rfc3339(&link.expires).is_none_or(|expires| expires <= now)
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn hash_of(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}
