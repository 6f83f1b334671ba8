//! Changes of incidents, as requests have them.

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use types::{Timestamp, ensure};

use super::document::{Incident, IncidentItem, ItemKind};
use crate::author::{Author, ChangeError, Result};

/// Longest texts.
const TITLE_CHARS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 8_000;
const NAME_CHARS_MAX: usize = 512;

/// Services and groups of an incident.
const NAMES_MAX: usize = 50;

/// A change of an incident. A member that is absent changes nothing; `null` takes the value away.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with title, services, began, detected, mitigated, remediated, items"
)]
pub struct IncidentChange {
    /// What failed.
    pub title: Option<String>,
    /// What happened and why.
    pub summary: Option<String>,
    /// Services that failed.
    pub services: Option<Vec<String>>,
    /// Groups that it is about.
    pub groups: Option<Vec<String>>,
    /// Times: RFC 3339, epoch, or `now-1h`.
    #[serde(default, deserialize_with = "present")]
    pub began: Option<Option<Json>>,
    /// See `began`.
    #[serde(default, deserialize_with = "present")]
    pub detected: Option<Option<Json>>,
    /// See `began`.
    #[serde(default, deserialize_with = "present")]
    pub mitigated: Option<Option<Json>>,
    /// See `began`.
    #[serde(default, deserialize_with = "present")]
    pub remediated: Option<Option<Json>>,
    /// All items, in place of those that are there.
    pub items: Option<Vec<NewItem>>,
    /// The version that is changed; with it, a change that somebody else made meanwhile is not lost.
    pub version: Option<u64>,
}

/// An item that is added.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object with kind, at, text, reference, query, groups, url")]
pub struct NewItem {
    /// The item of that id that is kept.
    pub id: Option<String>,
    /// What it is.
    pub kind: ItemKind,
    /// When it happened; now where nothing is said.
    pub at: Option<Json>,
    /// When it ended.
    pub until: Option<Json>,
    /// What it says.
    pub text: String,
    /// The id of the alert, mark, event, issue or trace.
    pub reference: Option<String>,
    /// The query of a chart.
    pub query: Option<String>,
    /// The group of an event, the groups of a query.
    pub groups: Option<String>,
    /// Where the page shows it.
    pub url: Option<String>,
    /// Set by the server; accepted so that an item can be sent back as it was answered, and ignored.
    pub by: Option<String>,
    /// See `by`.
    pub added: Option<Json>,
}

/// Tells an absent member from one that is `null`.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

impl Incident {
    /// Returns the incident with a change.
    pub fn changed(&self, change: IncidentChange, by: &Author, now: Timestamp) -> Result<Self> {
        if change.version.is_some_and(|version| version != self.version) {
            let message = format!("incident {} was changed meanwhile: it has version {}", self.id, self.version);
            return Err(ChangeError::Conflict(message));
        }
        let mut next = Self { changed: now.0, ..self.clone() };
        if let Some(title) = change.title {
            next.title = checked("title", &title, TITLE_CHARS_MAX)?;
            ensure!(!next.title.is_empty(), ChangeError::Bad("title: is empty".into()));
        }
        if let Some(summary) = change.summary {
            next.summary = checked("summary", &summary, TEXT_CHARS_MAX)?;
        }
        if let Some(services) = change.services {
            next.services = names("services", services)?;
        }
        if let Some(groups) = change.groups {
            next.groups = names("groups", groups)?;
            let is_reached = next.groups.iter().all(|group| by.scope.admits(group));
            if !is_reached || next.groups.is_empty() && !by.scope.is_everything() {
                return Err(ChangeError::Bad("groups: some of these are outside of your key's groups".into()));
            }
        }
        if let Some(items) = change.items {
            next.items = items.into_iter().map(|item| next.item(item, by, now)).collect::<Result<_, _>>()?;
        }
        if let Some(began) = change.began {
            next.began = time("began", began, now)?;
        }
        if let Some(detected) = change.detected {
            next.detected = time("detected", detected, now)?;
            next.is_detected_by_hand = next.detected.is_some();
        }
        if let Some(mitigated) = change.mitigated {
            next.mitigated = time("mitigated", mitigated, now)?;
            next.is_mitigated_by_hand = next.mitigated.is_some();
        }
        if let Some(remediated) = change.remediated {
            next.remediated = time("remediated", remediated, now)?;
        }
        next.set_times();
        next.check_order()?;
        next.check_items()?;
        Ok(next)
    }

    /// Returns the incident with one more item.
    pub fn with_item(&self, new: NewItem, by: &Author, now: Timestamp) -> Result<Self> {
        let item = self.item(new, by, now)?;
        let mut next = Self { changed: now.0, ..self.clone() };
        next.items.retain(|known| known.id != item.id);
        next.items.push(item);
        next.set_times();
        Ok(next)
    }

