//! People: documents of the control store, and who of them is signed in.
//!
//! A user has a name, a role, the groups that exist for them, and an argon2id hash of a password or an account at a provider. What is asked here
//! blocks (the store, the hash) and runs behind a gate; what every request asks, [`Sessions::caller_of`], does not.
//! Nothing tells an unknown name from a wrong password, neither the answer nor the time that it takes.

mod accounts;
mod directory;
mod offline;
mod password;
mod proxy_user;
mod role_rules;
mod sessions;
mod sign_ins;
mod stored_sessions;

pub use self::directory::{NAME_BYTES_MAX, NewUser, SignedIn, Users, caller_name, no_user, user_of, user_of_name};
pub use self::offline::UserOrder;
pub use self::proxy_user::{ProxyUsers, no_role};
pub use self::role_rules::{Grant, RoleRule, RoleRules};
pub use self::sessions::{Sessions, cookie_named, cookie_of, set_cookie};
pub use self::sign_ins::SignIns;
