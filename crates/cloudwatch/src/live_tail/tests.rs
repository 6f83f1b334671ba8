//! Sampling of events beyond the limit.

use super::*;

fn update(n_events: usize) -> (Vec<u64>, bool) {
    let mut update = Update::default();
    for at in 0..n_events {
        if update.takes_next() {
            update.events.push(at.into());
        }
    }
    let message = String::from_utf8_lossy(&update.message()).into_owned();
    let start = message.find("{\"session").expect("a payload");
    let mut payload = serde_json::Deserializer::from_str(&message[start..]).into_iter::<Json>();
    let payload = payload.next().expect("a payload").expect("JSON");
    let events = payload["sessionResults"].as_array().expect("events").iter().filter_map(Json::as_u64).collect();
    (events, payload["sessionMetadata"]["sampled"] == true)
}

#[test]
fn what_is_too_much_is_sampled_evenly() {
    assert_eq!(update(EVENTS_MAX), ((0..EVENTS_MAX as u64).collect(), false));
    for n_events in [501, 999, 1_000, 1_001, 2_300, 100_000] {
        let (events, is_sampled) = update(n_events);
        assert!(
            is_sampled && events.len() <= EVENTS_MAX && events.len() > EVENTS_MAX * 9 / 10,
            "{n_events}: {}",
            events.len()
        );
        let distances: Vec<u64> = events.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (least, most) = (distances.iter().min().expect("some"), distances.iter().max().expect("some"));
        assert!(*least >= 1 && *most <= 2 * *least, "{n_events}: {least} to {most}");
        let last = *events.last().expect("some") as usize;
        assert!(n_events - last <= 2 * *most as usize + 1, "{n_events}: ends at {last}");
    }
}
