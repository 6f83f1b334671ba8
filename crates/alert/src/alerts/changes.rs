//! Changes of rules, channels and silences through the API. Each is saved in the control store and then applied; if
//! applying fails, the previous document is saved again.

use serde::Serialize;
use serde_json::{Value as Json, json};
use types::{Hold, ensure};

use super::Alerts;
use crate::definitions::{ACKNOWLEDGEMENT, CHANNEL, Definitions, Document, RULE, SILENCE, channel_of, rule_of};
use crate::engine::AcknowledgementOrder;
use crate::notify::notification;
use crate::post::is_near_host;
use crate::rules::check_composites;
use crate::state::Acknowledgement;
use crate::{
    Author, Channel, ChannelView, DefinitionError, NewSilence, PostError, PutMode, Rule, RuleView, SilenceView, Target,
};

/// Most rules, channels and silences made through the API.
const RULES_MAX: usize = 5_000;
const CHANNELS_MAX: usize = 64;
const SILENCES_MAX: usize = 1_000;

/// Keys of channels that hold secrets.
const SECRETS: [&str; 4] = ["url", "secret", "routing_key", "headers"];

impl Alerts {
    /// Returns a rule and the definition that was sent to create it.
    pub fn rule(&self, name: &str) -> Option<(RuleView, Option<Json>)> {
        let view = self.rules().into_iter().find(|rule| rule.name == name)?;
        let defined = self.defined.hold();
        let document = defined.made.rules.get(name).filter(|_| view.file.is_empty());
        Some((view, document.map(|(document, _)| document.definition.clone())))
    }

    /// Makes or replaces a rule.
    pub fn put_rule(&self, name: &str, definition: Json, maker: &Author, put: PutMode) -> Result<(), DefinitionError> {
        let mut defined = self.defined.hold();
        let what = changeable_rule(&defined, name)?;
        if let Some((_, rule)) = defined.made.rules.get(name) {
            must_reach_rule(rule, maker)?;
            ensure!(put != PutMode::New, DefinitionError::Exists(what));
        }
        let document = Document::new(definition, maker, self.clock.now());
        let rule = rule_of(name, &document, false).map_err(DefinitionError::Bad)?;
        let kept = text_of(&document)?;
        let mut next = defined.clone();
        next.made.rules.insert(name.to_string(), (document, rule));
        if next.made.rules.len() > RULES_MAX {
            return Err(DefinitionError::Bad(format!("more than {RULES_MAX} rules made through the API")));
        }
        let set = next.merged(&self.engine.base_url);
        let seen = set.rules.iter().filter(|other| other.name == name || other.is_within(&maker.scope));
        if let Some((_, error)) = check_composites(seen).into_iter().find(|(rule, _)| *rule == name) {
            return Err(DefinitionError::Bad(error.message));
        }
        self.change(&mut defined, next, RULE, name, Some(&kept))
    }

    /// Switches a rule on or off.
    pub fn enable_rule(&self, name: &str, enabled: bool, maker: &Author) -> Result<(), DefinitionError> {
        let mut defined = self.defined.hold();
        let what = changeable_rule(&defined, name)?;
        let (mut document, rule) = defined.made.rules.get(name).cloned().ok_or(DefinitionError::NotFound(what))?;
        must_reach_rule(&rule, maker)?;
        document.definition["enabled"] = enabled.into();
        document.changed_at = self.clock.now().to_string();
        let kept = text_of(&document)?;
        let mut next = defined.clone();
        next.made.rules.insert(name.to_string(), (document, Rule { enabled, ..rule }));
        self.change(&mut defined, next, RULE, name, Some(&kept))
    }

    /// Removes a rule. Its firing alerts are sent as resolved.
    pub fn remove_rule(&self, name: &str, maker: &Author) -> Result<(), DefinitionError> {
        let mut defined = self.defined.hold();
        let what = changeable_rule(&defined, name)?;
        let (_, rule) = defined.made.rules.get(name).ok_or(DefinitionError::NotFound(what))?;
        must_reach_rule(rule, maker)?;
        let mut next = defined.clone();
        next.made.rules.remove(name);
        self.change(&mut defined, next, RULE, name, None)
    }

    /// Returns all channels.
    pub fn channels(&self) -> Vec<ChannelView> {
        let active = self.engine.active_rules();
        active.channels.iter().map(|channel| self.channel_view(channel)).collect()
    }

