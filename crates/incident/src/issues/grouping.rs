//! Finds the issue of each error, and counts it.
//!
//! Almost every error has a masked text or a stack trace that was seen before at its place: its hash leads to the issue.
//! A new text is compared with the patterns of the place, then its pattern is looked for among the texts of the place
//! (`pattern::mine`), all new ones of a block at once. If that makes two issues one pattern, the later one joins the
//! earlier one, unless a person has decided something about it.
//!
//! Issues that began while stack traces were grouped by another rule are found by that rule too. The first error that the
//! current rule tells apart continues the issue, later ones become issues of their own, and issues that the current rule
//! takes for one are joined; a note says so. What a person has decided about keeps all its errors.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use types::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::decision::{Decisions, IssueState};
use super::record::{Back, IssueCounts, IssueRecord, Notice, Rule, id_of};
use super::signature::{ErrorEvent, FormerSignature, Signature, cut, has_pattern, masked, shown, without_time};

/// Issues of all places, and of one place.
const ISSUES_MAX: usize = 5_000;
const ISSUES_OF_PLACE_MAX: usize = 500;

/// Longest title and pattern that are kept.
const TITLE_BYTES_MAX: usize = 240;
const PATTERN_BYTES_MAX: usize = 1_000;

/// Texts of a place that new ones are compared with: `mine` costs about a millisecond for them.
const TEXTS_OF_PLACE_MAX: usize = 2_000;

/// Different texts that show where the words of a pattern vary; before that, only `mine` decides.
const WIDE_TEXTS_MIN: usize = 3;

/// Issues of one type and place that differ in what they say; more may be one error that names something else each time.
const VARIANTS_MAX: usize = 16;

/// Errors that are older than this when they are accepted are history: no one is notified of them.
const NOTIFIED_AGE_NS_MAX: i64 = 15 * Timestamp::MINUTE;

/// What stands for the signature of everything beyond the limits.
const OTHER_KEY: &str = "\u{2}other";

/// A place: group and service.
type Place = (String, Option<String>);

/// The issues and the ways to find them.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    pub(super) counted: IssueCounts,
    by_key: HashMap<u64, String>,
    by_place: BTreeMap<Place, BTreeSet<String>>,
    /// Whether there are issues that began by the former rule.
    has_former: bool,
    /// Whether something changed since it was saved.
    pub(super) is_dirty: bool,
}

impl Grouping {
    pub(super) fn new(counted: IssueCounts) -> Self {
        let mut grouping = Self { counted, ..Self::default() };
        grouping.has_former = grouping.counted.issues.values().any(|record| record.rule != Rule::Current);
        for (id, record) in &grouping.counted.issues {
            grouping.by_key.extend(record.keys.iter().map(|key| (*key, id.clone())));
            let place = (record.group.clone(), record.service.clone());
            grouping.by_place.entry(place).or_default().insert(id.clone());
        }
        grouping
    }

    /// Counts errors of a group; returns the issues that they belong to.
    pub(super) fn count(
        &mut self,
        group: &str,
        events: &[ErrorEvent],
        decisions: &Decisions,
        now: Timestamp,
    ) -> BTreeSet<String> {
        let signed: Vec<(Place, Signature, &ErrorEvent)> =
            events.iter().map(|event| ((group.to_owned(), event.service.clone()), event.signature(), event)).collect();
        self.find_unknown(&signed, decisions, now);
        let mut touched = BTreeSet::new();
        for (place, signature, event) in &signed {
            let found = match signature {
                Signature::Text(text) => self.issue_of(place, text),
                Signature::Trace { .. } => self.issue_of_trace(place, signature, event, (decisions, now)),
                Signature::Deaths { program } => self.issue_of_deaths(place, program, event, (decisions, now)),
            };
            let Some(id) = found else { continue };
            let Some(record) = self.counted.issues.get_mut(&id) else { continue };
            let is_new = record.count == 0;
            record.count(event, now);
            // Late events are history, and nobody is called because of history.
            let is_news = now.0.saturating_sub(event.id.timestamp.0) <= NOTIFIED_AGE_NS_MAX;
            if is_new && is_news {
                record.notice = Some(Notice::New);
            }
            note_return(&id, record, event, decisions);
            if record.deaths.count(event, now) && is_news && record.notice.is_none() && is_awaited(&id, decisions) {
                record.deaths.note_told(now);
                record.notice = Some(Notice::Restarting);
            }
            self.is_dirty = true;
            touched.insert(id);
        }
        touched
    }

