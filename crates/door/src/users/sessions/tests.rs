//! How long sessions last, and which one is dropped for a new one.

use super::*;

fn headers(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = format!("theme=dark; {COOKIE}={token}; x=y").parse().expect("a header value");
    headers.insert(header::COOKIE, value);
    headers
}

fn named(name: &str) -> SignedIn {
    let caller = Caller { name: name.into(), ..Caller::default() };
    SignedIn { caller, password: String::new() }
}

#[test]
fn a_session_lasts_as_long_as_it_is_used() {
    let sessions = Sessions::default();
    let token = sessions.begin(named("user:ani"), Timestamp(0)).expect("a session");
    assert!(token.len() >= 43);
    let at = |ns| sessions.caller_of(&headers(&token), Timestamp(ns)).is_some();
    assert!(at(IDLE_NS) && at(2 * IDLE_NS));
    assert!(!at(3 * IDLE_NS + 1));
    assert!(!at(3 * IDLE_NS), "what has ended does not begin again");
}

#[test]
fn a_session_that_is_used_all_the_time_ends_after_a_week() {
    let sessions = Sessions::default();
    let token = sessions.begin(named("user:ani"), Timestamp(0)).expect("a session");
    let at = |ns| sessions.caller_of(&headers(&token), Timestamp(ns)).is_some();
    assert!((0..14).all(|n| at(n * IDLE_NS)) && at(WHOLE_NS - 1));
    assert!(!at(WHOLE_NS));
}

#[test]
fn sessions_end_with_their_user_and_the_least_used_makes_room() {
    let sessions = Sessions::default();
    let budi = sessions.begin(named("user:budi"), Timestamp(0)).expect("a session");
    let tokens: Vec<String> =
        (0..=OF_USER_MAX).map(|n| sessions.begin(named("user:ani"), Timestamp(n as i64)).expect("a session")).collect();
    let is_there = |token: &str| sessions.caller_of(&headers(token), Timestamp(1000)).is_some();
    assert!(!is_there(&tokens[0]) && is_there(&tokens[1]) && is_there(&budi));
    sessions.end_of("user:ani");
    assert!(!is_there(&tokens[OF_USER_MAX]) && is_there(&budi));
    sessions.end(&budi);
    assert!(!is_there(&budi) && !is_there("") && !is_there("of-my-own"));
}
