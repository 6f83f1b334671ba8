//! Which streams are off, by arrivals at given times.

use types::BatchBuilder;

use super::*;

const START: i64 = 1_800_000_000 * Timestamp::SECOND;

fn at(seconds: i64) -> Timestamp {
    Timestamp(START + seconds * Timestamp::SECOND)
}

/// Lets events of one stream arrive, each so many seconds after the start and so many seconds off.
fn arrive(clocks: &Clocks, arrivals: &[(i64, i64)], text: &dyn Fn(Timestamp) -> String, zone: Zone) {
    let limits = Limits::default();
    for (seconds, off) in arrivals {
        let mut builder = BatchBuilder::new();
        builder.set_stream("web-1");
        let happened = at(seconds + off);
        builder.set_timestamp(happened);
        builder.set_message(&text(happened));
        builder.commit();
        let part = Part { group: GroupName::new("app/pay").unwrap(), batch: builder.finish() };
        clocks.observe(&part, zone, at(*seconds), &limits);
    }
}

/// Returns a line whose time names no zone, as a host in a zone so many seconds east of UTC writes it.
fn zoneless(happened: Timestamp) -> String {
    format!("{} ERROR pool exhausted", happened.to_string().trim_end_matches('Z').replace('T', " "))
}

fn zoned(happened: Timestamp) -> String {
    format!("{happened} ERROR pool exhausted")
}

fn shown(clocks: &Clocks, seconds: i64) -> Vec<(i64, bool, Option<String>)> {
    let views = clocks.views(at(seconds));
    views.into_iter().map(|view| (view.offset.offset_ns / Timestamp::MINUTE, view.is_certain, view.time_zone)).collect()
}

const SEVEN_H: i64 = 7 * 3_600;

#[test]
fn local_time_without_a_zone_is_told_with_the_zone_that_mends_it() {
    let clocks = Clocks::default();
    arrive(&clocks, &[(0, SEVEN_H), (1, SEVEN_H - 1), (2, SEVEN_H)], &zoneless, Zone::UTC);
    assert_eq!(shown(&clocks, 2), [(420, true, Some("Asia/Jakarta".into()))]);
    assert_eq!(clocks.certain()[0].stream, "web-1".into());
    assert!(shown(&clocks, 100_000).is_empty(), "it has not sent for a day");
    clocks.forget(&GroupName::new("app/pay").unwrap());
    assert!(clocks.certain().is_empty() && shown(&clocks, 2).is_empty());
    // The zone is counted from that in which its times are read now.
    let clocks = Clocks::default();
    arrive(&clocks, &[(0, 3_600), (1, 3_600), (2, 3_600)], &zoneless, Zone::from(SEVEN_H as i32));
    assert_eq!(shown(&clocks, 2), [(60, true, Some("Asia/Makassar".into()))]);
}

#[test]
fn a_clock_that_is_off_has_no_zone_that_mends_it() {
    let clocks = Clocks::default();
    arrive(&clocks, &[(0, SEVEN_H), (1, SEVEN_H), (2, SEVEN_H)], &zoned, Zone::UTC);
    assert_eq!(shown(&clocks, 2), [(420, true, None)]);
    let clocks = Clocks::default();
    arrive(&clocks, &[(0, 5_000), (1, 5_000), (2, 5_001)], &zoneless, Zone::UTC);
    assert_eq!(shown(&clocks, 2), [(83, true, None)]);
}

#[test]
fn five_hours_behind_is_seen_once_it_has_been_steady() {
    let clocks = Clocks::default();
    let behind = -5 * 3_600;
    arrive(&clocks, &[(0, behind - 2), (10, behind - 1), (20, behind)], &zoneless, Zone::UTC);
    assert!(shown(&clocks, 20).is_empty());
    arrive(&clocks, &[(31, behind - 1)], &zoneless, Zone::UTC);
    let zone = &shown(&clocks, 31)[0];
    assert_eq!((zone.0, zone.1, zone.2.is_some()), (-300, true, true));
    let late = Clocks::default();
    arrive(&late, &[(0, behind), (20, behind), (40, behind)], &zoned, Zone::UTC);
    assert_eq!(shown(&late, 40), [(-300, false, None)], "its events may just come late");
}

#[test]
fn single_events_files_read_from_their_beginning_and_right_clocks_are_no_offset() {
    let clocks = Clocks::default();
    arrive(&clocks, &[(0, 0), (1, SEVEN_H), (2, 0), (3, -1)], &zoneless, Zone::UTC);
    assert!(shown(&clocks, 3).is_empty(), "one event from the future");
    let catching_up: Vec<(i64, i64)> = (0..120).map(|second| (second, -86_400 + second * 600)).collect();
    arrive(&clocks, &catching_up, &zoneless, Zone::UTC);
    assert!(shown(&clocks, 120).is_empty());
    // Once its clock is right, the stream is no longer reported.
    arrive(&clocks, &[(200, SEVEN_H), (201, SEVEN_H), (202, SEVEN_H)], &zoneless, Zone::UTC);
    assert_eq!(shown(&clocks, 202).len(), 1);
    arrive(&clocks, &[(203, -1)], &zoneless, Zone::UTC);
    assert!(shown(&clocks, 203).is_empty() && clocks.certain().is_empty());
}
