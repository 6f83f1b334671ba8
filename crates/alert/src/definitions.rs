//! Rules, channels and silences created through the API: documents of the control store.
//!
//! | kind | name | document |
//! |---|---|---|
//! | `rule`, `channel` | its name | [`Document`]: the definition, with the keys of rule files, and its author |
//! | `silence` | its id | [`crate::silence::SilenceRecord`] |
//! | `alarm` | its name | [`AlarmDocument`] |
//! | `sns-subscription` | its id | [`TopicSubscription`] |
//! | `acknowledgement` | alert and time | [`crate::engine::AcknowledgementOrder`]: only in a fleet, while the alert fires |
//!
//! A rule or channel of a file takes precedence over one with the same name created through the API.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use storage::Settings;
use types::{GroupScope, Timestamp, ensure};

use crate::alarm::{ALARM, AlarmDocument};
use crate::author::Author;
use crate::compile::compile;
use crate::rule_text::in_file_form;
use crate::silence::{Silence, SilenceRecord};
use crate::subscription::{SUBSCRIPTION, TopicSubscription};
use crate::{Channel, ChannelHealth, ChannelSettings, Rule, RuleSet};

/// Kinds of documents.
pub(crate) const RULE: &str = "rule";
pub(crate) const CHANNEL: &str = "channel";
pub(crate) const SILENCE: &str = "silence";
pub(crate) const ACKNOWLEDGEMENT: &str = "acknowledgement";

/// Names that other addresses of the API have.
const ROUTES: [&str; 2] = ["test", "backtest"];

/// Longest name of a rule.
const NAME_BYTES_MAX: usize = 200;

/// Whether a definition must be new or may replace another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// The name must be free.
    New,
    /// A definition with the name is replaced.
    Replace,
}

/// A rule or channel as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) definition: Json,
    pub(crate) maker: String,
    pub(crate) scope: Option<Vec<String>>,
    pub(crate) changed_at: String,
}

/// All definitions created through the API.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApiDefinitions {
    pub(crate) rules: BTreeMap<String, (Document, Rule)>,
    pub(crate) channels: BTreeMap<String, (Document, Channel)>,
    pub(crate) silences: Vec<Silence>,
    pub(crate) alarms: BTreeMap<String, (AlarmDocument, Rule)>,
    pub(crate) subscriptions: BTreeMap<String, TopicSubscription>,
}

/// All rules and channels, by where they are defined.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) files: RuleSet,
    pub(crate) made: ApiDefinitions,
}

/// A channel, for the API and the page: without its secrets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Scheme and host of where it leads.
    pub address: Option<String>,
    /// Which secrets are set.
    pub secrets: Vec<String>,
    /// Everything else that is set.
    pub settings: Json,
    /// Where it is written; empty where it was made through the API.
    pub file: String,
    /// Who made it through the API.
    pub made_by: Option<String>,
    /// How it does.
    pub health: ChannelHealth,
    /// The groups whose alerts it receives.
    #[serde(skip)]
    pub scope: GroupScope,
}

impl Document {
    pub(crate) fn new(definition: Json, maker: &Author, now: Timestamp) -> Self {
        let (scope, changed_at) = (maker.scope.texts(), now.to_string());
        Self { definition, maker: maker.name.clone(), scope, changed_at }
    }
}

impl ApiDefinitions {
    /// Loads the stored definitions. What this version cannot read is left in place and reported in the log.
    pub(crate) fn load(settings: Settings<'_>) -> Result<Self, String> {
        let silences: BTreeMap<_, _> = read_all(settings, SILENCE, |_, kept: SilenceRecord| Silence::new(kept))?;
        Ok(Self {
            rules: read_all(settings, RULE, |name, document: Document| {
                let rule = rule_of(name, &document, true)?;
                Ok((document, rule))
            })?,
            channels: read_all(settings, CHANNEL, |name, document: Document| {
                let channel = channel_of(name, &document, true)?;
                Ok((document, channel))
            })?,
            silences: silences.into_values().collect(),
            alarms: read_all(settings, ALARM, |name, document: AlarmDocument| {
                let rule = document.rule(name);
                Ok((document, rule))
            })?,
            subscriptions: read_all(settings, SUBSCRIPTION, |_, subscription| Ok(subscription))?,
        })
    }
}

