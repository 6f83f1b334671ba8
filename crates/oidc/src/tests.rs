//! Sign-ins with an honest provider, with a hostile one, and in hostile browsers.

mod fake;
mod tokens;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use types::{Secret, Timestamp};

use self::fake::{CLIENT, Fake, Key, Reply, SECRET};
use crate::{Account, Attempted, Options, Provider, ProviderAnswer, SignInError, Url};

/// The time of the tests, in seconds since 1970.
const NOW_S: i64 = 1_795_000_000;

fn at(offset_s: i64) -> Timestamp {
    Timestamp((NOW_S + offset_s) * Timestamp::SECOND)
}

fn options(issuer: &str) -> Options {
    let home = Url::parse("https://logs.example.org/catat/").expect("an address");
    Options {
        issuer: issuer.to_owned(),
        name: "Test".into(),
        client_id: CLIENT.into(),
        client_secret: Some(Secret::from(SECRET)),
        scopes: vec!["openid".into(), "profile".into()],
        user_claim: "preferred_username".into(),
        groups_claim: "groups".into(),
        callback: home.join("api/v1/session/oidc/callback").expect("an address"),
        home,
    }
}

fn provider(fake: &Fake) -> Provider {
    provider_with(options(&fake.url))
}

fn provider_with(options: Options) -> Provider {
    // An error means that another test installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Provider::new(options).expect("an address")
}

fn answer(parameters: &HashMap<String, String>) -> ProviderAnswer {
    let parameter = |name: &str| parameters.get(name).cloned();
    ProviderAnswer {
        code: parameter("code"),
        state: parameter("state"),
        iss: parameter("iss"),
        error: parameter("error"),
        error_description: None,
    }
}

/// Signs in; `change` is what happens to the parameters on the way back.
async fn sign_in_with(
    fake: &Fake,
    provider: &Provider,
    change: impl FnOnce(&mut HashMap<String, String>),
) -> Result<Account, SignInError> {
    let (url, cookie) = provider.begin("alerts", at(0)).await?;
    let mut parameters = fake.visit(url.as_str());
    change(&mut parameters);
    provider.finish(Some(&cookie), &answer(&parameters), at(20)).await.account
}

async fn sign_in(fake: &Fake, provider: &Provider) -> Result<Account, SignInError> {
    sign_in_with(fake, provider, |_| {}).await
}

#[tokio::test]
async fn an_account_has_its_name_its_groups_and_what_identifies_it() {
    let fake = Fake::start(NOW_S);
    let provider = provider(&fake);
    let (url, cookie) = provider.begin("/catat/alerts?a=b#c", at(0)).await.expect("it answers");
    let asked = fake::parameters(url.query().expect("parameters"));
    let asked = |name: &str| asked[name].as_str();
    assert_eq!((asked("response_type"), asked("client_id"), asked("scope")), ("code", CLIENT, "openid profile"));
    assert_eq!(asked("redirect_uri"), "https://logs.example.org/catat/api/v1/session/oidc/callback");
    assert_eq!((asked("code_challenge_method"), asked("code_challenge").len()), ("S256", 43));
    assert!(asked("state") != asked("nonce") && !cookie.contains(asked("state")));
    let parameters = fake.visit(url.as_str());
    let Attempted { to, account } = provider.finish(Some(&cookie), &answer(&parameters), at(20)).await;
    assert_eq!(to.as_str(), "https://logs.example.org/catat/alerts?a=b#c");
    let subject = format!("{} account-1", fake.url);
    assert_eq!(account, Ok(Account { subject, name: "ani".into(), groups: vec!["staff".into()] }));
    let (_, authorization, _) =
        fake.with(|script| script.requests.iter().find(|(path, ..)| path == "/token").cloned()).expect("asked");
    // `catat:s%3Ae%20c%2Br%25et`, as RFC 6749 encodes both before they are joined.
    assert_eq!(authorization, "Basic Y2F0YXQ6cyUzQWUlMjBjJTJCciUyNWV0");
}