    /// Returns the incident without an item.
    pub fn without_item(&self, id: &str, now: Timestamp) -> Result<Self> {
        let mut next = Self { changed: now.0, ..self.clone() };
        next.items.retain(|known| known.id != id);
        ensure!(
            next.items.len() != self.items.len(),
            ChangeError::NotFound("incident", format!("{}/items/{id}", self.id))
        );
        next.set_times();
        Ok(next)
    }

    fn item(&self, new: NewItem, by: &Author, now: Timestamp) -> Result<IncidentItem> {
        if let Some(known) = new.id.as_ref().and_then(|id| self.items.iter().find(|item| item.id == *id)) {
            return Ok(known.clone());
        }
        let text = |member: &str, text: Option<String>, chars_max: usize| {
            let checked = text.map(|text| checked(member, &text, chars_max)).transpose();
            checked.map(|text| text.filter(|text| !text.is_empty()))
        };
        let at = time("at", new.at, now)?.unwrap_or(now.0);
        let item = IncidentItem {
            id: String::new(),
            kind: new.kind,
            at,
            until: time("until", new.until, now)?,
            text: checked("text", &new.text, TEXT_CHARS_MAX)?,
            reference: text("reference", new.reference, NAME_CHARS_MAX)?,
            query: text("query", new.query, TEXT_CHARS_MAX)?,
            groups: text("groups", new.groups, NAME_CHARS_MAX)?,
            url: text("url", new.url, TEXT_CHARS_MAX)?,
            by: by.name.clone(),
            added: now.0,
        };
        ensure!(item.until.is_none_or(|until| until >= item.at), ChangeError::Bad("until: lies before at".into()));
        if item.url.as_ref().is_some_and(|url| !url.starts_with('/') || url.starts_with("//")) {
            return Err(ChangeError::Bad("url: is a path on this server, such as /?q=…".into()));
        }
        let needed = match item.kind {
            ItemKind::Note => item.text.is_empty().then_some("text"),
            ItemKind::Query => item.query.is_none().then_some("query"),
            ItemKind::Mark => (item.text.is_empty() && item.reference.is_none()).then_some("text"),
            _ => item.reference.is_none().then_some("reference"),
        };
        if let Some(member) = needed {
            return Err(ChangeError::Bad(format!("{member}: an item of kind {} needs it", item.kind.name())));
        }
        let outside = item
            .groups
            .iter()
            .flat_map(|groups| groups.split(','))
            .find(|group| !by.scope.admits(group) || !self.groups.is_empty() && !self.is_about(group));
        if let Some(group) = outside {
            let message = format!("groups: {group} is outside of the groups that the incident or your key is about");
            return Err(ChangeError::Bad(message));
        }
        let id = pattern::id_of(&format!("{}\0{item:?}\0{}", self.id, self.items.len()));
        Ok(IncidentItem { id, ..item })
    }

    /// Refuses groups that would show an item to callers who do not reach its group.
    fn check_items(&self) -> Result<()> {
        let groups = self.items.iter().flat_map(|item| item.groups.iter().flat_map(|groups| groups.split(',')));
        match groups.into_iter().find(|group| !self.is_about(group)) {
            Some(group) => {
                Err(ChangeError::Bad(format!("groups: an item is about {group}, which these do not include")))
            }
            None => Ok(()),
        }
    }

    fn check_order(&self) -> Result<()> {
        let times = [
            ("began", self.began),
            ("detected", self.detected),
            ("mitigated", self.mitigated),
            ("remediated", self.remediated),
        ];
        let Some(began) = self.began else { return Ok(()) };
        let early = times.iter().find(|(_, at)| at.is_some_and(|at| at < began));
        early.map_or(Ok(()), |(name, _)| Err(ChangeError::Bad(format!("{name}: lies before began"))))
    }
}

fn checked(member: &str, text: &str, chars_max: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\t')) {
        return Err(ChangeError::Bad(format!("{member}: has control characters")));
    }
    ensure!(text.chars().count() <= chars_max, ChangeError::Bad(format!("{member}: at most {chars_max} characters")));
    Ok(text.to_owned())
}

fn names(member: &str, names: Vec<String>) -> Result<Vec<String>> {
    ensure!(names.len() <= NAMES_MAX, ChangeError::Bad(format!("{member}: at most {NAMES_MAX}")));
    let mut checked = names.iter().map(|name| checked(member, name, NAME_CHARS_MAX)).collect::<Result<Vec<_>, _>>()?;
    checked.retain(|name| !name.is_empty());
    checked.sort();
    checked.dedup();
    Ok(checked)
}

fn time(member: &str, value: Option<Json>, now: Timestamp) -> Result<Option<i64>> {
    let text = match value {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) => text,
        Some(Json::Number(number)) => number.to_string(),
        Some(_) => return Err(ChangeError::Bad(format!("{member}: neither a text nor a number"))),
    };
    let read = plan::time::parse(&text, now, chrono_tz::UTC);
    read.map(|time| Some(time.0)).map_err(|error| ChangeError::Bad(format!("{member}: {error}")))
}
