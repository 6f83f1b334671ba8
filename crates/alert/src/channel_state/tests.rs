//! The limit of attempts to one channel.

use super::*;

/// Seconds at which attempts are made of more than there may be.
fn attempts(posts_max: usize, failure: Option<&str>) -> Vec<i64> {
    let mut channel_state = ChannelState::default();
    let (mut now, mut posts) = (Timestamp(0), Vec::new());
    for _ in 0..1_000 {
        now = channel_state.rests_until(posts_max, now).unwrap_or(now);
        channel_state.note_post(now, failure.map(str::to_string));
        posts.push(now.0 / Timestamp::SECOND);
        now.0 += Timestamp::SECOND;
    }
    assert!(channel_state.rests_until(posts_max, Timestamp(-Timestamp::HOUR)).is_none(), "a clock that was set back");
    posts
}

#[test]
fn no_more_than_twelve_attempts_are_made_in_ten_minutes_to_reach_people_and_what_fails() {
    for (posts_max, failure) in [(POSTS_MAX, None), (POSTS_MAX_OF_PROGRAMS, Some("answered 500"))] {
        let posts = attempts(posts_max, failure);
        assert_eq!(posts[11], 11, "the first ones wait for nothing");
        assert!(posts.windows(13).all(|window| window[12] - window[0] >= 600));
    }
    let posts = attempts(POSTS_MAX_OF_PROGRAMS, None);
    assert_eq!(posts[299], 299);
    assert!(posts.windows(301).all(|window| window[300] - window[0] >= 600));
}
