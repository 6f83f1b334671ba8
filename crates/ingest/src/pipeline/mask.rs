//! `mask`: what must not be kept is replaced before anything is written.
//!
//! A mask looks at the text, at values and names of fields, at elements of lists, at names and values of objects, at what is
//! kept in `@rest`, and at the name of the stream. In texts that are JSON it also looks at what their strings say, so
//! that an escape such as `\u0040` hides nothing. A number in which something is found becomes a text.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use parse::secrets;
use regex::Regex;
use sha2::Sha256;
use types::{GroupPattern, Value};

use super::Draft;
use definition::{DefinitionError, Node, nearest};

/// Rules that have a name.
const RULES: [&str; 4] = ["email", "card", "token", "ip"];

/// Shortest key of a hash.
const HASH_KEY_CHARS_MIN: usize = 16;

/// Values inside of values that are looked at; what lies deeper than an event may is written as text by the parser.
const DEPTH_MAX: usize = 128;

/// Rules, and where they look.
#[derive(Debug)]
pub(super) struct Mask {
    rules: Vec<Rule>,
    /// Fields to look at; everything where it is empty.
    fields: Vec<GroupPattern>,
    hash_key: Option<HashKey>,
}

/// A key that debugging does not show.
struct HashKey(Vec<u8>);

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey")
    }
}

#[derive(Debug)]
struct Rule {
    name: String,
    finder: Finder,
    replacement: Option<String>,
}

#[derive(Debug)]
enum Finder {
    Email,
    Card,
    Token,
    Ip,
    Own(Regex),
}

impl Mask {
    /// Reads the rules under `mask`, and what stands beside them in the step.
    pub(super) fn compile(step: &Node<'_>, rules: &Node<'_>) -> Result<Self, DefinitionError> {
        let replacement = step.get("replacement").map(|node| node.text().map(str::to_owned)).transpose()?;
        let hash_key = step.get("hash_key").map(|node| {
            let key = node.text()?;
            if key.chars().count() < HASH_KEY_CHARS_MIN {
                let problem =
                    format!("a key has at least {HASH_KEY_CHARS_MIN} characters; `openssl rand -hex 32` makes one");
                return Err(node.error(problem));
            }
            if replacement.is_some() {
                return Err(node.error("values are replaced by their hash or by \"replacement\", not by both"));
            }
            Ok(HashKey(key.as_bytes().to_vec()))
        });
        let nodes = rules.one_or_many();
        types::ensure!(!nodes.is_empty(), rules.error(format!("names no rule; known: {}", RULES.join(", "))));
        let rule = |node: &Node<'_>| Rule::compile(node, replacement.as_deref());
        Ok(Self {
            rules: nodes.iter().map(rule).collect::<Result<_, _>>()?,
            fields: step.get("fields").map(|node| node.patterns()).transpose()?.unwrap_or_default(),
            hash_key: hash_key.transpose()?,
        })
    }

    /// Masks the event; whether there was something.
    pub(super) fn apply(&self, draft: &mut Draft) -> bool {
        let mut is_changed = false;
        let looks_at = |name: &str| self.fields.is_empty() || GroupPattern::any_matches(&self.fields, name);
        if (looks_at("@message") || draft.text_key.as_deref().is_some_and(looks_at))
            && let Some(masked) = self.whole_text(&draft.message)
        {
            draft.message = masked;
            is_changed = true;
        }
        if looks_at("@logStream")
            && let Some(masked) = self.text(&draft.stream)
        {
            draft.stream = masked;
            is_changed = true;
        }
        for (name, value) in &mut draft.fields {
            if !looks_at(name) {
                continue;
            }
            if let Some(masked) = self.named_value(name, value) {
                *value = masked;
                is_changed = true;
            }
            if let Some(masked) = self.text(name).filter(|_| self.fields.is_empty()) {
                *name = masked.into();
                is_changed = true;
            }
        }
        is_changed
    }

