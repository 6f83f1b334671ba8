//! Layers, places of errors, and that the documentation tells the truth.

use super::error::ConfigError;
use super::settings::{Kind, SETTINGS};
use super::*;

fn read(file: &str, environment: &[(&str, &str)], flags: Flags) -> Result<Config, Vec<String>> {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("catat.toml");
    std::fs::write(&path, file).expect("a scratch file");
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let flags = Flags { config: Some(path), ..flags };
    let shown = |errors: Vec<ConfigError>| {
        let relative = |error: ConfigError| error.to_string().replace(&format!("{}/", directory.path().display()), "");
        errors.into_iter().map(relative).collect::<Vec<String>>()
    };
    Layers::read(&flags, &environment).and_then(|layers| Config::of_layers(&layers)).map_err(shown)
}

fn check_error(file: &str, expected: &str) {
    let errors = read(file, &[], Flags::default()).expect_err("an error");
    assert!(errors.iter().any(|error| error == expected), "{errors:?}");
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n[storage]\nflush_age = \"1m\"\nflush_bytes = \"2MiB\"\n";
    let config = read(file, &[], Flags::default()).expect("valid");
    assert_eq!((config.listen.port(), config.store.flush_bytes), (1, 2 << 20));
    assert_eq!(config.store.disk_reserve_bytes, 64 << 20);
    let environment = [("CATAT_LISTEN", "127.0.0.1:2"), ("CATAT_STORAGE__FLUSH_AGE", "2m")];
    let config = read(file, &environment, Flags::default()).expect("valid");
    assert_eq!((config.listen.port(), config.store.flush_age_ns), (2, 120_000_000_000));
    let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
    assert_eq!(read(file, &environment, flags).expect("valid").listen.port(), 3);
}

#[test]
fn an_object_store_is_described_whole_or_refused() {
    let with = |lines: &str| read(&format!("[storage]\n{lines}"), &[], Flags::default());
    assert!(with("").expect("valid").store.object_store.is_none());
    let config = with("object_store = \"s3://logs/x\"\nobject_store_region = \"eu-west-1\"\n").expect("valid");
    let object_store = config.store.object_store.expect("described");
    assert_eq!((&*object_store.url, object_store.region.as_deref()), ("s3://logs/x", Some("eu-west-1")));
    assert_eq!((object_store.endpoint, object_store.allow_http, config.store.read_cache_bytes), (None, false, 1 << 30));
    let allowed = "object_store = \"s3://logs\"\nobject_store_endpoint = \"http://127.0.0.1:9000\"\n";
    assert!(with(&format!("{allowed}object_store_allow_http = true")).expect("valid").store.object_store.is_some());
    check_error(
        &format!("[storage]\n{allowed}"),
        "catat.toml:3: storage.object_store_endpoint: \"http://127.0.0.1:9000\" has no TLS, so anyone on the way \
         can read all events; use https, or allow it with object_store_allow_http = true",
    );
    check_error(
        "[storage]\nobject_store = \"logs\"",
        "catat.toml:2: storage.object_store: \"logs\" is no address of a bucket; write s3://BUCKET or s3://BUCKET/PREFIX",
    );
    check_error(
        "[storage]\n\nobject_store_region = \"eu-west-1\"",
        "catat.toml:3: storage.object_store_region: must be omitted unless storage.object_store is set",
    );
    check_error(
        "[storage]\nobject_store_allow_http = \"perhaps\"",
        "catat.toml:2: storage.object_store_allow_http: \"perhaps\" is neither true nor false",
    );
}

