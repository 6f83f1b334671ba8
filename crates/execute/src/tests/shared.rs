//! Parts of a query that other nodes work out: the answer is that of one node, whatever these do.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use chrono_tz::Tz;
use types::{Run, RunKey, TimeRange, Timestamp};

use super::stored::{Stored, plan, range, stored};
use crate::answers::part::answer_part;
use crate::answers::run::execute;
use crate::request::answer::Answer;
use crate::request::cache::PartialCache;
use crate::request::parameters::{Request, Support};
use crate::request::part::Part;
use crate::request::peers::{PeerId, Peers};

/// What a node does with its answer to a part, given the runs that were asked for.
type Conduct = fn(PeerId, Result<Vec<u8>, String>) -> Result<Vec<u8>, String>;

/// Two other nodes with the runs of this one, as far as they know them.
struct Nodes<'a> {
    runs: &'a [Arc<dyn Run>],
    n_known: usize,
    caches: [PartialCache; 2],
    conduct: Conduct,
    n_asked: AtomicUsize,
}

impl Peers for Nodes<'_> {
    fn order(&self, run: RunKey) -> Vec<Option<PeerId>> {
        (0..3).map(|place| [Some(0), Some(1), None][(run.segment as usize + place) % 3]).collect()
    }

    fn ask(
        &self,
        peer: PeerId,
        part: &[u8],
        _: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<u8>, String> {
        self.n_asked.fetch_add(1, Relaxed);
        progress(17);
        let part = Part::read(part).map_err(|error| error.to_string())?;
        assert_eq!(part.groups().len(), 1);
        let answered = with_request(part.range(), &self.caches[peer], None, |request| {
            answer_part(&part, &self.runs[..self.n_known], request).map_err(|error| error.to_string())
        });
        (self.conduct)(peer, answered)
    }
}

fn with_request<T>(
    range: TimeRange,
    cache: &PartialCache,
    peers: Option<&dyn Peers>,
    work: impl FnOnce(&Request<'_>) -> T,
) -> T {
    work(&Request {
        range,
        limit: None,
        time_zone: Tz::Europe__Berlin,
        now: Timestamp(0),
        memory_bytes_max: 1 << 28,
        deadline: None,
        cancelled: &AtomicBool::new(false),
        n_threads: 2,
        progress: None,
        support: Support { cache: Some(cache), peers, ..Support::default() },
    })
}

fn ask(text: &str, runs: &[Arc<dyn Run>], range: TimeRange, peers: Option<&dyn Peers>) -> Answer {
    with_request(range, &PartialCache::new(1 << 24), peers, |request| execute(&plan(text), runs, request))
        .expect("an answer")
}

/// Returns nine segments of 40,000 events: as segments that a test can damage, and as runs.
fn segments() -> (Vec<Arc<Stored>>, Vec<Arc<dyn Run>>) {
    let stored: Vec<Arc<Stored>> = (0..9).map(|i| stored(i as u128, i * 40_000, 40_000)).collect();
    let runs = stored.iter().map(|run| run.clone() as Arc<dyn Run>).collect();
    (stored, runs)
}

const QUESTIONS: [&str; 9] = [
    "stats count(*), sum(n), avg(ms), stddev(ms), variance(n) by host",
    "stats min(id), max(n), pct(ms, 99.9), median(n) by host, @level",
    "stats count_distinct(id), values(host, 3), mode(host) by bin(1h)",
    "filter @message like /worker-[35]/ and ms > 0.1 | stats first(n), last(n), earliest(id), latest(host) by host",
    "parse @message \"message * of *\" as number, worker | stats max(number), count(*) by worker | sort worker",
    "filter host in [\"h1\", \"h3\", 0.30000000000000004] | fields strcontains(id, \"a\") as has | stats sum(n) by has",
    "filter @message like \"worker-2\" | stats count(*) as c by id | sort c desc, id | limit 7",
    "stats sum(ms) as s by datefloor(@timestamp, 1mo), host | filter s > 1 | sort s desc",
    "filter abs(n) > 12 and not isblank(host) | stats count(id) by floor(ms / 1000)",
];

fn nodes(runs: &[Arc<dyn Run>], n_known: usize, conduct: Conduct) -> Nodes<'_> {
    let caches = [PartialCache::new(1 << 24), PartialCache::new(1 << 24)];
    Nodes { runs, n_known, caches, conduct, n_asked: AtomicUsize::new(0) }
}

