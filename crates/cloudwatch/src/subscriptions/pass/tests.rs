//! Receivers that refuse some events, all of them, or none.

use std::cell::{Cell, RefCell};

use types::{EventId, Timestamp};

use super::*;

fn lines(n: u64) -> Vec<Line> {
    let line = |sequence| Line {
        id: EventId { group_id: 1, timestamp: Timestamp(5), sequence },
        stream: "s".into(),
        message: "m".into(),
        level: None,
        fields: Vec::new(),
    };
    (0..n).map(line).collect()
}

fn refused(status: u16) -> PostError {
    PostError::Refused(format!("answered {status} Bad Request"))
}

/// Posts until everything is done, at most so often; returns what was taken and refused, and the number of posts.
fn delivered(n: u64, n_passes: u32, post: &Post<'_>) -> (Vec<u64>, u64, usize) {
    let (taken, n_posts) = (RefCell::new(Vec::new()), Cell::new(0));
    let counted = |lines: &[&Line]| {
        n_posts.set(n_posts.get() + 1);
        let answer = post(lines);
        if matches!(answer, Ok(None)) {
            taken.borrow_mut().extend(lines.iter().map(|line| line.id.sequence));
        }
        answer
    };
    let all = lines(n);
    let (mut suspects, mut done, mut n_refused) = (Suspects::new(), Vec::new(), 0);
    for n_failed in 0..n_passes {
        let left: Vec<&Line> = all.iter().filter(|line| !done.contains(&line.id.sequence)).collect();
        let mut pass = Pass::new(&counted, true, &mut suspects, n_failed);
        let posted = pass.post(&left).and_then(|()| pass.end());
        done.extend(std::mem::take(&mut pass.outcome.done));
        n_refused += pass.outcome.refused.take().map_or(0, |refused| refused.n);
        if posted.is_ok() {
            break;
        }
    }
    (taken.into_inner(), n_refused, n_posts.get())
}

#[test]
fn an_event_to_blame_is_left_out_and_the_others_are_taken_once() {
    for bad in [0, 17, 498] {
        let post = |lines: &[&Line]| match lines.iter().any(|line| line.id.sequence == bad) {
            true => Err(refused(400)),
            false => Ok(None),
        };
        let (mut taken, n_refused, n_posts) = delivered(500, 1, &post);
        taken.sort_unstable();
        assert_eq!(taken, (0..500).filter(|sequence| *sequence != bad).collect::<Vec<_>>());
        assert!(n_refused == 1 && n_posts < 25, "{n_posts}");
    }
}

#[test]
fn a_receiver_that_refuses_everything_loses_nothing() {
    for error in [refused(400), refused(413), PostError::Retry { after: None, reason: "answered 500 Error".into() }] {
        let post = |_: &[&Line]| Err(error.clone());
        let (taken, n_refused, n_posts) = delivered(5_000, 2, &post);
        assert!(taken.is_empty() && n_refused == 0 && n_posts < 250, "{n_posts}");
    }
    let all_refused = |lines: &[&Line]| Ok(Some(Refusal { n: lines.len() as u64, reason: "no index".into() }));
    assert_eq!(delivered(5_000, 2, &all_refused).1, 0);
}

#[test]
fn a_receiver_that_begins_to_refuse_everything_loses_nothing_either() {
    let n_left = Cell::new(3);
    let post = |_: &[&Line]| {
        n_left.set(n_left.get() - 1);
        // The first post is too long, then one is taken, then there is another server.
        if n_left.get() == 1 { Ok(None) } else { Err(refused(400)) }
    };
    let (taken, n_refused, _) = delivered(1_000, 3, &post);
    assert_eq!((taken.len(), n_refused), (500, 0));
}

#[test]
fn a_fault_that_ends_in_the_middle_loses_nothing() {
    for n_refused_posts in 1..30 {
        let n_left = Cell::new(n_refused_posts);
        let post = |_: &[&Line]| {
            n_left.set(n_left.get() - 1);
            if n_left.get() < 0 { Ok(None) } else { Err(refused(400)) }
        };
        let (mut taken, n_refused, _) = delivered(20, 3, &post);
        taken.sort_unstable();
        assert_eq!((taken, n_refused), ((0..20).collect(), 0), "{n_refused_posts}");
    }
}

#[test]
fn many_events_to_blame_in_a_row_hold_up_no_others_for_ever() {
    let post = |lines: &[&Line]| match lines.iter().any(|line| line.id.sequence < 300) {
        true => Err(refused(400)),
        false => Ok(None),
    };
    let (taken, n_refused, _) = delivered(500, 12, &post);
    assert_eq!((taken.len(), n_refused), (200, 300));
}

#[test]
fn an_accident_of_the_receiver_is_no_refusal() {
    let n_posts = Cell::new(0u64);
    let flaky = |_: &[&Line]| {
        n_posts.set(n_posts.get() + 1);
        let error = PostError::Retry { after: None, reason: "answered 500 Error".into() };
        if n_posts.get() % 2 == 1 { Err(error) } else { Ok(None) }
    };
    let (taken, n_refused, _) = delivered(64, 100, &flaky);
    assert_eq!((taken.len(), n_refused), (64, 0));
    let always = |lines: &[&Line]| match lines.iter().any(|line| line.id.sequence == 3) {
        true => Err(PostError::Retry { after: None, reason: "answered 500 Error".into() }),
        false => Ok(None),
    };
    // No other event comes after the last one that is to blame, once all others are there.
    assert_eq!(delivered(64, 10, &always).1, 0);
    let (taken, ..) = delivered(64, 10, &always);
    assert_eq!(taken.len(), 63);
}