    /// Masks the value of a field; its name may mark the whole value as secret.
    fn named_value(&self, name: &str, value: &Value) -> Option<Value> {
        if name.starts_with('@') {
            let Value::String(text) = value else { return None };
            return self.whole_text(text).map(Value::text);
        }
        let rule = self.rules.iter().find(|rule| matches!(rule.finder, Finder::Token));
        let is_secret = !matches!(value, Value::Boolean(_) | Value::Timestamp(_));
        if let Some(rule) = rule.filter(|_| is_secret && secrets::is_secret_name(name)) {
            let text = value.to_string();
            return (!text.is_empty()).then(|| Value::text(self.replacement(rule, &text)));
        }
        self.value(value, 0)
    }

    fn value(&self, value: &Value, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return Some(Value::text("[too deep]"));
        }
        match value {
            Value::String(text) => self.whole_text(text).map(Value::text),
            Value::Integer(_) | Value::Float(_) => self.text(&value.to_string()).map(Value::text),
            Value::Boolean(_) | Value::Timestamp(_) => None,
            Value::List(items) => {
                let masked: Vec<Option<Option<Value>>> =
                    items.iter().map(|item| item.as_ref().map(|item| self.value(item, depth + 1))).collect();
                if masked.iter().flatten().all(Option::is_none) {
                    return None;
                }
                let kept =
                    |(item, masked): (&Option<Value>, Option<Option<Value>>)| masked.flatten().or_else(|| item.clone());
                Some(Value::List(Arc::new(items.iter().zip(masked).map(kept).collect())))
            }
            Value::Object(members) => self.object(members, depth),
        }
    }

    fn object(&self, members: &[(Arc<str>, Option<Value>)], depth: usize) -> Option<Value> {
        let mut is_changed = false;
        let mut masked = Vec::with_capacity(members.len());
        for (name, value) in members {
            let new_name = self.text(name);
            let secret = value.as_ref().and_then(|value| match value {
                Value::List(_) | Value::Object(_) => self.value(value, depth + 1),
                scalar => self.named_value(name.trim_start_matches('@'), scalar),
            });
            is_changed |= new_name.is_some() || secret.is_some();
            masked.push((new_name.map_or_else(|| name.clone(), Arc::from), secret.or_else(|| value.clone())));
        }
        is_changed.then(|| Value::Object(Arc::new(masked)))
    }

    /// Masks a text that may be JSON, then also within its strings.
    fn whole_text(&self, text: &str) -> Option<String> {
        let unescaped = if text.contains('\\') && text.contains('"') { self.inside_strings(text) } else { None };
        let masked = self.text(unescaped.as_deref().unwrap_or(text));
        masked.or(unescaped)
    }

    /// Masks what strings of JSON say that are written with escapes.
    fn inside_strings(&self, text: &str) -> Option<String> {
        let (mut out, mut copied) = (String::new(), 0);
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(start) = memchr::memchr(b'"', &bytes[at..]).map(|offset| at + offset) {
            let Some(end) = string_end(bytes, start) else { break };
            let literal = &text[start..end];
            at = end;
            if !literal.contains('\\') {
                continue;
            }
            let Ok(said) = serde_json::from_str::<Cow<'_, str>>(literal) else { continue };
            if let Some(masked) = self.text(&said) {
                out.push_str(&text[copied..start]);
                Value::text(masked).write_json(&mut out);
                copied = end;
            }
        }
        (copied > 0).then(|| out + &text[copied..])
    }

    /// Returns the masked text; `None` if no rule found anything.
    fn text(&self, text: &str) -> Option<String> {
        let mut masked: Option<String> = None;
        for rule in &self.rules {
            let now = masked.as_deref().unwrap_or(text);
            if let Some(next) = self.rule(rule, now) {
                masked = Some(next);
            }
        }
        masked
    }

    fn rule(&self, rule: &Rule, text: &str) -> Option<String> {
        if let (Finder::Own(regex), Some(replacement), None) = (&rule.finder, &rule.replacement, &self.hash_key) {
            return match regex.replace_all(text, replacement) {
                Cow::Owned(masked) => Some(masked),
                Cow::Borrowed(_) => None,
            };
        }
        let mut places = rule.finder.places(text);
        if places.is_empty() {
            return None;
        }
        places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
        let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
        let mut is_changed = false;
        for place in places {
            // Inside of another, or done by a rule before: what a mask wrote is never masked again.
            if place.start < copied || is_mask(&text[place.clone()]) {
                continue;
            }
            out.push_str(&text[copied..place.start]);
            out.push_str(&self.replacement(rule, &text[place.clone()]));
            copied = place.end;
            is_changed = true;
        }
        out.push_str(&text[copied..]);
        is_changed.then_some(out)
    }

    fn replacement(&self, rule: &Rule, found: &str) -> String {
        if let Some(key) = &self.hash_key {
            let mut hasher = Hmac::<Sha256>::new_from_slice(&key.0).expect("this hash takes keys of any length");
            hasher.update(normal_form(&rule.finder, found).as_bytes());
            return format!("[{}:{}]", rule.name, types::hexadecimal(&hasher.finalize().into_bytes()[..8]));
        }
        rule.replacement.clone().unwrap_or_else(|| format!("[{}]", rule.name))
    }
}