    fn channel_view(&self, channel: &Channel) -> ChannelView {
        let set = &channel.settings;
        let address = set.url.as_ref().and_then(|url| reqwest::Url::parse(url.reveal()).ok());
        let address = address.and_then(|url| Some(format!("{}://{}", url.scheme(), url.host_str()?)));
        let secrets = [
            ("url", set.url.is_some()),
            ("secret", set.secret.is_some()),
            ("routing_key", set.routing_key.is_some()),
            ("headers", !set.headers.is_empty()),
        ];
        let secrets = secrets.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name.to_string()).collect();
        let settings = json!({
            "topics": set.topics, "match": set.matchers, "group_by": set.group_by, "group_wait": set.group_wait,
            "group_interval": set.group_interval, "repeat_interval": set.repeat_interval,
            "send_resolved": channel.send_resolved, "from": set.from, "to": set.to, "body": set.body,
            "method": set.method, "headers": set.headers.keys().collect::<Vec<_>>(), "command": set.command,
        });
        ChannelView {
            name: channel.name.clone(),
            kind: set.kind.clone(),
            address,
            secrets,
            settings,
            file: channel.file.clone(),
            made_by: channel.maker.clone(),
            health: self.engine.health_of(&channel.name),
            scope: channel.scope.clone(),
        }
    }

    /// Makes or replaces a channel. Secrets that are left out stay, as long as it leads where it led.
    pub fn put_channel(
        &self,
        name: &str,
        mut definition: Json,
        maker: &Author,
        put: PutMode,
    ) -> Result<(), DefinitionError> {
        let mut defined = self.defined.hold();
        let what = format!("channel \"{name}\"");
        refuse_file(&what, file_of_channel(&defined, name))?;
        if let Some((before, channel)) = defined.made.channels.get(name) {
            must_reach_channel(channel, maker)?;
            ensure!(put != PutMode::New, DefinitionError::Exists(what));
            keep_secrets(&mut definition, &before.definition);
        }
        let document = Document::new(definition, maker, self.clock.now());
        let channel = channel_of(name, &document, false).map_err(DefinitionError::Bad)?;
        self.check_channel(&channel, maker)?;
        let kept = text_of(&document)?;
        let mut next = defined.clone();
        next.made.channels.insert(name.to_string(), (document, channel));
        if next.made.channels.len() > CHANNELS_MAX {
            return Err(DefinitionError::Bad(format!("more than {CHANNELS_MAX} channels made through the API")));
        }
        self.change(&mut defined, next, CHANNEL, name, Some(&kept))
    }

    /// Takes a channel away, with what waits for it.
    pub fn remove_channel(&self, name: &str, maker: &Author) -> Result<(), DefinitionError> {
        let mut defined = self.defined.hold();
        let what = format!("channel \"{name}\"");
        refuse_file(&what, file_of_channel(&defined, name))?;
        let (_, channel) = defined.made.channels.get(name).ok_or(DefinitionError::NotFound(what))?;
        must_reach_channel(channel, maker)?;
        let mut next = defined.clone();
        next.made.channels.remove(name);
        self.change(&mut defined, next, CHANNEL, name, None)
    }

    /// Delivers a test notification now. The outer error means that there is no such channel.
    pub fn test_channel(&self, name: &str, maker: &Author) -> Result<Result<(), PostError>, DefinitionError> {
        let missing = || DefinitionError::NotFound(format!("channel \"{name}\""));
        let channel = self.engine.active_rules().channel(name).cloned().ok_or_else(missing)?;
        must_reach_channel(&channel, maker)?;
        if let Some(taken) = self.store.as_ref().and_then(|store| store.copy_taken()) {
            let reason =
                format!("this store is a copy, taken {taken}, and sends no notifications until `catat promote`");
            return Ok(Err(PostError::Refused(reason)));
        }
        let now = self.clock.now();
        let summary = format!("This is a test of the channel {name}, sent to see whether it arrives");
        let body = json!({
            "id": "", "rule": "test", "status": "firing", "test": true, "value": 1,
            "labels": {"alertname": "test", "channel": name}, "annotations": {"summary": summary},
            "starts_at": now.to_string(), "ends_at": null, "pattern": null, "url": self.engine.page_url(),
            "events": [{"@timestamp": now.to_string(), "@message": "this is not a log line"}],
        });
        // Its end is sent with it, so that no one has to close it.
        let firing = notification(&body, name, None, 0, now).message();
        let posted = self.post.post(&channel, &firing, now);
        if posted.is_ok() && channel.target.sorts() {
            return Ok(self.post.post(&channel, &notification(&body, name, Some(now.0), 0, now).message(), now));
        }
        Ok(posted)
    }

    /// Returns all silences that hold, will, or did lately.
    pub fn silences(&self) -> Vec<SilenceView> {
        let now = self.clock.now();
        self.defined
            .hold()
            .made
            .silences
            .iter()
            .filter(|silence| !silence.is_past(now))
            .map(|silence| silence.view(now))
            .collect()
    }

    /// Makes a silence.
    pub fn add_silence(&self, silence: NewSilence, maker: &Author) -> Result<SilenceView, DefinitionError> {
        let now = self.clock.now();
        let silence = silence.checked(maker, now)?;
        let mut defined = self.defined.hold();
        for past in defined.made.silences.iter().filter(|silence| silence.is_past(now)) {
            self.keep(SILENCE, &past.kept.id, None)?;
        }
        defined.made.silences.retain(|silence| !silence.is_past(now));
        if defined.made.silences.len() >= SILENCES_MAX {
            return Err(DefinitionError::Bad(format!("more than {SILENCES_MAX} silences")));
        }
        self.keep(SILENCE, &silence.kept.id, Some(&text_of(&silence.kept)?))?;
        let view = silence.view(now);
        defined.made.silences.push(silence);
        self.engine.set_silences(defined.made.silences.clone());
        Ok(view)
    }

    /// Ends a silence now.
    pub fn end_silence(&self, id: &str, maker: &Author) -> Result<(), DefinitionError> {
        let now = self.clock.now();
        let mut defined = self.defined.hold();
        let found = defined.made.silences.iter_mut().find(|silence| silence.kept.id == id);
        let reached = found.filter(|silence| maker.scope.covers(&silence.view(now).scope));
        let silence = reached.ok_or_else(|| DefinitionError::NotFound(format!("silence {id}")))?;
        let mut kept = silence.kept.clone();
        kept.ends_at = kept.ends_at.min(now.0);
        kept.starts_at = kept.starts_at.min(kept.ends_at);
        self.keep(SILENCE, id, Some(&text_of(&kept)?))?;
        silence.kept = kept;
        self.engine.set_silences(defined.made.silences.clone());
        Ok(())
    }

    /// Acknowledges an alert, so that channels are not notified again until it ends; without `by`, withdraws the
    /// acknowledgement. `by` is a name and a comment.
    pub fn acknowledge(&self, id: &str, by: Option<(&str, &str)>) -> Result<(), DefinitionError> {
        let at = self.clock.now().to_string();
        let acknowledged =
            by.map(|(by, comment)| Acknowledgement { by: by.to_string(), at, comment: comment.to_string() });
        let missing = || DefinitionError::NotFound(format!("alert {id} that fires"));
        if self.engine.is_shared() {
            let starts_at = self.engine.fires_since(id).ok_or_else(missing)?;
            let order = AcknowledgementOrder { alert: id.to_owned(), starts_at, acknowledged };
            self.keep(ACKNOWLEDGEMENT, &order.name(), Some(&text_of(&order)?))?;
            // The order is saved: if it cannot be applied now, the next round applies it.
            if let Err(error) = self.follow() {
                tracing::debug!(%error, "an acknowledgement is not applied yet");
            }
            return Ok(());
        }
        match self.engine.acknowledge(id, acknowledged) {
            Ok(true) => Ok(()),
            Ok(false) => Err(missing()),
            Err(error) => Err(DefinitionError::Kept(error)),
        }
    }

    /// Keeps one document and puts everything in place with it.
    fn change(
        &self,
        defined: &mut Definitions,
        next: Definitions,
        kind: &str,
        name: &str,
        kept: Option<&str>,
    ) -> Result<(), DefinitionError> {
        let before = match kind {
            RULE => defined.made.rules.get(name).map(|(document, _)| text_of(document)),
            _ => defined.made.channels.get(name).map(|(document, _)| text_of(document)),
        };
        let before = before.transpose()?;
        self.keep(kind, name, kept)?;
        match self.put_in_place(&next) {
            Ok(()) => {
                *defined = next;
                Ok(())
            }
            Err(error) => {
                self.keep(kind, name, before.as_deref())?;
                Err(DefinitionError::Kept(error.to_string()))
            }
        }
    }

    fn keep(&self, kind: &str, name: &str, text: Option<&str>) -> Result<(), DefinitionError> {
        let Some(store) = &self.store else { return Ok(()) };
        let kept = match text {
            Some(text) => store.settings().put(kind, name, text),
            None => store.settings().remove(kind, name),
        };
        kept.map_err(|error| DefinitionError::Kept(error.to_string()))
    }

    /// Checks whether `author` may create a channel with this target.
    fn check_channel(&self, channel: &Channel, maker: &Author) -> Result<(), DefinitionError> {
        if let Target::Command(_) = &channel.target {
            if !maker.is_admin {
                return Err(DefinitionError::NotAllowed("channels of type \"command\" need the role admin".into()));
            }
            if !self.allow_commands {
                return Err(DefinitionError::NotAllowed("commands are switched off: [alerts] allow_commands".into()));
            }
        }
        let url = channel.settings.url.as_ref().and_then(|url| reqwest::Url::parse(url.reveal()).ok());
        let is_near = url.as_ref().and_then(|url| url.host_str().map(is_near_host)).unwrap_or(false);
        if is_near && !self.allow_private_addresses {
            let message =
                "url leads to this machine or a private network; [alerts] allow_private_addresses = true allows it";
            return Err(DefinitionError::Bad(message.into()));
        }
        Ok(())
    }
}

