//! What a company is called and made of: either the one that [`super::words`] spells out, or one drawn from a seed.
//!
//! Drawn are words, services, statements with their lengths and slots, the shares of kinds and levels, names of
//! fields, how many values a field has, and needles. What stays is what logs have in common everywhere: Zipf's law,
//! the kinds of slots, a time, a level, a message.

use std::collections::BTreeMap;

use super::NEEDLES;
use super::json::Object;
use super::random::{Distribution, Random};
use super::specs::{SPECS, Spec};
use super::words;

/// How many values the pools have.
pub(crate) struct Sizes {
    pub(crate) hosts: usize,
    pub(crate) paths: usize,
    pub(crate) public_ips: usize,
    pub(crate) users: usize,
}

/// A field that only this company writes, with values of one form.
pub(crate) struct Extra {
    pub(crate) name: &'static str,
    form: Form,
    values: Distribution,
}

/// How the values of an extra field look.
#[derive(Clone, Copy)]
enum Form {
    Number,
    Word,
    Hex,
}

/// Everything that has a name.
pub(crate) struct Vocabulary {
    /// `None` for the company that is always the same.
    seed: Option<u64>,
    pub(crate) nouns: Vec<&'static str>,
    pub(crate) verbs: Vec<&'static str>,
    pub(crate) subjects: Vec<&'static str>,
    pub(crate) tails: Vec<&'static str>,
    pub(crate) labels: Vec<&'static str>,
    pub(crate) components: Vec<&'static str>,
    pub(crate) sections: Vec<&'static str>,
    pub(crate) routes: Vec<&'static str>,
    /// Five services at the edge; the second one is an API, whose requests carry traces.
    pub(crate) edges: Vec<&'static str>,
    /// Services with their namespaces.
    pub(crate) micros: Vec<(&'static str, &'static str)>,
    pub(crate) api_paths: Vec<&'static str>,
    pub(crate) top_paths: Vec<&'static str>,
    /// Level, weight, text with slots.
    pub(crate) micro_messages: Vec<(&'static str, f64, &'static str)>,
    pub(crate) specs: Vec<Spec>,
    pub(crate) needles: Vec<(&'static str, usize)>,
    pub(crate) sizes: Sizes,
    /// The share of web events, of web and application events, of these and microservices.
    pub(crate) passed_shares: [f64; 3],
    /// Usual name of a field → its name here.
    pub(crate) names: BTreeMap<&'static str, &'static str>,
    pub(crate) extras: Vec<Extra>,
}

/// What a benchmark may ask of a corpus.
pub(crate) struct Question {
    /// Needles with how often each stands in a corpus of a million events or more.
    pub(crate) needles: Vec<(&'static str, usize)>,
    /// Usual name → name of every field that has another one.
    pub(crate) names: BTreeMap<&'static str, &'static str>,
    /// Names of the fields that nobody else has.
    pub(crate) extras: Vec<&'static str>,
    /// The API service.
    pub(crate) service: &'static str,
    /// A word of a frequent message.
    pub(crate) common: &'static str,
    /// A piece of a frequent message that begins and ends within words.
    pub(crate) piece: &'static str,
    /// Two adjacent words of an error.
    pub(crate) phrase: &'static str,
    /// A word of that error.
    pub(crate) word: &'static str,
    /// What stands before and after a slot of one message.
    pub(crate) around: [&'static str; 2],
}

impl Vocabulary {
    /// The company that is the same in every run.
    pub(crate) fn fixed() -> Vocabulary {
        Vocabulary {
            seed: None,
            nouns: words::NOUNS.to_vec(),
            verbs: words::VERBS.to_vec(),
            subjects: words::SUBJECTS.to_vec(),
            tails: words::TAILS.to_vec(),
            labels: words::LABELS.to_vec(),
            components: words::COMPONENTS.to_vec(),
            sections: words::SECTIONS.to_vec(),
            routes: words::ROUTES.to_vec(),
            edges: words::EDGES.to_vec(),
            micros: words::MICROS.to_vec(),
            api_paths: words::API_PATHS.to_vec(),
            top_paths: words::TOP_PATHS.to_vec(),
            micro_messages: words::MICRO_MESSAGES.to_vec(),
            specs: SPECS.to_vec(),
            needles: NEEDLES.to_vec(),
            sizes: Sizes { hosts: 64, paths: 1498, public_ips: 60_000, users: 200_000 },
            passed_shares: [0.40, 0.80, 0.95],
            names: BTreeMap::new(),
            extras: Vec::new(),
        }
    }

    /// A company of which nobody has heard.
    pub(crate) fn drawn(seed: u64) -> Vocabulary {
        let mut random = Random::of(&[3, seed]);
        let random = &mut random;
        let nouns = invented(between(40, 120, random), random);
        let verbs = invented(between(25, 60, random), random);
        let subjects = invented(between(20, 60, random), random);
        let components = invented(between(15, 40, random), random);
        let tails = (0..between(10, 40, random))
            .map(|_| {
                (0..between(2, 5, random)).map(|_| random.word(&nouns)).collect::<Vec<_>>().join(" ").leak() as &str
            })
            .collect();
        let edges = names_of(5, random);
        let micros: Vec<_> = names_of(between(6, 40, random), random)
            .into_iter()
            .map(|name| (name, random.word(&["prod-core", "prod-money", "prod-web"])))
            .collect();
        let sections = invented(between(5, 20, random), random);
        let path = |last: &str, random: &mut Random| {
            &*format!("/{}/{}{last}", random.word(&sections), random.word(&nouns)).leak()
        };
        let api_paths = (0..between(6, 30, random)).map(|_| path("/%", random)).collect();
        let top_paths = (0..20).map(|idx| path(&format!("/{idx}.html"), random)).collect();
        let routes = (0..between(4, 16, random)).map(|_| path("", random)).collect();
        let [web, app, micro, flow] = [0.15, 0.15, 0.1, 0.01].map(|least| least + random.unit() * 0.5);
        let all = web + app + micro + flow;
        Vocabulary {
            seed: Some(seed),
            micro_messages: messages(&nouns, &verbs, random),
            specs: specs(random),
            needles: NEEDLES.map(|(_, count)| (needle(random), count)).to_vec(),
            sizes: Sizes {
                hosts: between(8, 400, random),
                paths: between(1100, 6000, random),
                public_ips: between(5000, 200_000, random),
                users: between(20_000, 400_000, random),
            },
            passed_shares: [web / all, (web + app) / all, (web + app + micro) / all],
            names: field_names(random),
            extras: extras(random),
            labels: words::LABELS.to_vec(),
            nouns,
            verbs,
            subjects,
            tails,
            components,
            sections,
            routes,
            edges,
            micros,
            api_paths,
            top_paths,
        }
    }

    /// A stream of randomness for one purpose.
    pub(crate) fn random(&self, purpose: u64) -> Random {
        match self.seed {
            None => Random::of(&[purpose]),
            Some(seed) => Random::of(&[purpose, 7, seed]),
        }
    }

    /// A stream of randomness for the `idx`-th of several things of one purpose.
    pub(crate) fn random_of(&self, purpose: u64, idx: u64) -> Random {
        match self.seed {
            None => Random::of(&[purpose, idx]),
            Some(seed) => Random::of(&[purpose, idx, 7, seed]),
        }
    }

    /// Chooses what to ask for.
    pub(crate) fn question(&self, seed: u64) -> Question {
        let mut random = Random::of(&[4, seed]);
        let random = &mut random;
        let texts = |is_error: bool| -> Vec<&'static str> {
            let of_kind = |&&(level, _, _): &&(&str, f64, &str)| matches!(level, "error" | "fatal") == is_error;
            self.micro_messages.iter().filter(of_kind).map(|&(_, _, text)| text).collect()
        };
        let (usual, errors) = (texts(false), texts(true));
        // Statements come by how often they are made.
        let error = longest_text(errors[random.below(errors.len().min(2) as u64) as usize]);
        let words: Vec<&'static str> = error.split(' ').filter(|word| is_word(word)).collect();
        let first = random.below(words.len().max(2) as u64 - 1) as usize;
        let start = error.find(words[first]).expect("the word is of this text");
        let end = words
            .get(first + 1)
            .map_or(error.len(), |next| start + error[start..].find(next).map_or(0, |at| at + next.len()));
        let frequent = longest_text(usual[random.below(usual.len().min(4) as u64) as usize]);
        let common: Vec<&'static str> = frequent.split(' ').filter(|word| is_word(word)).collect();
        Question {
            needles: self.needles.clone(),
            names: self.names.clone(),
            extras: self.extras.iter().map(|extra| extra.name).collect(),
            service: self.edges[1],
            common: random.word(&common),
            piece: &frequent[2..frequent.len() - 2],
            phrase: error[start..end].trim(),
            word: words[first],
            around: around_slot(&self.micro_messages, random),
        }
    }
}

impl Extra {
    /// Writes the field into most events.
    pub(crate) fn write(&self, event: &mut Object<'_>, random: &mut Random) {
        let value = self.values.pick(random) as u64;
        match self.form {
            Form::Number => event.plain(self.name, value * 7),
            Form::Word => event.text(self.name, &format!("{}-{value}", self.name)),
            Form::Hex => event.text(self.name, &format!("{:016x}", value.wrapping_mul(0x9e37_79b9_7f4a_7c15))),
        }
    }
}

/// A number of `low..=high`, small ones as likely as large ones on a scale of logarithms.
fn between(low: usize, high: usize, random: &mut Random) -> usize {
    let span = (high as f64 / low as f64).ln();
    ((low as f64) * (random.unit() * span).exp()).round() as usize
}

/// A word that nobody knows.
fn coined(random: &mut Random) -> String {
    const ONSETS: &[&str] = &[
        "b", "br", "d", "dr", "f", "g", "gl", "h", "j", "k", "kr", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr",
        "v", "w", "z",
    ];
    const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "ai", "ea", "ou"];
    const ENDS: &[&str] = &["", "", "n", "r", "l", "s", "x", "ck", "nd", "rt"];
    let n_syllables = 1 + random.below(3);
    let mut word = String::new();
    for _ in 0..=n_syllables {
        word += random.word(ONSETS);
        word += random.word(VOWELS);
    }
    word + random.word(ENDS)
}

/// `n` different words.
fn invented(n: usize, random: &mut Random) -> Vec<&'static str> {
    let mut words: Vec<&'static str> = Vec::new();
    while words.len() < n {
        let word = coined(random);
        if !words.contains(&word.as_str()) {
            words.push(word.leak());
        }
    }
    words
}