    /// Returns the issue in which an error of a group is counted, if it has been.
    pub(super) fn known(&self, group: &str, event: &ErrorEvent) -> Option<String> {
        let place = (group.to_owned(), event.service.clone());
        match event.signature() {
            Signature::Text(text) => self.issue_of(&place, &text),
            Signature::Trace { key, base, .. } => {
                let (found, _) = self.variant(&place, &key, base.as_deref());
                found.or_else(|| Some(self.former_issue(&place, event)?.0)).or_else(|| self.others(&place))
            }
            Signature::Deaths { program } => self.known_deaths(&place, &program, event).or_else(|| self.others(&place)),
        }
    }

    fn issue_of(&self, place: &Place, text: &str) -> Option<String> {
        let found = self.by_key.get(&hash_of(place, text)).cloned();
        found.or_else(|| self.by_pattern(place, text)).or_else(|| self.others(place))
    }

    /// Returns the issue of everything beyond the limits.
    fn others(&self, place: &Place) -> Option<String> {
        self.by_key.get(&hash_of(place, OTHER_KEY)).cloned()
    }

    /// Returns the issue of an error with a stack trace, and makes one if there is none.
    fn issue_of_trace(
        &mut self,
        place: &Place,
        signature: &Signature,
        event: &ErrorEvent,
        (decisions, now): (&Decisions, Timestamp),
    ) -> Option<String> {
        let Signature::Trace { key, base, title, frames } = signature else { return None };
        let (known, keys) = self.variant(place, key, base.as_deref());
        let former = self.former_issue(place, event);
        let is_decided = |id: &str| decisions.is_decided(id);
        let note = match (known, former) {
            (Some(known), None) => {
                self.note_keys(&known, keys);
                return Some(known);
            }
            (Some(known), Some((former, _))) if known == former => return Some(known),
            (Some(known), Some((former, _))) if is_decided(&known) || is_decided(&former) => return Some(former),
            (Some(known), Some((_, Rule::Both))) => return Some(known),
            (Some(known), Some((former, _))) => {
                let joined = self.one_of([known.clone(), former.clone()].into(), decisions);
                let record = self.counted.issues.get_mut(joined.as_ref()?)?;
                let other = if joined.as_ref() == Some(&known) { former } else { known };
                record.note = Some(format!("A new rule of grouping made issue {other} a part of this one."));
                return joined;
            }
            (None, Some((former, rule))) if rule == Rule::Former || is_decided(&former) => {
                self.counted.issues.get_mut(&former)?.rule = Rule::Both;
                self.note_keys(&former, keys);
                return Some(former);
            }
            (None, former) => {
                let before = former.map(|(former, _)| former).or_else(|| self.unsaid_issue(place, base.as_deref()));
                if let Some(before) = before.clone().filter(|id| is_decided(id)) {
                    self.note_keys(&before, keys);
                    return Some(before);
                }
                before.map(|before| format!("A new rule of grouping split this issue from issue {before}."))
            }
        };
        let pattern = shown(&masked(event.trace.as_deref().unwrap_or(&event.text)));
        let record = IssueRecord { title: title.clone(), pattern, frames: frames.clone(), note, ..new_at(place) };
        let added = self.add(place, key, record, decisions, now);
        added.iter().for_each(|id| self.note_keys(id, keys.clone()));
        added.or_else(|| self.others(place))
    }

