//! Silences: for a time channels receive no alerts with certain labels. Firing alerts are still shown, and are sent
//! when the silence ends and it still fires. The end of an alert that was sent before is always sent.

use serde::{Deserialize, Serialize};
use types::{GroupScope, Timestamp, parse_duration_ns};

use crate::labels::Labels;
use crate::matcher::{Matcher, MatcherText};
use crate::{Author, DefinitionError, Rule};

/// Most conditions of one silence, and the longest comment.
const MATCHERS_MAX: usize = 20;
const COMMENT_BYTES_MAX: usize = 2_000;

/// How long an expired silence is still listed, to show why no notification was sent.
const KEPT_NS: i64 = 5 * Timestamp::DAY;

/// A silence as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with match, duration or ends_at, and comment")]
pub struct NewSilence {
    /// Conditions on labels, as channels have them: `severity=~'page|error'`. All of them have to hold.
    #[serde(default, rename = "match")]
    pub conditions: Vec<String>,
    /// The same as objects, as Alertmanager has them.
    #[serde(default)]
    pub matchers: Vec<AnyMatcher>,
    /// When it begins; now by default.
    pub starts_at: Option<String>,
    /// When it ends.
    pub ends_at: Option<String>,
    /// Or how long it lasts.
    pub duration: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// The author; the caller by default.
    pub created_by: Option<String>,
}

/// A condition of a silence in either form.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a matcher is a text such as \"severity=~'page|error'\", or an object with name, value, is_regex and is_equal"
)]
pub enum AnyMatcher {
    /// `severity=~'page|error'`.
    Text(String),
    /// Its parts.
    Parts(MatcherText),
}

/// A silence as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SilenceRecord {
    pub(crate) id: String,
    pub(crate) matchers: Vec<MatcherText>,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) comment: String,
    pub(crate) created_by: String,
    /// Who is accountable for it.
    pub(crate) maker: String,
    /// The groups that exist for its maker; nothing for all. It holds for rules about these alone.
    pub(crate) scope: Option<Vec<String>>,
}

/// A silence, ready to be asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Silence {
    pub(crate) kept: SilenceRecord,
    matchers: Vec<Matcher>,
    scope: GroupScope,
}

/// A silence, for the API and the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SilenceView {
    /// Its id.
    pub id: String,
    /// Its conditions.
    pub matchers: Vec<MatcherText>,
    /// When it begins.
    pub starts_at: String,
    /// When it ends.
    pub ends_at: String,
    /// Why.
    pub comment: String,
    /// The author.
    pub created_by: String,
    /// `pending`, `active` or `expired`.
    pub status: &'static str,
    /// The groups that it is about.
    #[serde(skip)]
    pub scope: GroupScope,
}

impl AnyMatcher {
    fn read(self) -> Result<MatcherText, String> {
        match self {
            Self::Text(text) => Matcher::parse(&text).map(|matcher| matcher.text),
            Self::Parts(parts) => Ok(parts),
        }
    }
}

impl NewSilence {
    /// Checks it.
    pub(crate) fn checked(self, maker: &Author, now: Timestamp) -> Result<Silence, DefinitionError> {
        let bad = |message: String| DefinitionError::Bad(message);
        let time = |name: &str, text: Option<&String>| {
            let read =
                text.map(|text| Timestamp::parse_rfc3339(text).ok_or_else(|| bad(format!("{name} is not a time"))));
            read.transpose().map(|at| at.map(|at| at.0))
        };
        let starts_at = time("starts_at", self.starts_at.as_ref())?.unwrap_or(now.0);
        let duration = self.duration.map(|text| parse_duration_ns(&text)).transpose();
        let duration = duration.map_err(|error| bad(format!("duration: {error}")))?;
        let ends_at = match (time("ends_at", self.ends_at.as_ref())?, duration) {
            (Some(ends_at), None) => ends_at,
            (None, Some(duration)) => starts_at.saturating_add(duration),
            _ => return Err(bad("a silence has either ends_at or duration, such as \"duration\": \"2h\"".into())),
        };
        if ends_at <= starts_at || ends_at <= now.0 {
            return Err(bad("a silence must end after its start, and in the future".into()));
        }
        let written = self.conditions.into_iter().map(AnyMatcher::Text).chain(self.matchers);
        let matchers = written.map(AnyMatcher::read).collect::<Result<Vec<_>, _>>().map_err(bad)?;
        if matchers.is_empty() || matchers.len() > MATCHERS_MAX {
            return Err(bad(format!(
                "a silence has 1–{MATCHERS_MAX} conditions, such as \"match\": [\"alertname='errors'\"]"
            )));
        }
        let created_by = self.created_by.unwrap_or_else(|| maker.name.clone());
        if self.comment.len() > COMMENT_BYTES_MAX || created_by.len() > COMMENT_BYTES_MAX {
            return Err(bad(format!("comment and created_by are limited to {COMMENT_BYTES_MAX} bytes")));
        }
        let identity = serde_json::json!([matchers, starts_at, ends_at, maker.name, now.0]).to_string();
        let kept = SilenceRecord {
            id: format!("{:032x}", xxhash_rust::xxh3::xxh3_128(identity.as_bytes())),
            matchers,
            starts_at,
            ends_at,
            comment: self.comment,
            created_by,
            maker: maker.name.clone(),
            scope: maker.scope.texts(),
        };
        let silence = Silence::new(kept).map_err(bad)?;
        // One that matches every alert is a mistake more often than an intention; `.+` states the intention.
        let is_about_anything = silence.matchers.iter().any(|matcher| !matcher.matches(&Labels::new()));
        if is_about_anything {
            Ok(silence)
        } else {
            Err(bad("at least one matcher must not match a missing label".into()))
        }
    }
}

impl Silence {
    /// Reads what was kept.
    pub(crate) fn new(kept: SilenceRecord) -> Result<Self, String> {
        let matchers = kept.matchers.iter().cloned().map(Matcher::new).collect::<Result<Vec<_>, _>>()?;
        let scope = GroupScope::of_texts(kept.scope.as_deref());
        Ok(Self { kept, matchers, scope })
    }

    /// Reports whether it holds for an alert of a rule now.
    pub(crate) fn holds(&self, groups: &[String], labels: &Labels, now: Timestamp) -> bool {
        let is_within =
            self.scope.is_everything() || !groups.is_empty() && groups.iter().all(|pattern| self.scope.admits(pattern));
        (self.kept.starts_at..self.kept.ends_at).contains(&now.0)
            && is_within
            && self.matchers.iter().all(|matcher| matcher.matches(labels))
    }

    /// Reports whether it has been over for so long that no one asks any more.
    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.kept.ends_at) > KEPT_NS
    }

    /// Returns how it is shown.
    pub(crate) fn view(&self, now: Timestamp) -> SilenceView {
        let SilenceRecord { id, matchers, starts_at, ends_at, comment, created_by, .. } = self.kept.clone();
        let status = match now.0 {
            now if now < starts_at => "pending",
            now if now < ends_at => "active",
            _ => "expired",
        };
        let (starts_at, ends_at) = (Timestamp(starts_at).to_string(), Timestamp(ends_at).to_string());
        SilenceView { id, matchers, starts_at, ends_at, comment, created_by, status, scope: self.scope.clone() }
    }
}

/// Returns the groups of a rule, as texts.
pub(crate) fn groups_of(rule: &Rule) -> Vec<String> {
    rule.groups.iter().map(|group| group.as_str().to_string()).collect()
}

#[cfg(test)]
mod tests;
