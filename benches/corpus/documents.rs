//! JSON documents of the shape that JSONBench measures on: the commits of a social network's users, as its stream sends them.
//!
//! The shape is that of the public data set (github.com/ClickHouse/JSONBench: Bluesky's Jetstream): keys, their order, kinds of
//! documents and their shares, about 463 bytes each. What is in them is drawn: identifiers have the entropy of
//! real ones (content ids are 256 random bits, users 120), record keys are times, users and what they like follow Zipf's
//! law, texts are made of invented words.

use std::io::Write;

use super::random::{Distribution, Random};

/// Documents per chunk.
const CHUNK_DOCUMENTS: usize = 50_000;

/// When the first document was sent, in microseconds since the epoch: 2026-11-19 12:00 UTC.
const START_US: u64 = 1_795_089_600_000_000;

/// Mean distance of two documents in microseconds.
const STEP_US: f64 = 2_500.0;

const BASE_32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The alphabet of record keys, which sort as they were made.
const SORTED_32: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

const LANGUAGES: [&str; 8] = ["en", "ja", "pt", "de", "es", "fr", "ko", "id"];

/// Documents to draw: how many, and from which seed.
pub(crate) struct Documents {
    n_documents: usize,
    seed: u64,
    users: Distribution,
    posts: Distribution,
    lexicon: Vec<String>,
}

/// Writes what is drawn.
struct Pen<'a> {
    all: &'a Documents,
    random: Random,
    out: &'a mut Vec<u8>,
}

impl Documents {
    /// Prepares the pools. A fifth as many users as documents have written one; most of the likes are of well-known posts.
    pub(crate) fn new(n_documents: usize, seed: u64) -> Self {
        let mut random = Random::of(&[seed, 77]);
        let syllables =
            ["ka", "lo", "mi", "ten", "ra", "su", "ver", "in", "do", "pa", "ge", "lu", "nor", "is", "ta", "be"];
        let word =
            |random: &mut Random| (0..1 + random.below(4)).map(|_| *random.of_slice(&syllables)).collect::<String>();
        Self {
            n_documents,
            seed,
            users: Distribution::zipf((n_documents / 5).max(1), 0.8),
            posts: Distribution::zipf((n_documents / 20).max(1), 0.8),
            lexicon: (0..20_000).map(|_| word(&mut random)).collect(),
        }
    }

    /// The number of chunks; the last one may be short.
    pub(crate) fn n_chunks(&self) -> usize {
        self.n_documents.div_ceil(CHUNK_DOCUMENTS)
    }

    /// Appends chunk `chunk_idx` to `out`, one line a document.
    pub(crate) fn write_chunk(&self, chunk_idx: usize, out: &mut Vec<u8>) {
        let first = chunk_idx * CHUNK_DOCUMENTS;
        let n = CHUNK_DOCUMENTS.min(self.n_documents - first);
        let mut pen = Pen { all: self, random: Random::of(&[self.seed, chunk_idx as u64]), out };
        let mut time_us = START_US as f64 + first as f64 * STEP_US;
        for _ in 0..n {
            pen.document(time_us as u64);
            time_us += STEP_US * 2.0 * pen.random.unit();
        }
    }
}

