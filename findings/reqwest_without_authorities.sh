#!/bin/sh
# reqwest 0.13.5 with rustls-platform-verifier 0.7.1 (crates.io) makes no client at all on a machine without certificates of
# authorities, as slim images of Debian are: Client::builder().build() is an error, even where only http:// is asked for. With reqwest
# 0.12.24 and its bundled roots (rustls-tls-webpki-roots) the same machine has a client. An HTTP client that shall work there
# has to be built again with tls_certs_only([]), which believes no https:// address.
#
# Prints what was seen and ends with 0 while that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --name finding
cat >>Cargo.toml <<'TOML'
reqwest = { version = "=0.13.5", default-features = false, features = ["blocking", "rustls-no-provider"] }
rustls-platform-verifier = "=0.7.1"
reqwest12 = { package = "reqwest", version = "=0.12.24", default-features = false, features = ["blocking", "rustls-tls-webpki-roots"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std"] }
TOML
cat >src/main.rs <<'RUST'
use std::error::Error;

fn shown<T, E: Error>(what: &str, built: Result<T, E>) {
    let end = built.map(|_| "a client".to_owned()).unwrap_or_else(|error| {
        let mut end: &dyn Error = &error;
        while let Some(source) = end.source() {
            end = source;
        }
        format!("error: {end}")
    });
    println!("{what}: {end}");
}

fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("the first");
    shown("0.13.5", reqwest::blocking::Client::builder().build());
    shown("0.13.5, none believed", reqwest::blocking::Client::builder().tls_certs_only([]).build());
    shown("0.12.24, bundled", reqwest12::blocking::Client::builder().build());
}
RUST
cargo build --quiet
mkdir none
: >none.pem
SSL_CERT_FILE="$folder/none.pem" SSL_CERT_DIR="$folder/none" cargo run --quiet --offline | tee seen
grep -qxF '0.13.5: error: unexpected error: No CA certificates were loaded from the system' seen
grep -qxF '0.13.5, none believed: a client' seen
grep -qxF '0.12.24, bundled: a client' seen
