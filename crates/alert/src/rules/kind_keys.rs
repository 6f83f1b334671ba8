//! The keys of kinds: which there are, what their values may be, and what a kind takes that does not say.

use std::collections::BTreeMap;

use serde_saphyr::{Location, Spanned};
use types::{Timestamp, parse_duration_ns};

use super::file_text::{KeyLocations, RuleText, WindowText};
use crate::kind::{
    Absence, Anomaly, BurnRate, Composite, Condition, Direction, Kind, NewPattern, Ratio, SEASONS_MIN, WindowPair,
};

/// Most fields that make label sets.
const BY_MAX: usize = 10;

/// Most label sets that must be there.
const EXPECT_MAX: usize = 1_000;

/// Most patterns of one rule with an alert of their own.
const LIMIT_MAX: u64 = 500;

/// Most seasons that are compared: each is a question.
const SEASONS_MAX: i64 = 60;

/// What is wrong, and where.
pub(super) type Mistake = (Location, String);

/// Kinds, and which of the keys each has that not every kind has.
const KINDS: [(&str, &[&str]); 7] = [
    ("threshold", &["query", "condition", "window"]),
    ("pattern", &["query", "window", "baseline", "jump", "min_count", "limit", "by"]),
    ("absence", &["query", "window", "by", "expect", "forget"]),
    ("ratio", &["query", "condition", "window", "bad", "by", "min_count"]),
    ("burn_rate", &["query", "bad", "by", "min_count", "objective", "windows"]),
    ("anomaly", &["query", "window", "season", "history", "band", "direction"]),
    ("composite", &["when"]),
];

/// Reads what a rule looks for. `window_ns` is the rule's window.
pub(super) fn read(text: &RuleText, window_ns: i64, places: &KeyLocations) -> Result<Kind, Vec<Mistake>> {
    let name = text.kind.as_ref().map_or("threshold", |kind| kind.value.as_str());
    let Some((name, keys)) = KINDS.iter().find(|(known, _)| *known == name) else {
        let at = text.kind.as_ref().map_or(places.name, |kind| kind.referenced);
        let known: Vec<&str> = KINDS.iter().map(|(known, _)| *known).collect();
        return Err(vec![(at, format!("kind: unknown \"{name}\"; known: {}", known.join(", ")))]);
    };
    let mut reader = Reader { at: places.name, mistakes: Vec::new() };
    for (key, place) in written(text, places) {
        if let (Some(place), false) = (place, keys.contains(&key)) {
            let owners = KINDS.iter().filter(|(_, keys)| keys.contains(&key)).map(|(owner, _)| *owner);
            let owners: Vec<&str> = owners.collect();
            let message = format!("{key}: a rule of kind {name} has no such key; it belongs to {}", owners.join(", "));
            reader.mistakes.push((place, message));
        }
    }
    if keys.contains(&"query") && places.query.is_none() {
        reader.mistakes.push((places.name, format!("query: a rule of kind {name} needs one")));
    }
    let kind = match *name {
        "pattern" => Kind::Pattern(reader.pattern(text)),
        "absence" => Kind::Absence(reader.absence(text, window_ns)),
        "ratio" => Kind::Ratio(reader.ratio(text, places)),
        "burn_rate" => Kind::BurnRate(reader.burn_rate(text)),
        "anomaly" => Kind::Anomaly(reader.anomaly(text)),
        "composite" => Kind::Composite(reader.composite(text)),
        _ => Kind::Threshold,
    };
    if reader.mistakes.is_empty() { Ok(kind) } else { Err(reader.mistakes) }
}

