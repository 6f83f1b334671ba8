//! Roles of people whom a provider or a proxy identifies: `[sign_in] roles`.

use std::str::FromStr;

use super::directory::{check_groups, role_named};
use crate::access::Role;

/// What a person may do, and in which groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Patterns of log groups; `None` for all.
    pub groups: Option<Vec<String>>,
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    Everyone,
    User(String),
    Group(String),
}

/// One rule: `GROUP = ROLE [PATTERN …]`, `user:NAME = …` or `* = …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    member: Member,
    grant: Grant,
}

/// What marks the name of a person in a rule, and what no name of a group begins with.
const USER: &str = "user:";

impl FromStr for RoleRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |problem: &str| format!("\"{text}\": {problem}; write \"GROUP = ROLE\" or \"GROUP = ROLE app/* web/*\"");
        let (member, grant) = text.rsplit_once('=').ok_or_else(|| wrong("it has no role"))?;
        let member = match (member.trim(), member.trim().strip_prefix(USER)) {
            ("", _) | (_, Some("")) => return Err(wrong("it names no one")),
            ("*", _) => Member::Everyone,
            (_, Some(user)) => Member::User(user.to_owned()),
            (group, None) => Member::Group(group.to_owned()),
        };
        let mut words = grant.split_whitespace().map(str::to_owned);
        let role = words.next().ok_or_else(|| wrong("it has no role"))?;
        let role = role_named(&role).map_err(|_| wrong("the roles are read, operate and admin"))?;
        let patterns: Vec<String> = words.collect();
        let groups = (!patterns.is_empty()).then_some(patterns);
        groups.as_deref().map_or(Ok(()), check_groups).map_err(|problem| wrong(&problem.message))?;
        Ok(Self { member, grant: Grant { role, groups } })
    }
}

/// Rules in order.
#[derive(Clone, Debug, Default)]
pub struct RoleRules(pub Vec<RoleRule>);

impl RoleRules {
    /// Returns what the first rule that fits grants a person; `None` if they may not sign in.
    pub fn grant(&self, user: &str, groups: &[String]) -> Option<&Grant> {
        let fits = |rule: &&RoleRule| match &rule.member {
            Member::Everyone => true,
            Member::User(name) => name == user,
            Member::Group(name) => groups.iter().any(|group| group == name),
        };
        self.0.iter().find(fits).map(|rule| &rule.grant)
    }
}

#[cfg(test)]
mod tests;
