//! The pools that all events draw from: addresses, hosts, services, paths, agents, referers.
//!
//! Sizes and skews of the pools are those of the reference mix; the values are composed from [`super::words`].

use std::collections::BTreeSet;

use super::random::{Distribution, Random};
use super::vocabulary::Vocabulary;
use super::words;

/// Values with the distribution they are drawn by.
pub(crate) struct Pool<T> {
    pub(crate) values: Vec<T>,
    pub(crate) by: Distribution,
}

impl<T> Pool<T> {
    pub(crate) fn pick(&self, random: &mut Random) -> &T {
        &self.values[self.by.pick(random)]
    }
}

/// A deployed service: its pods, namespace and version.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) version: String,
    pub(crate) pods: Vec<String>,
}

/// Everything that is shared by all chunks and all seeds.
pub(crate) struct Pools {
    pub(crate) public_ips: Pool<String>,
    pub(crate) private_ips: Pool<String>,
    pub(crate) hosts: Pool<String>,
    pub(crate) users: Distribution,
    pub(crate) edges: Pool<Service>,
    pub(crate) micros: Pool<Service>,
    pub(crate) paths: Pool<String>,
    pub(crate) api_paths: Distribution,
    pub(crate) agents: Pool<String>,
    pub(crate) referers: Pool<String>,
    pub(crate) statuses: Pool<u16>,
    pub(crate) methods: Pool<&'static str>,
}

impl Pools {
    pub(crate) fn new(vocabulary: &Vocabulary) -> Pools {
        let mut random = vocabulary.random(1);
        let random = &mut random;
        let sizes = &vocabulary.sizes;
        Pools {
            public_ips: Pool {
                values: addresses(sizes.public_ips, 1 << 24, 222 << 24, random),
                by: Distribution::zipf(sizes.public_ips, 1.05),
            },
            private_ips: Pool { values: addresses(2000, 10 << 24, 1 << 16, random), by: Distribution::zipf(2000, 1.0) },
            hosts: Pool { values: hosts(sizes.hosts, random), by: Distribution::zipf(sizes.hosts, 0.7) },
            users: Distribution::zipf(sizes.users, 1.0),
            edges: Pool {
                values: vocabulary.edges.iter().map(|&name| service(name, "edge", random)).collect(),
                by: Distribution::of_weights([0.45, 0.3, 0.15, 0.08, 0.02]),
            },
            micros: Pool {
                values: vocabulary.micros.iter().map(|&(name, namespace)| service(name, namespace, random)).collect(),
                by: Distribution::zipf(vocabulary.micros.len(), 0.9),
            },
            paths: Pool { values: paths(vocabulary, random), by: Distribution::through(sizes.paths, &PATH_SHARES) },
            api_paths: Distribution::zipf(vocabulary.api_paths.len(), 0.6),
            agents: Pool { values: agents(random), by: Distribution::through(N_AGENTS, &AGENT_SHARES) },
            referers: Pool {
                values: referers(vocabulary, random),
                by: Distribution::through(N_REFERERS, &REFERER_SHARES),
            },
            statuses: Pool {
                values: STATUSES.iter().map(|&(status, _)| status).collect(),
                by: Distribution::of_weights(STATUSES.iter().map(|&(_, weight)| weight)),
            },
            methods: Pool {
                values: vec!["GET", "POST", "PUT", "DELETE", "HEAD"],
                by: Distribution::of_weights([0.82, 0.12, 0.03, 0.015, 0.015]),
            },
        }
    }

    /// The number of a user: ranks scattered over six digits, so that a frequent user is not a short number.
    pub(crate) fn user(&self, rank: usize) -> usize {
        // Coprime to a million, so no two ranks meet.
        (rank * 618_033 + 271_828) % 1_000_000
    }
}

const N_AGENTS: usize = 558;
const N_REFERERS: usize = 628;

/// Measured on real access logs: what the first so many values have together.
#[rustfmt::skip]
const PATH_SHARES: [(usize, f64); 10] = [
    (1, 0.081), (2, 0.135), (5, 0.294), (10, 0.425), (20, 0.520), (50, 0.606), (100, 0.695), (200, 0.777), (500, 0.882), (1000, 0.950),
];
#[rustfmt::skip]
const AGENT_SHARES: [(usize, f64); 9] = [
    (1, 0.104), (2, 0.141), (5, 0.234), (10, 0.351), (20, 0.498), (50, 0.693), (100, 0.830), (200, 0.922), (500, 0.994),
];
#[rustfmt::skip]
const REFERER_SHARES: [(usize, f64); 9] = [
    (1, 0.407), (2, 0.476), (5, 0.616), (10, 0.704), (20, 0.788), (50, 0.870), (100, 0.918), (200, 0.952), (500, 0.987),
];
#[rustfmt::skip]
const STATUSES: [(u16, f64); 17] = [
    (200, 0.80), (304, 0.045), (404, 0.03), (301, 0.016), (201, 0.03), (204, 0.02), (206, 0.005), (302, 0.01), (400, 0.008),
    (401, 0.008), (403, 0.004), (429, 0.003), (499, 0.003), (500, 0.007), (502, 0.005), (503, 0.004), (504, 0.002),
];

