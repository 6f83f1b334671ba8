//! Operations that change groups and streams: creation, deletion, tags, retention.

use language::ParseOptions;
use serde_json::{Value, json};
use storage::GroupRetention;
use types::{GroupName, GroupPattern, TimeRange, Timestamp, ensure};

use super::answer::{CloudWatchProblem, Result};
use super::group_registry::GroupRecord;
use super::input::{Input, constraint};
use super::put::refused;
use super::request::{OperationRequest, Step, must_exist};
use super::state::Shared;
use super::time::milliseconds;
use door::deletion::SHOWN_AS;
use door::protection::{end_protection, protect};
use door::{EventDeletion, Role, Scope, duration_text};

/// Classes of groups. They are returned as requested and have no effect.
const CLASSES: [&str; 4] = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"];

/// Valid numbers of days of a retention.
const RETENTION_DAYS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

impl OperationRequest {
    pub(super) fn create_group(&self, input: &Input) -> Result<Value> {
        let name = self.changed_group(input, &["logGroupName"])?;
        let class = input.text("logGroupClass")?;
        if let Some(class) = class.filter(|class| !CLASSES.contains(class)) {
            return Err(constraint(class, "logGroupClass", "Member must satisfy enum value set"));
        }
        let group = GroupRecord {
            created: Some(milliseconds(self.server.now())),
            class: class.map(str::to_owned),
            tags: input.map("tags")?.unwrap_or_default(),
            ..GroupRecord::default()
        };
        let server = &self.server;
        let is_protected = input.flag("deletionProtectionEnabled")?;
        server.state.groups.make(server.whole_store(), &name, group, server.app.limits.groups)?;
        if is_protected {
            protect(server.settings(), &name)?;
        }
        Ok(Value::Null)
    }

    pub(super) fn delete_group(&self, input: &Input) -> Result<Value> {
        let name = self.changed_group(input, &["logGroupName"])?;
        self.server.must_be_deletable(&name)?;
        if door::deletion::delete_group(&self.server, &name)? {
            return Ok(Value::Null);
        }
        Err(CloudWatchProblem::no_group())
    }

    pub(super) fn put_protection(&self, input: &Input) -> Result<Value> {
        let name = self.changed_group(input, &["logGroupIdentifier"])?;
        must_exist(&self.server, &name)?;
        let is_protected = input.needed_flag("deletionProtectionEnabled")?;
        let change = if is_protected { protect } else { end_protection };
        change(self.server.settings(), &name)?;
        self.server.audit_own("group protection set", &json!({"group": name.as_str(), "protected": is_protected}));
        Ok(Value::Null)
    }

    pub(super) fn create_stream(&self, input: &Input) -> Result<Value> {
        let name = self.changed_group(input, &["logGroupName"])?;
        let stream = stream_of(input)?;
        let (groups, store) = (&self.server.state.groups, self.server.whole_store());
        let is_there = match groups.check_stream(store, &name, &stream) {
            Ok(()) => true,
            Err(problem) if problem.kind == "ResourceNotFoundException" => false,
            Err(problem) => return Err(problem),
        };
        groups.change(store, &name, |group| {
            ensure!(!is_there && !group.streams.contains_key(&stream), CloudWatchProblem::exists("log stream"));
            group.streams.insert(stream, milliseconds(self.server.now()));
            Ok(())
        })?;
        Ok(Value::Null)
    }

    /// Deletes the events of a stream by query, as `delete-events` does, and then the stream. Blocks.
    pub(super) fn delete_stream(self, input: &Input) -> Result<Step> {
        let name = self.changed_group(input, &["logGroupName"])?;
        let stream = stream_of(input)?;
        let server = self.server;
        server.must_be_deletable(&name)?;
        server.state.groups.check_stream(server.whole_store(), &name, &stream)?;
        let forget = |server: &Shared, name: &GroupName, stream: &str| {
            server.state.groups.forget_seen(name, stream);
            server.state.groups.change(server.whole_store(), name, |group| {
                group.streams.remove(stream);
                Ok(Value::Null)
            })
        };
        if !server.whole_store().has_group(&name) {
            return forget(&server, &name, &stream).map(Step::Answer);
        }
        let query = format!("filter @logStream = {}", json!(stream));
        let (now, time_zone) = (server.now(), chrono_tz::UTC);
        let deletion = EventDeletion {
            plan: language::parse_deletion(&query, &ParseOptions { now, time_zone })?,
            scope: Scope { groups: vec![GroupPattern::new(name.as_str())], limit: None, time_zone, now },
            group: name.clone(),
            range: TimeRange::ALL,
            query,
            reason: "DeleteLogStream".into(),
        };
        Ok(Step::Query(
            SHOWN_AS.to_owned(),
            Box::new(move |reading| deletion.carry_out(reading).map(|_| forget(&server, &name, &stream))),
        ))
    }

    pub(super) fn put_retention(&self, input: &Input) -> Result<Value> {
        let days = input.integer("retentionInDays")?;
        if !RETENTION_DAYS.contains(&days) {
            let valid = RETENTION_DAYS.map(|days| days.to_string()).join(", ");
            let message = format!("Invalid retention value: {days}; valid values are {valid}.");
            return Err(CloudWatchProblem::parameter(message));
        }
        self.set_retention(input, Some(days * Timestamp::DAY))
    }

    /// Sets the retention of a group by age; its limit by size stays.
    pub(super) fn set_retention(&self, input: &Input, age_ns: Option<i64>) -> Result<Value> {
        self.require(&[Role::Admin])?;
        let (server, name) = (&self.server, self.changed_group(input, &["logGroupName"])?);
        let store = server.whole_store();
        if !store.has_group(&name) && server.state.groups.group(store, &name)?.is_none() {
            return Err(CloudWatchProblem::no_group());
        }
        let bytes = store.retention(&name).bytes;
        store.set_retention(&name, GroupRetention { age_ns, bytes })?;
        let age = age_ns.map(duration_text);
        server.audit_own("group limits set", &json!({"group": name.as_str(), "age": age, "size": bytes}));
        Ok(Value::Null)
    }

    pub(super) fn tag(&self, input: &Input) -> Result<Value> {
        let tags = input.map("tags")?.unwrap_or_default();
        self.change_tags(input, |group| group.tags.extend(tags))
    }

    pub(super) fn untag(&self, input: &Input) -> Result<Value> {
        let names = input.texts("tagKeys")?.or(input.texts("tags")?).unwrap_or_default();
        self.change_tags(input, |group| group.tags.retain(|name, _| !names.contains(&&**name)))
    }

    fn change_tags(&self, input: &Input, change: impl FnOnce(&mut GroupRecord)) -> Result<Value> {
        let name = self.changed_group(input, &["resourceArn", "logGroupName"])?;
        self.server.state.groups.change(self.server.whole_store(), &name, |group| {
            change(group);
            Ok(())
        })?;
        Ok(Value::Null)
    }

    pub(super) fn list_tags(&self, input: &Input) -> Result<Value> {
        let name = self.group(input, &["resourceArn", "logGroupName"])?;
        let store = self.server.whole_store();
        match self.server.state.groups.group(store, &name)? {
            Some(group) => Ok(json!({"tags": group.tags})),
            None if store.has_group(&name) => Ok(json!({"tags": {}})),
            None => Err(CloudWatchProblem::no_group()),
        }
    }
}

fn stream_of(input: &Input) -> Result<String> {
    let name = input.needed("logStreamName")?;
    crate::put::decode::check_stream_name(name).map_err(refused)?;
    Ok(name.to_owned())
}
