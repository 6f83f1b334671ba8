//! The limit of queries, and their owners.

use super::*;
use door::queries::Queries;

fn start(all: &QueryRegistry, id: &str) -> Arc<RegisteredQuery> {
    let running = Queries::default().start_for("", id, Timestamp(0)).running.clone();
    let names = vec!["n".to_owned()];
    let started = QueryStart { id: id.into(), text: String::new(), groups: Vec::new(), names, running };
    all.add(started, Timestamp(0)).unwrap_or_else(|_| panic!("there is room"))
}

fn rows(n: usize) -> Vec<Vec<Option<Value>>> {
    (0..n).map(|n| vec![Some(Value::Integer(n as i64))]).collect()
}

fn end(all: &QueryRegistry, query: &RegisteredQuery, n: usize) -> Status {
    query.end(all, Ok(Answer { rows: rows(n), ..Answer::default() }), true, Timestamp(1));
    query.results().status
}

#[test]
fn what_ended_first_makes_room_and_what_has_none_fails() {
    let all = QueryRegistry::new(10_000);
    let (first, second, third) = (start(&all, "1"), start(&all, "2"), start(&all, "3"));
    assert_eq!(end(&all, &first, 100), Status::Complete);
    drop(first);
    assert!(second.extend(&all, rows(50)));
    // Together they would be too many: the first one goes, the second still runs.
    assert!(third.extend(&all, rows(80)));
    assert!(all.get("1", |_| true).is_none() && all.get("2", |_| true).is_some());
    assert!(!second.extend(&all, rows(1_000)));
    second.end(&all, Ok(Answer::default()), false, Timestamp(1));
    let results = second.results();
    assert_eq!((results.status, results.rows.len(), results.remarks.len()), (Status::Failed, 50, 1));
    drop(results);
    drop((second, third));
    drop(all.list(|_| true));
    all.list.hold().by_number.clear();
    assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn too_many_at_once_are_refused_and_old_ones_forgotten() {
    let all = QueryRegistry::new(1 << 20);
    let first = start(&all, "first");
    for n in 1..RUNNING_MAX {
        start(&all, &n.to_string());
    }
    let running = Queries::default().start_for("", "", Timestamp(0)).running.clone();
    let more = || QueryStart {
        id: "more".into(),
        text: String::new(),
        groups: Vec::new(),
        names: Vec::new(),
        running: running.clone(),
    };
    assert_eq!(all.add(more(), Timestamp(0)).err().map(|problem| problem.kind), Some("LimitExceededException"));
    assert!(first.stop(Timestamp(5)) && !first.stop(Timestamp(6)));
    assert!(all.add(more(), Timestamp(6)).is_ok() && all.get("first", |_| true).is_some());
    all.list(|_| true).iter().for_each(|query| _ = query.stop(Timestamp(7)));
    assert!(all.add(more(), Timestamp(KEPT_NS + 7)).is_ok());
    assert_eq!(all.list(|_| true).len(), 1);
}

#[test]
fn a_query_of_somebody_else_is_not_there() {
    let all = QueryRegistry::new(1 << 20);
    start(&all, "mine");
    assert!(all.get("mine", |running| &*running.owner == "me").is_none());
    assert!(all.list(|running| &*running.owner == "me").is_empty());
}