impl Rule {
    fn compile(node: &Node<'_>, replacement: Option<&str>) -> Result<Self, DefinitionError> {
        if let Ok(name) = node.text() {
            let finder = match name {
                "email" => Finder::Email,
                "card" => Finder::Card,
                "token" => Finder::Token,
                "ip" => Finder::Ip,
                other => {
                    let near =
                        nearest(other, &RULES).map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
                    let known = RULES.join(", ");
                    return Err(node.error(format!(
                        "unknown rule \"{other}\"{near} Known: {known}; one of your own is {{ pattern = \"…\" }}"
                    )));
                }
            };
            return Ok(Self { name: name.to_owned(), finder, replacement: replacement.map(str::to_owned) });
        }
        node.check_keys(&["pattern", "name", "replacement"])?;
        let pattern = node.needed("pattern", "a regular expression")?;
        let regex = pattern.regex()?;
        if regex.is_match("") {
            return Err(pattern.error("this expression matches the empty text, so it would change every place"));
        }
        let name = node.get("name").map(|node| node.name()).transpose()?.unwrap_or("masked");
        let own = node.get("replacement").map(|node| node.text()).transpose()?;
        let replacement = own.or(replacement).map_or_else(|| format!("[{name}]"), str::to_owned);
        Ok(Self { name: name.to_owned(), finder: Finder::Own(regex), replacement: Some(replacement) })
    }
}

impl Finder {
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        let mut take = |place| places.push(place);
        match self {
            Self::Email => secrets::emails(text, &mut take),
            Self::Card => secrets::cards(text, &mut take),
            Self::Token => secrets::tokens(text, &mut take),
            Self::Ip => secrets::addresses(text, &mut take),
            Self::Own(regex) => places.extend(regex.find_iter(text).map(|found| found.range())),
        }
        places
    }
}

/// Returns a normal form, so that different spellings have equal hashes.
fn normal_form<'t>(finder: &Finder, found: &'t str) -> Cow<'t, str> {
    match finder {
        Finder::Email => Cow::Owned(found.replace("%40", "@").to_lowercase()),
        Finder::Card => Cow::Owned(found.chars().filter(char::is_ascii_digit).collect()),
        _ => Cow::Borrowed(found),
    }
}

/// Reports whether a text is the output of a mask.
fn is_mask(text: &str) -> bool {
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    RULES.iter().any(|rule| inner.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || is_hash(rest)))
}

fn is_hash(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Returns the end of the JSON string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}