impl Pen<'_> {
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn digits(&mut self, number: u64, n: usize, alphabet: &[u8; 32]) {
        let digit = |place: usize| alphabet[(number >> (5 * place) & 31) as usize];
        self.out.extend((0..n).rev().map(digit));
    }

    fn user_id(&mut self, number: u64) {
        let mut of_user = Random::of(&[self.all.seed, 1, number]);
        self.put("did:plc:");
        for _ in 0..2 {
            self.digits(of_user.next(), 12, BASE_32);
        }
    }

    fn user(&mut self) -> u64 {
        self.all.users.pick(&mut self.random) as u64
    }

    fn content_id(&mut self, mut of_content: Random, kind: &str) {
        self.put(kind);
        for n in [12, 12, 12, 12, 4] {
            self.digits(of_content.next(), n, BASE_32);
        }
    }

    fn new_content_id(&mut self) {
        let number = self.random.next();
        self.content_id(Random::of(&[number]), "bafyrei");
    }

    /// A key made at a time: 53 bits of microseconds and 10 of a clock's number.
    fn key_of(&mut self, time_us: u64) {
        let clock = self.random.below(1024);
        self.digits((time_us << 10 | clock) & (u64::MAX >> 1), 13, SORTED_32);
    }

    fn time(&mut self, time_us: u64) {
        let (ms, s) = (time_us / 1000 % 1000, time_us / 1_000_000 % 86_400);
        // Some documents were made before the first one was sent.
        let day = 19 + (time_us as i64 - START_US as i64 + 43_200_000_000).div_euclid(86_400_000_000);
        let _ = write!(self.out, "2026-11-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60);
    }

    /// A post that others like, with its content id and address.
    fn subject(&mut self, time_us: u64) {
        let is_known = self.random.unit() < 0.7;
        let number = if is_known { self.all.posts.pick(&mut self.random) as u64 } else { self.random.next() };
        let mut of_post = Random::of(&[self.all.seed, 2, number]);
        let (author, age_us) = (of_post.below(self.all.n_documents as u64 / 5 + 1), of_post.below(40_000_000_000));
        self.put("{\"cid\":\"");
        self.content_id(of_post, "bafyrei");
        self.put("\",\"uri\":\"at://");
        self.user_id(author);
        self.put("/app.bsky.feed.post/");
        let made_us = if is_known { START_US } else { time_us };
        let key = ((made_us - age_us) << 10) | (number % 1024);
        self.digits(key & (u64::MAX >> 1), 13, SORTED_32);
        self.put("\"}");
    }

    fn text(&mut self) {
        let n_words = self.random.log_normal(2.3, 0.8).clamp(1.0, 60.0) as usize;
        let all = self.all;
        for number in 0..n_words {
            // Frequent words are frequent: the square of a uniform number.
            let rank = self.random.unit().powi(3) * all.lexicon.len() as f64;
            if number > 0 {
                let between = match self.random.below(40) {
                    0 => "\\n",
                    1 => ", ",
                    2 => ". ",
                    _ => " ",
                };
                self.put(between);
            }
            let word = &all.lexicon[rank as usize];
            match self.random.below(200) {
                0 => self.put("\\\"\u{2728}\\\""),
                1 => self.put("\u{1f499}"),
                _ => self.put(word),
            }
        }
    }

    fn document(&mut self, time_us: u64) {
        let user = self.user();
        self.put("{\"did\":\"");
        self.user_id(user);
        let _ = write!(self.out, "\",\"time_us\":{time_us},\"kind\":\"");
        let share = self.random.unit();
        if share < 0.01 {
            self.identity(user, time_us);
        } else {
            self.commit(user, time_us, share);
        }
        self.put("}\n");
    }

    fn identity(&mut self, user: u64, time_us: u64) {
        let sequence = 10_000_000_000 + (time_us - START_US) / 1000;
        let is_account = self.random.below(2) == 0;
        self.put(if is_account {
            "account\",\"account\":{\"active\":true,\"did\":\""
        } else {
            "identity\",\"identity\":{\"did\":\""
        });
        self.user_id(user);
        if !is_account {
            let _ = write!(
                self.out,
                "\",\"handle\":\"{}{user}.bsky.social",
                self.all.lexicon[user as usize % self.all.lexicon.len()]
            );
        }
        let _ = write!(self.out, "\",\"seq\":{sequence},\"time\":\"");
        self.time(time_us);
        self.put("\"}");
    }

    fn commit(&mut self, user: u64, time_us: u64, share: f64) {
        let made_us = time_us - 300_000 - self.random.below(2_000_000);
        self.put("commit\",\"commit\":{\"rev\":\"");
        self.key_of(made_us + 100_000);
        let (collection, is_deleted) = match share {
            ..0.45 => ("app.bsky.feed.like", false),
            ..0.63 => ("app.bsky.feed.post", false),
            ..0.80 => ("app.bsky.graph.follow", false),
            ..0.88 => ("app.bsky.feed.repost", false),
            ..0.91 => ("app.bsky.graph.block", false),
            ..0.92 => ("app.bsky.actor.profile", false),
            ..0.95 => ("app.bsky.feed.like", true),
            ..0.98 => ("app.bsky.graph.follow", true),
            _ => ("app.bsky.feed.post", true),
        };
        let operation = match collection {
            _ if is_deleted => "delete",
            "app.bsky.actor.profile" => "update",
            _ => "create",
        };
        let _ = write!(self.out, "\",\"operation\":\"{operation}\",\"collection\":\"{collection}\",\"rkey\":\"");
        if collection.ends_with("profile") {
            self.put("self")
        } else {
            self.key_of(made_us)
        }
        if is_deleted {
            self.put("\"}");
            return;
        }
        let _ = write!(self.out, "\",\"record\":{{\"$type\":\"{collection}\",\"createdAt\":\"");
        self.time(made_us);
        self.put("\"");
        match collection {
            "app.bsky.feed.post" => self.post(time_us),
            "app.bsky.graph.follow" | "app.bsky.graph.block" => {
                self.put(",\"subject\":\"");
                let other = self.user();
                self.user_id(other);
                self.put("\"");
            }
            "app.bsky.actor.profile" => {
                self.put(",\"description\":\"");
                self.text();
                let _ = write!(
                    self.out,
                    "\",\"displayName\":\"{}\"",
                    self.all.lexicon[user as usize % self.all.lexicon.len()]
                );
            }
            _ => {
                self.put(",\"subject\":");
                self.subject(time_us);
            }
        }
        self.put("},\"cid\":\"");
        self.new_content_id();
        self.put("\"}");
    }

    fn post(&mut self, time_us: u64) {
        if self.random.unit() < 0.2 {
            self.put(",\"embed\":{\"$type\":\"app.bsky.embed.images\",\"images\":[{\"alt\":\"");
            if self.random.unit() < 0.3 {
                self.text();
            }
            let (height, width) = (400 + self.random.below(1600), 400 + self.random.below(1600));
            let _ = write!(
                self.out,
                "\",\"aspectRatio\":{{\"height\":{height},\"width\":{width}}},\"image\":{{\"$type\":\"blob\",\"ref\":{{\"$link\":\""
            );
            let number = self.random.next();
            self.content_id(Random::of(&[number]), "bafkrei");
            let size = 20_000 + self.random.below(900_000);
            let _ = write!(self.out, "\"}},\"mimeType\":\"image/jpeg\",\"size\":{size}}}}}]}}");
        }
        if self.random.unit() < 0.9 {
            let language = LANGUAGES[(self.random.unit().powi(2) * LANGUAGES.len() as f64) as usize];
            let _ = write!(self.out, ",\"langs\":[\"{language}\"]");
        }
        if self.random.unit() < 0.45 {
            self.put(",\"reply\":{\"parent\":");
            self.subject(time_us);
            self.put(",\"root\":");
            self.subject(time_us);
            self.put("}");
        }
        self.put(",\"text\":\"");
        self.text();
        self.put("\"");
    }
}
