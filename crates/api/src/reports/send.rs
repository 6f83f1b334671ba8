//! Sends reports when they are due, on the node that notifies.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use door::{FamilyServer, Opaque, Problem, Result, Server, Shared as AnyServer, to_json};
use types::{Timestamp, ensure};

use super::letter::letter;
use super::{PROBLEM_KIND, Stored, Unmade, all, seen};
use crate::state::{Api, Shared};

/// How often the clock is looked at, and how often what is not needed any more is removed.
const LOOK: Duration = Duration::from_secs(2);
const TIDY_NS: i64 = Timestamp::MINUTE;

/// How long a report that could not be made waits until it is tried again.
const RETRY_NS: i64 = Timestamp::MINUTE;

/// What a node that sends reports remembers.
#[derive(Default)]
struct Progress {
    /// When reports that could not be made were tried last.
    tried: BTreeMap<String, Timestamp>,
    /// When what is not needed any more was removed last.
    tidied: Timestamp,
}

/// Sends what is due until the server ends.
pub(crate) async fn follow(server: Weak<Server>, api: Weak<Api>) {
    let mut progress = Progress::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let (Some(server), Some(api)) = (server.upgrade(), api.upgrade()) else { return };
        // In a fleet, one node notifies.
        if !server.whole_store().has_alerts() {
            progress = Progress::default();
            continue;
        }
        if let Err(problem) = send_due(&server, &api, &mut progress).await {
            tracing::debug!(error = problem.message, "reports are not known");
        }
    }
}

async fn send_due(server: &Arc<Server>, api: &Arc<Api>, progress: &mut Progress) -> Result<()> {
    let now = server.now();
    let tidies = !(0..TIDY_NS).contains(&now.0.saturating_sub(progress.tidied.0));
    let of_thread = server.clone();
    let work = move || {
        let reports = all(of_thread.settings())?;
        if tidies {
            let is_there = |name: &str| reports.iter().any(|(known, _)| known == name);
            let tidied = of_thread.app.alerts.forget_reports(is_there);
            tidied.map_err(|error| Problem::internal(error.to_string()))?;
        }
        Ok::<_, Problem>(reports)
    };
    let reports = server.lookups.run(work).await??;
    if tidies {
        progress.tidied = now;
    }
    let tried = &mut progress.tried;
    tried.retain(|name, _| reports.iter().any(|(known, _)| known == name));
    for (name, report) in reports {
        let rests = tried.get(&name).is_some_and(|at| (0..RETRY_NS).contains(&now.0.saturating_sub(at.0)));
        let Some(due) = due_of(server, &name, &report, now).filter(|_| !rests) else { continue };
        match send(server, &api.clone().into(), &name, &report, due).await {
            Ok(()) => drop(tried.remove(&name)),
            Err(problem) => {
                tracing::warn!(report = name, error = problem.message, "report not sent");
                tried.insert(name.clone(), now);
                note(server, name, Some(Unmade { due: due.to_string(), error: problem.sentence() })).await?;
            }
        }
    }
    Ok(())
}

/// Returns the time of a report that is due and was not sent. Of several, the last: nobody reads old ones after a standstill.
fn due_of(server: &Server, name: &str, report: &Stored, now: Timestamp) -> Option<Timestamp> {
    let changed = Timestamp::parse_rfc3339(&report.changed)?;
    let due = report.definition.schedule().ok()?.before(now)?;
    let sent = server.app.alerts.sent_report(name).map_or(i64::MIN, |sent| sent.due);
    (report.definition.enabled && due > changed && due.0 > sent).then_some(due)
}

/// Sends a report now, whenever it is due.
pub(crate) async fn send_now(server: &Shared, name: &str) -> Result<()> {
    let (of_thread, of_name) = (server.clone(), name.to_owned());
    let report = server.lookups.run(move || seen(&of_thread, &of_name)).await??;
    ensure!(report.is_own(&server.caller), super::not_own(name));
    send(server.whole(), &server.state, name, &report, server.now()).await
}

async fn send(server: &Arc<Server>, api: &Opaque<Api>, name: &str, report: &Stored, due: Timestamp) -> Result<()> {
    let as_author = AnyServer::of_server(server.clone()).as_caller(Arc::new(report.caller()));
    let letter = letter(&FamilyServer::new(as_author, api.clone()), name, report, due).await?;
    let of_thread = server.clone();
    let queued = server.lookups.run(move || of_thread.app.alerts.send_report(&letter)).await?;
    queued.map_err(|error| Problem::busy(error.to_string()))?;
    note(server, name.to_owned(), None).await
}

/// Keeps why a report cannot be made, or that it could be.
async fn note(server: &Arc<Server>, name: String, unmade: Option<Unmade>) -> Result<()> {
    let of_thread = server.clone();
    let work = move || {
        let settings = of_thread.settings();
        let before: Option<Unmade> =
            settings.get(PROBLEM_KIND, &name)?.and_then(|json| serde_json::from_str(&json).ok());
        match &unmade {
            _ if before == unmade => Ok(()),
            None => Ok(settings.remove(PROBLEM_KIND, &name)?),
            Some(unmade) => Ok(settings.put(PROBLEM_KIND, &name, &to_json(unmade)?)?),
        }
    };
    server.lookups.run(work).await?
}