#[test]
fn errors_name_the_place_and_the_next_step() {
    check_error(
        "[retention]\ncold_place = \"object_store\"",
        "catat.toml:2: retention.cold_place: must be \"local\" unless storage.object_store is set",
    );
    check_error("[server]\ntls_cert = \"cert.pem\"", "default: server.tls_key: must be set if server.tls_cert is set");
    check_error(
        "[retention]\ncold_place = \"moon\"",
        "catat.toml:2: retention.cold_place: \"moon\" is not \"local\" or \"object_store\"",
    );
    check_error(
        "[storage]\nflush_agee = \"1m\"",
        "catat.toml:2: unknown setting \"storage.flush_agee\"; did you mean \"storage.flush_age\"?",
    );
    check_error(
        "\n[storage]\nflush_bytes = \"12 parsecs\"",
        "catat.toml:3: storage.flush_bytes: \"12 parsecs\" is no size; write 64MiB, 1.5GB or 4096",
    );
    check_error(
        "[limits]\nmax_event_bytes = \"65MiB\"",
        "default: limits.max_body_bytes: must be no less than limits.max_event_bytes",
    );
    check_error(
        "listen = 3",
        "catat.toml:1: \"listen\" is outside a section; settings belong under [server], [storage], …",
    );
    check_error(
        "[ingest]\ntime_zone = \"Mars/Base\"",
        "catat.toml:2: ingest.time_zone: \"Mars/Base\" is not a time zone such as Asia/Jakarta",
    );
}

#[test]
fn inputs_are_checked_with_the_file_and_mistakes_have_their_line() {
    let inputs = |file: &str| read(file, &[], Flags::default()).expect("valid").ship.inputs();
    let two = "[[input]]\npaths = \"/a\"\n[[input]]\ntype = \"stdin\"\n";
    assert_eq!(inputs(two).iter().map(|input| input.kind).collect::<Vec<_>>(), ["files", "stdin"]);
    assert_eq!(inputs("").len(), 0);
    check_error(
        "[[input]]\npaths = \"/a\"\n\n[[input]]\nname = \"b\"\npath = \"/b\"\n",
        "catat.toml:6: input[1].path: unknown key \"path\"; did you mean \"paths\"?",
    );
    check_error(
        "[ship]\nurl = \"logs.example.com\"",
        "catat.toml:2: ship.url: must be an address such as https://logs.example.com:22828",
    );
    check_error(
        "[ship]\nkey = \"k\"\nkey_file = \"f\"",
        "catat.toml:3: ship.key_file: must be omitted if ship.key is set",
    );
}

#[test]
fn a_provider_and_a_proxy_are_described_whole_or_refused() {
    let whole = "[server]\npublic_url = \"https://logs.example.org\"\n[sign_in]\nroles = [\"staff = read app/*\", \"* = read\"]\n\
                 [oidc]\nissuer = \"https://id.example.org\"\nclient_id = \"catat\"\n";
    let config = read(whole, &[("CATAT_OIDC__CLIENT_SECRET", "s")], Flags::default()).expect("valid");
    assert!(config.sign_in.is_set());
    assert!(!read("", &[], Flags::default()).expect("valid").sign_in.is_set());
    check_error(
        &whole.replace("public_url", "# "),
        "default: server.public_url: must be set if oidc.issuer is set: the provider sends people back there",
    );
    check_error(
        &whole.replace("roles", "# "),
        "default: sign_in.roles: must be set if oidc.issuer or sign_in.proxy_header is: without roles no one may sign in with them",
    );
    check_error(
        &whole.replace("= read app/*", "= root"),
        "catat.toml:4: sign_in.roles: \"staff = root\": the roles are read, operate and admin; write \"GROUP = ROLE\" or \
         \"GROUP = ROLE app/* web/*\"",
    );
    check_error(
        &whole.replace("https://id", "http://id"),
        "catat.toml:6: oidc.issuer: \"http://id.example.org\" has no TLS, so anyone on the way can sign in as anyone; use https",
    );
    check_error(&whole.replace("client_id", "# "), "default: oidc.client_id: must be set if oidc.issuer is set");
    check_error("[oidc]\nclient_id = \"a\"", "default: oidc.issuer: must be set if oidc.client_id is set");
    check_error(
        &format!("{whole}client_secret = \"a\"\nclient_secret_file = \"b\""),
        "catat.toml:9: oidc.client_secret_file: must be omitted if oidc.client_secret is set",
    );
    check_error(&format!("{whole}scopes = [\"email\"]"), "catat.toml:8: oidc.scopes: must be a list with \"openid\"");
    let proxy = "[sign_in]\nroles = [\"* = read\"]\nproxy_header = \"X-User\"\nproxy_networks = [\"10.0.0.7\"]\n";
    assert!(read(proxy, &[], Flags::default()).expect("valid").sign_in.is_set());
    check_error(
        &proxy.replace("proxy_networks", "# "),
        "default: sign_in.proxy_networks: must be set if sign_in.proxy_header is set: the addresses of the proxy",
    );
    check_error(
        &proxy.replace("X-User", "Cookie"),
        "catat.toml:3: sign_in.proxy_header: \"Cookie\" is not a header such as X-Forwarded-User",
    );
    check_error(
        "[sign_in]\nproxy_groups_header = \"X-Groups\"",
        "catat.toml:2: sign_in.proxy_groups_header: must be omitted unless sign_in.proxy_header is set",
    );
}

