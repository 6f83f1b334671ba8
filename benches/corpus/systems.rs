//! Sixteen imaginary systems and the messages they write.
//!
//! A system has `ROWS` message rows, drawn with equal chance. Rows belong to types (the statement that wrote them);
//! some types are spelled out below, the others are composed from words until the system's means hold: text length,
//! slots per kind, share of each level. Rows of one type differ in literals, slots are filled anew for every event.

use super::random::{Distribution, Random};
use super::specs::Spec;
use super::vocabulary::Vocabulary;

/// Rows per system, as many as the samples have from which the statistics were taken.
const ROWS: usize = 2000;

/// A part of a message.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(String),
    Slot(Slot),
}

/// What is filled in anew for every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Address,
    Uuid,
    Block,
    /// A decimal number of so many digits.
    Digits(u8),
    /// Hexadecimal digits after `0x`.
    Prefixed(u8),
    Hex(u8),
}

/// One message row.
pub(crate) struct Row {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) level: &'static str,
    pub(crate) component: String,
    pub(crate) event_id: String,
}

/// A system with its rows.
pub(crate) struct System {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<Row>,
    /// Whether its public counterparts call from anywhere (a gate that strangers knock at).
    pub(crate) is_public: bool,
    /// Whether its errors sometimes carry a stack trace.
    pub(crate) throws: bool,
}

/// Which systems hear from the wide world.
const PUBLIC: &[&str] = &["gatekeeper"];

/// The share of composed types without any slot.
const CONSTANT_SHARE: f64 = 0.45;

/// Lengths of decimals with their weights.
const DIGITS: [(u8, f64); 9] =
    [(3, 0.32), (4, 0.36), (5, 0.144), (6, 0.072), (7, 0.054), (8, 0.078), (10, 0.034), (12, 0.016), (13, 0.039)];
const PREFIXED_DIGITS: [(u8, f64); 4] = [(8, 0.75), (12, 0.12), (15, 0.1), (4, 0.05)];
const HEX_DIGITS: [(u8, f64); 4] = [(32, 0.38), (16, 0.27), (8, 0.2), (40, 0.15)];

/// Builds all systems and the distribution they are drawn by.
pub(crate) fn systems(vocabulary: &Vocabulary) -> (Vec<System>, Distribution) {
    let specs = vocabulary.specs.iter().enumerate();
    let systems = specs.map(|(idx, spec)| Composer::new(vocabulary, spec, idx as u64).compose()).collect();
    (systems, Distribution::of_weights(vocabulary.specs.iter().map(|spec| spec.share)))
}

/// A quantity that shall have a given mean over all rows while types are made one by one, most frequent first.
struct Mean {
    wanted: f64,
    sum: f64,
}

impl Mean {
    /// What the next type, of weight `weight`, must have so that the mean holds once `passed` of the rows are made.
    fn owed(&self, passed: f64, weight: f64) -> f64 {
        (self.wanted * passed - self.sum) / weight
    }
}

struct Composer<'a> {
    vocabulary: &'a Vocabulary,
    spec: &'a Spec,
    random: Random,
    components: Vec<String>,
    text_bytes: Mean,
    slots: Vec<Mean>,
    levels: Vec<Mean>,
}

