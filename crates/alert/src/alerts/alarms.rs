//! Alarms of CloudWatch, subscriptions and messages of topics, for the API that makes them.
//!
//! Its documents are put into the control store by that API, which then calls [`Alerts::refresh`].

use std::sync::Arc;

use reqwest::Url;
use storage::Store;
use types::Hold;

use super::Alerts;
use crate::alarm::{AlarmJudge, AlarmView};
use crate::definitions::ApiDefinitions;
use crate::options::AlertsError;
use crate::post::is_near_host;
use crate::topic_message::TopicMessage;
use crate::{Target, check_address};

/// The kind of documents that are messages on their way to the node that sends them; only in a fleet.
const MESSAGE: &str = "topic-message";

impl Alerts {
    /// Sets the judge of alarms; those in force are judged from now on.
    pub fn set_alarm_judge(&self, judge: Arc<dyn AlarmJudge>) {
        self.engine.set_alarm_judge(judge, self.clock.now());
    }

    /// Returns all alarms, with what they have come to.
    pub fn alarms(&self) -> Vec<AlarmView> {
        let defined = self.defined.hold();
        let inner = self.engine.locked();
        let view = |(name, (document, rule)): (&String, &(crate::AlarmDocument, crate::Rule))| {
            let state = inner.kept.rules.get(name);
            AlarmView {
                name: name.clone(),
                document: document.clone(),
                groups: rule.groups.clone(),
                memory: state.and_then(|state| state.alarm.clone()),
                error: state.and_then(|state| state.error.clone()),
            }
        };
        defined.made.alarms.iter().map(view).collect()
    }

    /// Has an alarm judged as soon as possible.
    pub fn judge_soon(&self, alarm: &str) {
        self.engine.schedule.ask(alarm, &[self.clock.now()], &[]);
    }

    /// Reads all definitions from the control store again and puts them in force.
    ///
    /// # Errors
    /// If they cannot be read, or the state that follows cannot be saved. Those in force before stay so.
    pub fn refresh(&self) -> Result<(), AlertsError> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut defined = self.defined.hold();
        self.refresh_from(store, &mut defined)
    }

    pub(super) fn refresh_from(
        &self,
        store: &Store,
        defined: &mut crate::definitions::Definitions,
    ) -> Result<(), AlertsError> {
        let made = ApiDefinitions::load(store.settings()).map_err(AlertsError::Start)?;
        if format!("{made:?}") != format!("{:?}", defined.made) {
            let silences = made.silences.clone();
            let before = std::mem::replace(&mut defined.made, made);
            if let Err(error) = self.put_in_place(defined) {
                defined.made = before;
                return Err(error);
            }
            self.engine.set_silences(silences);
        }
        Ok(())
    }

    /// Sends a message to its receivers. It is durable when this returns.
    ///
    /// # Errors
    /// If it cannot be saved, or too many notifications wait.
    pub fn publish(&self, message: &TopicMessage) -> Result<(), String> {
        let Some(store) = self.store.as_ref().filter(|_| self.engine.is_shared()) else {
            return self.engine.queue_topic_messages(std::slice::from_ref(message), self.clock.now());
        };
        let text = serde_json::to_string(message).map_err(|error| error.to_string())?;
        store.settings().put(MESSAGE, &message.id, &text).map_err(|error| error.to_string())?;
        // It is saved: if it cannot be queued now, the next round of the node that sends does it.
        if let Err(error) = self.follow() {
            tracing::debug!(%error, "a message of a topic is not queued yet");
        }
        Ok(())
    }

    /// Queues the messages that other nodes of the fleet have taken, on the node that sends.
    pub(super) fn take_messages(&self, store: &Store) -> Result<(), AlertsError> {
        let failed = |error: &dyn std::fmt::Display| AlertsError::State(error.to_string());
        if !self.engine.is_leading() {
            return Ok(());
        }
        for (id, text) in store.settings().all(MESSAGE).map_err(|error| failed(&error))? {
            if let Ok(message) = serde_json::from_str::<TopicMessage>(&text) {
                self.engine.queue_topic_messages(&[message], self.clock.now()).map_err(|error| failed(&error))?;
            }
            store.settings().remove(MESSAGE, &id).map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// Checks the address of a subscriber over HTTP.
    ///
    /// # Errors
    /// Why messages may not be posted there.
    pub fn check_subscriber(&self, url: &str) -> Result<(), String> {
        check_address(url)?;
        let parsed = Url::parse(url).map_err(|error| error.to_string())?;
        let is_near = parsed.host_str().is_none_or(is_near_host);
        if is_near && !self.allow_private_addresses {
            let way_out = "[alerts] allow_private_addresses = true allows it";
            return Err(format!("the address leads to this machine or a private network; {way_out}"));
        }
        Ok(())
    }

    /// Reports whether mail can be sent to subscribers: whether a file has a channel of type `email`.
    pub fn has_mail_server(&self) -> bool {
        let defined = self.defined.hold();
        defined.files.channels.iter().any(|channel| matches!(channel.target, Target::Email(_)))
    }
}
