//! Evaluates rules on a schedule, keeps alert state, delivers notifications exactly as promised.
//!
//! ```text
//! rules/*.yaml ─► Rule ─ compile ─► plan ─ ask ─► table ─ evaluate ─► next state + changes
//!                                                                          │
//!                         channels ◄─ notify ◄─ queue ◄─ saved before it is announced
//! ```
//!
//! Promises: evaluation is a pure function of rule, table, previous state and time; a change is on disk before
//! anyone is notified; a notification keeps its id through every retry, also across a crash; a channel that does
//! not answer delays no other.
//!
//! Knows nothing of HTTP routes; the lists that it gives are for the API and the page.

mod alarm;
mod alerts;
mod arrival;
mod ask;
mod author;
mod calls;
mod channel;
mod channel_state;
mod compile;
mod definitions;
mod detectors;
mod engine;
mod evaluate;
#[cfg(test)]
#[path = "../../files/src/objects/fake.rs"]
mod fake_s3;
#[cfg(test)]
mod fleet_lab;
mod kind;
mod label_selectors;
mod labels;
mod language;
mod matcher;
pub mod metrics;
mod notify;
mod options;
mod packs;
mod post;
#[cfg(test)]
#[path = "../../database/src/postgres/testing.rs"]
mod postgres_server;
mod prometheus_text;
mod recorder;
mod rehearsal;
mod report;
mod rewrite;
mod rule;
mod rule_text;
mod rules;
mod runs;
mod schedule;
mod silence;
mod state;
mod state_file;
mod state_store;
mod subscription;
mod template;
mod topic_message;
mod trial;
mod trigger;
mod watch;

pub use ::language::Language;
pub use alarm::{
    ALARM, AlarmDocument, AlarmJudge, AlarmQuestion, AlarmState, AlarmVerdict, AlarmView, DependencyState,
};
pub use alerts::{Alerts, Announcement, AnnouncementError, ReportError};
pub use ask::{Ask, EventTime, Question, Table};
pub use author::{Author, DefinitionError};
pub use calls::{CallCounter, CallQuestion, CountCalls};
pub use channel::{Channel, ChannelPost, ChannelSettings, Post, Target};
pub use channel_state::ChannelHealth;
pub use definitions::{ChannelView, PutMode};
pub use engine::{AlertSubject, AlertView, DeliveryView, RuleView};
pub use kind::{
    Absence, Alarm, Anomaly, BurnRate, Composite, Condition, Direction, Kind, NewPattern, Ratio, WindowPair,
};
pub use label_selectors::LabelSelectors;
pub use matcher::MatcherText;
pub use options::{AlertsError, Options};
pub use packs::{PACKS, Pack};
pub use post::{Connection, PostError, Poster, Reach, check_address};
pub use recorder::{RecordingRule, RecordingView};
pub use rehearsal::{FiringAlert, rehearse};
pub use report::{Enclosure, Report, ReportDelivery, SentReport};
pub use rewrite::rewrite_templates;
pub use rule::{Datapoints, MissingPolicy, PrometheusForm, Rule, RuleError};
pub use rule_text::{read_json_rule, read_rules};
pub use rules::RuleSet;
pub use runs::RunsAsk;
pub use schedule::EvaluationTiming;
pub use silence::{AnyMatcher, NewSilence, SilenceView};
pub use state::{Acknowledgement, ISSUES_STATE, check_state};
pub use state_file::StateError;
pub use state_store::{StateKind, StateStore};
pub use subscription::{SUBSCRIPTION, TopicSubscription};
pub use topic_message::{Receiver, TopicMessage};
pub use trial::{Backtest, BacktestRange, PastAlert, Trial, TrialSet, backtest, try_rule};

/// The rule file that is used if there is none: `config/rules/errors.yaml`.
pub const DEFAULT_RULES: &str = include_str!("../../../config/rules/errors.yaml");

#[cfg(test)]
use storage::ObjectStoreOptions;

/// A rule that counts errors, which tests begin from.
#[cfg(test)]
const THRESHOLD_RULES: &str = include_str!("rules/threshold.yaml");
