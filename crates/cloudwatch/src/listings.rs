//! Operations that list groups and streams, page by page.
//!
//! The token of a page of groups is the last name of the page before, so that pages stay consistent while groups are
//! created and deleted. The token of a page of streams is the number of streams before it.

use std::collections::BTreeMap;

use language::ParseOptions;
use serde_json::{Value, json};
use storage::GroupStatus;
use types::{GroupName, GroupPattern, TimeRange, Timestamp, Value as Field, ensure};

use super::answer::{CloudWatchProblem, Result};
use super::group_registry::GroupRecord;
use super::input::{Input, constraint, group_of};
use super::metric_filters::counters;
use super::metrics::alarms::ACCOUNT;
use super::paging::{page_from, read_token, start_of, with_next};
use super::put::SEQUENCE_TOKEN;
use super::request::{OperationRequest, Step};
use super::time::milliseconds;
use door::protection::protected;
use door::{QueryRun, Role, Scope};

/// Limits on the entries of a page of details, and of names.
const PAGE_MAX: usize = 50;
const NAMES_PAGE_MAX: usize = 1_000;

/// Limit on the listed streams of a group.
const STREAMS_MAX: usize = 100_000;

/// The query for the times of the events of each stream.
const TIMES_QUERY: &str = "stats min(@timestamp) as first, max(@timestamp) as last, max(@ingestionTime) as arrived \
    by @logStream | limit 100000";

/// A group of a listing.
struct GroupListing {
    made: Option<GroupRecord>,
    status: Option<GroupStatus>,
}

/// The times of a stream, in milliseconds.
#[derive(Clone, Copy, Default)]
struct Stream {
    created: Option<i64>,
    first: Option<i64>,
    last: Option<i64>,
    arrived: Option<i64>,
}

