//! Queries over events that pass by once: files and pipes of any size.
//!
//! A [`Feed`] gives runs one after the other, each of which is looked at and dropped. What is kept are partial
//! aggregates, or the rows that may still be shown, as values; both count against the query's memory. Answers are those
//! of [`execute`](crate::answers::run::execute) over the same runs at once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use parse::Projection as WantedParts;
use plan::fields::fields_of;
use plan::{Expr, Name, Operator, Plan};
use types::{Column, RowSet, Value};

use crate::answers::run::{ScanOutput, row_stage};
use crate::answers::subquery::answer_inner;
use crate::columns::cell::Cell;
use crate::columns::frame::Frame;
use crate::columns::place::{Place, places};
use crate::columns::stop::Stop;
use crate::columns::value_size::value_bytes;
use crate::expressions::elements::PreparedElements;
use crate::expressions::warnings::Warnings;
use crate::operators::feed::{FeedOf, FeedRequest, OpenFeed, for_each_frame};
use crate::operators::group::Groups;
use crate::operators::patterns;
use crate::operators::table::Table;
use crate::operators::unnest::Spread;
use crate::request::answer::Answer;
use crate::request::error::ExecuteError;
use crate::request::parameters::Request;
use crate::scan::row_order::{RowOrder, compare_keys, key_columns};
use crate::scan::scanner::Scan;
use crate::scan::screen::Screen;
use crate::scan::selection::{Cut, EventSelection};
use crate::scan::simplify;
use crate::scan::stages::Stages;
use crate::scan::steps::Steps;
use plan::has_subqueries;

/// Bytes of a row next to its values.
const ROW_BYTES: usize = 96;

/// Reports whether events have to pass by more than once: what can be read only once must be kept then.
pub fn needs_several_passes(plan: &Plan) -> bool {
    let looks_twice = |operator: &Operator| matches!(operator, Operator::Patterns(_) | Operator::Compare(_));
    has_subqueries(plan) || plan.operators().iter().any(looks_twice)
}

/// Answers a query over events that pass by. Each query inside it lets them pass once more.
pub fn execute_stream(plan: &Plan, feed_of: &mut FeedOf<'_>, request: &Request<'_>) -> Result<Answer, ExecuteError> {
    if !has_subqueries(plan) {
        return pass(plan, feed_of, request);
    }
    let mut answered = answer_inner(plan, request, &mut |inner, request| pass(inner, feed_of, request))?;
    let answer = pass(&answered.plan, feed_of, &answered.remaining(request))?;
    Ok(answered.add_to(answer))
}

fn pass(plan: &Plan, feed_of: &mut FeedOf<'_>, request: &Request<'_>) -> Result<Answer, ExecuteError> {
    let operators = simplify::simplify(plan.operators());
    let mut scan = Scan::new(&[], request);
    scan.env.prepared = PreparedElements::of(&operators);
    scan.env.warnings = Warnings::of(plan);
    let stages = Stages::of(&operators);
    let mut feed = |fields: BTreeSet<Name>| {
        let wanted = WantedParts::of(fields.into_iter().chain(fields_of(stages.lead)));
        feed_of(&plan.sources, FeedRequest { screen: Screen::of(&operators), wanted })
    };
    let cut = Cut::of(plan.operators(), request);
    let output = scan_stage(&scan, &mut feed, stages, cut)?;
    row_stage(&scan, &[], stages, output, cut, &mut |scan, stages| scan_stage(scan, &mut feed, stages, Cut::No))
}

/// Runs the operators that read events while these pass by.
fn scan_stage<'f, 'o>(
    scan: &Scan<'_>,
    feed: &mut OpenFeed<'f, '_>,
    stages: Stages<'o>,
    cut: Cut,
) -> Result<ScanOutput<'o>, ExecuteError> {
    let Stages { lead, rest } = stages;
    if let [Operator::Patterns(patterns), remaining @ ..] = rest {
        let table = patterns::of_feed(scan, feed, lead, patterns)?;
        return Ok(ScanOutput { table, remaining, is_cut: false });
    }
    match Spread::of(rest) {
        Some((spread, aggregate, remaining)) => {
            let table = aggregated(scan, feed, lead, spread, aggregate)?;
            Ok(ScanOutput { table, remaining, is_cut: false })
        }
        None => event_rows(scan, feed, lead, rest, cut),
    }
}

