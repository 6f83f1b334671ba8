//! Passwords and modes of addresses.

use super::*;

#[test]
fn a_password_is_never_shown() {
    let shown = |text: &str| {
        let url: DatabaseUrl = text.parse().expect("a URL");
        assert_eq!(format!("{url:?}"), url.to_string());
        url.to_string()
    };
    assert_eq!(shown("postgres://u:s%40cret@h:5433/d?sslmode=require&password=s%40cret"), "postgres://u@h:5433/d");
    assert_eq!(shown("postgresql://u:secret@%2Frun%2Fpg/d"), "postgres://u@/run/pg:5432/d");
    assert_eq!(shown("postgres://u@a:1,b:2/d"), "postgres://u@a:1,b:2/d");
    for text in ["secret", "http://u:secret@h/", "postgres://u:sec?ret@h/d", "postgres://u:secret@h:port/d"] {
        let error = text.parse::<DatabaseUrl>().expect_err("no such URL").to_string();
        assert!(!error.contains("sec") && !error.contains("ret@"), "{error}");
    }
}

#[test]
fn the_mode_says_whose_certificates_are_good() {
    let read = |query: &str| format!("postgres://h/d?{query}").parse::<DatabaseUrl>();
    let read = |query| read(query).map(|url| (url.config.get_ssl_mode(), url.trust));
    assert_eq!(read("").ok(), Some((SslMode::Prefer, Trust::Anybody)));
    assert_eq!(read("sslmode=disable").ok(), Some((SslMode::Disable, Trust::Anybody)));
    assert_eq!(read("sslmode=require").ok(), Some((SslMode::Require, Trust::Anybody)));
    assert_eq!(read("sslmode=verify-full").ok(), Some((SslMode::Require, Trust::System)));
    let file = Trust::File("/a b".into());
    assert_eq!(read("sslrootcert=%2Fa%20b&sslmode=require").ok(), Some((SslMode::Require, file)));
    assert_eq!(read("sslmode=verify").err(), Some(DatabaseUrlError::Mode));
    assert_eq!(read("sslrootcert=%2").err(), Some(DatabaseUrlError::NotAUrl));
}
