//! A request for an operation, and the checks that operations share: roles, groups within reach, groups that exist.

use std::pin::Pin;

use serde_json::Value;
use types::GroupName;

use super::answer::{CloudWatchProblem, Result};
use super::input::Input;
use super::state::Shared;
use door::{Problem, QueryRun, Role};

/// Largest body of an operation without events.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// The answer of an operation, or the next step to it.
pub enum Step {
    /// The answer.
    Answer(Value),
    /// Runs as a query with this text.
    Query(String, QueryWork),
    /// Waits for something else.
    Later(Pin<Box<dyn Future<Output = Result<Value>> + Send>>),
}

type QueryWork = Box<dyn FnOnce(&QueryRun<'_>) -> Result<Result<Value>, Problem> + Send>;

impl Step {
    /// Returns the step of a query, which is admitted by its text.
    pub fn query(text: &str, work: impl FnOnce(&QueryRun<'_>) -> Result<Value, Problem> + Send + 'static) -> Self {
        Self::Query(text.to_owned(), Box::new(|run| work(run).map(Ok)))
    }

    /// Takes the step.
    pub(super) async fn answer(self, server: &door::Shared) -> Result<Value> {
        match self {
            Self::Answer(value) => Ok(value),
            Self::Query(text, work) => server.read(&text, work).await?,
            Self::Later(value) => value.await,
        }
    }
}

/// An operation and its caller.
pub(super) struct OperationRequest {
    pub(super) server: Shared,
    pub(super) region: String,
    pub(super) operation: String,
}

impl OperationRequest {
    /// Refuses callers without one of `roles`.
    pub(super) fn require(&self, roles: &[Role]) -> Result<()> {
        CloudWatchProblem::unless(&self.server.caller, &format!("logs:{}", self.operation), roles)
    }

    /// Refuses changes of the server's own groups and of groups outside the caller's scope.
    pub(super) fn change(&self, group: &GroupName) -> Result<()> {
        if group.as_str().starts_with(ingest::OWN_GROUPS) {
            return Err(CloudWatchProblem::denied(format!("The log group {group} is the server's own.")));
        }
        self.reach(group)
    }

    /// Refuses groups outside the caller's scope.
    pub(super) fn reach(&self, group: &GroupName) -> Result<()> {
        if self.server.caller.scope.admits(group.as_str()) {
            return Ok(());
        }
        let message = format!(
            "User: {} is not authorized to perform: logs:{} on resource: {group}",
            self.server.caller.name, self.operation
        );
        Err(CloudWatchProblem::denied(message))
    }

    /// Returns the ARN of a group.
    pub(super) fn arn(&self, group: &str) -> String {
        format!("arn:aws:logs:{}:000000000000:log-group:{group}", self.region)
    }

    /// Returns the group that an operation changes.
    pub(super) fn changed_group(&self, input: &Input, names: &[&str]) -> Result<GroupName> {
        let group = input.group(names)?;
        self.change(&group)?;
        Ok(group)
    }

    /// Returns the group that an operation names, which the caller must reach.
    pub(super) fn group(&self, input: &Input, names: &[&str]) -> Result<GroupName> {
        let group = input.group(names)?;
        self.reach(&group)?;
        Ok(group)
    }

    /// Returns the group that an operation names, which must exist. Blocks.
    pub(super) fn known_group(&self, input: &Input) -> Result<GroupName> {
        let group = self.group(input, &["logGroupName", "logGroupIdentifier"])?;
        must_exist(&self.server, &group).map(|()| group)
    }
}

/// Refuses a group that has no events and that no client created. Blocks.
pub(super) fn must_exist(server: &Shared, group: &GroupName) -> Result<()> {
    let store = server.whole_store();
    let is_there = store.has_group(group) || server.state.groups.group(store, group)?.is_some();
    if is_there { Ok(()) } else { Err(CloudWatchProblem::no_group_named(group)) }
}