    /// Returns the issue of a trace, and the hashes by which it is found from now on. Of one type and place the issues are
    /// counted, and one that began when what is said did not count is that of the first who says something.
    fn variant(&self, place: &Place, key: &str, base: Option<&str>) -> (Option<String>, Vec<u64>) {
        let hash = hash_of(place, key);
        if let Some(known) = self.by_key.get(&hash) {
            return (Some(known.clone()), Vec::new());
        }
        let Some(base) = base else { return (None, vec![hash]) };
        let of_base = hash_of(place, base);
        let first = self.by_key.get(&of_base).cloned();
        let mut slots = (0..VARIANTS_MAX).map(|n| hash_of(place, &format!("{base}\u{5}{n}"))).enumerate();
        match slots.find(|(_, slot)| !self.by_key.contains_key(slot)) {
            None if first.is_some() => (first, Vec::new()),
            Some((0, slot)) if first.is_some() => (first, vec![hash, slot]),
            found => {
                let free = found.map(|(_, slot)| slot);
                (None, [hash].into_iter().chain(free).chain(first.is_none().then_some(of_base)).collect())
            }
        }
    }

    fn note_keys(&mut self, id: &str, keys: Vec<u64>) {
        let Some(record) = self.counted.issues.get_mut(id) else { return };
        record.keys.extend(&keys);
        self.by_key.extend(keys.into_iter().map(|key| (key, id.to_owned())));
    }

    /// Returns the issue of the deaths of a program. An issue of such a line alone is continued.
    fn known_deaths(&self, place: &Place, program: &str, event: &ErrorEvent) -> Option<String> {
        let text = masked(&event.text);
        let of = |key: &str| self.by_key.get(&hash_of(place, key)).cloned();
        of(&key_of_deaths(program)).or_else(|| of(&text)).or_else(|| self.by_pattern(place, &text))
    }

    fn issue_of_deaths(
        &mut self,
        place: &Place,
        program: &str,
        event: &ErrorEvent,
        (decisions, now): (&Decisions, Timestamp),
    ) -> Option<String> {
        let known = self.known_deaths(place, program, event);
        known.or_else(|| {
            let line = event.text.lines().find(|line| !line.is_empty()).unwrap_or_default();
            let (title, pattern) = (line.to_owned(), format!("{program}: <*>"));
            let record = IssueRecord { title, pattern, ..new_at(place) };
            self.add(place, &key_of_deaths(program), record, decisions, now).or_else(|| self.others(place))
        })
    }

    /// Returns the issue that an error with a stack trace belonged to by the former rule.
    fn former_issue(&self, place: &Place, event: &ErrorEvent) -> Option<(String, Rule)> {
        if !self.has_former {
            return None;
        }
        let id = match event.former_signature() {
            FormerSignature::Trace(key) => self.by_key.get(&hash_of(place, &key)).cloned(),
            FormerSignature::Text(text) => {
                self.by_key.get(&hash_of(place, &text)).cloned().or_else(|| self.by_pattern(place, &text))
            }
        }?;
        let rule = self.counted.issues.get(&id)?.rule;
        (rule != Rule::Current).then_some((id, rule))
    }

    /// Returns the issue of a type and place that began when what is said did not count: its id is that of the key without it.
    fn unsaid_issue(&self, place: &Place, base: Option<&str>) -> Option<String> {
        let id = id_of(&place.0, place.1.as_deref(), base?);
        self.counted.issues.contains_key(&id).then_some(id)
    }

    /// Returns the issue whose pattern a text has: that with the longest one.
    fn by_pattern(&self, place: &Place, text: &str) -> Option<String> {
        let ids = self.by_place.get(place)?.iter();
        let records = ids.filter_map(|id| Some((id, self.counted.issues.get(id)?)));
        let is_wide = |record: &IssueRecord| record.frames.is_empty() && record.texts.len() >= WIDE_TEXTS_MIN;
        let of_messages = records.filter(|(_, record)| is_wide(record) && has_pattern(text, &record.pattern));
        of_messages.max_by_key(|(_, record)| record.pattern.len()).map(|(id, _)| id.clone())
    }

