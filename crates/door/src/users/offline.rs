//! What is done to users where no server runs on their store: the same rules, and sentences instead of statuses.

use serde_json::{Value, json};
use storage::Settings;
use types::Timestamp;

use super::directory::{NewUser, Users, no_user};
use crate::problem::Problem;

/// What is to be done. Some of it holds a password, and therefore cannot be printed.
#[derive(Clone)]
pub enum UserOrder {
    /// Tell all of them.
    List,
    /// Make one.
    Add {
        /// Whom.
        name: String,
        /// What they sign in with.
        password: String,
        /// `read`, `operate` or `admin`.
        role: String,
        /// Patterns of groups; `None` for all.
        groups: Option<Vec<String>>,
    },
    /// Take one away.
    Remove {
        /// Whom.
        name: String,
    },
    /// Give one another password.
    SetPassword {
        /// Whom.
        name: String,
        /// The new one.
        password: String,
    },
}

impl UserOrder {
    /// Does it, and answers as the API would. Blocks.
    ///
    /// # Errors
    /// Why it cannot be done, for a person.
    pub fn carry_out(self, settings: Settings<'_>, now: Timestamp) -> Result<Value, String> {
        let users = Users::default();
        let done = match self {
            Self::List => users.list(settings).map(|list| json!({"users": list})),
            Self::Add { name, password, role, groups } => {
                users.add(settings, &NewUser { name, password, role, groups }, now)
            }
            Self::Remove { name } => match users.remove(settings, &name) {
                Ok(false) => Err(no_user(&name)),
                Ok(true) => Ok(json!({"deleted": true})),
                Err(problem) => Err(problem),
            },
            Self::SetPassword { name, password } => {
                users.set_password(settings, &name, &password).map(|_| json!({"changed": true}))
            }
        };
        done.map_err(|problem: Problem| match problem.hint {
            Some(hint) => format!("{}\n{hint}", problem.message),
            None => problem.message,
        })
    }
}
