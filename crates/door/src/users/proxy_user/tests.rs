//! Whose word counts for who a request is from.

use axum::body::Body;

use super::*;

fn request(peer: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().expect("an address"), 9)));
    request
}

fn proxy() -> (ProxyUsers, RoleRules) {
    let header = |name| HeaderName::from_static(name);
    let proxy =
        ProxyUsers::new(header("x-user"), Some(header("x-groups")), vec!["10.0.0.0/8".parse().expect("a network")]);
    let rules = ["staff = read web/*", "user:ani = admin"].map(|rule| rule.parse().expect("a rule"));
    (proxy, RoleRules(rules.to_vec()))
}

#[test]
fn the_proxy_of_a_trusted_network_names_the_user_and_their_groups() {
    let (proxy, rules) = proxy();
    let asked = |headers: &[(&str, &str)]| proxy.caller_of(&rules, &mut request("10.1.2.3", headers));
    let caller = asked(&[("x-user", "budi"), ("x-groups", "x, staff")]).expect("he has a role").expect("he is named");
    assert_eq!(
        (&*caller.name, caller.role.name(), caller.way),
        ("user:budi", "read", Some(crate::access::SignInWay::Proxy))
    );
    assert!(caller.scope.admits("web/a") && !caller.scope.admits("db"));
    assert_eq!(asked(&[]).expect("nobody"), None);
    assert_eq!(asked(&[("x-user", "")]).expect("nobody"), None);
    assert_eq!(asked(&[("x-groups", "staff")]).expect("nobody"), None);
    assert_eq!(asked(&[("x-user", "budi")]).expect_err("no rule fits").code, "no-role");
    assert_eq!(asked(&[("x-user", "a b"), ("x-groups", "staff")]).expect_err("no name").code, "bad-name");
    assert_eq!(asked(&[("x-user", "ani"), ("x-user", "budi")]).expect_err("two names").code, "bad-name");
}

#[test]
fn the_header_of_anyone_else_is_removed_and_counted() {
    let (proxy, rules) = proxy();
    for peer in ["127.0.0.1", "11.0.0.1", "::ffff:192.0.2.1"] {
        let mut request = request(peer, &[("x-user", "ani"), ("x-user", "ani"), ("x-groups", "staff"), ("host", "h")]);
        assert_eq!(proxy.caller_of(&rules, &mut request).expect("as if it had none"), None);
        assert_eq!(request.headers().len(), 1, "{peer}");
    }
    assert_eq!(proxy.n_ignored.load(Ordering::Relaxed), 3);
    // As a mapped address, too.
    assert!(proxy.caller_of(&rules, &mut request("::ffff:10.0.0.1", &[("x-user", "ani")])).expect("trusted").is_some());
}

#[test]
fn another_node_vouches_only_for_whom_a_proxy_named_there() {
    let (proxy, rules) = proxy();
    for (standing, is_trusted) in [(Standing::Proxied, true), (Standing::Shown, false), (Standing::Admin, false)] {
        let mut request = request("10.1.2.3", &[("x-user", "ani")]);
        request.extensions_mut().insert(HandedOver(standing));
        assert_eq!(proxy.caller_of(&rules, &mut request).expect("no refusal").is_some(), is_trusted, "{standing:?}");
    }
}