    /// Makes issues of texts that no issue is known for.
    fn find_unknown(&mut self, signed: &[(Place, Signature, &ErrorEvent)], decisions: &Decisions, now: Timestamp) {
        let mut texts: BTreeMap<&Place, BTreeSet<&str>> = BTreeMap::new();
        for (place, signature, _) in signed {
            if let Signature::Text(text) = signature
                && self.issue_of(place, text).is_none()
            {
                texts.entry(place).or_default().insert(text);
            }
        }
        for (place, new) in texts {
            self.find_patterns(place, &new, decisions, now);
        }
    }

    /// Finds the patterns of new texts among all texts of their place.
    fn find_patterns(&mut self, place: &Place, new: &BTreeSet<&str>, decisions: &Decisions, now: Timestamp) {
        let ids = self.by_place.get(place).cloned().unwrap_or_default();
        let mut known: Vec<(String, Option<String>)> = Vec::new();
        for id in ids {
            let record = self.counted.issues.get(&id);
            let own = record.map(|record| record.texts.clone()).unwrap_or_default();
            known.extend(own.into_iter().map(|text| (text, Some(id.clone()))));
        }
        known.truncate(TEXTS_OF_PLACE_MAX);
        known.extend(new.iter().map(|text| ((*text).to_owned(), None)));
        let texts: Vec<&str> = known.iter().map(|(text, _)| text.as_str()).collect();
        let (patterns, pattern_of) = pattern::patterns_of(&texts);
        let mut members: BTreeMap<u32, (BTreeSet<String>, Vec<&str>)> = BTreeMap::new();
        for ((text, issue), at) in known.iter().zip(&pattern_of) {
            let (issues, fresh) = members.entry(*at).or_default();
            match issue {
                Some(id) => drop(issues.insert(id.clone())),
                None => fresh.push(text),
            }
        }
        for (at, (issues, fresh)) in members.into_iter().filter(|(_, (_, fresh))| !fresh.is_empty()) {
            let pattern = patterns.get(at as usize).cloned().unwrap_or_default();
            let id = match self.one_of(issues, decisions) {
                Some(id) => id,
                None => {
                    let Some(id) = self.add(place, fresh[0], new_at(place), decisions, now) else { continue };
                    id
                }
            };
            self.widen(&id, place, &pattern, &fresh);
        }
    }

    /// Makes several issues one, and returns it: the one that began first.
    fn one_of(&mut self, issues: BTreeSet<String>, decisions: &Decisions) -> Option<String> {
        let began = |id: &String| self.counted.issues.get(id).map_or(u64::MAX, |record| record.began);
        let first = issues.iter().min_by_key(|id| (began(id), (*id).clone())).cloned()?;
        for id in issues.into_iter().filter(|id| *id != first && !decisions.is_decided(id)) {
            let Some(record) = self.counted.issues.remove(&id) else { continue };
            let place = (record.group.clone(), record.service.clone());
            self.by_place.get_mut(&place).map(|ids| ids.remove(&id));
            self.by_key.values_mut().filter(|known| **known == id).for_each(|known| known.clone_from(&first));
            if let Some(own) = self.counted.issues.get_mut(&first) {
                own.absorb(record);
            }
            self.counted.joined.values_mut().filter(|known| **known == id).for_each(|known| known.clone_from(&first));
            self.counted.joined.insert(id, first.clone());
        }
        Some(first)
    }

    /// Notes texts as those of an issue, whose pattern is a wider one then.
    fn widen(&mut self, id: &str, place: &Place, pattern: &str, fresh: &[&str]) {
        let Some(record) = self.counted.issues.get_mut(id) else { return };
        cut(pattern, PATTERN_BYTES_MAX).clone_into(&mut record.pattern);
        cut(without_time(pattern), TITLE_BYTES_MAX).clone_into(&mut record.title);
        for text in fresh {
            let key = hash_of(place, text);
            if record.note_text(text, key) {
                self.by_key.insert(key, id.to_owned());
            }
        }
        self.is_dirty = true;
    }

