//! Counts the calls between services for first looks at alerts. Rules are evaluated on threads of their own, which wait for an
//! answer only as long as a notification may take.

use std::sync::{Arc, mpsc};
use std::time::Instant;

use alert::CallQuestion;
use cause::CallCounts;
use door::{Caller, QueryRun, Role, Server, Shared};
use execute::PartialReason;
use tokio::runtime::Handle;

use crate::state::Api;

/// The name of the query in the list of running ones.
const TEXT: &str = "calls between services, for an alert";

/// Lets first looks at alerts count calls.
pub(crate) fn publish(server: &Arc<Server>, api: &Arc<Api>) {
    let Ok(runtime) = Handle::try_current() else { return };
    let (of_server, of_api) = (Arc::downgrade(server), Arc::downgrade(api));
    server.app.alerts.count_calls_with(Box::new(move |question| {
        let (Some(server), Some(api)) = (of_server.upgrade(), of_api.upgrade()) else { return Default::default() };
        count(&runtime, server, api, question)
    }));
}

/// Counts the calls of two ranges until the deadline, within the groups that exist for the rule's maker.
fn count(
    runtime: &Handle,
    server: Arc<Server>,
    api: Arc<Api>,
    question: CallQuestion,
) -> (Vec<CallCounts>, Vec<PartialReason>) {
    let CallQuestion { ranges, groups, scope, deadline } = question;
    let caller = Caller { role: Role::Read, scope, name: "server".into(), ..Caller::default() };
    let server = Shared::of_server(server).as_caller(Arc::new(caller));
    let (sender, counted) = mpsc::sync_channel(1);
    let task = runtime.spawn(async move {
        let counting = move |run: &QueryRun<'_>| Ok((api.families.calls)(run, ranges, &groups));
        drop(sender.send(server.read(TEXT, counting).await));
    });
    let why = match counted.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(counted)) => return counted,
        Ok(Err(problem)) => problem.message,
        Err(_) => "the time for a first look is over".to_owned(),
    };
    // What is not waited for must not go on.
    task.abort();
    let message = format!("calls between services are not counted: {why}");
    (Vec::new(), vec![PartialReason { code: "timeout", message }])
}