fn is_same(shared: &Answer, alone: &Answer, text: &str) {
    assert_eq!((&shared.rows, &shared.columns), (&alone.rows, &alone.columns), "{text}");
    assert_eq!(shared.stats.events_scanned, alone.stats.events_scanned, "{text}");
    assert_eq!(shared.stats.events_matched, alone.stats.events_matched, "{text}");
    assert_eq!((shared.partial_reasons.len(), alone.partial_reasons.len()), (0, 0), "{text}");
}

#[test]
fn an_answer_is_the_same_whoever_works_it_out() {
    let (_, runs) = segments();
    let nodes = nodes(&runs, 9, |_, answer| answer);
    for range in [TimeRange::ALL, range(20_000, 330_000)] {
        for text in QUESTIONS {
            let shared = ask(text, &runs, range, Some(&nodes));
            is_same(&shared, &ask(text, &runs, range, None), text);
            assert!(shared.stats.events_shared >= 200_000, "{text}: {:?}", shared.stats);
        }
    }
    assert_eq!(nodes.n_asked.load(Relaxed), 2 * 2 * QUESTIONS.len());
    assert!(nodes.caches[0].counts().n_entries > 0, "a home keeps its partials");
}

#[test]
fn what_a_node_does_not_answer_others_work_out() {
    let (_, runs) = segments();
    let conducts: [Conduct; 5] = [
        |peer, answer| if peer == 0 { Err("gone".into()) } else { answer },
        |_, _| Err("gone".into()),
        |_, answer| answer.map(|bytes| bytes[..bytes.len() - 1].to_vec()),
        |_, answer| {
            answer.map(|mut bytes| {
                bytes[0] ^= 1;
                bytes
            })
        },
        |_, _| Ok(Vec::new()),
    ];
    for conduct in conducts {
        for text in &QUESTIONS[..2] {
            let nodes = nodes(&runs, 9, conduct);
            is_same(&ask(text, &runs, TimeRange::ALL, Some(&nodes)), &ask(text, &runs, TimeRange::ALL, None), text);
        }
    }
    // Nodes that know some of the runs answer about these.
    let behind = nodes(&runs, 5, |_, answer| answer);
    let shared = ask(QUESTIONS[0], &runs, TimeRange::ALL, Some(&behind));
    is_same(&shared, &ask(QUESTIONS[0], &runs, TimeRange::ALL, None), "behind");
    assert!(shared.stats.events_shared > 0);
}

#[test]
fn damage_is_said_by_the_node_that_was_asked() {
    let (stored, runs) = segments();
    stored[0].is_damaged.store(true, Relaxed);
    let nodes = nodes(&runs, 9, |_, answer| answer);
    let shared = ask(QUESTIONS[0], &runs, TimeRange::ALL, Some(&nodes));
    let alone = ask(QUESTIONS[0], &runs, TimeRange::ALL, None);
    assert_eq!((&shared.rows, &shared.partial_reasons), (&alone.rows, &alone.partial_reasons));
    assert_eq!(shared.partial_reasons[0].code, "damaged");
}

#[test]
fn what_is_not_worth_it_or_does_not_travel_stays() {
    let (_, runs) = segments();
    let nodes = nodes(&runs, 9, |_, answer| answer);
    for text in ["stats count(*) by bin(1h)", "filter n = 3 | fields host", "stats sum(n) by now() > 0"] {
        is_same(&ask(text, &runs, TimeRange::ALL, Some(&nodes)), &ask(text, &runs, TimeRange::ALL, None), text);
    }
    ask(QUESTIONS[0], &runs[..6], TimeRange::ALL, Some(&nodes));
    assert_eq!(nodes.n_asked.load(Relaxed), 0);
}

#[test]
fn parts_of_another_version_and_other_bytes_are_refused() {
    let run = RunKey { segment: 1, run: 0, version: 0 };
    let part = Part::new((TimeRange::ALL, Tz::UTC), [(run, "g".into())].into_iter(), &[], Vec::new());
    let bytes = part.write().expect("it travels");
    assert!(Part::read(&bytes).is_ok());
    let text = String::from_utf8(bytes).expect("JSON");
    assert!(Part::read(text.replacen("\"version\":2", "\"version\":3", 1).as_bytes()).is_err(), "{text}");
    assert!(Part::read(b"{}").is_err());
}
