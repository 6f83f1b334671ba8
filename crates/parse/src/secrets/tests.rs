//! Secrets by form and by name, and what only looks like one.

use super::*;

type Finder = fn(&str, &mut Take<'_>);

fn found(finder: Finder, text: &str) -> Vec<String> {
    let mut places = Vec::new();
    finder(text, &mut |place| places.push(text[place].to_owned()));
    places
}

fn check(finder: Finder, text: &str, expected: &[&str]) {
    assert_eq!(found(finder, text), expected, "{text}");
}

#[test]
fn addresses_of_people_are_found_and_what_looks_like_them_is_not() {
    check(emails, "from bob.smith+x@mail.example.co.uk, ok", &["bob.smith+x@mail.example.co.uk"]);
    check(emails, "GET /u?email=bob%40example.com&x=1", &["bob%40example.com"]);
    check(emails, "<jürgen@bücher.example>", &["jürgen@bücher.example"]);
    check(emails, r#"{"to":"a@b.de","cc":"c@d.org"}"#, &["a@b.de", "c@d.org"]);
    for other in ["@alice", "npm lodash@4.17.21", "user@localhost", "a @ b.com", "std@", "100%40", "x@y", "git@v2"] {
        check(emails, other, &[]);
    }
}

#[test]
fn cards_have_an_issuer_a_length_and_a_check_digit() {
    for card in [
        "4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "3782 822463 10005",
        "30569309025904", "6011111111111117", "3530111333300000",
    ] {
        check(cards, &format!("paid with {card}, thanks"), &[card]);
        check(cards, &format!("card={card}."), &[card]);
    }
    check(cards, "7 4111 1111 1111 1111 12", &["4111 1111 1111 1111"]);
    for other in [
        "4111111111111112",
        "1763618400000",
        "1763618400000000000",
        "id 0000000000000000",
        "4444444444444444",
        "a4111111111111111",
        "0.4111111111111111",
        "41111111-1111-1111-1111-111111111111",
        "4111111111111111111111111",
        "2026-11-20 06 47 13 2026 1120",
        "+62 812 3456 7890 123",
    ] {
        check(cards, other, &[]);
    }
}

#[test]
fn secrets_are_found_by_form_and_by_key() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    check(tokens, &format!("got {jwt} back"), &[jwt]);
    check(tokens, "id AKIAIOSFODNN7EXAMPLE used", &["AKIAIOSFODNN7EXAMPLE"]);
    check(tokens, "sent Bearer abc123def456", &["abc123def456"]);
    check(tokens, "password=hunter2&x=1", &["hunter2"]);
    check(tokens, r#"{"user":"bob","password":"a\"b c","n":1}"#, &[r#"a\"b c"#]);
    check(tokens, r#"db_password: s3cr3t"#, &["s3cr3t"]);
    check(tokens, "DB_PASSWORD=letmein", &["letmein"]);
    check(tokens, "api-key: abcdef", &["abcdef"]);
    check(tokens, "postgres://app:pw@db/x", &["pw"]);
    check(tokens, "Authorization: Basic dXNlcjpwYXNz", &["dXNlcjpwYXNz", "dXNlcjpwYXNz"]);
    check(
        tokens,
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx",
        &["-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"],
    );
    for other in [
        "password reset for bob",
        "bearer of bad news",
        "basic functionality",
        "unexpected token: identifier",
        "token expired",
        "max_tokens=100",
        "passwords=3",
        "password=null",
        "passwordless=true",
        "eyJ is how they begin",
        "AKIA",
        "compass=north",
        "http://host:8080/a@b",
    ] {
        check(tokens, other, &[]);
    }
}

#[test]
fn names_say_that_their_values_are_secrets() {
    for name in [
        "password", "db.Password", "user_token", "x-api-key", "apiKey", "headers.Authorization",
        "AWS_SECRET_ACCESS_KEY",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["tokens", "password_age", "key", "keyboard", "compass", "secretary", "token_count"] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn ip_addresses_are_found_and_times_and_versions_are_not() {
    check(addresses, "from 192.0.2.1:5432 to [2001:db8::7]:80.", &["192.0.2.1", "2001:db8::7"]);
    check(addresses, "peer fe80::1 and ::ffff:10.0.0.1, 10.1.2.3.", &["fe80::1", "::ffff:10.0.0.1", "10.1.2.3"]);
    check(addresses, "client 10.0.0.1: refused", &["10.0.0.1"]);
    for other in [
        "06:47:13", "1.2.3", "1.2.3.4.5", "999.1.1.1", "v1.2.3.4", "std::io::Error", "abc::def", "aa:bb:cc:dd:ee:ff",
        "..", "::",
    ] {
        check(addresses, other, &[]);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_looked_at_and_places_are_places(text in "[ -~é\n]{0,80}", form in r#"[0-9a-f:.@ =\-"\\paswordkyBE]{0,60}"#) {
        for finder in [emails as Finder, cards, tokens, addresses] {
            let _ = (found(finder, &text), found(finder, &form));
        }
    }
}