/// Treats a rule that its caller may not see as absent.
fn must_reach_rule(rule: &Rule, maker: &Author) -> Result<(), DefinitionError> {
    rule.is_within(&maker.scope).then_some(()).ok_or_else(|| taken(&rule.name))
}

fn must_reach_channel(channel: &Channel, maker: &Author) -> Result<(), DefinitionError> {
    if matches!(channel.target, Target::Command(_)) && !maker.is_admin {
        return Err(DefinitionError::NotAllowed("channels of type \"command\" need the role admin".into()));
    }
    maker.scope.covers(&channel.scope).then_some(()).ok_or_else(|| taken(&channel.name))
}

fn taken(name: &str) -> DefinitionError {
    DefinitionError::NotAllowed(format!("the name \"{name}\" is taken"))
}

fn refuse_file(what: &str, file: Option<&str>) -> Result<(), DefinitionError> {
    let in_file = |file: &str| DefinitionError::InFile { what: what.to_string(), file: file.to_string() };
    file.map_or(Ok(()), |file| Err(in_file(file)))
}

/// Returns what a rule is called. Refuses the name of one in a file, and that of an alarm, which has an API of its own.
fn changeable_rule(defined: &Definitions, name: &str) -> Result<String, DefinitionError> {
    let what = format!("rule \"{name}\"");
    refuse_file(&what, defined.files.rules.iter().find(|rule| rule.name == name).map(|rule| &*rule.file))?;
    if !defined.made.alarms.contains_key(name) {
        return Ok(what);
    }
    Err(DefinitionError::Bad(format!(
        "\"{name}\" is an alarm of CloudWatch; PutMetricAlarm, PutCompositeAlarm and DeleteAlarms change it"
    )))
}

fn file_of_channel<'a>(defined: &'a Definitions, name: &str) -> Option<&'a str> {
    defined.files.channels.iter().find(|channel| channel.name == name).map(|channel| &*channel.file)
}

/// Restores secrets that were left out, of a channel with an unchanged address: else anyone who may change a channel could
/// have them sent to themselves.
fn keep_secrets(definition: &mut Json, before: &Json) {
    let leads_elsewhere = definition.get("url").is_some_and(|url| Some(url) != before.get("url"));
    let Some(members) = definition.as_object_mut().filter(|_| !leads_elsewhere) else { return };
    if members.get("type") != before.get("type") {
        return;
    }
    for key in SECRETS {
        if let (None, Some(secret)) = (members.get(key), before.get(key)) {
            members.insert(key.into(), secret.clone());
        }
    }
}

fn text_of(document: &impl Serialize) -> Result<String, DefinitionError> {
    serde_json::to_string(document).map_err(|error| DefinitionError::Kept(error.to_string()))
}

#[cfg(test)]
mod tests;