/// Returns what the documents of a kind mean, by name.
fn read_all<D: DeserializeOwned, T>(
    settings: Settings<'_>,
    kind: &str,
    mean: impl Fn(&str, D) -> Result<T, String>,
) -> Result<BTreeMap<String, T>, String> {
    let mut all = BTreeMap::new();
    for (name, text) in settings.all(kind).map_err(|error| error.to_string())? {
        let document = serde_json::from_str(&text).map_err(|error| error.to_string());
        match document.and_then(|document| mean(&name, document)) {
            Ok(meaning) => drop(all.insert(name, meaning)),
            Err(error) => tracing::error!(kind, name, error, "left out of alerting"),
        }
    }
    Ok(all)
}

impl Definitions {
    /// Returns all rules and channels that are in force.
    pub(crate) fn merged(&self, base_url: &str) -> RuleSet {
        let mut set = self.files.clone();
        let known: BTreeSet<&str> = self.files.rules.iter().map(|rule| rule.name.as_str()).collect();
        let alarms = self.made.alarms.iter().filter(|(name, _)| !self.made.rules.contains_key(*name));
        let made = self.made.rules.values().map(|(_, rule)| rule).chain(alarms.map(|(_, (_, rule))| rule));
        set.rules.extend(made.filter(|rule| !known.contains(rule.name.as_str())).cloned());
        let known: BTreeSet<&str> = self.files.channels.iter().map(|channel| channel.name.as_str()).collect();
        let made = self.made.channels.values().map(|(_, channel)| channel);
        set.channels.extend(made.filter(|channel| !known.contains(channel.name.as_str())).cloned());
        for (id, subscription) in &self.made.subscriptions {
            match subscription.channel(id, &self.files.channels, base_url) {
                Ok(channel) => set.channels.push(channel),
                Err(error) => tracing::error!(id, error, "a subscription to a topic is not served"),
            }
        }
        set
    }
}

/// Returns the rule of a document, by the reader of rule files: there is one model. One that `is_in_force` may have templates
/// that were right when it was made.
pub(crate) fn rule_of(name: &str, document: &Document, is_in_force: bool) -> Result<Rule, String> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(format!("a rule's name has 1–{NAME_BYTES_MAX} bytes and no control characters"));
    }
    ensure!(!ROUTES.contains(&name), format!("a rule cannot be called \"{name}\": the API uses that name"));
    let definition = in_file_form(named(name, &document.definition)?);
    let text = json!({"groups": [{"name": "api", "rules": [definition]}]}).to_string();
    let mut set = RuleSet { is_in_force, ..RuleSet::default() };
    // JSON is YAML; of places only the column would say something, and not of what was sent.
    let shown =
        |errors: Vec<crate::RuleError>| errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ");
    set.add("", &text).map_err(shown)?;
    for warning in &set.warnings {
        tracing::warn!(name, problem = warning.message, "a rule made through the API");
    }
    let mut rule = set.rules.pop().ok_or("it contains no rule")?;
    rule.maker = Some(document.maker.clone());
    rule.scope = GroupScope::of_texts(document.scope.as_deref());
    // The sources in the query itself decide who may see the rule.
    let sources = compile(&rule, Timestamp(0)).map(|compiled| compiled.plan.sources).unwrap_or_default();
    if !sources.is_empty() {
        rule.groups = sources;
    }
    if let (GroupScope::Matching(patterns), true) = (&rule.scope, rule.groups.is_empty()) {
        rule.groups.clone_from(patterns);
    }
    let beyond = rule.groups.iter().find(|group| !rule.scope.admits(group.as_str()));
    match beyond.filter(|_| !rule.scope.is_everything()) {
        Some(group) => Err(format!("group \"{}\" does not exist for the author of this rule", group.as_str())),
        None => Ok(rule),
    }
}

/// Returns the channel of a document. The body of one that `is_in_force` may be right only by what it was when it was made.
pub(crate) fn channel_of(name: &str, document: &Document, is_in_force: bool) -> Result<Channel, String> {
    let definition = named(name, &document.definition)?;
    let settings: ChannelSettings = serde_json::from_value(definition).map_err(|error| error.to_string())?;
    let mut channel = Channel::in_force(settings)?;
    match channel.warning() {
        Some(problem) if is_in_force => tracing::warn!(problem, "a channel made through the API"),
        Some(problem) => return Err(problem),
        None => {}
    }
    channel.maker = Some(document.maker.clone());
    channel.scope = GroupScope::of_texts(document.scope.as_deref());
    Ok(channel)
}

/// Returns what was sent, with the name under which it is kept.
fn named(name: &str, definition: &Json) -> Result<Json, String> {
    let mut definition = definition.clone();
    let members = definition.as_object_mut().ok_or("the body is not a JSON object")?;
    if members.get("name").is_some_and(|known| known != name) {
        return Err("the name in the body differs from the name in the path".to_string());
    }
    members.insert("name".into(), name.into());
    Ok(definition)
}
