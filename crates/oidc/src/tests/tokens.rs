//! ID tokens that must not sign anyone in.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::fake::{CLIENT, Fake, Key, encoded};
use super::{NOW_S, provider, sign_in};
use crate::{Account, SignInError};

/// Signs in with claims that differ from those of an honest token; `null` removes one.
async fn with_claims(claims: Value) -> Result<Account, SignInError> {
    let fake = Fake::start(NOW_S);
    fake.with(|script| {
        for (name, value) in claims.as_object().expect("an object") {
            script.claims[name] = value.clone();
        }
    });
    sign_in(&fake, &provider(&fake)).await
}

/// Signs in with a token that a function makes of honest claims.
async fn with_token(made: impl Fn(&Key, &Value) -> String + Send + Sync + 'static) -> Result<Account, SignInError> {
    let fake = Fake::start(NOW_S);
    let key = fake.key.clone();
    fake.with(|script| script.signed = Some(Arc::new(move |claims| made(&key, claims))));
    sign_in(&fake, &provider(&fake)).await
}

fn is_refused(result: &Result<Account, SignInError>) -> bool {
    matches!(result, Err(SignInError::BadToken(_)))
}

#[tokio::test]
async fn a_token_that_is_not_signed_is_refused() {
    for algorithm in ["none", "None", "NONE", ""] {
        let made = move |key: &Key, claims: &Value| {
            let header = json!({"alg": algorithm, "kid": key.name});
            format!("{}.{}.", encoded(&header), encoded(claims))
        };
        assert!(is_refused(&with_token(made).await), "{algorithm:?}");
    }
    let stripped = |key: &Key, claims: &Value| {
        let token = key.sign(&json!({"alg": "ES256", "kid": key.name}), claims);
        format!("{}.", token.rsplit_once('.').expect("it has parts").0)
    };
    assert!(is_refused(&with_token(stripped).await));
}

#[tokio::test]
async fn a_token_signed_with_what_everyone_knows_is_refused() {
    // The public key, or the secret of the application, as the key of a MAC.
    for algorithm in ["HS256", "HS384", "HS512"] {
        let made = move |key: &Key, claims: &Value| {
            let signed = format!("{}.{}", encoded(&json!({"alg": algorithm, "kid": key.name})), encoded(claims));
            let mac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.public().to_string().as_bytes());
            format!("{signed}.{}", BASE64URL_NOPAD.encode(ring::hmac::sign(&mac, signed.as_bytes()).as_ref()))
        };
        assert!(is_refused(&with_token(made).await), "{algorithm}");
    }
    // Even where the provider publishes the key of a MAC.
    let fake = Fake::start(NOW_S);
    let secret = b"an HMAC key that everyone can read";
    fake.with(|script| {
        script.keys = vec![json!({"kty": "oct", "kid": "shared", "k": BASE64URL_NOPAD.encode(secret)})];
        script.signed = Some(Arc::new(|claims| {
            let signed = format!("{}.{}", encoded(&json!({"alg": "HS256", "kid": "shared"})), encoded(claims));
            let mac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
            format!("{signed}.{}", BASE64URL_NOPAD.encode(ring::hmac::sign(&mac, signed.as_bytes()).as_ref()))
        }));
    });
    assert!(is_refused(&sign_in(&fake, &provider(&fake)).await));
}

#[tokio::test]
async fn a_token_signed_in_another_way_than_its_key_allows_is_refused() {
    for algorithm in ["RS256", "PS256", "ES384", "EdDSA", "ES256K", "HS256"] {
        let made = move |key: &Key, claims: &Value| key.sign(&json!({"alg": algorithm, "kid": key.name}), claims);
        let refused = with_token(made).await;
        let is_said = matches!(&refused, Err(SignInError::BadToken(why)) if why.contains("does not sign with"));
        assert!(is_said || algorithm == "ES256K" && is_refused(&refused), "{algorithm}: {refused:?}");
    }
    let fake = Fake::start(NOW_S);
    fake.with(|script| script.keys[0]["alg"] = json!("ES384"));
    assert!(is_refused(&sign_in(&fake, &provider(&fake)).await), "the key says how it signs");
    fake.with(|script| script.keys[0]["alg"] = json!("ES256"));
    sign_in(&fake, &provider(&fake)).await.expect("an account");
    fake.with(|script| script.keys[0]["use"] = json!("enc"));
    assert!(is_refused(&sign_in(&fake, &provider(&fake)).await), "a key for encryption signs nothing");
}

#[tokio::test]
async fn a_token_signed_with_a_key_that_it_brings_along_is_refused() {
    let own = Key::new("first");
    let made = move |_: &Key, claims: &Value| {
        let header = json!({"alg": "ES256", "kid": "first", "jwk": own.public(), "jku": "http://127.0.0.1:1/keys"});
        own.sign(&header, claims)
    };
    assert!(is_refused(&with_token(made).await));
    let altered = |key: &Key, claims: &Value| {
        let token = key.sign(&json!({"alg": "ES256", "kid": key.name}), claims);
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims = claims.clone();
        claims["preferred_username"] = json!("root");
        format!("{}.{}.{}", parts[0], encoded(&claims), parts[2])
    };
    assert!(is_refused(&with_token(altered).await));
    let critical =
        |key: &Key, claims: &Value| key.sign(&json!({"alg": "ES256", "kid": key.name, "crit": ["x"], "x": 1}), claims);
    assert!(is_refused(&with_token(critical).await), "an extension that must be understood");
    for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", "....."] {
        assert!(is_refused(&with_token(move |_, _| text.to_owned()).await), "{text}");
    }
}