/// `n` different names of services.
fn names_of(n: usize, random: &mut Random) -> Vec<&'static str> {
    let kinds = ["-api", "-worker", "", "-svc", "d", "-gw"];
    invented(n, random).into_iter().map(|word| format!("{word}{}", random.word(&kinds)).leak() as &str).collect()
}

/// Letters and digits, as ids have them; the first is a letter, one of the others a digit.
fn needle(random: &mut Random) -> &'static str {
    let n = between(8, 20, random);
    let hex = format!("{:016x}{:016x}", random.next(), random.next());
    format!("{}{}", random.word(&["q7", "z3", "w9", "k5"]), &hex[..n - 2]).leak()
}

/// Statements of microservices: words, some of them before a slot.
fn messages(
    nouns: &[&'static str],
    verbs: &[&'static str],
    random: &mut Random,
) -> Vec<(&'static str, f64, &'static str)> {
    const SLOTS: &[&str] =
        &["{ms}ms", "{n}", "{order}", "{user}", "{address}:80", "{money}", "{sku}", "{route}", "{method}"];
    let n = between(12, 60, random);
    let skew = 0.4 + random.unit();
    let mut made = Vec::new();
    for rank in 1..=n {
        // Levels come in turn, so that every one of them has statements; errors are rare.
        let (level, rarity) =
            [("info", 1.0), ("debug", 0.7), ("info", 1.0), ("warn", 0.2), ("info", 0.8), ("error", 0.1)][rank % 6];
        let mut text = format!("{} {}", random.word(nouns), random.word(verbs));
        for place in 0..between(3, 14, random) {
            text += " ";
            if place > 0 && random.unit() < 0.35 {
                text += random.word(&["id=", "took ", "of ", "at ", "", "n:"]);
                text += random.word(SLOTS);
            } else {
                let words = if random.unit() < 0.3 { verbs } else { nouns };
                text += random.word(words);
            }
        }
        // Every statement has a run of four words, so that phrases and pieces of it can be asked for.
        for _ in 0..4 {
            text += " ";
            text += random.word(nouns);
        }
        text += " {n}";
        made.push((level, rarity * (rank as f64).powf(-skew), text.leak() as &str));
    }
    made
}

fn specs(random: &mut Random) -> Vec<Spec> {
    const LEVELS: [&[(&str, f64)]; 5] = [
        &[("info", 0.96), ("warn", 0.04)],
        &[("info", 1.0)],
        &[("debug", 0.5), ("info", 0.45), ("error", 0.05)],
        &[("info", 0.8), ("warn", 0.12), ("error", 0.078), ("fatal", 0.002)],
        &[("trace", 0.1), ("debug", 0.3), ("info", 0.5), ("warn", 0.1)],
    ];
    let n = between(4, 24, random);
    let mut specs: Vec<Spec> = Vec::new();
    for (idx, name) in names_of(n, random).into_iter().enumerate() {
        let mut slots = [0.0; 6];
        for (slot, usual) in slots.iter_mut().zip([0.6, 0.2, 0.3, 1.8, 0.2, 0.3]) {
            *slot = if random.unit() < 0.6 { random.unit() * usual * 2.0 } else { 0.0 };
        }
        specs.push(Spec {
            name,
            share: 1.0 / (idx as f64 + 1.0),
            n_types: between(5, 350, random),
            skew: 0.3 + random.unit(),
            n_components: between(1, 70, random),
            // Long enough for as many different names as there are components.
            component_bytes: between(12, 40, random),
            text_bytes: between(20, 140, random) as f64,
            fresh: between(10, 600, random) as f64 / 1000.0,
            slots,
            levels: LEVELS[random.below(5) as usize],
            texts: &[],
            throws: random.unit() < 0.3,
        });
    }
    specs
}

/// Names of fields as teams choose them. Time, level and message keep theirs: every engine has to be told of them.
fn field_names(random: &mut Random) -> BTreeMap<&'static str, &'static str> {
    const CHOICES: [(&str, [&str; 4]); 16] = [
        ("service", ["service", "app", "unit", "application"]),
        ("host", ["host", "node_name", "machine", "server"]),
        ("client_ip", ["client_ip", "remote_addr", "src", "peer_ip"]),
        ("method", ["method", "verb", "http_method", "op"]),
        ("path", ["path", "uri", "endpoint", "target"]),
        ("status", ["status", "code", "http_status", "response_code"]),
        ("bytes", ["bytes", "size", "body_bytes", "len"]),
        ("duration_ms", ["duration_ms", "latency", "took", "elapsed_ms"]),
        ("trace_id", ["trace_id", "request_id", "correlation", "tid"]),
        ("user_id", ["user_id", "customer", "account", "uid"]),
        ("component", ["component", "logger", "module", "source"]),
        ("thread", ["thread", "worker", "lane", "task"]),
        ("user_agent", ["user_agent", "agent", "ua", "browser"]),
        ("namespace", ["namespace", "ns", "team", "cell"]),
        ("pod", ["pod", "instance", "replica", "container"]),
        ("region", ["region", "zone", "dc", "site"]),
    ];
    let chosen = CHOICES.iter().map(|(usual, names)| (*usual, random.word(names)));
    chosen.filter(|(usual, name)| usual != name).collect()
}

fn extras(random: &mut Random) -> Vec<Extra> {
    let names = invented(random.below(7) as usize, random);
    names
        .into_iter()
        .map(|name| {
            let n = between(2, 100_000, random);
            let form = [Form::Number, Form::Word, Form::Hex][random.below(3) as usize];
            Extra { name, form, values: Distribution::zipf(n, random.unit() * 1.2) }
        })
        .collect()
}

/// The longest piece of a text between its slots.
fn longest_text(template: &'static str) -> &'static str {
    let pieces = template.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, text)| text));
    pieces.max_by_key(|piece| piece.len()).unwrap_or(template).trim()
}

fn is_word(text: &str) -> bool {
    text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// What stands on both sides of a slot of some message: at least a word each.
fn around_slot(messages: &[(&'static str, f64, &'static str)], random: &mut Random) -> [&'static str; 2] {
    let mut found: Vec<[&'static str; 2]> = Vec::new();
    for &(_, _, text) in messages {
        let Some((before, rest)) = text.split_once('{') else { continue };
        let Some((slot, after)) = rest.split_once('}') else { continue };
        let after = after.split('{').next().unwrap_or_default();
        if matches!(slot, "ms" | "n" | "order" | "user" | "address") && before.len() > 8 && after.len() > 4 {
            found.push([before, after.trim_end()]);
        }
    }
    found.get(random.below(found.len().clamp(1, 6) as u64) as usize).copied().unwrap_or(["", ""])
}
