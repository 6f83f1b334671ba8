//! Credentials that nobody was given: random ones, nearly right ones, several at once. None lets anybody in, and none is a
//! fault of the server's.
//!
//! `CATAT_FUZZ_TEXTS` says how many, 20,000 otherwise; `CATAT_FUZZ_SEED` repeats a run.

use axum::http::{HeaderName, HeaderValue};
use data_encoding::BASE64;

use super::*;

/// Random numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const SCHEMES: [&str; 14] = [
    "Bearer ", "bearer", "BEARER\t", "Basic ", "basic  ", "ApiKey ", "Splunk ", "Token ", "AWS4-HMAC-SHA256 ",
    "Digest ", "", "Bearer Bearer ", "Basic Bearer ", "Ｂearer ",
];

/// Returns a key that is nearly the right one: cut, longer, in capitals, with letters that look alike, split, another id.
fn nearly(key: &str, random: &mut Random) -> Vec<u8> {
    let at = random.below(key.len());
    match random.below(11) {
        0 => key.as_bytes()[..at].to_vec(),
        1 => [key.as_bytes(), b"0"].concat(),
        2 => key.to_ascii_uppercase().into_bytes(),
        3 => key.replace('a', "\u{430}").into_bytes(),
        4 => [&key.as_bytes()[..at], b" ", &key.as_bytes()[at..]].concat(),
        5 => [&key.as_bytes()[..at], b"\t", &key.as_bytes()[at..]].concat(),
        6 => key.replacen('_', "__", 1).into_bytes(),
        7 => format!("{key},{key}").into_bytes(),
        8 => format!("\"{key}\"").into_bytes(),
        9 => {
            let mut bytes = key.as_bytes().to_vec();
            bytes[at] ^= 1;
            bytes
        }
        _ => (0..random.below(80)).map(|_| random.below(256) as u8).collect(),
    }
}

/// Returns the value of a header, where what was made up can be one.
fn made_up(key: &str, random: &mut Random) -> Option<HeaderValue> {
    let (scheme, text) = (*random.pick(&SCHEMES), nearly(key, random));
    let text = match random.below(4) {
        0 => BASE64.encode(&text).into_bytes(),
        1 => BASE64.encode(&[b"user:", &text[..]].concat()).into_bytes(),
        _ => text,
    };
    HeaderValue::from_bytes(&[scheme.as_bytes(), &text].concat()).ok()
}

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Returns how somebody is admitted who sends these headers.
fn admit_bytes(access: &Access, keys: &Keys, headers: Vec<(&'static str, HeaderValue)>) -> Result<Arc<Caller>, u16> {
    let mut request = Request::builder().uri("/api/v1/query").body(Body::empty()).expect("a request");
    request.headers_mut().insert("host", HeaderValue::from_static("localhost"));
    for (name, value) in headers {
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
    let admitted = access.admit(keys, &Attempts::default(), None, &request, Timestamp(0));
    admitted.map_err(|problem| problem.status.as_u16())
}

#[test]
fn made_up_credentials_let_nobody_in() {
    let (_dir, keys) = keys();
    let order = KeyOrder { name: "ci".into(), role: "admin".into(), ..KeyOrder::default() };
    let key = keys.create(&order, &GroupScope::All, Timestamp(0)).expect("the order is right").key;
    let access = access("127.0.0.1");
    let (seed, n) = (variable("CATAT_FUZZ_SEED", 1), variable("CATAT_FUZZ_TEXTS", 20_000));
    let mut random = Random(seed);
    let (mut n_refused, mut n_asked) = (0u64, 0u64);
    for round in 0..n {
        let names = ["authorization", "x-catat-key", "authorization"];
        let n_headers = 1 + usize::from(random.below(8) == 0);
        let headers: Vec<(&'static str, HeaderValue)> =
            (0..n_headers).filter_map(|_| Some((*random.pick(&names), made_up(&key, &mut random)?))).collect();
        let is_right = |(_, value): &(&str, HeaderValue)| {
            String::from_utf8_lossy(value.as_bytes()).split([' ', '\t']).any(|word| word == key)
        };
        // A blank that was put before or behind the key leaves it what it is.
        if headers.is_empty() || headers.iter().any(is_right) {
            continue;
        }
        n_asked += 1;
        match admit_bytes(&access, &keys, headers.clone()) {
            Ok(caller) => {
                let is_signature = headers.iter().any(|(_, value)| {
                    value.as_bytes().get(..16).is_some_and(|start| start.eq_ignore_ascii_case(b"aws4-hmac-sha256"))
                });
                // What is signed is checked by the one door that takes it; elsewhere it is as good as nothing.
                assert!(is_signature && caller.role == Role::None, "seed {seed}, round {round}: {headers:?}");
            }
            Err(status) => {
                assert!(matches!(status, 400 | 401 | 429), "seed {seed}, round {round}: {status} for {headers:?}");
                n_refused += 1;
            }
        }
    }
    assert!(n_refused > n_asked / 2 && n_asked > n / 2, "{n_refused} of {n_asked} were refused");
    let bearer = HeaderValue::from_str(&format!("Bearer {key}")).expect("a key is ASCII");
    assert_eq!(admit_bytes(&access, &keys, vec![("authorization", bearer)]).map(|caller| caller.role), Ok(Role::Admin));
}

#[test]
fn a_key_of_a_mebibyte_and_two_keys_at_once_are_refused() {
    let (_dir, keys) = keys();
    let order = KeyOrder { name: "ci".into(), role: "admin".into(), ..KeyOrder::default() };
    let key = keys.create(&order, &GroupScope::All, Timestamp(0)).expect("the order is right").key;
    let access = access("127.0.0.1");
    let value = |text: &str| HeaderValue::from_str(text).expect("a header value");
    let refused = |headers| admit_bytes(&access, &keys, headers).map(|caller| caller.role);
    for scheme in ["Bearer ", "Basic ", "ApiKey ", "Splunk "] {
        let long = value(&format!("{scheme}{key}{}", "0".repeat(1 << 20)));
        assert_eq!(refused(vec![("authorization", long)]), Err(401), "{scheme}");
    }
    let bearer = value(&format!("Bearer {key}"));
    assert_eq!(refused(vec![("authorization", bearer.clone()), ("authorization", bearer.clone())]), Err(400));
    assert_eq!(refused(vec![("authorization", bearer.clone()), ("authorization", value("Basic eDp5"))]), Err(400));
    assert_eq!(refused(vec![("x-catat-key", value("wrong")), ("authorization", bearer)]), Err(401));
}
