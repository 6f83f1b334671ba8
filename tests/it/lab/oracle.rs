//! Producers and the oracle: what was promised, and whether it is kept.
//!
//! Every event carries its producer, its number, its text and the hash of its text, all of which follow from producer
//! and number. A batch answered with 2xx is an obligation. [`Oracle::verify`] reads everything back through the query
//! API and compares: nothing is lost, there twice, changed, out of its producer's order, or from nobody; and an event
//! that is sent now can be seen.
//!
//! Every second producer sends batch ids and repeats what it has no answer for, as senders do. The others go on with
//! the next batch, so what they have no answer for may be there or not.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Random;
use crate::server::{Server, client};

/// Events of a producer with the same time: their order is that of their ids.
const EVENTS_PER_SECOND: u64 = 40;

/// Noon of 17 November 2025 in seconds: past, so that no clock of a test machine lies before it.
const FIRST_SECOND: u64 = 1_763_380_800;

/// Events of a producer that are read back at once; whole seconds of them.
const PAGE_EVENTS: u64 = 500 * EVENTS_PER_SECOND;

/// How soon a fresh event is to be seen.
const FRESH_WITHIN: Duration = Duration::from_secs(10);

/// Hash FNV-1a: small enough to stand here, so that the test does not trust the product's own.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The text of an event: some parts that repeat, some that do not, now and then a long one.
fn text(producer: u64, seq: u64) -> String {
    let mut random = Random::new(producer * 1_000_003 + seq + 1);
    let (user, took) = (random.below(500), random.below(90_000));
    let tail = match random.below(20) {
        0 => format!(" cause=\"{:x}\"", random.below(u64::from(u32::MAX))).repeat(1 + random.below(30) as usize),
        1..5 => " – Größe überschritten\tagain".to_owned(),
        _ => String::new(),
    };
    format!("producer {producer} took {took}us for step {seq} of u{user} from 10.0.{}.{}{tail}", user % 7, took % 250)
}

fn second(producer: u64, seq: u64) -> u64 {
    // A third of the producers writes another day, and each changes its day some time.
    FIRST_SECOND + producer % 3 * 86_400 + seq / EVENTS_PER_SECOND
}

fn event(producer: u64, seq: u64) -> Value {
    let text = text(producer, seq);
    json!({"@timestamp": second(producer, seq), "producer": producer, "seq": seq,
           "hash": format!("{:016x}", hash(&text)), "message": text})
}

/// What one producer sent and what it was promised.
#[derive(Default)]
struct Obligations {
    next_seq: u64,
    acknowledged: Vec<Range<u64>>,
    /// A batch with an id that has no answer yet.
    unanswered: Option<(String, Range<u64>)>,
}

/// All producers of a test.
pub(crate) struct Oracle {
    producers: Vec<Mutex<Obligations>>,
    n_in_flight: AtomicU64,
    n_acknowledged: AtomicU64,
    n_batches: AtomicU64,
    n_refused: AtomicU64,
    /// Most events of a batch.
    batch_events_max: u64,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Acknowledged,
    Refused(u16),
    /// No answer, or half of one.
    Unknown,
}

impl Oracle {
    /// An oracle with as many producers; what they have sent is remembered over any number of servers.
    pub(crate) fn new(n_producers: usize) -> Oracle {
        Oracle {
            producers: (0..n_producers).map(|_| Mutex::default()).collect(),
            n_in_flight: AtomicU64::new(0),
            n_acknowledged: AtomicU64::new(0),
            n_batches: AtomicU64::new(0),
            n_refused: AtomicU64::new(0),
            batch_events_max: 400,
        }
    }

    /// The same with batches of at most so many events.
    pub(crate) fn with_batches_of(self, batch_events_max: u64) -> Oracle {
        Oracle { batch_events_max, ..self }
    }

    /// Events acknowledged so far.
    pub(crate) fn n_acknowledged(&self) -> u64 {
        self.n_acknowledged.load(Relaxed)
    }

    /// Batches acknowledged so far.
    pub(crate) fn n_batches(&self) -> u64 {
        self.n_batches.load(Relaxed)
    }

    /// Requests under way at this moment.
    pub(crate) fn n_in_flight(&self) -> u64 {
        self.n_in_flight.load(Relaxed)
    }

