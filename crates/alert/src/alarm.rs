//! Alarms of CloudWatch, as rules: this crate schedules them, keeps their state, and tells channels of them; a judge, which knows
//! CloudWatch's metrics, reads their definitions and decides.
//!
//! An alarm is a document of kind `alarm` in the control store. Its state has a part of its own, the memory of its judge, which is
//! saved with everything else of the rule: what is announced was saved before.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use types::{GroupPattern, GroupScope, Timestamp, Value};

use crate::kind::Alarm;
use crate::rule::Datapoints;
use crate::topic_message::TopicMessage;
use crate::{Ask, Author, Kind, Language, MissingPolicy, Rule};

/// The kind of documents that are alarms.
pub const ALARM: &str = "alarm";

/// An alarm as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmDocument {
    /// What only its judge reads.
    pub definition: Json,
    /// The groups with its data.
    pub groups: Vec<String>,
    /// Topics of channels that learn when it begins and ends.
    pub topics: Vec<String>,
    /// How far back it looks.
    pub window_ns: i64,
    /// How often it is judged; `None` for the usual interval.
    pub interval_ns: Option<i64>,
    /// Whether its actions are enabled.
    pub notify: bool,
    /// When it was changed, ms since the Unix epoch.
    pub changed_ms: i64,
    maker: String,
    scope: Option<Vec<String>>,
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// All is well.
    Ok,
    /// It fires.
    Alarm,
    /// There is nothing to judge by.
    InsufficientData,
}

/// The state of a rule that an alarm depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct DependencyState {
    /// The state.
    pub state: AlarmState,
    /// Since when the rule is in the state; `None` if the engine keeps no time of it.
    pub since: Option<Timestamp>,
    /// What the judge of the rule remembered the last time, if the rule is an alarm.
    pub memory: Option<Json>,
}

/// What a judge is asked.
pub struct AlarmQuestion<'a> {
    /// The name of the alarm.
    pub name: &'a str,
    /// Its definition.
    pub definition: &'a Json,
    /// The groups with its data.
    pub groups: &'a [GroupPattern],
    /// The groups that exist for its author.
    pub scope: &'a GroupScope,
    /// What the judge remembered the last time.
    pub memory: Option<&'a Json>,
    /// Reads data.
    pub ask: &'a dyn Ask,
    /// Returns the state of another rule; `None` if the rule does not exist for the author of the alarm.
    pub state_of: &'a dyn Fn(&str) -> Option<DependencyState>,
    /// Now.
    pub now: Timestamp,
}

/// What a judge decides.
#[derive(Clone, Debug)]
pub struct AlarmVerdict {
    /// The state.
    pub state: AlarmState,
    /// The value that decided.
    pub value: Option<Value>,
    /// Why, for people.
    pub reason: String,
    /// What the author says about it.
    pub description: Option<String>,
    /// What the judge wants to remember.
    pub memory: Json,
    /// What subscribers of topics are told, once that is saved.
    pub messages: Vec<TopicMessage>,
}

/// Judges alarms.
pub trait AlarmJudge: Send + Sync {
    /// Judges an alarm.
    ///
    /// # Errors
    /// Why it cannot be judged now.
    fn judge(&self, question: &AlarmQuestion<'_>) -> Result<AlarmVerdict, String>;

    /// Learns that a verdict was saved, by its memory.
    fn note_saved(&self, name: &str, memory: &Json);
}

/// An alarm, for those who list it.
#[derive(Clone, Debug)]
pub struct AlarmView {
    /// Its name.
    pub name: String,
    /// As it is stored.
    pub document: AlarmDocument,
    /// The groups with its data.
    pub groups: Vec<GroupPattern>,
    /// What its judge remembers.
    pub memory: Option<Json>,
    /// Why it could not be judged the last time.
    pub error: Option<String>,
}

impl AlarmDocument {
    /// Reports whether a group exists for its author.
    pub fn admits(&self, group: &str) -> bool {
        GroupScope::of_texts(self.scope.as_deref()).admits(group)
    }

    /// Makes the document of an alarm that looks at `groups`, without topics.
    pub fn new(definition: Json, groups: Vec<String>, author: &Author, now: Timestamp) -> Self {
        Self {
            definition,
            groups,
            topics: Vec::new(),
            window_ns: Timestamp::MINUTE,
            interval_ns: None,
            notify: true,
            changed_ms: now.0.div_euclid(Timestamp::MILLISECOND),
            maker: author.name.clone(),
            scope: author.scope.texts(),
        }
    }

    /// Returns the rule that it is.
    pub(crate) fn rule(&self, name: &str) -> Rule {
        let scope = GroupScope::of_texts(self.scope.as_deref());
        let mut groups: Vec<GroupPattern> = self.groups.iter().map(GroupPattern::new).collect();
        if let (GroupScope::Matching(patterns), true) = (&scope, groups.is_empty()) {
            groups.clone_from(patterns);
        }
        Rule {
            name: name.to_owned(),
            kind: Kind::Alarm(Alarm { definition: Arc::new(self.definition.clone()) }),
            query: String::new(),
            language: Language::Insights,
            groups,
            window_ns: self.window_ns,
            interval_ns: self.interval_ns,
            condition: None,
            for_ns: 0,
            keep_firing_for_ns: 0,
            missing: Some(MissingPolicy::Insufficient),
            datapoints: Datapoints { to_alarm: 1, of: 1 },
            labels: Default::default(),
            annotations: Default::default(),
            topics: self.topics.clone(),
            notify: self.notify,
            enabled: true,
            file: String::new(),
            maker: Some(self.maker.clone()),
            scope,
            prometheus: None,
        }
    }
}