impl OperationRequest {
    pub(super) fn describe_groups(&self, input: &Input) -> Result<Value> {
        let (prefix, pattern) = (input.text("logGroupNamePrefix")?, input.text("logGroupNamePattern")?);
        if prefix.is_some() && pattern.is_some() {
            let message = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
            return Err(CloudWatchProblem::parameter(message));
        }
        check_accounts(input)?;
        let limit = input.number("limit", PAGE_MAX, PAGE_MAX)?;
        let names = input.texts("logGroupIdentifiers")?.map(|names| {
            names.into_iter().map(|name| group_of(name, "logGroupIdentifiers")).collect::<Result<Vec<GroupName>, _>>()
        });
        let names = names.transpose()?;
        let class = input.text("logGroupClass")?;
        let groups = self.listed()?;
        let wanted = groups.iter().filter(|(name, group)| {
            prefix.is_none_or(|prefix| name.starts_with(prefix))
                && pattern.is_none_or(|pattern| name.contains(pattern))
                && class.is_none_or(|class| class == group.class())
                && names.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted.as_str() == **name))
        });
        let (page, next) = page_by_name(wanted, limit, input)?;
        let n_filters = counters::counts(self.server.settings())?;
        let protected = protected(self.server.settings())?;
        let described: Vec<Value> = page
            .iter()
            .map(|(name, group)| {
                let mut json = self.group_json(name, group);
                json["metricFilterCount"] = n_filters.get(*name).copied().unwrap_or(0).into();
                json["deletionProtectionEnabled"] = protected.contains(*name).into();
                json
            })
            .collect();
        Ok(with_next(json!({"logGroups": described}), next))
    }

    pub(super) fn list_groups(&self, input: &Input) -> Result<Value> {
        check_accounts(input)?;
        let alternatives = input.text("logGroupNamePattern")?.map(alternatives).transpose()?;
        let tags = input.objects("logGroupTags")?.iter().map(TagFilter::read).collect::<Result<Vec<_>, _>>()?;
        let class = input.text("logGroupClass")?;
        let limit = input.number("limit", PAGE_MAX, NAMES_PAGE_MAX)?;
        let groups = self.listed()?;
        let wanted = groups.iter().filter(|(name, group)| {
            alternatives.as_ref().is_none_or(|texts| texts.iter().any(|text| fits(name, text)))
                && class.is_none_or(|class| class == group.class())
                && tags.iter().all(|tag| tag.accepts(group))
        });
        let (page, next) = page_by_name(wanted, limit, input)?;
        let listed: Vec<Value> = page
            .iter()
            .map(|(name, group)| {
                json!({"logGroupName": name, "logGroupArn": self.arn(name), "logGroupClass": group.class()})
            })
            .collect();
        Ok(with_next(json!({"logGroups": listed}), next))
    }

    /// Blocks.
    pub(super) fn describe_streams(self, input: &Input) -> Result<Step> {
        let name = self.group(input, &["logGroupName", "logGroupIdentifier"])?;
        let prefix = input.text("logStreamNamePrefix")?.map(str::to_owned);
        let is_descending = input.flag("descending")?;
        let limit = input.number("limit", PAGE_MAX, PAGE_MAX)?;
        let is_by_time = match input.text("orderBy")? {
            None | Some("LogStreamName") => false,
            Some("LastEventTime") if prefix.is_some() => {
                return Err(CloudWatchProblem::parameter("Cannot order by LastEventTime with a logStreamNamePrefix."));
            }
            Some("LastEventTime") => true,
            Some(other) => {
                return Err(constraint(
                    other,
                    "orderBy",
                    "Member must satisfy enum value set: [LogStreamName, LastEventTime]",
                ));
            }
        };
        let (mut streams, has_events) = self.created_streams(&name)?;
        let start = start_of(input)?;
        let describe = move |asked: &Self, name: &GroupName, streams: BTreeMap<String, Stream>| {
            let mut streams: Vec<(String, Stream)> = streams.into_iter().collect();
            streams.retain(|(name, _)| prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix)));
            if is_by_time {
                streams.sort_by_key(|(_, stream)| stream.last);
            }
            if is_descending {
                streams.reverse();
            }
            let (page, next) = page_from(&streams, start, limit);
            let described: Vec<Value> =
                page.iter().map(|(stream, times)| asked.stream_json(name, stream, times)).collect();
            with_next(json!({"logStreams": described}), next)
        };
        if !has_events {
            return Ok(Step::Answer(describe(&self, &name, streams)));
        }
        Ok(Step::query("(times of streams)", move |reading| {
            for (stream, times) in times_of(reading, &name)? {
                let created = streams.get(&stream).and_then(|made| made.created);
                streams.insert(stream, Stream { created, ..times });
            }
            Ok(describe(&self, &name, streams))
        }))
    }

    /// Returns the groups within the caller's scope. Blocks.
    fn listed(&self) -> Result<BTreeMap<String, GroupListing>> {
        self.require(&[Role::Ingest, Role::Read])?;
        let server = &self.server;
        let made = server.state.groups.groups(server.whole_store(), &server.caller.scope)?;
        let listed = |(name, made)| (name, GroupListing { made: Some(made), status: None });
        let mut groups: BTreeMap<String, GroupListing> = made.into_iter().map(listed).collect();
        for status in server.groups() {
            let name = status.name.as_str().to_owned();
            groups.entry(name).or_insert(GroupListing { made: None, status: None }).status = Some(status);
        }
        Ok(groups)
    }

    /// Returns the streams of a group that clients created, and whether it has events, too. Blocks.
    fn created_streams(&self, name: &GroupName) -> Result<(BTreeMap<String, Stream>, bool)> {
        let store = self.server.whole_store();
        let has_events = store.has_group(name);
        let made = self.server.state.groups.group(store, name)?;
        ensure!(made.is_some() || has_events, CloudWatchProblem::no_group());
        let with_time = |(name, created)| (name, Stream { created: Some(created), ..Stream::default() });
        Ok((made.unwrap_or_default().streams.into_iter().map(with_time).collect(), has_events))
    }

    fn group_json(&self, name: &str, group: &GroupListing) -> Value {
        let store = self.server.whole_store();
        let retention = GroupName::new(name).and_then(|name| store.retention(&name).age_ns);
        let first = group.status.as_ref().and_then(|status| status.first).map(milliseconds);
        let created = group.made.as_ref().and_then(|made| made.created).or(first);
        let mut json = json!({
            "logGroupName": name, "creationTime": created.unwrap_or_default(),
            "arn": format!("{}:*", self.arn(name)), "logGroupArn": self.arn(name), "logGroupClass": group.class(),
            "storedBytes": group.status.as_ref().map_or(0, |status| status.bytes_stored),
        });
        if let Some(age_ns) = retention {
            // An age is rounded up to whole days.
            json["retentionInDays"] = (age_ns.saturating_add(Timestamp::DAY - 1) / Timestamp::DAY).into();
        }
        json
    }

    fn stream_json(&self, group: &GroupName, name: &str, stream: &Stream) -> Value {
        let mut json = json!({
            "logStreamName": name, "creationTime": stream.created.or(stream.first).unwrap_or_default(),
            "arn": format!("{}:log-stream:{name}", self.arn(group.as_str())),
            "uploadSequenceToken": SEQUENCE_TOKEN, "storedBytes": 0,
        });
        let times = [
            ("firstEventTimestamp", stream.first),
            ("lastEventTimestamp", stream.last),
            ("lastIngestionTime", stream.arrived),
        ];
        for (member, time) in times {
            if let Some(time) = time {
                json[member] = time.into();
            }
        }
        json
    }
}