fn addresses(n: usize, first: u64, span: u64, random: &mut Random) -> Vec<String> {
    let dotted = |address: u64| {
        format!("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255)
    };
    (0..n).map(|_| dotted(first + random.below(span))).collect()
}

fn hosts(n: usize, random: &mut Random) -> Vec<String> {
    let mut seen = BTreeSet::new();
    distinct(n, &mut seen, || format!("vm-fra1-{}-{:03}", 10 + random.below(90), 1 + random.below(249)))
}

fn service(name: &'static str, namespace: &'static str, random: &mut Random) -> Service {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let n_pods = 3 + random.below(9);
    let mut letters = |n: usize| -> String { (0..n).map(|_| char::from(*random.of_slice(ALPHABET))).collect() };
    let pods = (0..n_pods).map(|_| format!("{name}-{}-{}", letters(9), letters(5))).collect();
    let version = format!("v{}.{}.{}", 1 + random.below(5), random.below(40), random.below(10));
    Service { name, namespace, version, pods }
}

/// Calls `make` until `n` different values have come, in the order of their coming.
fn distinct(n: usize, seen: &mut BTreeSet<String>, mut make: impl FnMut() -> String) -> Vec<String> {
    let mut values = Vec::with_capacity(n);
    while values.len() < n {
        let value = make();
        if seen.insert(value.clone()) {
            values.push(value);
        }
    }
    values
}

/// `n` words joined by `-`.
fn slug(vocabulary: &Vocabulary, n: usize, random: &mut Random) -> String {
    let chosen: Vec<&str> = (0..n).map(|_| random.word(&vocabulary.nouns)).collect();
    chosen.join("-")
}

fn paths(vocabulary: &Vocabulary, random: &mut Random) -> Vec<String> {
    let mut seen: BTreeSet<String> = vocabulary.top_paths.iter().map(|&path| path.to_owned()).collect();
    let mut values: Vec<String> = vocabulary.top_paths.iter().map(|&path| path.to_owned()).collect();
    let rest = distinct(vocabulary.sizes.paths - values.len(), &mut seen, || {
        let section = random.word(&vocabulary.sections);
        match random.below(10) {
            0..=2 => format!("/{section}/{}/{}/", slug(vocabulary, 2, random), slug(vocabulary, 2, random)),
            3..=4 => format!("/{section}/{}.html", slug(vocabulary, 3, random)),
            5 => format!(
                "/media/{}/{}/{}.png",
                2019 + random.below(8),
                random.word(&vocabulary.nouns),
                slug(vocabulary, 2, random)
            ),
            6 => format!("/?view={}&page={}", random.word(&vocabulary.nouns), 1 + random.below(40)),
            7 => format!("/{section}/tags/{}?format=atom", slug(vocabulary, 1, random)),
            8 => format!(
                "/{section}/{}/{}/{}/",
                2019 + random.below(8),
                1 + random.below(12),
                slug(vocabulary, 4, random)
            ),
            _ => format!("/{section}/{}/", slug(vocabulary, 1, random)),
        }
    });
    values.extend(rest);
    values
}

fn agents(random: &mut Random) -> Vec<String> {
    let mut seen = BTreeSet::new();
    distinct(N_AGENTS, &mut seen, || {
        let platform = random.word(words::PLATFORMS);
        let major = 90 + random.below(50);
        match random.below(20) {
            0..=7 => format!(
                "Mozilla/5.0 ({platform}) AppleWebKit/{m}.36 (KHTML, like Gecko) Chrome/{major}.0.{}.{} Safari/{m}.36",
                4000 + random.below(3) * 311,
                random.below(5) * 17,
                m = 537
            ),
            8..=12 => format!("Mozilla/5.0 ({platform}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"),
            13..=14 => format!(
                "Mozilla/5.0 ({platform}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.{} Mobile/15E148 Safari/604.1",
                14 + random.below(12),
                random.below(7)
            ),
            15..=17 => {
                let bot = random.word(words::BOTS);
                format!(
                    "Mozilla/5.0 (compatible; {bot}/{}.{}; +https://{}.example/robot; crawls politely)",
                    1 + random.below(5),
                    random.below(8),
                    bot.to_lowercase()
                )
            }
            18 => format!(
                "{}/{}.{}.{} (unattended)",
                random.word(words::TOOLS),
                random.below(9),
                random.below(30),
                random.below(12)
            ),
            _ => format!(
                "{} reader {}.{} (feeds; {platform})",
                random.word(words::BOTS),
                1 + random.below(9),
                random.below(40)
            ),
        }
    })
}

fn referers(vocabulary: &Vocabulary, random: &mut Random) -> Vec<String> {
    let mut seen = BTreeSet::from(["-".to_owned()]);
    let mut values = vec!["-".to_owned()];
    let mut rank = 0;
    let rest = distinct(N_REFERERS - 1, &mut seen, || {
        rank += 1;
        // The frequent ones are pages of the site itself; the long tail comes from searches.
        if rank < 60 || random.below(100) < 57 {
            let host = random.word(&["https://www.kopikita.example", "https://kopikita.example"]);
            format!(
                "{host}/{}/{}/",
                random.word(&vocabulary.sections),
                slug(vocabulary, 1 + random.below(3) as usize, random)
            )
        } else {
            let engine = random.word(words::ENGINES);
            let words = slug(vocabulary, 2 + random.below(3) as usize, random).replace('-', "+");
            let token = token(120 + random.below(70) as usize, random);
            format!("https://{engine}/url?sa=t&q={words}&source=web&cd={}&ved={token}", 1 + random.below(20))
        }
    });
    values.extend(rest);
    values
}

/// Opaque characters, as trackers put into links.
fn token(n: usize, random: &mut Random) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    (0..n).map(|_| char::from(*random.of_slice(ALPHABET))).collect()
}
