//! Caching and compression of the files of the page.

use super::*;

fn header_of(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

#[test]
fn files_named_by_content_are_kept_and_others_revalidated() {
    let none = HeaderMap::new();
    let index = index(&none);
    assert_eq!(index.status(), 200);
    assert_eq!(header_of(&index, "cache-control"), "no-cache");
    let mut known = HeaderMap::new();
    known.insert(header::IF_NONE_MATCH, index.headers()[header::ETAG].clone());
    assert_eq!(super::index(&known).status(), 304);

    let digest = PAGE.get("app.js").expect("the page has a program").digest();
    assert!(header_of(&asset("/app.js", Some(&digest[..12]), &none), "cache-control").contains("immutable"));
    assert_eq!(asset("/app.js", Some("000000000000"), &none).status(), 404);
    assert_eq!(asset("/app.js", Some(&digest[..4]), &none).status(), 404);
    assert_eq!(header_of(&asset("/app.js", None, &none), "cache-control"), "no-cache");
    assert_eq!(asset("/SOURCE_HASH", None, &none).status(), 404);
    assert_eq!(asset("/reference.html", None, &none).status(), 404);
    assert_eq!(asset("/docs.html", None, &none).status(), 404);
    assert_eq!(asset("/../Cargo.toml", None, &none).status(), 404);
}

#[test]
fn the_shell_goes_packed_to_who_takes_it_and_is_small() {
    let index = PAGE.text("index.html");
    // A list of files is what `early.js` asks for on dashboards.
    let names = index.split('"').filter(|text| !text.contains(' ')).filter_map(|text| text.split_once("?v="));
    let names = names.filter(|(name, _)| *name != "parts.css");
    let sent = |name: &str, version: Option<&str>, takes: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, takes.parse().expect("a value"));
        let response = file(name, version, &headers);
        assert_eq!((response.status(), header_of(&response, "vary")), (StatusCode::OK, "accept-encoding".into()));
        let size = axum::body::HttpBody::size_hint(response.body()).exact().expect("its length is known");
        (size, header_of(&response, "content-encoding"))
    };
    let all = "gzip, deflate, br, zstd";
    let n_bytes: u64 = names.map(|(name, version)| sent(name, Some(version), all).0).sum();
    assert!(n_bytes + sent("index.html", None, all).0 <= 45_000, "{n_bytes} bytes come before the first paint");
    assert_eq!(sent("core.js", None, all).1, "br");
    assert_eq!(sent("core.js", None, "gzip, br;q=0").1, "gzip");
    assert_eq!(sent("core.js", None, "deflate").1, "");
    let plain = PAGE.get("core.js").expect("it is there");
    let gzip = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
    let (_, packed) = packed("core.js", plain.digest(), &gzip).expect("it is packed");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut unpacked).expect("it is gzip");
    assert_eq!(unpacked, plain.bytes);
    assert_eq!(asset("/core.js.br", None, &HeaderMap::new()).status(), 404);
    assert_eq!(asset("/PACKED", None, &HeaderMap::new()).status(), 404);
}