/// Groups the events.
fn aggregated<'f>(
    scan: &Scan<'_>,
    feed: &mut OpenFeed<'f, '_>,
    lead: &[Operator],
    spread: Spread<'_>,
    aggregate: &Operator,
) -> Result<Table, ExecuteError> {
    let Operator::Aggregate { by, aggregates } = aggregate else {
        return Err(crate::request::error::ExecuteError::NoProjection);
    };
    let fields = spread.fields(aggregate);
    let steps = Steps::new(lead, &fields);
    let feed = feed(fields.clone());
    let mut counted = Groups::new(by, aggregates);
    let states = scan.until_done(
        || Groups::new(by, aggregates),
        |groups| {
            for_each_frame(scan, &*feed, &steps, &mut |frame| {
                let mut frame = spread.apply(frame, &fields, scan)?;
                let before = groups.memory_bytes();
                groups.add(&mut frame, &scan.env, None)?;
                scan.hold(groups.memory_bytes().saturating_sub(before))
            })
        },
    )?;
    let merged = states.into_iter().try_for_each(|state| counted.merge(state, scan.budget()));
    Ok(Table::of_groups(scan.or_nothing(merged.and_then(|()| counted.finish(None, scan.budget())))))
}

/// A row that may be shown.
#[derive(Clone)]
struct Row {
    keys: Box<[Option<Value>]>,
    place: Place,
    values: Box<[Option<Value>]>,
}

impl Row {
    fn n_bytes(&self) -> usize {
        let values = self.keys.iter().chain(&self.values);
        ROW_BYTES + values.map(|value| 24 + value.as_ref().map_or(0, value_bytes)).sum::<usize>()
    }
}

/// The rows that may be shown so far, of all threads.
struct BestRows<'p> {
    order: &'p RowOrder<'p>,
    cap: Option<usize>,
    rows: Vec<Row>,
    /// What they hold, and how much of the query's memory was taken for them.
    n_bytes: usize,
    n_bytes_taken: usize,
    /// The last row that is still wanted, once there are enough: its keys and its place.
    worst: Option<(Box<[Option<Value>]>, Place)>,
}

impl BestRows<'_> {
    fn add(&mut self, rows: Vec<Row>, scan: &Scan<'_>) -> Result<(), Stop> {
        self.n_bytes += rows.iter().map(Row::n_bytes).sum::<usize>();
        self.rows.extend(rows);
        if let Some(cap) = self.cap {
            let is_first = self.worst.is_none() && self.rows.len() >= cap;
            if is_first || self.rows.len() >= cap.saturating_mul(2).max(cap.saturating_add(64)) {
                self.shrink(cap);
            }
        }
        let more = self.n_bytes.saturating_sub(self.n_bytes_taken);
        self.n_bytes_taken += more;
        scan.hold(more)
    }

    fn shrink(&mut self, cap: usize) {
        if cap == 0 {
            self.rows.clear();
        } else if self.rows.len() >= cap {
            let order = self.order;
            self.rows.select_nth_unstable_by(cap - 1, |a, b| compare(order, a, b));
            self.rows.truncate(cap);
            self.worst = self.rows.last().map(|row| (row.keys.clone(), row.place));
        }
        self.n_bytes = self.rows.iter().map(Row::n_bytes).sum();
    }
}

fn compare(order: &RowOrder<'_>, a: &Row, b: &Row) -> std::cmp::Ordering {
    order.compare_rows((&a.keys, &a.place), (&b.keys, &b.place))
}