#[tokio::test]
async fn the_secret_is_sent_as_the_provider_takes_it_and_none_where_there_is_none() {
    let fake = Fake::start(NOW_S);
    fake.with(|script| script.metadata["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
    sign_in(&fake, &provider(&fake)).await.expect("an account");
    sign_in(&fake, &provider_with(Options { client_secret: None, ..options(&fake.url) })).await.expect("an account");
    let bodies =
        fake.with(|script| script.requests.iter().filter(|(path, ..)| path == "/token").cloned().collect::<Vec<_>>());
    let [(_, posted, with), (_, public, without)] = &bodies[..] else { panic!("two sign-ins") };
    assert!(posted.is_empty() && public.is_empty());
    assert_eq!((&*fake::parameters(with)["client_secret"], &*fake::parameters(with)["client_id"]), (SECRET, CLIENT));
    assert!(!without.contains("client_secret") && without.contains("client_id=catat"));
}

#[tokio::test]
async fn what_the_token_lacks_is_asked_for_and_believed_of_the_same_account_alone() {
    let fake = Fake::start(NOW_S);
    fake.with(|script| {
        script.claims = json!({"preferred_username": "ani"});
        script.replies.insert(
            "/userinfo",
            Reply::Json(json!({"sub": "account-1", "preferred_username": "eve", "groups": "staff"})),
        );
    });
    let account = sign_in(&fake, &provider(&fake)).await.expect("an account");
    assert_eq!((&*account.name, &account.groups[..]), ("ani", &["staff".to_owned()][..]));
    let asked = fake.with(|script| script.requests.last().cloned()).expect("a request");
    assert_eq!((&*asked.0, &*asked.1), ("/userinfo", "Bearer of-this-account"));
    fake.with(|script| {
        script.replies.insert("/userinfo", Reply::Json(json!({"sub": "account-2", "groups": ["admins"]})))
    });
    assert!(matches!(sign_in(&fake, &provider(&fake)).await, Err(SignInError::BadToken(why)) if why.contains("(sub)")));
}

#[tokio::test]
async fn names_come_from_the_claim_that_is_set_and_groups_may_lie_deeper() {
    let fake = Fake::start(NOW_S);
    let with = |user_claim: &str, groups_claim: &str| {
        provider_with(Options {
            user_claim: user_claim.into(),
            groups_claim: groups_claim.into(),
            ..options(&fake.url)
        })
    };
    fake.with(|script| script.claims = json!({"email": "ani@example.org", "realm_access": {"roles": ["a", 1, "b"]}}));
    let account = sign_in(&fake, &with("email", "realm_access.roles")).await.expect("an account");
    assert_eq!((&*account.name, &account.groups[..]), ("ani@example.org", &["a".to_owned(), "b".to_owned()][..]));
    let missing = sign_in(&fake, &with("nickname", "groups")).await;
    assert!(matches!(missing, Err(SignInError::NoName(why)) if why.contains("\"nickname\"")));
    fake.with(|script| script.claims["email_verified"] = json!(false));
    assert!(matches!(sign_in(&fake, &with("email", "groups")).await, Err(SignInError::NoName(_))));
}

#[tokio::test]
async fn a_person_returns_to_this_page_and_to_no_other_site() {
    let fake = Fake::start(NOW_S);
    let provider = provider(&fake);
    let home = "https://logs.example.org/catat/";
    let elsewhere = [
        "//evil.example.org/catat/",
        "https://evil.example.org/catat/",
        "\\\\evil.example.org\\catat",
        "javascript:alert(1)",
        "http://logs.example.org/catat/",
        "https://logs.example.org:444/catat/",
        "/other",
        "../..",
        "",
        "/catat/../other",
        "https://logs.example.org@evil.example.org/catat/",
        "/\t/evil.example.org",
    ];
    for to in elsewhere {
        let (url, cookie) = provider.begin(to, at(0)).await.expect("it answers");
        let parameters = fake.visit(url.as_str());
        assert_eq!(provider.finish(Some(&cookie), &answer(&parameters), at(1)).await.to.as_str(), home, "{to:?}");
    }
    let long = format!("/catat/?query={}", "x".repeat(4000));
    let (_, cookie) = provider.begin(&long, at(0)).await.expect("it answers");
    assert!(cookie.len() < 3000, "a browser keeps it");
}

#[tokio::test]
async fn an_answer_is_good_once_in_the_browser_that_began_and_for_ten_minutes() {
    let fake = Fake::start(NOW_S);
    let provider = provider(&fake);
    let (url, cookie) = provider.begin("", at(0)).await.expect("it answers");
    let (_, cookie_of_another) = provider.begin("", at(0)).await.expect("it answers");
    let parameters = fake.visit(url.as_str());
    let finish =
        async |cookie: Option<&str>, now_s: i64| provider.finish(cookie, &answer(&parameters), at(now_s)).await.account;
    let tampered = [cookie.replacen('.', ".1", 1), cookie.replace('.', ""), "a.b.c".into(), String::new()];
    for wrong in tampered.iter().map(|text| Some(&**text)).chain([None, Some(&*cookie_of_another)]) {
        assert_eq!(finish(wrong, 1).await, Err(SignInError::Stale), "{wrong:?}");
    }
    assert_eq!(finish(Some(&cookie), 601).await, Err(SignInError::Stale));
    assert_eq!(finish(Some(&cookie), -1).await, Err(SignInError::Stale));
    assert_eq!(fake.count("/token"), 0, "none of them reaches the provider");
    fake.with(|script| script.now_s = NOW_S + 600);
    assert!(finish(Some(&cookie), 600).await.is_ok());
    assert_eq!(finish(Some(&cookie), 600).await, Err(SignInError::Stale), "replayed");
    assert_eq!(fake.count("/token"), 1);
}

#[tokio::test]
async fn a_code_that_was_used_or_stolen_from_another_sign_in_is_refused() {
    let fake = Fake::start(NOW_S);
    let provider = provider(&fake);
    sign_in(&fake, &provider).await.expect("an account");
    let replayed =
        sign_in_with(&fake, &provider, |parameters| _ = parameters.insert("code".into(), "code-0".into())).await;
    assert!(matches!(replayed, Err(SignInError::Refused(why)) if why.contains("invalid_grant")));
    // Of a sign-in that another browser began, put into this one: PKCE.
    let (theirs, _) = provider.begin("", at(0)).await.expect("it answers");
    let (ours, cookie) = provider.begin("", at(0)).await.expect("it answers");
    let state = fake::parameters(ours.query().expect("parameters"))["state"].clone();
    let mut injected = fake.visit(theirs.as_str());
    injected.insert("state".into(), state);
    let injected = provider.finish(Some(&cookie), &answer(&injected), at(1)).await.account;
    assert!(matches!(injected, Err(SignInError::Refused(_))), "{injected:?}");
}

#[tokio::test]
async fn the_answer_of_another_provider_is_refused() {
    let fake = Fake::start(NOW_S);
    let other = |parameters: &mut HashMap<String, String>| {
        _ = parameters.insert("iss".into(), "https://evil.example.org".into())
    };
    let mixed_up = |result: Result<Account, SignInError>| matches!(result, Err(SignInError::BadAnswer(why)) if why.contains("(iss)"));
    assert!(mixed_up(sign_in_with(&fake, &provider(&fake), other).await));
    let own = fake.url.clone();
    sign_in_with(&fake, &provider(&fake), |parameters| _ = parameters.insert("iss".into(), own))
        .await
        .expect("an account");
    // One that promises to say who it is says so.
    fake.with(|script| script.metadata["authorization_response_iss_parameter_supported"] = json!(true));
    assert!(mixed_up(sign_in(&fake, &provider(&fake)).await));
    let exchanged = fake.count("/token");
    assert_eq!(exchanged, 1, "no code was given to the wrong one");
    // A cookie of one provider finishes nothing at another.
    let second = Fake::start(NOW_S);
    let (url, cookie) = provider(&fake).begin("", at(0)).await.expect("it answers");
    let parameters = fake.visit(url.as_str());
    let finished = provider(&second).finish(Some(&cookie), &answer(&parameters), at(1)).await.account;
    assert_eq!((finished, second.count("/token")), (Err(SignInError::Stale), 0));
}

#[tokio::test]
async fn what_a_provider_refuses_is_told_in_its_words_on_one_short_line() {
    let fake = Fake::start(NOW_S);
    let error = format!("access_denied\n{}", "x".repeat(900));
    let denied = sign_in_with(&fake, &provider(&fake), |parameters| _ = parameters.insert("error".into(), error)).await;
    let Err(SignInError::Refused(why)) = denied else { panic!("it was refused") };
    assert!(why.starts_with("access_denied xx") && why.len() <= 200);
    let without = sign_in_with(&fake, &provider(&fake), |parameters| _ = parameters.remove("code")).await;
    assert!(matches!(without, Err(SignInError::BadAnswer(_))));
    fake.with(|script| script.replies.insert("/token", Reply::Json(json!({"access_token": "x"}))));
    assert!(matches!(sign_in(&fake, &provider(&fake)).await, Err(SignInError::BadAnswer(_))));
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_keys_are_not_fetched_for_every_token() {
    let fake = Fake::start(NOW_S);
    let provider = provider(&fake);
    let second = Key::new("second");
    let signer = second.clone();
    let finish = async |now_s: i64| {
        let (url, cookie) = provider.begin("", at(now_s)).await.expect("it answers");
        let parameters = fake.visit(url.as_str());
        fake.with(|script| script.now_s = NOW_S + now_s);
        provider.finish(Some(&cookie), &answer(&parameters), at(now_s)).await.account
    };
    finish(0).await.expect("signed with the first key");
    finish(1).await.expect("signed with the first key");
    assert_eq!(fake.count("/keys"), 1);
    let sign = move |claims: &Value| signer.sign(&json!({"alg": "ES256", "kid": "second"}), claims);
    fake.with(|script| script.signed = Some(std::sync::Arc::new(sign)));
    for now_s in [2, 9] {
        assert!(matches!(finish(now_s).await, Err(SignInError::BadToken(_))), "it was fetched a moment ago");
    }
    assert_eq!(fake.count("/keys"), 1);
    assert!(matches!(finish(20).await, Err(SignInError::BadToken(_))), "it is not published");
    fake.with(|script| script.keys = vec![second.public()]);
    assert_eq!(fake.count("/keys"), 2);
    finish(40).await.expect("signed with the second key, which is published now");
    assert_eq!(fake.count("/keys"), 3);
    // A key that is not published any more is not believed for longer than an hour.
    fake.with(|script| script.keys = vec![Key::new("third").public()]);
    finish(41).await.expect("as it was");
    assert!(matches!(finish(41 + 3600).await, Err(SignInError::BadToken(_))));
    assert_eq!(fake.count("/.well-known/openid-configuration"), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_slow_or_answers_garbage_costs_a_moment_and_is_named() {
    let place = "/.well-known/openid-configuration";
    let begin = async |reply: Option<Reply>| {
        let fake = Fake::start(NOW_S);
        fake.with(|script| script.replies.extend(reply.map(|reply| (place, reply))));
        let started = Instant::now();
        let begun = provider(&fake).begin("", at(0)).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        begun.map(drop)
    };
    assert_eq!(begin(None).await, Ok(()));
    let bad = |begun: Result<(), SignInError>| matches!(begun, Err(SignInError::BadAnswer(_)));
    assert!(bad(begin(Some(Reply::Text("<html>".into()))).await));
    assert!(bad(begin(Some(Reply::Json(json!([])))).await));
    assert!(bad(begin(Some(Reply::Json(json!({"issuer": 1})))).await));
    assert!(bad(begin(Some(Reply::Status(404, json!({})))).await));
    assert!(bad(begin(Some(Reply::Redirect("http://127.0.0.1:1/".into()))).await));
    assert!(bad(begin(Some(Reply::Text(" ".repeat(1 << 20)))).await), "bounded, where the length is known");
    assert!(bad(begin(Some(Reply::Endless)).await), "and where it is not");
    let away = |begun: Result<(), SignInError>| matches!(begun, Err(SignInError::Unreachable(_)));
    assert!(away(begin(Some(Reply::Silence)).await));
    assert!(away(begin(Some(Reply::Status(503, json!({})))).await));
    let gone = provider_with(options("http://127.0.0.1:1")).begin("", at(0)).await;
    assert!(away(gone.map(drop)));
}

#[tokio::test]
async fn each_place_of_a_provider_is_bounded_and_none_is_believed_that_has_no_tls() {
    for path in ["/token", "/keys", "/userinfo"] {
        for reply in [Reply::Endless, Reply::Silence, Reply::Text("x".into()), Reply::Status(500, json!({}))] {
            let fake = Fake::start(NOW_S);
            fake.with(|script| {
                script.claims = json!({});
                script.replies.insert(path, reply);
            });
            let started = Instant::now();
            let failed = sign_in(&fake, &provider(&fake)).await;
            assert!(
                matches!(failed, Err(SignInError::BadAnswer(_) | SignInError::Unreachable(_))),
                "{path}: {failed:?}"
            );
            assert!(started.elapsed() < Duration::from_secs(5));
        }
    }
    let fake = Fake::start(NOW_S);
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"] {
        let usual = fake.with(|script| script.metadata[name].take());
        fake.with(|script| script.metadata[name] = json!("ftp://127.0.0.1/x"));
        let begun = provider(&fake).begin("", at(0)).await;
        assert!(matches!(begun, Err(SignInError::BadAnswer(why)) if why.contains("has no TLS")), "{name}");
        fake.with(|script| script.metadata[name] = usual);
    }
    fake.with(|script| script.metadata["issuer"] = json!(format!("{}/", fake.url)));
    let begun = provider(&fake).begin("", at(0)).await;
    assert!(matches!(begun, Err(SignInError::BadAnswer(why)) if why.contains("(oidc.issuer)")));
}

#[tokio::test]
async fn sign_ins_that_wait_for_a_slow_provider_are_bounded() {
    let fake = Fake::start(NOW_S);
    fake.with(|script| script.replies.insert("/.well-known/openid-configuration", Reply::Silence));
    let provider = std::sync::Arc::new(provider(&fake));
    let begun = (0..40).map(|_| {
        let provider = provider.clone();
        tokio::spawn(async move { provider.begin("", at(0)).await.map(drop) })
    });
    let (mut n_busy, mut n_away) = (0, 0);
    for begun in begun.collect::<Vec<_>>() {
        match begun.await.expect("no panic") {
            Err(SignInError::Busy) => n_busy += 1,
            Err(SignInError::Unreachable(_)) => n_away += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((n_away, n_busy), (16, 24));
}

#[tokio::test]
async fn a_sign_out_ends_at_the_provider_if_it_offers_that() {
    let fake = Fake::start(NOW_S);
    let url = provider(&fake).sign_out_url(at(0)).await.expect("it offers one");
    let expected = "/end?client_id=catat&post_logout_redirect_uri=https%3A%2F%2Flogs.example.org%2Fcatat%2F";
    assert_eq!(url.as_str(), format!("{}{expected}", fake.url));
    fake.with(|script| script.metadata["end_session_endpoint"] = Value::Null);
    assert_eq!(provider(&fake).sign_out_url(at(0)).await, None);
    assert_eq!(provider_with(options("http://127.0.0.1:1")).sign_out_url(at(0)).await, None);
}

#[test]
fn a_provider_has_tls_unless_it_is_on_this_machine() {
    for right in
        ["https://id.example.org/realms/staff", "http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:1/"]
    {
        assert_eq!(crate::check_issuer(right), Ok(()), "{right}");
    }
    let wrong = [
        "http://id.example.org",
        "id.example.org",
        "ftp://127.0.0.1",
        "https://a?b",
        "https://a#b",
        "https://u@a",
        "http://127.0.0.1.example.org",
    ];
    for wrong in wrong {
        assert!(crate::check_issuer(wrong).is_err(), "{wrong}");
    }
}
