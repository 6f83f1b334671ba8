//! Limits of HTTP/2 over all connections.

use super::*;

#[tokio::test]
async fn requests_over_http_2_are_bounded_over_all_connections() {
    struct Busy;
    impl crate::format::ErrorFormat for Busy {
        fn refuse(&self, problem: &Problem) -> Response {
            (StatusCode::OK, problem.code).into_response()
        }
    }
    let router = Router::new().fallback(|| async { "here" });
    let format_of: FormatOf = |request| {
        let is_other = request.headers().get("content-type").is_some_and(|kind| kind == "application/other");
        is_other.then(|| Box::new(Busy) as _)
    };
    let service = Service { router, format_of };
    let door = Door { service, streams: Arc::new(Semaphore::new(1)) };
    let (presence, news) = Presence::new();
    let ask = |kind: &str| {
        let request = Request::post("http://localhost/x").version(Version::HTTP_2).header("content-type", kind);
        answer(door.clone(), presence.clone(), Exchanges::default(), request.body(Body::empty()).expect("a request"))
    };
    let Ok(first) = ask("text/plain").await;
    assert_eq!((first.status().as_u16(), *news.borrow()), (200, 1));
    let Ok(second) = ask("text/plain").await;
    assert_eq!(second.status().as_u16(), 429);
    // A protocol with an error format of its own is answered in it.
    let Ok(call) = ask("application/other").await;
    assert_eq!(call.status().as_u16(), 200);
    drop(first);
    let Ok(third) = ask("text/plain").await;
    assert_eq!((third.status().as_u16(), *news.borrow()), (200, 1));
}