/// Chooses event rows, with all that is needed of them; gives what remains to be done with them, and whether some were
/// cut off.
fn event_rows<'f, 'o>(
    scan: &Scan<'_>,
    feed: &mut OpenFeed<'f, '_>,
    lead: &[Operator],
    rest: &'o [Operator],
    cut: Cut,
) -> Result<ScanOutput<'o>, ExecuteError> {
    let EventSelection { order, mut sort_fields, cap, is_final, rest: remaining } = EventSelection::of(lead, rest, cut);
    let mut needed = fields_of(remaining);
    needed.insert("@id".into());
    sort_fields.extend(needed.iter().cloned());
    let steps = Steps::new(lead, &sort_fields);
    let feed = feed(sort_fields.clone());
    let kept = BestRows { order: &order, cap, rows: Vec::new(), n_bytes: 0, n_bytes_taken: 0, worst: None };
    let kept = Mutex::new(kept);
    let locked = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    scan.until_done(
        || (),
        |()| {
            for_each_frame(scan, &*feed, &steps, &mut |frame| {
                let worst = locked().worst.clone();
                let rows = wanted_rows(scan, frame, &order, cap, worst, &needed)?;
                locked().add(rows, scan)
            })
        },
    )?;
    let mut rows = kept.into_inner().unwrap_or_else(PoisonError::into_inner).rows;
    rows.sort_unstable_by(|a, b| compare(&order, a, b));
    rows.truncate(cap.unwrap_or(usize::MAX));
    let mut is_cut = false;
    if let Cut::At(most) = cut
        && is_final
        && rows.len() > most
    {
        rows.truncate(most);
        is_cut = true;
    }
    Ok(ScanOutput { table: table_of(rows, &needed), remaining, is_cut })
}

/// Returns the rows of a frame that may be among the first `cap`.
fn wanted_rows(
    scan: &Scan<'_>,
    mut frame: Frame<'_>,
    order: &RowOrder<'_>,
    cap: Option<usize>,
    worst: Option<(Box<[Option<Value>]>, Place)>,
    needed: &BTreeSet<Name>,
) -> Result<Vec<Row>, Stop> {
    let n_rows = frame.n_rows();
    if let (crate::scan::row_order::RowOrder::Newest, Some(cap)) = (order, cap)
        && n_rows > cap
    {
        // Rows of a block are in order of time and acceptance: the newest ones are the last.
        frame.retain(&RowSet::of(n_rows, |row| row >= n_rows - cap));
    }
    let mut keys = key_columns(order.keys(), &mut frame, scan)?;
    if let Some((worst_keys, worst_place)) = &worst {
        let times = frame.column("@timestamp")?;
        let may_win = |row: usize| match order {
            crate::scan::row_order::RowOrder::Newest => {
                Cell::at(&times, row).time().is_none_or(|time| time >= worst_place.time)
            }
            crate::scan::row_order::RowOrder::Oldest | crate::scan::row_order::RowOrder::Forward => {
                Cell::at(&times, row).time().is_none_or(|time| time <= worst_place.time)
            }
            crate::scan::row_order::RowOrder::Keys(sort_keys) => {
                let keys: Vec<Option<Value>> = keys.iter().map(|column| column.value(row)).collect();
                compare_keys(sort_keys, &keys, worst_keys).is_le()
            }
        };
        let winners = RowSet::of(frame.n_rows(), may_win);
        keys.iter_mut().for_each(|column| *column = Arc::new(column.gather(&winners)));
        frame.retain(&winners);
    }
    let places = places(&mut frame)?;
    let column = |name: &Name| scan.env.evaluate(&Expr::Field(name.clone()), &mut frame);
    let columns: Vec<Arc<Column>> = needed.iter().map(column).collect::<Result<_, Stop>>()?;
    let row = |(row, place): (usize, Place)| Row {
        keys: keys.iter().map(|column| column.value(row)).collect(),
        place,
        values: columns.iter().map(|column| column.value(row)).collect(),
    };
    Ok(places.into_iter().enumerate().map(row).collect())
}

