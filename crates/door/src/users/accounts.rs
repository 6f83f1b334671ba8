//! Users without passwords: those of a provider, made at their first sign-in and changed when the rules give them another role,
//! and those whom a proxy names.

use data_encoding::HEXLOWER;
use oidc::Account;
use storage::Settings;
use types::{Hold, Timestamp};

use super::directory::{Document, KIND, SignedIn, USERS_MAX, Users, caller_of, check_name, document_of, put};
use super::password::fingerprint;
use super::role_rules::Grant;
use crate::access::{Caller, SignInWay};
use crate::problem::{Problem, Result, random};

impl Users {
    /// Returns the user of an account with the role of `grant`, and whether that differs from what they had, so that their
    /// older sessions must end. A name belongs to the account, or the password, that had it first.
    ///
    /// # Errors
    /// If the name is no name or is taken, there are too many users, or the control store fails. Blocks.
    pub fn admit_account(
        &self,
        settings: Settings<'_>,
        account: &Account,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<(SignedIn, bool)> {
        let name = &*account.name;
        check_name(name)?;
        let _changing = self.changes.hold();
        let known = settings.get(KIND, name)?.as_deref().and_then(document_of);
        if known.as_ref().is_some_and(|known| known.account.as_ref() != Some(&account.subject)) {
            let message = format!("another user is called {name:?}: one with a password, or of another account");
            let problem = Problem::conflict("account-name-taken", message);
            return Err(problem.hint("remove that user with `catat users remove` if it is the same person"));
        }
        let is_new = known.is_none();
        if is_new && settings.all(KIND)?.len() >= USERS_MAX {
            return Err(Problem::bad_request("too-many-users", format!("{USERS_MAX} users are the most there can be")));
        }
        let (role, groups) = (grant.role.name(), grant.groups.clone());
        let is_same = |known: &Document| known.role == role && known.groups == groups;
        let (document, is_changed) = match known {
            Some(known) if is_same(&known) => (known, false),
            known => {
                let created = known.map_or_else(|| now.to_string(), |known| known.created);
                let account = Some(account.subject.clone());
                // What sessions depend on: another mark ends those with another role, on every node.
                let password = mark()?;
                let document = Document { role: role.to_owned(), groups, password, created, account };
                put(settings, name, &document)?;
                (document, !is_new)
            }
        };
        let caller = caller_of(name, &document).ok_or_else(|| Problem::internal("the user's role is unknown"))?;
        Ok((SignedIn { caller, password: fingerprint(&document.password) }, is_changed))
    }
}

/// Returns the caller whom a proxy names, with the role of `grant`.
pub(super) fn caller_by_proxy(name: &str, grant: &Grant) -> Result<Caller> {
    check_name(name)?;
    let (role, groups) = (grant.role.name().to_owned(), grant.groups.clone());
    let document = Document { role, groups, password: String::new(), created: String::new(), account: None };
    let caller = caller_of(name, &document).ok_or_else(|| Problem::internal("the user's role is unknown"))?;
    Ok(Caller { way: Some(SignInWay::Proxy), ..caller })
}

/// Returns a text of its own that is the hash of no password.
fn mark() -> Result<String> {
    Ok(format!("provider:{}", HEXLOWER.encode(&random::<16>()?)))
}
