//! `/api/v1/users`: people who may sign in to the page.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::session::{Body, Peer, Under, begin, check, with_cookie};
use door::users::{NewUser, SignedIn, caller_name, no_user};
use door::{HandlerServer, PathName, Problem, Role, Shared};

/// Users may get any groups, and therefore are made by somebody to whom all groups exist.
fn require_everything(server: &Shared) -> Result<(), Problem> {
    if server.caller.role == Role::Admin && server.caller.scope.is_everything() {
        return Ok(());
    }
    let message = "only an admin of all groups may do this with users";
    Err(Problem::new(StatusCode::FORBIDDEN, "not-allowed", message))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: String,
    /// The one so far: needed for one's own, so that a screen left open gives nobody the account.
    current: Option<String>,
}

pub(crate) fn list(server: &Shared) -> Result<impl IntoResponse + use<>, Problem> {
    require_everything(server)?;
    let users = server.users.list(server.settings())?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({"users": users}))))
}

pub(crate) async fn post(server: Shared, body: Body) -> Result<Response, Problem> {
    require_everything(&server)?;
    let new: NewUser = body.read()?;
    let of_thread = server.clone();
    let work = move || {
        let made = of_thread.users.add(of_thread.settings(), &new, of_thread.now())?;
        let details = json!({"user": made["name"], "role": made["role"], "groups": made["groups"]});
        of_thread.audit_own("user made", &details);
        Ok::<Value, Problem>(made)
    };
    let made = server.passwords.run(work).await??;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

pub(crate) fn delete(server: &Shared, PathName(name): PathName) -> Result<Json<Value>, Problem> {
    require_everything(server)?;
    let is_deleted = server.users.remove(server.settings(), &name)?;
    if is_deleted {
        server.audit_own("user removed", &json!({"user": name}));
    }
    end_sessions(server, &name);
    if is_deleted { Ok(Json(json!({"deleted": true}))) } else { Err(no_user(&name)) }
}

/// Ends what is open of a user, and writes down that it has ended. Blocks.
fn end_sessions(server: &Shared, name: &str) {
    server.sessions.end_of(&caller_name(name));
    // What could not be kept is in the log, and nothing that was kept is good with another password or without the user.
    server.keep_sessions_of(name);
}

pub(crate) async fn put_password(
    server: Shared,
    PathName(name): PathName,
    peer: Peer,
    under: Under,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let is_own = *server.caller.name == *caller_name(&name);
    if !is_own {
        require_everything(&server)?;
    }
    let new: NewPassword = body.read()?;
    let who = match (is_own, new.current) {
        (true, Some(current)) => Some(check(&server, &peer, name.clone(), current).await?),
        (true, None) => {
            let problem = Problem::bad_request("current-required", "the current password is missing");
            return Err(problem.hint("send it as \"current\""));
        }
        (false, _) => None,
    };
    let (of_thread, whose, password) = (server.clone(), name.clone(), new.password);
    let work = move || {
        let fingerprint = of_thread.users.set_password(of_thread.settings(), &whose, &password)?;
        of_thread.audit_own("password set", &json!({"user": whose}));
        Ok::<String, Problem>(fingerprint)
    };
    let password = server.passwords.run(work).await??;
    // Whoever knew the old one is not to go on.
    server.look_up(move |server| end_sessions(server, &name)).await?;
    let changed = Json(json!({"changed": true}));
    match who {
        Some(who) => {
            let token = begin(&server, SignedIn { password, ..who }, None).await?;
            let (cookie, parting) = with_cookie(&token, &under, &headers);
            Ok((parting, cookie, changed).into_response())
        }
        None => Ok(changed.into_response()),
    }
}
