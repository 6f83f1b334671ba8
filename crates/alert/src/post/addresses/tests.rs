//! Spellings of barred addresses.

use super::*;
use crate::{Channel, ChannelSettings};

fn is_taken(url: &str) -> bool {
    let (name, kind, url) = ("ops".to_owned(), "webhook".to_owned(), Some(url.into()));
    Channel::new(ChannelSettings { name, kind, url, ..ChannelSettings::default() }).is_ok()
}

#[test]
fn no_spelling_of_a_link_local_or_metadata_address_is_taken() {
    for host in [
        "169.254.169.254",
        "169.254.0.1:80",
        "2852039166",
        "0xa9fea9fe",
        "0xa9.0xfe.0xa9.0xfe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.254.169.254.",
        "user:secret@169.254.169.254",
        "127.0.0.1@169.254.169.254",
        "\u{ff11}\u{ff16}\u{ff19}.254.169.254",
        "169\u{3002}254\u{3002}169\u{3002}254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ] {
        assert!(!is_taken(&format!("http://{host}/latest")), "{host}");
    }
}

#[test]
fn only_addresses_of_the_web_are_taken() {
    for url in [
        "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "javascript:0", "data:,a", "http://",
        "//a",
    ] {
        assert!(!is_taken(url), "{url}");
    }
    // Who writes the configuration is trusted with what is near.
    for url in
        ["http://127.0.0.1:9093/", "http://[::1]/", "https://10.0.0.1/a", "https://hooks.example.org/x", "http://0/"]
    {
        assert!(is_taken(url), "{url}");
    }
}

#[test]
fn a_name_is_refused_where_one_of_its_addresses_is_barred() {
    let check = |texts: &[&str]| {
        let addresses = texts.iter().map(|text| SocketAddr::new(text.parse().expect("an address"), 0));
        allowed_addresses(addresses, false).map(|addresses| addresses.len()).map_err(|error| error.kind())
    };
    assert_eq!(check(&["192.0.2.1", "2001:db8::1", "127.0.0.1"]), Ok(3));
    assert_eq!(check(&["192.0.2.1", "169.254.169.254"]), Err(io::ErrorKind::PermissionDenied));
    assert_eq!(check(&["::ffff:169.254.169.254"]), Err(io::ErrorKind::PermissionDenied));
}

#[test]
fn what_is_near_is_seen_however_it_is_spelt() {
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0", "localhost", "a.localhost.", "10.1.2.3", "192.168.0.1"]
        .into_iter()
        .chain(["172.31.0.1", "100.64.0.1", "[::1]", "[::]", "[fd00::1]", "[::ffff:127.0.0.1]", "[2002:7f00:1::]"])
    {
        let url = reqwest::Url::parse(&format!("http://{host}/")).expect("an address");
        assert!(url.host_str().is_some_and(is_near_host), "{host}");
    }
    for host in ["192.0.2.1", "172.32.0.1", "example.org", "[2001:db8::1]"] {
        assert!(!is_near_host(host), "{host}");
    }
    let near = || [SocketAddr::from(([192, 0, 2, 1], 0)), SocketAddr::from(([127, 0, 0, 1], 0))].into_iter();
    assert!(allowed_addresses(near(), false).is_ok());
    assert!(allowed_addresses(near(), true).is_err());
}