impl<'a> Composer<'a> {
    fn new(vocabulary: &'a Vocabulary, spec: &'a Spec, idx: u64) -> Composer<'a> {
        let mut random = vocabulary.random_of(2, idx);
        let mut components: Vec<String> = Vec::new();
        while components.len() < spec.n_components {
            let name = component(vocabulary, spec.component_bytes, &mut random);
            if !components.contains(&name) {
                components.push(name);
            }
        }
        let mean = |wanted: f64| Mean { wanted, sum: 0.0 };
        Composer {
            vocabulary,
            spec,
            random,
            components,
            text_bytes: mean(spec.text_bytes),
            slots: spec.slots.iter().map(|&wanted| mean(wanted)).collect(),
            levels: spec.levels.iter().map(|&(_, share)| mean(share)).collect(),
        }
    }

    fn compose(mut self) -> System {
        let by_type = Distribution::zipf(self.spec.n_types, self.spec.skew);
        let mut rows = Vec::with_capacity(ROWS);
        let mut passed = 0.0;
        for type_idx in 0..self.spec.n_types {
            let n_left = ROWS - rows.len();
            let n_types_left = self.spec.n_types - type_idx;
            let n_rows = match n_types_left {
                1 => n_left,
                _ => ((ROWS as f64 * by_type.weight(type_idx)).round() as usize).clamp(1, n_left - (n_types_left - 1)),
            };
            let weight = n_rows as f64 / ROWS as f64;
            passed += weight;
            let template = self.template(type_idx, passed, weight);
            let level = self.level(passed, weight);
            self.add_rows(type_idx, n_rows, &template, level, &mut rows);
        }
        let name = self.spec.name;
        System { name, rows, is_public: PUBLIC.contains(&name), throws: self.spec.throws }
    }

    /// Appends the rows of one type; every row draws its literals anew or keeps those of the row before.
    fn add_rows(&mut self, type_idx: usize, n_rows: usize, template: &str, level: &'static str, rows: &mut Vec<Row>) {
        let mut pieces = pieces(&self.literals(template));
        for _ in 0..n_rows {
            if self.random.unit() < self.spec.fresh {
                pieces = self::pieces(&self.literals(template));
            }
            // The first rows take every component once, so that none is missing; later ones stay with their type.
            let component_idx = if rows.len() < self.components.len() { rows.len() } else { type_idx };
            let component = self.components[component_idx % self.components.len()].clone();
            rows.push(Row { pieces: pieces.clone(), level, component, event_id: format!("E{}", type_idx + 1) });
        }
    }

    /// The text of a type with its slots still in braces: spelled out, or composed to what the means still owe.
    fn template(&mut self, type_idx: usize, passed: f64, weight: f64) -> String {
        let text = match self.spec.texts.get(type_idx) {
            Some(&text) => text.to_owned(),
            None => self.composed(passed, weight),
        };
        self.text_bytes.sum += weight * text_bytes(&text) as f64;
        for piece in &pieces(&text) {
            if let Piece::Slot(slot) = piece {
                self.slots[kind_of(*slot)].sum += weight;
            }
        }
        text
    }

    fn composed(&mut self, passed: f64, weight: f64) -> String {
        let swing = 0.7 + 0.6 * self.random.unit();
        let n_bytes = (self.text_bytes.owed(passed, weight) * swing).clamp(16.0, self.spec.text_bytes * 2.2) as usize;
        let mut slots = Vec::new();
        // Some statements name nothing that changes; what they owe falls to the others.
        let is_constant = self.random.unit() < CONSTANT_SHARE;
        for kind in (0..self.slots.len()).filter(|_| !is_constant) {
            let owed = self.slots[kind].owed(passed, weight).round().clamp(0.0, 4.0) as usize;
            slots.extend((0..owed).map(|_| slot_of(kind, &mut self.random)));
        }
        let random = &mut self.random;
        let name = if random.unit() < 0.35 { "{w}-{n}" } else { "{n}" };
        let mut text =
            format!("{} {name} {}", random.word(&self.vocabulary.subjects), random.word(&self.vocabulary.verbs));
        for slot in slots {
            text += &format!(" {}{}", random.word(&self.vocabulary.labels), braced(slot));
        }
        loop {
            let bare: usize = text_bytes(&text);
            if bare + 8 >= n_bytes {
                return text;
            }
            text += " ";
            text += if n_bytes - bare < 20 {
                random.word(&self.vocabulary.nouns)
            } else {
                random.word(&self.vocabulary.tails)
            };
        }
    }

    /// Replaces `{n}` and `{w}` by small numbers and words.
    fn literals(&mut self, template: &str) -> String {
        let mut text = template.to_owned();
        while let Some(at) = text.find("{n}") {
            text.replace_range(at..at + 3, &self.random.below(100).to_string());
        }
        while let Some(at) = text.find("{w}") {
            text.replace_range(at..at + 3, self.random.word(&self.vocabulary.nouns));
        }
        text
    }

    /// The level to which most is owed.
    fn level(&mut self, passed: f64, weight: f64) -> &'static str {
        let owed = |mean: &Mean| mean.owed(passed, weight);
        let most = (0..self.levels.len()).max_by(|&a, &b| owed(&self.levels[a]).total_cmp(&owed(&self.levels[b])));
        let idx = most.expect("every system has a level");
        self.levels[idx].sum += weight;
        self.spec.levels[idx].0
    }
}