    /// Waits until so many further events were acknowledged, or until `patience` is over; whether they were.
    pub(crate) fn acknowledges(&self, n_more: u64, patience: Duration) -> bool {
        let (enough, deadline) = (self.n_acknowledged() + n_more, Instant::now() + patience);
        while self.n_acknowledged() < enough && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(2));
        }
        self.n_acknowledged() >= enough
    }

    fn producer(&self, producer: usize) -> MutexGuard<'_, Obligations> {
        self.producers[producer].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends batches from all producers until told to stop.
    pub(crate) fn produce(&self, server: &Server, stop: &AtomicBool) {
        std::thread::scope(|scope| {
            for producer in 0..self.producers.len() {
                scope.spawn(move || {
                    let http = client();
                    let mut random = Random::new(1 + producer as u64 + self.n_acknowledged());
                    while !stop.load(Relaxed) {
                        if self.send(&http, &server.url, producer, &mut random) != Fate::Acknowledged {
                            // Nobody who is refused asks again without a pause.
                            std::thread::park_timeout(Duration::from_millis(5));
                        }
                    }
                });
            }
        });
    }

    /// Sends the next batch of a producer, or once more the one without an answer.
    pub(crate) fn send(
        &self,
        http: &reqwest::blocking::Client,
        url: &str,
        producer: usize,
        random: &mut Random,
    ) -> Fate {
        let mut obligations = self.producer(producer);
        let (id, range) = match obligations.unanswered.take() {
            Some((id, range)) => (Some(id), range),
            None => {
                let n = [1, 5, 50, 400][random.below(4) as usize].min(self.batch_events_max);
                let first = obligations.next_seq;
                obligations.next_seq += n;
                (producer.is_multiple_of(2).then(|| format!("{producer}-{first}")), first..first + n)
            }
        };
        let body: String = range.clone().map(|seq| event(producer as u64, seq).to_string() + "\n").collect();
        let mut request = http.post(format!("{url}/api/v1/ingest?group=lab%2F{producer}&format=ndjson")).body(body);
        if let Some(id) = &id {
            request = request.header("x-catat-batch", id);
        }
        self.n_in_flight.fetch_add(1, Relaxed);
        let answer = request.send().and_then(|answer| Ok((answer.status().as_u16(), answer.text()?)));
        self.n_in_flight.fetch_sub(1, Relaxed);
        let fate = fate(answer.ok(), range.end - range.start);
        match (fate, id) {
            (Fate::Acknowledged, _) => {
                self.n_acknowledged.fetch_add(range.end - range.start, Relaxed);
                self.n_batches.fetch_add(1, Relaxed);
                obligations.acknowledged.push(range);
            }
            (_, Some(id)) => obligations.unanswered = Some((id, range)),
            (_, None) => {}
        }
        self.n_refused.fetch_add(u64::from(matches!(fate, Fate::Refused(_))), Relaxed);
        fate
    }

    /// Reads everything back and compares.
    pub(crate) fn verify(&self, server: &Server) -> Verdict {
        let mut verdict = Verdict::default();
        let mut found: HashMap<(u64, u64), String> = HashMap::new();
        let mut n_rows = 0;
        for producer in 0..self.producers.len() as u64 {
            let last_seq = self.producer(producer as usize).next_seq;
            for page in (0..=last_seq).step_by(PAGE_EVENTS as usize) {
                let times = second(producer, page)..second(producer, page + PAGE_EVENTS);
                let rows = export(server, producer, times, &mut verdict);
                n_rows += rows.len() as u64;
                rows.into_iter().for_each(|row| self.judge_row(row, &mut found, &mut verdict));
            }
        }
        verdict.n_events = found.len() as u64;
        let counted = server.rows("filter @log like /^lab\\// | stats count(*) as n");
        let n_counted = counted.first().map_or(Some(0), |row| row[0].as_u64());
        if n_counted != Some(n_rows) {
            verdict.foreign.push(format!("{n_rows} events where anybody sent some, {n_counted:?} in all"));
        }
        for producer in 0..self.producers.len() as u64 {
            let obligations = self.producer(producer as usize);
            let expected = obligations.acknowledged.iter().cloned().flatten();
            verdict
                .lost
                .extend(expected.filter(|seq| !found.contains_key(&(producer, *seq))).map(|seq| (producer, seq)));
            let mut before: Option<(u64, &String)> = None;
            for seq in 0..obligations.next_seq {
                let Some(id) = found.get(&(producer, seq)) else { continue };
                let disordered = |(at, other): (u64, &String)| at == second(producer, seq) && other >= id;
                if before.is_some_and(disordered) {
                    verdict.disordered.push((producer, seq));
                }
                before = Some((second(producer, seq), id));
            }
        }
        verdict
    }

    fn judge_row(&self, row: Vec<Value>, found: &mut HashMap<(u64, u64), String>, verdict: &mut Verdict) {
        let (Some(producer), Some(seq), Some(id)) = (row[0].as_u64(), row[1].as_u64(), row[5].as_str()) else {
            verdict.foreign.push(Value::from(row).to_string());
            return;
        };
        let is_known = (producer as usize) < self.producers.len() && seq < self.producer(producer as usize).next_seq;
        if !is_known {
            verdict.foreign.push(Value::from(row).to_string());
            return;
        }
        let expected = text(producer, seq);
        let is_same = row[2] == format!("{:016x}", hash(&expected))
            && row[3] == expected
            && row[4] == json!(rfc3339(second(producer, seq)))
            && row[6] == format!("lab/{producer}");
        if !is_same {
            verdict.altered.push(Value::from(row.clone()).to_string());
        }
        if found.insert((producer, seq), id.to_owned()).is_some() {
            verdict.twice.push((producer, seq));
        }
    }

    /// Verifies, asserts that nothing is wrong, and that what is sent now is seen soon.
    pub(crate) fn assert_kept(&self, server: &Server, when: &str) {
        let verdict = self.verify(server);
        assert!(verdict.is_clean(), "{when}: {verdict}\n{}", server.transcript());
        self.assert_fresh(server, when);
    }

    /// Asserts that an event sent now is seen soon.
    pub(crate) fn assert_fresh(&self, server: &Server, when: &str) {
        let (http, mut random) = (client(), Random::new(self.n_acknowledged() + 1));
        let deadline = Instant::now() + FRESH_WITHIN;
        while self.send(&http, &server.url, 0, &mut random) != Fate::Acknowledged {
            assert!(Instant::now() < deadline, "{when}: nothing fresh is accepted\n{}", server.transcript());
        }
        let last = self.producer(0).acknowledged.last().map_or(0, |range| range.end - 1);
        let fresh = server.rows(&format!("filter @log = \"lab/0\" and seq = {last} | fields seq"));
        assert_eq!(fresh, [[json!(last)]], "{when}: a fresh event is not there\n{}", server.transcript());
    }
}