/// Rows as columns.
fn table_of(rows: Vec<Row>, names: &BTreeSet<Name>) -> Table {
    let n_rows = rows.len();
    let mut columns: Vec<Vec<Option<Value>>> = names.iter().map(|_| Vec::with_capacity(n_rows)).collect();
    for row in rows {
        columns.iter_mut().zip(row.values).for_each(|(column, value)| column.push(value));
    }
    let named = names.iter().zip(columns).filter(|(_, values)| values.iter().any(Option::is_some));
    let columns = named.map(|(name, values)| (name.clone(), Arc::new(Column::Mixed(values)))).collect();
    Table::of_events(Frame::of_columns(n_rows, columns))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use parse::{ArrivalContext, Piece, Zone, batches_of_piece};
    use types::{BatchBuilder, BatchRun, GroupName, GroupPattern, Level, Limits, Run, ScanError, TimeRange, Timestamp};

    use super::*;
    use crate::answers::run::execute;
    use crate::operators::feed::Feed;
    use language::{ParseOptions, parse_insights};

    /// Runs on their way, and a place where something cannot be read.
    struct Passing(Mutex<Vec<Result<Arc<dyn Run>, ScanError>>>);

    impl Feed for Passing {
        fn next(&self) -> Result<Option<Arc<dyn Run>>, ScanError> {
            self.0.lock().expect("nobody panicked").pop().transpose()
        }
    }

    /// Returns a run of every `step`th event; a time occurs several times.
    fn run(first: i64, step: i64, n_events: i64) -> Arc<dyn Run> {
        let mut builder = BatchBuilder::new();
        for n in (first..).step_by(step as usize).take(n_events as usize) {
            builder.set_timestamp(Timestamp(n / 3 * Timestamp::SECOND));
            builder.set_message(&format!("message {n}"));
            builder.set_level(Level::of_code((n % 8) as u8));
            builder.field_integer("n", n);
            builder.field_text("host", &format!("h{}", n % 5));
            builder.commit();
        }
        let mut batch = builder.finish();
        batch.sequences = (first as u64..).step_by(step as usize).take(batch.len()).collect();
        Arc::new(BatchRun::new(GroupName::new("g").expect("a valid name"), 1, Arc::new(batch)))
    }

    fn with_request<T>(limit: Option<usize>, memory_bytes_max: usize, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        ask(&Request {
            range: TimeRange { from: Timestamp(5 * Timestamp::SECOND), to: Timestamp(20_000 * Timestamp::SECOND) },
            limit,
            time_zone: chrono_tz::Tz::UTC,
            now: Timestamp(0),
            memory_bytes_max,
            deadline: None,
            cancelled: &AtomicBool::new(false),
            n_threads: 2,
            progress: None,
            support: crate::request::parameters::Support::default(),
        })
    }

    fn plan(text: &str) -> Plan {
        parse_insights(text, &ParseOptions { now: Timestamp(0), time_zone: chrono_tz::Tz::UTC }).expect("a valid query")
    }

    fn passing(runs: &[Arc<dyn Run>]) -> Box<dyn Feed> {
        Box::new(Passing(Mutex::new(runs.iter().cloned().map(Ok).collect())))
    }

    #[test]
    fn what_passes_by_is_answered_as_what_stays() {
        let runs: Vec<Arc<dyn Run>> = (0..5).map(|first| run(first, 5, 8_000)).collect();
        for text in [
            "",
            "filter n % 100 = 3 | fields n, host",
            "limit 7",
            "sort @timestamp asc | limit 7",
            "sort host, n desc | limit 1001",
            "sort host desc | fields n",
            "fields n * 2 as m | filter m > 30000 | sort m | limit 3",
            "stats count(*), sum(n), first(n), latest(host), values(host, 3) by @level",
            "stats pct(n, 50) as p by bin(1h) | sort p desc | limit 2",
            "filter host in (source \"g\" | filter n = 17 | fields host) | stats count(*)",
            "tail 3",
            "dedup host | fields host, n",
            "fields @timestamp as t, n | stats max(t) by n % 2",
        ] {
            for limit in [None, Some(10)] {
                let whole = with_request(limit, 1 << 26, |request| {
                    crate::answers::subquery::execute_with_subqueries(&plan(text), &runs, request, &mut |_| {
                        runs.clone()
                    })
                    .expect("an answer")
                });
                let passed = with_request(limit, 1 << 26, |request| {
                    execute_stream(&plan(text), &mut |_, _| passing(&runs), request).expect("an answer")
                });
                assert_eq!(passed.rows, whole.rows, "{text}");
                assert_eq!((passed.columns, passed.ids, passed.more), (whole.columns, whole.ids, whole.more), "{text}");
            }
        }
    }

    /// Returns the events of a text, of which no more was read than is asked for.
    fn read(text: &str, asked: &FeedRequest) -> Box<dyn Feed> {
        let limits = Limits::default();
        let at = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").expect("a valid time");
        let received = ArrivalContext { at, modified: None, zone: Zone::UTC, limits: &limits };
        let find = |text: &[u8], from: usize| asked.screen.as_ref().and_then(|screen| screen.find(text, from));
        let screen = asked.screen.as_ref().map(|_| &find as &parse::Screen<'_>);
        let piece = Piece { text: text.as_bytes(), offset: 0, previous: None, columns: None };
        let mut runs: Vec<Arc<dyn Run>> = Vec::new();
        batches_of_piece(&piece, &received, screen, &asked.wanted, &mut |batch| {
            let group = GroupName::new("g").expect("a valid name");
            runs.push(Arc::new(BatchRun::new(group, 1, Arc::new(batch))));
        });
        passing(&runs)
    }

    #[test]
    fn what_is_asked_for_is_enough_for_the_answer() {
        let text = r#"2026-11-20T06:00:00Z WARN plain status=500
{"ts":"2026-11-20T06:00:01Z","level":"error","req":{"method":"GET","n":1},"items":[{"id":7},{"id":9}],"service":"a","message":"text ERROR","status":503,"path":"/x"}
{"time":"2026-11-20T06:00:02Z","severity":"warning","msg":"hello needle","a.b":2.5,"@rest":"u","@foo":3}
	at A.b(A.java:1)
{"broken":1,
{"service":"only","status":"404","method":"GET","path":"/p"}
{"timestamp":"2999-99-99","service":"bad time","message":null}
{"level_name":"debug","req":"text","service":["l","m"],"message":7}
"#;
        for query in [
            "stats count(*) by service, status",
            "stats count(*) by req",
            "stats count(*) by req.method, items.0.id",
            "stats count(*) by @level",
            "stats count(*) by @message",
            "stats count(*) by level, severity, message, msg, a.b, a",
            "stats count(*) by @foo, _rest, @timestampRejected, @encoding, @log, bin(1h)",
            "stats count(*) by timestamp, time, ts",
            "stats min(@timestamp), latest(service), earliest(path), sum(status), count(req), values(service, 5)",
            "filter ispresent(req) | fields req, req.n, items.1.id, @id",
            "filter @any like \"needle\" | fields service, msg",
            "filter service = \"only\" | fields @timestamp, status, @message",
            "filter status >= 500 and @level = \"error\" | fields path",
            "fields status * 2 as d, concat(service, \"-x\") as s | stats sum(d) by s",
            "parse @message \"* WARN *\" as a, b | fields b, status",
            "parse @message logfmt | stats count(*) by status",
            "unnest items into i | fields i.id",
            "sort service | limit 4",
            "dedup @level",
            "limit 3",
            "pattern @message",
            "pattern message",
        ] {
            let ask = |take_all: bool| {
                with_request(None, 1 << 26, |request| {
                    let request = Request { range: TimeRange::ALL, ..*request };
                    let mut feed_of = |_: &[GroupPattern], asked: FeedRequest| {
                        let all = FeedRequest { screen: None, wanted: WantedParts::default() };
                        read(text, if take_all { &all } else { &asked })
                    };
                    execute_stream(&plan(query), &mut feed_of, &request).expect("an answer")
                })
            };
            let (all, asked) = (ask(true), ask(false));
            assert!(!all.rows.is_empty(), "{query}");
            assert_eq!((asked.columns, asked.rows), (all.columns, all.rows), "{query}");
        }
    }

    #[test]
    fn what_cannot_be_read_makes_the_answer_partial_and_ends_nothing() {
        let error = ScanError { file: "a.gz".into(), offset: 3, problem: "it breaks off".into() };
        let feed = || Box::new(Passing(Mutex::new(vec![Ok(run(0, 1, 100)), Err(error.clone()), Ok(run(100, 1, 100))])));
        let answer = with_request(None, 1 << 26, |request| {
            execute_stream(&plan("stats count(*)"), &mut |_, _| feed(), request).expect("an answer")
        });
        assert_eq!(answer.rows, [[Some(Value::Integer(185))]]);
        assert_eq!(answer.partial_reasons[0].message, "a.gz: it breaks off at byte 3");
    }

    #[test]
    fn rows_that_need_too_much_memory_are_refused_and_a_limit_helps() {
        let runs: Vec<Arc<dyn Run>> = (0..5).map(|first| run(first, 5, 8_000)).collect();
        let ask = |text: &str| {
            with_request(None, 1 << 20, |request| execute_stream(&plan(text), &mut |_, _| passing(&runs), request))
        };
        assert!(matches!(ask(""), Err(crate::request::error::ExecuteError::Memory { .. })));
        assert!(matches!(ask("limit 1000000000"), Err(crate::request::error::ExecuteError::Memory { .. })));
        assert_eq!(ask("limit 100").expect("an answer").rows.len(), 100);
        assert!(with_request(None, 1 << 20, |request| execute(&plan("limit 1"), &runs, request)).is_ok());
    }
}