impl GroupListing {
    fn class(&self) -> &str {
        self.made.as_ref().and_then(|made| made.class.as_deref()).unwrap_or("STANDARD")
    }
}

/// Returns the times of the events of each stream.
fn times_of(reading: &QueryRun<'_>, name: &GroupName) -> Result<Vec<(String, Stream)>, door::problem::Problem> {
    let (now, time_zone) = (reading.server.now(), chrono_tz::UTC);
    let plan = language::parse_insights(TIMES_QUERY, &ParseOptions { now, time_zone })?;
    let groups = vec![GroupPattern::new(name.as_str())];
    let scope = Scope { groups, limit: Some(STREAMS_MAX), time_zone, now };
    let answer = reading.execute(&plan, &scope, TimeRange::ALL)?;
    let column = |wanted: &str| answer.columns.iter().position(|column| &*column.name == wanted);
    let places = ["@logStream", "first", "last", "arrived"].map(column);
    let of_row = |row: &Vec<Option<Field>>| {
        let field = |place: Option<usize>| row.get(place?)?.as_ref();
        let time = |place| match field(place) {
            Some(Field::Timestamp(time)) => Some(milliseconds(*time)),
            _ => None,
        };
        let [name, first, last, arrived] = places;
        let Some(Field::String(name)) = field(name) else { return None };
        let times = Stream { created: None, first: time(first), last: time(last), arrived: time(arrived) };
        (!name.is_empty()).then(|| (name.to_string(), times))
    };
    Ok(answer.rows.iter().filter_map(of_row).collect())
}

/// Refuses the ids of other accounts: this server has one.
fn check_accounts(input: &Input) -> Result<()> {
    let accounts = input.texts("accountIdentifiers")?.unwrap_or_default();
    match accounts.into_iter().find(|account| *account != ACCOUNT) {
        None => Ok(()),
        Some(other) => Err(CloudWatchProblem::parameter(format!(
            "accountIdentifiers: {other:?} is another account; this one is {ACCOUNT}."
        ))),
    }
}

/// Returns the texts of a pattern that names contain or, after `^`, begin with.
fn alternatives(pattern: &str) -> Result<Vec<&str>> {
    let is_fit = |text: &&str| {
        let text = text.strip_prefix('^').unwrap_or(text);
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte))
    };
    let texts: Vec<&str> = pattern.split('|').collect();
    let rule = r"Member must satisfy regular expression pattern: (\^?[\.\-_\/#A-Za-z0-9]+)(\|\^?[\.\-_\/#A-Za-z0-9]+)*";
    if texts.iter().all(is_fit) { Ok(texts) } else { Err(constraint(pattern, "logGroupNamePattern", rule)) }
}

/// Values of a tag: all, some with `*` for any characters, or, after `!`, others.
struct TagFilter {
    key: String,
    values: Vec<String>,
}

impl TagFilter {
    fn read(given: &Value) -> Result<Self> {
        let bad = || CloudWatchProblem::parameter("logGroupTags: a filter has a key, and values that are strings.");
        let key = given["key"].as_str().ok_or_else(bad)?.to_owned();
        let values = given["values"].as_array().into_iter().flatten();
        let values = values.map(|value| value.as_str().map(str::to_owned).ok_or_else(bad)).collect::<Result<_, _>>()?;
        Ok(Self { key, values })
    }

    fn accepts(&self, group: &GroupListing) -> bool {
        let tags = group.made.as_ref().map(|made| &made.tags);
        let Some(value) = tags.and_then(|tags| tags.get(&self.key)) else { return false };
        let fits = |wanted: &str| match wanted.contains('*') {
            true => GroupPattern::new(wanted.to_lowercase()).matches(&value.to_lowercase()),
            false => wanted == value,
        };
        let is_wanted = |wanted: &String| wanted.strip_prefix('!').map_or_else(|| fits(wanted), |other| !fits(other));
        self.values.is_empty() || self.values.iter().any(is_wanted)
    }
}

/// Reports whether a name contains a text, or begins with it if the text begins with `^`.
fn fits(name: &str, text: &str) -> bool {
    text.strip_prefix('^').map_or_else(|| name.contains(text), |start| name.starts_with(start))
}

/// A page of groups by name, and the token of the next page.
type Page<'g> = (Vec<(&'g String, &'g GroupListing)>, Option<String>);

/// Returns the page that the token names.
fn page_by_name<'g>(
    groups: impl Iterator<Item = (&'g String, &'g GroupListing)>,
    limit: usize,
    input: &Input,
) -> Result<Page<'g>> {
    let after = input.text("nextToken")?.map(read_token).transpose()?;
    let mut rest = groups.filter(|(name, _)| after.as_ref().is_none_or(|after| *name > after));
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| page.last().map(|(name, _)| (*name).clone()));
    Ok((page, next))
}
