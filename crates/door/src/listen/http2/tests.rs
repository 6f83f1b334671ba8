//! Connections that are given up, and hosts that are named twice.

use super::*;

#[tokio::test]
async fn a_connection_is_forsaken_when_nothing_goes_on_and_not_while_an_answer_takes_its_time() {
    let (presence, news) = Presence::new();
    let request = presence.enter();
    let mut waiting = std::pin::pin!(forsaken(news, Duration::ZERO));
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(1), waiting.as_mut()).await.is_err());
    }
    drop(request);
    assert!(timeout(Duration::from_secs(60), waiting).await.is_ok());
}

#[tokio::test]
async fn what_has_time_limits_of_its_own_is_not_forsaken() {
    let (presence, news) = Presence::new();
    presence.is_watched_elsewhere();
    presence.is_watched_elsewhere();
    assert_eq!(*news.borrow(), 1);
    assert!(timeout(Duration::from_millis(1), forsaken(news, Duration::ZERO)).await.is_err());
}

#[test]
fn a_host_that_is_named_in_both_places_is_named_once_unless_they_differ() {
    let check = |host: Option<&str>| {
        let mut request = Request::get("http://localhost:1/").body(Body::empty()).expect("a request");
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host.parse().expect("a header value"));
        }
        name_host(&mut request);
        request.headers().get_all(header::HOST).iter().count()
    };
    assert_eq!([None, Some("localhost:1"), Some("other")].map(check), [1, 1, 2]);
}