    /// Adds an issue. At the limits it is that of everything else at the place.
    fn add(
        &mut self,
        place: &Place,
        key: &str,
        record: IssueRecord,
        decisions: &Decisions,
        now: Timestamp,
    ) -> Option<String> {
        if self.counted.issues.len() >= ISSUES_MAX {
            self.drop_oldest(decisions, now);
        }
        let n_here = self.by_place.get(place).map_or(0, BTreeSet::len);
        let is_over = n_here >= ISSUES_OF_PLACE_MAX || self.counted.issues.len() >= ISSUES_MAX;
        let (key, record) = if is_over {
            let title = format!("Other errors, beyond {ISSUES_OF_PLACE_MAX} patterns");
            (OTHER_KEY, IssueRecord { pattern: title.clone(), title, ..new_at(place) })
        } else {
            (key, record)
        };
        let id = id_of(&place.0, place.1.as_deref(), key);
        let hash = hash_of(place, key);
        let record = self.counted.issues.entry(id.clone()).or_insert(record);
        record.pattern.truncate(record.pattern.floor_char_boundary(PATTERN_BYTES_MAX));
        record.title.truncate(record.title.floor_char_boundary(TITLE_BYTES_MAX));
        record.keys.insert(hash);
        self.by_key.insert(hash, id.clone());
        self.by_place.entry(place.clone()).or_default().insert(id.clone());
        self.counted.joined.remove(&id);
        self.is_dirty = true;
        (!is_over).then_some(id)
    }

    /// Forgets the issue that was seen longest ago among those that nobody has decided anything about.
    fn drop_oldest(&mut self, decisions: &Decisions, now: Timestamp) {
        let free =
            self.counted.issues.iter().filter(|(id, record)| {
                !decisions.is_decided(id) && now.0.saturating_sub(record.last) > Timestamp::HOUR
            });
        if let Some(id) = free.min_by_key(|(_, record)| record.last).map(|(id, _)| id.clone()) {
            self.remove(&id);
        }
    }

    /// Forgets an issue.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(record) = self.counted.issues.remove(id) else { return };
        self.by_key.retain(|_, known| known != id);
        if let Some(ids) = self.by_place.get_mut(&(record.group, record.service)) {
            ids.remove(id);
        }
        self.by_place.retain(|_, ids| !ids.is_empty());
        self.counted.joined.retain(|_, known| known != id);
        self.is_dirty = true;
    }
}

/// Notes that an event contradicts what was decided.
fn note_return(id: &str, record: &mut IssueRecord, event: &ErrorEvent, decisions: &Decisions) {
    let Some(revision) = decisions.contradicted(id, event) else { return };
    if record.back.as_ref().is_some_and(|back| back.revision == revision) {
        return;
    }
    record.back = Some(Back { revision, at: event.id.timestamp.0, version: event.version.clone() });
    let was_resolved = decisions.get(decisions.root(id)).is_some_and(|one| one.state == IssueState::Resolved);
    record.notice = Some(if was_resolved { Notice::Regressed } else { Notice::Reopened });
}

/// Reports whether nobody works on an issue or ignores it.
fn is_awaited(id: &str, decisions: &Decisions) -> bool {
    let state = decisions.get(decisions.root(id)).map(|decision| decision.state);
    !matches!(state, Some(IssueState::Acknowledged | IssueState::Ignored))
}

fn key_of_deaths(program: &str) -> String {
    format!("\u{4}{program}")
}

fn new_at(place: &Place) -> IssueRecord {
    IssueRecord { group: place.0.clone(), service: place.1.clone(), rule: Rule::Current, ..IssueRecord::default() }
}

fn hash_of(place: &Place, key: &str) -> u64 {
    xxh3_64(format!("{}\0{}\0{key}", place.0, place.1.as_deref().unwrap_or_default()).as_bytes())
}

#[cfg(test)]
mod tests;
