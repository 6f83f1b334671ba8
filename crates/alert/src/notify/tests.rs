//! Attempts over a day, one queue for each channel, and its limit.

use super::*;

fn notification(id: &str) -> Notification {
    let (body, more, group) = (json!({"id": id}), Vec::new(), String::new());
    Notification { id: id.into(), body, made_at: 0, due_at: 0, n_failed: 0, group, more, is_sealed: false }
}

fn retry() -> Result<(), PostError> {
    Err(PostError::Retry { after: None, reason: "500".into() })
}

#[test]
fn attempts_become_rarer_and_end_after_a_day() {
    let mut queues = Queues::default();
    queues.push("hook", notification("a"));
    let (mut now, mut attempts) = (Timestamp(0), Vec::new());
    while let Some(due) = queues.next_due("hook") {
        now = due;
        attempts.push(now.0 / Timestamp::SECOND);
        queues.settle("hook", "a", &retry(), now);
    }
    assert_eq!(&attempts[..5], [0, 5, 15, 35, 75]);
    assert!(attempts.iter().filter(|at| **at <= 15 * 60).count() >= 5);
    for window in attempts.windows(13) {
        assert!(window[12] - window[0] > 600);
    }
    assert!(now.0 > GIVE_UP_AFTER_NS);
}

#[test]
fn the_first_of_a_channel_holds_back_the_rest_and_no_other_channel() {
    let mut queues = Queues::default();
    queues.push("hook", notification("fires"));
    queues.push("hook", notification("resolved"));
    queues.push("hook", notification("fires"));
    queues.push("other", notification("fires"));
    assert_eq!(queues.len(), 3);
    queues.settle("hook", "fires", &retry(), Timestamp(0));
    assert_eq!(queues.due("hook", Timestamp(0)), None);
    assert_eq!(queues.due("other", Timestamp(0)).unwrap().id, "fires");
    let later = Timestamp(WAIT_NS_FIRST);
    assert_eq!(queues.settle("hook", "fires", &Ok(()), later), Outcome::Done);
    assert_eq!(queues.due("hook", later).unwrap().id, "resolved");
    let refused = Err(PostError::Refused("404".into()));
    assert_eq!(queues.settle("hook", "resolved", &refused, later), Outcome::Done);
    assert_eq!(queues.next_due("hook"), None);
}

#[test]
fn a_queue_is_bounded() {
    let mut queues = Queues::default();
    (0..1_500).for_each(|i| queues.push("hook", notification(&i.to_string())));
    assert_eq!(queues.len(), QUEUE_MAX);
    assert_eq!(queues.due("hook", Timestamp(0)).unwrap().id, "500");
}
