//! A request for an operation, and the checks that operations share: roles, groups within reach, groups that exist.

use types::GroupName;

use super::answer::CloudWatchProblem;
use super::input::Input;
use super::state::Shared;
use door::{HandlerServer, Role};

/// Largest body of an operation without events.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// An operation and its caller.
pub(super) struct OperationRequest {
    pub(super) server: Shared,
    pub(super) region: String,
    pub(super) operation: String,
}

impl OperationRequest {
    /// Refuses callers without one of `roles`.
    pub(super) fn require(&self, roles: &[Role]) -> Result<(), CloudWatchProblem> {
        CloudWatchProblem::unless(&self.server.caller, &format!("logs:{}", self.operation), roles)
    }

    /// Refuses changes of the server's own groups and of groups outside the caller's scope.
    pub(super) fn change(&self, group: &GroupName) -> Result<(), CloudWatchProblem> {
        if group.as_str().starts_with(ingest::OWN_GROUPS) {
            return Err(CloudWatchProblem::denied(format!("The log group {group} is the server's own.")));
        }
        self.reach(group)
    }

    /// Refuses groups outside the caller's scope.
    pub(super) fn reach(&self, group: &GroupName) -> Result<(), CloudWatchProblem> {
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
    pub(super) fn changed_group(&self, input: &Input, names: &[&str]) -> Result<GroupName, CloudWatchProblem> {
        let group = input.group(names)?;
        self.change(&group)?;
        Ok(group)
    }

    /// Returns the group that an operation names, which the caller must reach.
    pub(super) fn group(&self, input: &Input, names: &[&str]) -> Result<GroupName, CloudWatchProblem> {
        let group = input.group(names)?;
        self.reach(&group)?;
        Ok(group)
    }

    /// Returns the group that an operation names, which must exist. Blocks.
    pub(super) fn known_group(&self, input: &Input) -> Result<GroupName, CloudWatchProblem> {
        let group = self.group(input, &["logGroupName", "logGroupIdentifier"])?;
        must_exist(&self.server, &group).map(|()| group)
    }

    /// Does the same from a thread that may not block.
    pub(super) async fn find_group(&self, input: &Input) -> Result<GroupName, CloudWatchProblem> {
        let group = self.group(input, &["logGroupName", "logGroupIdentifier"])?;
        self.server.look_up(move |server| must_exist(server, &group).map(|()| group)).await?
    }
}

/// Refuses a group that has no events and that no client created. Blocks.
pub(super) fn must_exist(server: &Shared, group: &GroupName) -> Result<(), CloudWatchProblem> {
    let store = server.whole_store();
    let is_there = store.has_group(group) || server.state.groups.group(store, group)?.is_some();
    if is_there { Ok(()) } else { Err(CloudWatchProblem::no_group_named(group)) }
}
