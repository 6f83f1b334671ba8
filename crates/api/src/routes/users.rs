//! `/api/v1/users`: people who may sign in to the page.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::session::{address, begin, check, with_cookie};
use crate::state::Call;
use door::users::{NewUser, SignedIn, caller_name, no_user};
use door::{Outcome, Problem, Reply, RequestBody, Result, Role, Shared};

/// Users may get any groups, and therefore are made by somebody to whom all groups exist.
fn require_everything(server: &Shared) -> Result<()> {
    if server.caller.role == Role::Admin && server.caller.scope.is_everything() {
        return Ok(());
    }
    Err(Problem::forbidden("not-allowed", "only an admin of all groups may do this with users"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: String,
    /// The one so far: needed for one's own, so that a screen left open gives nobody the account.
    current: Option<String>,
}

pub(crate) fn list(Call { server, .. }: &Call) -> Outcome {
    require_everything(server)?;
    let users = server.users.list(server.settings())?;
    Ok(Reply::json(&json!({"users": users})).not_stored())
}

pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    require_everything(&server)?;
    let new: NewUser = body.json()?;
    let of_thread = server.clone();
    let work = move || {
        let made = of_thread.users.add(of_thread.settings(), &new, of_thread.now())?;
        let details = json!({"user": made["name"], "role": made["role"], "groups": made["groups"]});
        of_thread.audit_own("user made", &details);
        Ok(Reply::json(&made).with_status(StatusCode::CREATED))
    };
    Ok(Reply::later(async move { server.passwords.run(work).await? }))
}

pub(crate) fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    require_everything(server)?;
    let is_deleted = server.users.remove(server.settings(), name)?;
    if is_deleted {
        server.audit_own("user removed", &json!({"user": name}));
    }
    end_sessions(server, name);
    if is_deleted { Ok(Reply::json(&json!({"deleted": true}))) } else { Err(no_user(name)) }
}

/// Ends what is open of a user, and writes down that it has ended. Blocks.
fn end_sessions(server: &Shared, name: &str) {
    server.sessions.end_of(&caller_name(name));
    // What could not be kept is in the log, and nothing that was kept is good with another password or without the user.
    server.keep_sessions_of(name);
}

pub(crate) fn put_password(Call { server, path: [name, _], parts, .. }: Call, body: RequestBody) -> Outcome {
    let is_own = *server.caller.name == *caller_name(&name);
    if !is_own {
        require_everything(&server)?;
    }
    let new: NewPassword = body.json()?;
    if is_own && new.current.is_none() {
        let problem = Problem::bad_request("current-required", "the current password is missing");
        return Err(problem.hint("send it as \"current\""));
    }
    Ok(Reply::later(async move {
        let who = match new.current.filter(|_| is_own) {
            Some(current) => Some(check(&server, address(&parts), name.clone(), current).await?),
            None => None,
        };
        let (of_thread, whose) = (server.clone(), name.clone());
        let work = move || {
            let fingerprint = of_thread.users.set_password(of_thread.settings(), &whose, &new.password)?;
            of_thread.audit_own("password set", &json!({"user": whose}));
            Ok::<String, Problem>(fingerprint)
        };
        let password = server.passwords.run(work).await??;
        // Sessions that began with the old password end.
        let of_thread = server.clone();
        server.lookups.run(move || end_sessions(&of_thread, &name)).await?;
        let changed = Reply::json(&json!({"changed": true}));
        let Some(who) = who else { return Ok(changed) };
        let token = begin(&server, SignedIn { password, ..who }, None).await?;
        Ok(with_cookie(changed, &token, &parts))
    }))
}