/// Keys that not every kind has, and where they are written.
fn written(text: &RuleText, places: &KeyLocations) -> [(&'static str, Option<Location>); 18] {
    fn at<T>(key: &Option<Spanned<T>>) -> Option<Location> {
        key.as_ref().map(|key| key.referenced)
    }
    [
        ("query", places.query),
        ("condition", places.condition),
        ("window", places.window),
        ("baseline", at(&text.baseline)),
        ("jump", at(&text.jump)),
        ("min_count", at(&text.min_count)),
        ("limit", at(&text.limit)),
        ("by", at(&text.by)),
        ("expect", at(&text.expect)),
        ("forget", at(&text.forget)),
        ("bad", at(&text.bad)),
        ("objective", at(&text.objective)),
        ("windows", at(&text.windows)),
        ("season", at(&text.season)),
        ("history", at(&text.history)),
        ("band", at(&text.band)),
        ("direction", at(&text.direction)),
        ("when", at(&text.when)),
    ]
}

/// Reads values, and collects what is wrong with them.
struct Reader {
    /// Where the rule begins: a key that is missing has no place of its own.
    at: Location,
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn pattern(&mut self, text: &RuleText) -> NewPattern {
        NewPattern {
            by: self.by(text, &["@log"]),
            baseline_ns: self.duration("baseline", &text.baseline, Timestamp::DAY),
            jump: self.number("jump", &text.jump, 5.0, 1.0..=1e6),
            min_count: text.min_count.as_ref().map_or(10, |count| count.value),
            limit: self.limit(&text.limit),
        }
    }

    fn absence(&mut self, text: &RuleText, window_ns: i64) -> Absence {
        let by = self.by(text, &["@log"]);
        let usual = Timestamp::DAY.max(window_ns.saturating_mul(2));
        let forget_ns = self.duration("forget", &text.forget, usual);
        if let (Some(forget), true) = (&text.forget, forget_ns <= window_ns) {
            self.mistakes.push((forget.referenced, "forget: must be longer than the window".into()));
        }
        let at = text.expect.as_ref().map_or(self.at, |expect| expect.referenced);
        let expect = text.expect.as_ref().map(|expect| expect.value.clone()).unwrap_or_default();
        if expect.len() > EXPECT_MAX {
            self.mistakes.push((at, format!("expect: more than {EXPECT_MAX} label sets")));
        }
        for name in expect.iter().flat_map(BTreeMap::keys).filter(|name| !by.contains(name)) {
            self.mistakes.push((at, format!("expect: \"{name}\" is not one of the fields of `by`")));
        }
        Absence { by, expect, forget_ns }
    }

    fn ratio(&mut self, text: &RuleText, places: &KeyLocations) -> Ratio {
        if places.condition.is_none() {
            self.mistakes.push((self.at, "condition: a rule of kind ratio needs one, such as value > 0.05".into()));
        }
        let min_count = text.min_count.as_ref().map_or(1, |count| count.value);
        Ratio { bad: self.text("bad", &text.bad), by: self.by(text, &[]), min_count }
    }

    fn burn_rate(&mut self, text: &RuleText) -> BurnRate {
        let objective = self.number("objective", &text.objective, 0.0, 0.0..=1.0);
        match &text.objective {
            None => {
                self.mistakes.push((self.at, "objective: a rule of kind burn_rate needs one, such as 0.999".into()))
            }
            Some(written) if !(objective > 0.0 && objective < 1.0) => {
                self.mistakes.push((written.referenced, "objective: must lie between 0 and 1, such as 0.999".into()));
            }
            Some(_) => {}
        }
        let min_count = text.min_count.as_ref().map_or(10, |count| count.value);
        let (bad, by) = (self.text("bad", &text.bad), self.by(text, &[]));
        BurnRate { objective, bad, by, min_count, windows: self.windows(&text.windows) }
    }

    /// Pairs of windows; those of Google's SRE workbook where a rule has none: 2 % of a month's budget in an hour, 5 %
    /// in six.
    fn windows(&mut self, text: &Option<Spanned<Vec<WindowText>>>) -> Vec<WindowPair> {
        let (hour, minute) = (Timestamp::HOUR, Timestamp::MINUTE);
        let Some(text) = text else {
            return vec![
                WindowPair { long_ns: hour, short_ns: 5 * minute, factor: 14.4 },
                WindowPair { long_ns: 6 * hour, short_ns: 30 * minute, factor: 6.0 },
            ];
        };
        let mut pairs = Vec::new();
        for pair in &text.value {
            let lengths = (parse_duration_ns(&pair.long), parse_duration_ns(&pair.short));
            match lengths {
                (Ok(long_ns), Ok(short_ns)) if 0 < short_ns && short_ns < long_ns && pair.factor > 0.0 => {
                    pairs.push(WindowPair { long_ns, short_ns, factor: pair.factor });
                }
                _ => {
                    let message = "windows: each is {long, short, factor}, the short one shorter, the factor above 0";
                    self.mistakes.push((text.referenced, message.into()));
                }
            }
        }
        if !(1..=6).contains(&text.value.len()) {
            self.mistakes.push((text.referenced, "windows: one to six pairs".into()));
        }
        pairs
    }

    fn anomaly(&mut self, text: &RuleText) -> Anomaly {
        let season_ns = self.duration("season", &text.season, Timestamp::DAY);
        let history_ns = self.duration("history", &text.history, season_ns.saturating_mul(7));
        let n_seasons = history_ns / season_ns.max(1);
        if !(SEASONS_MIN as i64..=SEASONS_MAX).contains(&n_seasons) {
            let at = text.history.as_ref().or(text.season.as_ref()).map_or(self.at, |history| history.referenced);
            let least = SEASONS_MIN;
            self.mistakes.push((at, format!("history: must hold {least} to {SEASONS_MAX} seasons, not {n_seasons}")));
        }
        Anomaly {
            season_ns,
            history_ns,
            band: self.number("band", &text.band, 3.0, 0.1..=1e3),
            direction: text.direction.as_ref().map_or(Direction::Both, |direction| direction.value),
        }
    }

    fn composite(&mut self, text: &RuleText) -> Composite {
        let Some(when) = &text.when else {
            self.mistakes
                .push((self.at, "when: a rule of kind composite needs one, such as \"a\" and not \"b\"".into()));
            return Composite::default();
        };
        let place = (when.referenced.line(), when.referenced.column());
        match Condition::read(&when.value) {
            Ok(tree) => Composite { text: when.value.clone(), tree, place },
            Err(message) => {
                self.mistakes.push((when.referenced, format!("when: {message}")));
                Composite::default()
            }
        }
    }

    fn by(&mut self, text: &RuleText, usual: &[&str]) -> Vec<String> {
        let Some(by) = &text.by else { return usual.iter().map(|name| (*name).to_owned()).collect() };
        if by.value.len() > BY_MAX || by.value.iter().any(String::is_empty) {
            self.mistakes.push((by.referenced, format!("by: names of at most {BY_MAX} fields")));
        }
        by.value.clone()
    }

    fn text(&mut self, key: &str, text: &Option<Spanned<String>>) -> String {
        let Some(text) = text else {
            self.mistakes.push((self.at, format!("{key}: an expression is needed, such as status >= 500")));
            return String::new();
        };
        text.value.clone()
    }

    fn duration(&mut self, key: &str, text: &Option<Spanned<String>>, usual: i64) -> i64 {
        let Some(text) = text else { return usual };
        match parse_duration_ns(&text.value) {
            Ok(length) if length > 0 => return length,
            Ok(_) => self.mistakes.push((text.referenced, format!("{key}: must be longer than 0s"))),
            Err(error) => self.mistakes.push((text.referenced, format!("{key}: {error}"))),
        }
        usual
    }

    fn number(
        &mut self,
        key: &str,
        number: &Option<Spanned<f64>>,
        usual: f64,
        range: std::ops::RangeInclusive<f64>,
    ) -> f64 {
        let Some(number) = number else { return usual };
        if !range.contains(&number.value) {
            let message = format!("{key}: from {} to {}, not {}", range.start(), range.end(), number.value);
            self.mistakes.push((number.referenced, message));
        }
        number.value
    }

    fn limit(&mut self, limit: &Option<Spanned<u64>>) -> usize {
        let Some(limit) = limit else { return 20 };
        if !(1..=LIMIT_MAX).contains(&limit.value) {
            self.mistakes.push((limit.referenced, format!("limit: from 1 to {LIMIT_MAX}, not {}", limit.value)));
        }
        usize::try_from(limit.value).unwrap_or(usize::MAX)
    }
}
