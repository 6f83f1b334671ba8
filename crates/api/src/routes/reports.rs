//! `/api/v1/reports`: dashboards and ledgers that are sent by e-mail at times.

use serde_json::json;

use crate::reports;
use crate::state::{Call, Routes};
use door::{Outcome, Reply, RequestBody, Role};

/// Largest body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Returns the routes of reports.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .get("/api/v1/reports", Role::Read, |call| call.look_up(list))
        .put("/api/v1/reports/{name}", Role::Operate, |call| call.json()?.look_up_with(BODY_BYTES_MAX, put))
        .delete("/api/v1/reports/{name}", Role::Operate, |call| call.look_up(delete))
        .post("/api/v1/reports/{name}/send", Role::Operate, send)
}

fn list(Call { server, .. }: &Call) -> Outcome {
    Ok(Reply::json(&json!({"reports": reports::list(server)?})))
}

fn put(Call { server, path: [name, _], .. }: &Call, body: &RequestBody) -> Outcome {
    let definition = serde_json::from_value(body.json()?).map_err(|error| reports::bad(error.to_string()))?;
    let made = reports::put(server, name, definition)?;
    server.audit_own("report set", &json!({"report": name, "topic": made["topic"]}));
    Ok(Reply::json(&made))
}

fn delete(Call { server, path: [name, _], .. }: &Call) -> Outcome {
    reports::remove(server, name)?;
    server.audit_own("report removed", &json!({"report": name}));
    Ok(Reply::json(&json!({"deleted": true})))
}

fn send(Call { server, path: [name, _], .. }: Call) -> Outcome {
    Ok(Reply::later(async move {
        reports::send_now(&server, &name).await?;
        let of_thread = server.clone();
        server.lookups.run(move || of_thread.audit_own("report sent", &json!({"report": name}))).await?;
        Ok(Reply::json(&json!({"queued": true})))
    }))
}
