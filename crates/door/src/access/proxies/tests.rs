//! The sender of a request that came through proxies.

use super::*;

#[test]
fn the_sender_is_the_last_address_that_no_trusted_proxy_has() {
    let loopback = TrustedProxies::default();
    let both = TrustedProxies::from(vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
    let none = TrustedProxies::from(Vec::new());
    type Headers<'h> = &'h [(&'h str, &'h str)];
    let cases: [(&TrustedProxies, &str, Headers<'_>, &str); 14] = [
        (&loopback, "127.0.0.1", &[], "127.0.0.1"),
        (&loopback, "127.0.0.1", &[("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
        (&loopback, "::1", &[("x-forwarded-for", "2001:db8::7")], "2001:db8::7"),
        (&loopback, "::ffff:127.0.0.1", &[("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
        (&loopback, "127.0.0.1", &[("x-forwarded-for", "198.51.100.1, 192.0.2.7")], "192.0.2.7"),
        (&loopback, "127.0.0.1", &[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
        (&loopback, "127.0.0.1", &[("x-forwarded-for", "192.0.2.7:4031")], "192.0.2.7"),
        (&loopback, "127.0.0.1", &[("x-forwarded-for", "unknown")], "127.0.0.1"),
        (&loopback, "127.0.0.1", &[("x-real-ip", "192.0.2.7")], "192.0.2.7"),
        (
            &loopback,
            "127.0.0.1",
            &[("forwarded", "for=198.51.100.1, proto=https;For=\"[2001:db8::7]:47\"")],
            "2001:db8::7",
        ),
        (&loopback, "192.0.2.9", &[("x-forwarded-for", "198.51.100.1")], "192.0.2.9"),
        (&both, "127.0.0.1", &[("x-forwarded-for", "198.51.100.1, 192.0.2.7, 10.0.0.3")], "192.0.2.7"),
        (&both, "10.0.0.3", &[("forwarded", "proto=https")], "10.0.0.3"),
        (&none, "127.0.0.1", &[("x-forwarded-for", "192.0.2.7")], "127.0.0.1"),
    ];
    for (proxies, peer, headers, sender) in cases {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(axum::body::Body::empty()).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().expect("an address"), 9)));
        proxies.name_sender(&mut request);
        let found = request.extensions().get::<ConnectInfo<SocketAddr>>().expect("it stays").0.ip();
        assert_eq!(found.to_string(), sender, "{peer} {headers:?}");
    }
}