#[tokio::test]
async fn a_token_without_the_name_of_its_key_is_believed_only_if_there_is_one_key() {
    let unnamed = |key: &Key, claims: &Value| key.sign(&json!({"alg": "ES256"}), claims);
    with_token(unnamed).await.expect("an account");
    let fake = Fake::start(NOW_S);
    let key = fake.key.clone();
    fake.with(|script| {
        script.keys.push(Key::new("second").public());
        script.signed = Some(Arc::new(move |claims| key.sign(&json!({"alg": "ES256"}), claims)));
    });
    assert!(is_refused(&sign_in(&fake, &provider(&fake)).await));
    fake.with(|script| {
        script.signed = None;
        // Keys of kinds that are not known make the others no worse.
        script.keys.insert(0, json!({"kty": "EC", "crv": "secp256k1", "kid": "odd", "x": "AA", "y": "AA"}));
        script.keys.insert(0, json!({"kty": "new", "kid": 7}));
    });
    sign_in(&fake, &provider(&fake)).await.expect("named, among many");
}

#[tokio::test]
async fn a_token_for_another_application_is_refused() {
    for (audience, party) in [
        (json!("other"), Value::Null),
        (json!([]), Value::Null),
        (json!(["other"]), json!(CLIENT)),
        (json!([CLIENT, "other"]), Value::Null),
        (json!([CLIENT, "other"]), json!("other")),
        (json!(CLIENT), json!("other")),
        (json!(7), Value::Null),
        (json!({"catat": true}), Value::Null),
    ] {
        let refused = with_claims(json!({"aud": audience, "azp": party})).await;
        assert!(is_refused(&refused), "{audience} {party}: {refused:?}");
    }
    with_claims(json!({"aud": [CLIENT, "other"], "azp": CLIENT}))
        .await
        .expect("made for this one, and usable elsewhere");
}

#[tokio::test]
async fn a_token_of_another_issuer_or_for_another_sign_in_is_refused() {
    let fake = Fake::start(NOW_S);
    for issuer in [
        json!("https://evil.example.org"),
        json!(format!("{}/", fake.url)),
        json!([fake.url, "https://evil.example.org"]),
        json!(7),
    ] {
        fake.with(|script| script.claims["iss"] = issuer.clone());
        let refused = sign_in(&fake, &provider(&fake)).await;
        assert!(is_refused(&refused), "{issuer}: {refused:?}");
    }
    for nonce in [json!("another"), json!(""), json!(["x"])] {
        let refused = with_claims(json!({"nonce": nonce})).await;
        assert!(is_refused(&refused), "{nonce}: {refused:?}");
    }
}

#[tokio::test]
async fn a_token_that_lacks_what_it_must_say_is_refused() {
    let made = |missing: &'static str| {
        with_token(move |key, claims| {
            let mut claims = claims.clone();
            claims.as_object_mut().expect("an object").remove(missing);
            key.sign(&json!({"alg": "ES256", "kid": key.name}), &claims)
        })
    };
    for missing in ["iss", "aud", "sub", "exp", "iat", "nonce"] {
        assert!(is_refused(&made(missing).await), "{missing}");
    }
    for subject in [json!(""), json!("x".repeat(256)), json!(7)] {
        assert!(is_refused(&with_claims(json!({"sub": subject})).await), "{subject}");
    }
}

#[tokio::test]
async fn a_token_is_good_in_its_time_with_a_minute_for_clocks_that_differ() {
    // The sign-in ends 20 s after `NOW_S`.
    let now = NOW_S + 20;
    for (claims, is_good) in [
        (json!({"exp": now + 1}), true),
        (json!({"exp": now - 59}), true),
        (json!({"exp": now - 60}), false),
        (json!({"exp": now - 86_400}), false),
        (json!({"exp": "soon"}), false),
        (json!({"exp": f64::from(u32::MAX) + 0.5}), true),
        (json!({"iat": now + 60}), true),
        (json!({"iat": now + 61}), false),
        (json!({"iat": "now"}), false),
        (json!({"nbf": now + 60}), true),
        (json!({"nbf": now + 61}), false),
        (json!({"nbf": []}), false),
    ] {
        let result = with_claims(claims.clone()).await;
        assert_eq!((result.is_ok(), is_refused(&result)), (is_good, !is_good), "{claims}: {result:?}");
    }
}

#[test]
fn signatures_of_other_programs_are_understood() {
    // Made with OpenSSL; the private keys are gone.
    let signed: Value = serde_json::from_str(include_str!("signed.json")).expect("JSON");
    crate::signature::install();
    let verify = |algorithm: &str, key: &str, token: &str| {
        let key = serde_json::from_value(signed["keys"][key].clone()).expect("a key");
        let algorithm = algorithm.parse().expect("it is known");
        let expected = crate::token::Expected { issuer: "https://id.example.org", client_id: CLIENT, nonce: "n" };
        crate::token::verify(token, algorithm, &key, &expected, super::at(0)).map(|claims| claims["sub"].clone())
    };
    for (algorithm, key) in [("RS256", "rsa"), ("PS256", "rsa"), ("RS256", "rsa_padded"), ("EdDSA", "ed")] {
        let token = signed["tokens"][algorithm].as_str().expect("a token");
        assert_eq!(verify(algorithm, key, token), Ok(json!("account-1")), "{algorithm} {key}");
        let (rest, signature) = token.rsplit_once('.').expect("it has parts");
        let first = if signature.starts_with('A') { "B" } else { "A" };
        assert!(verify(algorithm, key, &format!("{rest}.{first}{}", &signature[1..])).is_err(), "{algorithm} altered");
    }
}
