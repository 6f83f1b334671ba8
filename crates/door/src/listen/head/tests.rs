//! Time limits of heads in both versions of HTTP.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use super::*;

const SHORT: Duration = Duration::from_millis(20);
const LONGER: Duration = Duration::from_millis(60);

fn timed() -> (DuplexStream, HeadTimeout<DuplexStream>, Exchanges) {
    let (client, server) = duplex(1024);
    let exchanges = Exchanges::default();
    (client, HeadTimeout::new(server, exchanges.clone(), SHORT), exchanges)
}

/// Reads once: returns the number of bytes, the kind of an error, or `None` after a while.
async fn read(stream: &mut HeadTimeout<DuplexStream>) -> Option<Result<usize, ErrorKind>> {
    let read = timeout(LONGER, stream.read(&mut [0; 256])).await;
    read.ok().map(|read| read.map_err(|error| error.kind()))
}

#[tokio::test]
async fn a_head_has_its_time_from_its_first_byte_and_silence_between_requests_has_none() {
    let (mut client, mut stream, exchanges) = timed();
    assert_eq!(read(&mut stream).await, None, "nothing was begun");
    client.write_all(b"GET / HT").await.expect("it is taken");
    assert_eq!(read(&mut stream).await, Some(Ok(8)));
    client.write_all(b"TP/1.1\r\n\r\n").await.expect("it is taken");
    assert_eq!(read(&mut stream).await, Some(Ok(10)));
    let exchange = exchanges.begin();
    assert_eq!(read(&mut stream).await, None, "an answer takes as long as it takes");
    drop(exchange);
    assert_eq!(read(&mut stream).await, None, "the connection is idle");
    client.write_all(b"G").await.expect("it is taken");
    assert_eq!(read(&mut stream).await, Some(Ok(1)));
    assert_eq!(read(&mut stream).await, Some(Err(ErrorKind::TimedOut)));
}

#[tokio::test]
async fn http_2_is_known_by_its_beginning_and_has_limits_of_its_own() {
    for cut in [0, 1, 10, PREFACE.len()] {
        let (mut client, mut stream, _) = timed();
        for part in [&PREFACE[..cut], &PREFACE[cut..]] {
            client.write_all(part).await.expect("it is taken");
            if !part.is_empty() {
                assert_eq!(read(&mut stream).await, Some(Ok(part.len())));
            }
        }
        assert_eq!(read(&mut stream).await, None, "{cut}");
    }
    let (mut client, mut stream, _) = timed();
    client.write_all(b"PRI * HTTP/2.0").await.expect("it is taken");
    assert_eq!(read(&mut stream).await, Some(Ok(14)));
    assert_eq!(read(&mut stream).await, Some(Err(ErrorKind::TimedOut)), "half a beginning is a head");
}

#[tokio::test]
async fn an_upgraded_connection_has_no_heads() {
    let (mut client, mut stream, exchanges) = timed();
    exchanges.free();
    client.write_all(b"frame").await.expect("it is taken");
    assert_eq!(read(&mut stream).await, Some(Ok(5)));
    assert_eq!(read(&mut stream).await, None);
}