#[test]
fn the_secret_of_the_provider_is_read_from_its_file_and_never_shown() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("secret");
    let text = format!(
        "[server]\npublic_url = \"https://logs.example.org/catat\"\n[sign_in]\nroles = [\"* = read\"]\n[oidc]\n\
         issuer = \"https://id.example.org\"\nclient_id = \"catat\"\nclient_secret_file = \"{}\"\n",
        path.display()
    );
    let config = read(&text, &[], Flags::default()).expect("valid");
    let open = || config.sign_in.open();
    assert!(open().is_err_and(|why| why.starts_with(&format!("oidc.client_secret_file {}: ", path.display()))));
    std::fs::write(&path, "\n").expect("a scratch file");
    assert!(open().is_err_and(|why| why.ends_with("the file is empty; write the secret into it")));
    std::fs::write(&path, "of this application\n").expect("a scratch file");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let provider = open().expect("it has a secret").oidc.expect("a provider");
    assert_eq!(provider.callback().as_str(), "https://logs.example.org/catat/api/v1/session/oidc/callback");
    assert_eq!(provider.name(), "id.example.org");
    assert!(!format!("{provider:?}").contains("of this application"));
    let setting = settings::find("oidc", "client_secret").expect("a setting");
    assert_eq!((setting.shown("x").as_str(), setting.as_toml("x")), ("not shown", None));
}

#[test]
fn the_documented_inputs_are_inputs() {
    let documented = include_str!("../../../../config/catat.toml");
    let (_, inputs) = documented.split_once("#   [[input]]").expect("inputs are documented");
    let lines = inputs.lines().map_while(|line| if line.is_empty() { Some("") } else { line.strip_prefix("#") });
    let file: String = std::iter::once("[[input]]").chain(lines).map(|line| format!("{line}\n")).collect();
    assert!(read(&file, &[], Flags::default()).expect("valid").ship.inputs().len() >= 2);
}

#[test]
fn several_errors_are_reported_at_once() {
    let errors = read("[server]\nlisten = \"x\"\n[limits]\ngroups = \"many\"\n", &[], Flags::default());
    assert_eq!(errors.expect_err("errors").len(), 2);
}

#[test]
fn the_documented_file_names_every_setting_with_its_default() {
    let documented = include_str!("../../../../config/catat.toml");
    for setting in SETTINGS {
        let default = setting.default_value();
        let value = match setting.kind {
            Kind::List => {
                let items = default.split(',').filter(|item| !item.is_empty()).map(|item| format!("\"{item}\""));
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
            Kind::Count | Kind::Switch => default,
            _ if (setting.section, setting.key) == ("storage", "dir") => "\"/var/lib/catat\"".into(),
            _ => format!("\"{default}\""),
        };
        let line = format!("# {} = {value}", setting.key);
        assert!(documented.lines().any(|known| known == line), "config/catat.toml lacks the line {line}");
    }
    let uncommented: String = documented
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|l| l.contains(" = ")).unwrap_or(line))
        .map(|l| format!("{l}\n"))
        .collect();
    assert!(read(&uncommented, &[], Flags::default()).is_ok());
}