/// A component name of about `n_bytes`: a word, or a dotted path that ends in a capital.
fn component(vocabulary: &Vocabulary, n_bytes: usize, random: &mut Random) -> String {
    let mut name = String::new();
    while name.len() + 14 < n_bytes {
        name += random.word(&vocabulary.components);
        name += ".";
    }
    let start = name.len();
    while name.len() < n_bytes {
        let word = random.word(&vocabulary.components);
        name += &word[..1].to_uppercase();
        name += &word[1..];
    }
    if n_bytes <= 8 {
        name.truncate(n_bytes.max(3));
        name = name.to_uppercase();
    }
    if start == 0 { name } else { name.replace("..", ".") }
}

/// The bytes of a template that are no slots, literals at their usual length.
fn text_bytes(template: &str) -> usize {
    let pieces = pieces(&template.replace("{n}", "##").replace("{w}", "######"));
    pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 0 }).sum()
}

/// The index in [`Spec::slots`].
fn kind_of(slot: Slot) -> usize {
    match slot {
        Slot::Address => 0,
        Slot::Uuid => 1,
        Slot::Block => 2,
        Slot::Digits(_) => 3,
        Slot::Prefixed(_) => 4,
        Slot::Hex(_) => 5,
    }
}

fn slot_of(kind: usize, random: &mut Random) -> Slot {
    let mut width =
        |table: &[(u8, f64)]| table[Distribution::of_weights(table.iter().map(|&(_, weight)| weight)).pick(random)].0;
    match kind {
        0 => Slot::Address,
        1 => Slot::Uuid,
        2 => Slot::Block,
        3 => Slot::Digits(width(&DIGITS)),
        4 => Slot::Prefixed(width(&PREFIXED_DIGITS)),
        _ => Slot::Hex(width(&HEX_DIGITS)),
    }
}

fn braced(slot: Slot) -> String {
    match slot {
        Slot::Address => "{ip}".to_owned(),
        Slot::Uuid => "{uuid}".to_owned(),
        Slot::Block => "{blk}".to_owned(),
        Slot::Digits(n) => format!("{{i{n}}}"),
        Slot::Prefixed(n) => format!("0x{{x{n}}}"),
        Slot::Hex(n) => format!("{{h{n}}}"),
    }
}

/// Cuts a text at its slots. A brace that is no slot is text.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut searched = 0;
    while let Some(open) = rest[searched..].find('{').map(|at| searched + at) {
        let Some(close) = rest[open..].find('}') else { break };
        let Some(slot) = slot_named(&rest[open + 1..open + close]) else {
            searched = open + 1;
            continue;
        };
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].to_owned()));
        }
        pieces.push(Piece::Slot(slot));
        rest = &rest[open + close + 1..];
        searched = 0;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

fn slot_named(name: &str) -> Option<Slot> {
    match name {
        "ip" => Some(Slot::Address),
        "uuid" => Some(Slot::Uuid),
        "blk" => Some(Slot::Block),
        _ => {
            let width = name.get(1..)?.parse().ok()?;
            match name.as_bytes()[0] {
                b'i' => Some(Slot::Digits(width)),
                b'x' => Some(Slot::Prefixed(width)),
                b'h' => Some(Slot::Hex(width)),
                _ => None,
            }
        }
    }
}