fn fate(answer: Option<(u16, String)>, n_events: u64) -> Fate {
    let Some((status, body)) = answer else { return Fate::Unknown };
    if status != 200 {
        // What is malformed or in conflict would be the fault of this program or of the product, never of the disk.
        assert!(matches!(status, 429 | 503 | 507), "{status} {body}");
        return Fate::Refused(status);
    }
    let Ok(answer) = serde_json::from_str::<Value>(&body) else { return Fate::Unknown };
    assert_eq!(answer["rejected"], json!([]), "{answer}");
    assert!(answer["duplicate"] == true || answer["accepted"] == n_events, "{answer}");
    Fate::Acknowledged
}

/// Every event of a producer in these seconds, through the streaming query API.
fn export(server: &Server, producer: u64, seconds: Range<u64>, verdict: &mut Verdict) -> Vec<Vec<Value>> {
    // The last instant belongs to the range.
    let to = format!("{}.999999999Z", rfc3339(seconds.end - 1).trim_end_matches('Z'));
    let question = json!({"query": "fields producer, seq, hash, @message, @timestamp, @id, @log",
                          "groups": [format!("lab/{producer}")], "from": rfc3339(seconds.start), "to": to});
    let headers = [("content-type", "application/json"), ("accept", "application/x-ndjson")];
    let answer = server.post("/api/v1/query", &headers, question.to_string());
    assert_eq!(answer.status, 200, "{}\n{}", answer.body, server.transcript());
    let mut rows = Vec::new();
    let mut is_ended = false;
    for line in answer.body.lines() {
        match serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")) {
            Value::Array(row) => rows.push(row),
            failed if failed["error"].is_object() => panic!("{failed}\n{}", server.transcript()),
            last if last["stats"].is_object() => {
                is_ended = true;
                if last["partial"] != false || last["more"] == true {
                    verdict.incomplete = Some(last.to_string());
                }
            }
            _ => {}
        }
    }
    if !is_ended {
        verdict.incomplete = Some("the answer has no end".to_owned());
    }
    rows
}

/// The form in which answers give a whole second.
fn rfc3339(second: u64) -> String {
    let (days, of_day) = ((second / 86_400) as i64, second % 86_400);
    // Civil calendar from days, with years that begin in March so that leap days come last.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

/// What a comparison found. Lists hold (producer, number).
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) n_events: u64,
    /// Acknowledged and not there.
    pub(crate) lost: Vec<(u64, u64)>,
    pub(crate) twice: Vec<(u64, u64)>,
    pub(crate) disordered: Vec<(u64, u64)>,
    /// Never sent by anybody.
    pub(crate) foreign: Vec<String>,
    /// Not as they were sent.
    pub(crate) altered: Vec<String>,
    /// Why the answer is not the whole one.
    pub(crate) incomplete: Option<String>,
}

impl Verdict {
    /// Nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        let Verdict { n_events: _, lost, twice, disordered, foreign, altered, incomplete } = self;
        let of_events = [lost, twice, disordered].iter().all(|list| list.is_empty());
        of_events && foreign.is_empty() && altered.is_empty() && incomplete.is_none()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events", self.n_events)?;
        for (name, list) in [("lost", &self.lost), ("twice", &self.twice), ("disordered", &self.disordered)] {
            write!(f, "; {} {name} {:?}", list.len(), &list[..list.len().min(5)])?;
        }
        for (name, list) in [("foreign", &self.foreign), ("altered", &self.altered)] {
            write!(f, "; {} {name} {:?}", list.len(), &list[..list.len().min(2)])?;
        }
        write!(f, "; incomplete: {:?}", self.incomplete)
    }
}
