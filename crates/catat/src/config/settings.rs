//! The table of all settings: the only place that knows their names and defaults.

use std::path::PathBuf;

use definition::edit_distance;

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// The address of a database, which may hold a password; empty for none.
    Database,
    List,
    Size,
    Duration,
    /// A duration, or `never`.
    DurationOrNever,
    Count,
    /// `true` or `false`.
    Switch,
    /// A key or password, which is not shown; empty for none.
    Secret,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) section: &'static str,
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// The value when nobody says anything; empty for the data directory, which depends on who asks.
    default: &'static str,
}

const fn setting(section: &'static str, key: &'static str, kind: Kind, default: &'static str) -> Setting {
    Setting { section, key, kind, default }
}

/// All settings, in the order of `config/catat.toml`, which documents each with its reason.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("server", "listen", Kind::Text, "127.0.0.1:22828"),
    setting("server", "hosts", Kind::List, ""),
    setting("server", "public_url", Kind::Text, ""),
    setting("server", "trusted_proxies", Kind::List, "127.0.0.0/8,::1"),
    setting("server", "tls_cert", Kind::Text, ""),
    setting("server", "tls_key", Kind::Text, ""),
    setting("server", "tls_client_ca", Kind::Text, ""),
    setting("server", "tls_clients", Kind::Text, "optional"),
    setting("sign_in", "roles", Kind::List, ""),
    setting("sign_in", "proxy_header", Kind::Text, ""),
    setting("sign_in", "proxy_groups_header", Kind::Text, ""),
    setting("sign_in", "proxy_networks", Kind::List, ""),
    setting("oidc", "issuer", Kind::Text, ""),
    setting("oidc", "name", Kind::Text, ""),
    setting("oidc", "client_id", Kind::Text, ""),
    setting("oidc", "client_secret", Kind::Secret, ""),
    setting("oidc", "client_secret_file", Kind::Text, ""),
    setting("oidc", "scopes", Kind::List, "openid,profile,email"),
    setting("oidc", "user_claim", Kind::Text, "preferred_username"),
    setting("oidc", "groups_claim", Kind::Text, "groups"),
    setting("storage", "dir", Kind::Text, ""),
    setting("storage", "catalog", Kind::Database, ""),
    setting("storage", "control_store", Kind::Database, ""),
    setting("storage", "flush_age", Kind::Duration, "10m"),
    setting("storage", "flush_bytes", Kind::Size, "128MiB"),
    setting("storage", "wal_segment_bytes", Kind::Size, "64MiB"),
    setting("storage", "memory_limit", Kind::Size, "512MiB"),
    setting("storage", "disk_reserve", Kind::Size, "64MiB"),
    setting("storage", "scrub_interval", Kind::DurationOrNever, "7d"),
    setting("storage", "object_store", Kind::Text, ""),
    setting("storage", "object_store_endpoint", Kind::Text, ""),
    setting("storage", "object_store_region", Kind::Text, ""),
    setting("storage", "object_store_allow_http", Kind::Switch, "false"),
    setting("storage", "read_cache", Kind::Size, "1GiB"),
    setting("storage", "section_cache", Kind::Size, "128MiB"),
    setting("fleet", "database", Kind::Database, ""),
    setting("fleet", "node", Kind::Text, ""),
    setting("fleet", "advertise", Kind::Text, ""),
    setting("fleet", "secret_file", Kind::Text, ""),
    setting("fleet", "listen", Kind::Text, ""),
    setting("fleet", "zone", Kind::Text, ""),
    setting("fleet", "roles", Kind::List, "ingest,query,upkeep,alert,page"),
    setting("fleet", "linger", Kind::Duration, "250ms"),
    setting("fleet", "object_bytes", Kind::Size, "8MiB"),
    setting("tables", "url", Kind::Text, ""),
    setting("tables", "endpoint", Kind::Text, ""),
    setting("tables", "region", Kind::Text, ""),
    setting("tables", "allow_http", Kind::Switch, "false"),
    setting("tables", "groups", Kind::List, "*"),
    setting("tables", "interval", Kind::Duration, "1m"),
    setting("tables", "keep", Kind::Duration, "1d"),
    setting("archives", "groups", Kind::List, ""),
    setting("archives", "memory", Kind::Size, "128MiB"),
    setting("retention", "interval", Kind::Duration, "1m"),
    setting("retention", "age", Kind::DurationOrNever, "never"),
    setting("retention", "size", Kind::Text, "80%"),
    setting("retention", "undo_window", Kind::Duration, "24h"),
    setting("retention", "warm_after", Kind::DurationOrNever, "1d"),
    setting("retention", "cold_after", Kind::DurationOrNever, "7d"),
    setting("retention", "cold_place", Kind::Text, "local"),
    setting("limits", "groups", Kind::Count, "10000"),
    setting("limits", "max_event_bytes", Kind::Size, "1MiB"),
    setting("limits", "max_body_bytes", Kind::Size, "64MiB"),
    setting("limits", "max_future", Kind::Duration, "24h"),
    setting("limits", "query_memory", Kind::Size, "256MiB"),
    setting("limits", "query_timeout", Kind::Duration, "60s"),
    setting("limits", "key_rate", Kind::Text, "never"),
    setting("query", "cache", Kind::Size, "64MiB"),
    setting("query", "memory_total", Kind::Size, "512MiB"),
    setting("query", "spill", Kind::Size, "16GiB"),
    setting("query", "promql_experimental", Kind::Switch, "false"),
    setting("ingest", "time_zone", Kind::Text, "UTC"),
    setting("ingest", "formats_dir", Kind::Text, ""),
    setting("syslog", "udp", Kind::Text, ""),
    setting("syslog", "tcp", Kind::Text, ""),
    setting("syslog", "tls", Kind::Text, ""),
    setting("syslog", "allow", Kind::List, ""),
    setting("syslog", "tls_cert", Kind::Text, ""),
    setting("syslog", "tls_key", Kind::Text, ""),
    setting("gelf", "udp", Kind::Text, ""),
    setting("gelf", "tcp", Kind::Text, ""),
    setting("gelf", "tls", Kind::Text, ""),
    setting("gelf", "allow", Kind::List, ""),
    setting("gelf", "tls_cert", Kind::Text, ""),
    setting("gelf", "tls_key", Kind::Text, ""),
    setting("forward", "tcp", Kind::Text, ""),
    setting("forward", "tls", Kind::Text, ""),
    setting("forward", "allow", Kind::List, ""),
    setting("forward", "tls_cert", Kind::Text, ""),
    setting("forward", "tls_key", Kind::Text, ""),
    setting("lumberjack", "tcp", Kind::Text, ""),
    setting("lumberjack", "tls", Kind::Text, ""),
    setting("lumberjack", "allow", Kind::List, ""),
    setting("lumberjack", "tls_cert", Kind::Text, ""),
    setting("lumberjack", "tls_key", Kind::Text, ""),
    setting("lines", "tcp", Kind::Text, ""),
    setting("lines", "tls", Kind::Text, ""),
    setting("lines", "allow", Kind::List, ""),
    setting("lines", "tls_cert", Kind::Text, ""),
    setting("lines", "tls_key", Kind::Text, ""),
    setting("xray", "udp", Kind::Text, ""),
    setting("xray", "allow", Kind::List, ""),
    setting("pushgateway", "interval", Kind::Duration, "15s"),
    setting("ship", "url", Kind::List, ""),
    setting("ship", "key_file", Kind::Text, ""),
    setting("ship", "key", Kind::Secret, ""),
    setting("ship", "ca_file", Kind::Text, ""),
    setting("ship", "tls_cert", Kind::Text, ""),
    setting("ship", "tls_key", Kind::Text, ""),
    setting("ship", "state_dir", Kind::Text, ""),
    setting("ship", "gone_bytes", Kind::Size, "1GiB"),
    setting("alerts", "rules_dir", Kind::Text, ""),
    setting("alerts", "interval", Kind::Duration, "30s"),
    setting("alerts", "group_wait", Kind::Duration, "5s"),
    setting("alerts", "group_interval", Kind::Duration, "5m"),
    setting("alerts", "repeat_interval", Kind::Duration, "4h"),
    setting("alerts", "allow_private_addresses", Kind::Switch, "false"),
    setting("alerts", "allow_commands", Kind::Switch, "false"),
    setting("dashboards", "dir", Kind::Text, ""),
    setting("metrics", "service_graph", Kind::DurationOrNever, "never"),
    setting("metrics", "own_interval", Kind::DurationOrNever, "30s"),
    setting("metrics", "remote_write", Kind::Text, ""),
    setting("metrics", "remote_write_interval", Kind::Duration, "15s"),
    setting("metrics", "remote_write_own", Kind::Switch, "false"),
    setting("metrics", "remote_write_user", Kind::Text, ""),
    setting("metrics", "remote_write_password", Kind::Secret, ""),
    setting("metrics", "remote_write_token", Kind::Secret, ""),
];

impl Setting {
    /// Returns a value as it may be shown: without a password, also where none is expected.
    pub(crate) fn shown(&self, value: &str) -> String {
        match self.kind {
            Kind::Database | Kind::Secret if value.is_empty() => String::new(),
            Kind::Secret => "not shown".to_owned(),
            #[cfg(feature = "server")]
            Kind::Database => {
                let url = value.parse().map(|url: storage::DatabaseUrl| url.to_string());
                url.unwrap_or_else(|_| "not shown".to_owned())
            }
            #[cfg(not(feature = "server"))]
            Kind::Database => "not shown".to_owned(),
            _ if value.contains("://") && value.contains(['@', '?']) => "not shown".to_owned(),
            // A path may be a secret there, as in addresses of channels.
            _ if self.key == "remote_write" && !value.is_empty() => types::SecretUrl(value).to_string(),
            _ => value.to_owned(),
        }
    }

    /// Returns the value as TOML; `None` for a value that is not shown.
    pub(crate) fn as_toml(&self, value: &str) -> Option<String> {
        let shown = self.shown(value);
        if shown != value {
            return None;
        }
        let text = |text: &str| toml::Value::from(text).to_string();
        Some(match self.kind {
            Kind::List => {
                let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
                format!("[{}]", items.map(text).collect::<Vec<_>>().join(", "))
            }
            Kind::Switch if matches!(value, "true" | "false") => value.to_owned(),
            Kind::Count if value.parse::<u64>().is_ok() => value.to_owned(),
            _ => text(value),
        })
    }

    /// Returns the default value.
    pub(crate) fn default_value(&self) -> String {
        if (self.section, self.key) == ("storage", "dir") {
            return default_data_dir().to_string_lossy().into_owned();
        }
        self.default.to_owned()
    }
}

/// `/var/lib/catat` for root, else below the user's XDG data directory.
fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/catat");
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    data.unwrap_or_else(|| PathBuf::from(".")).join("catat")
}

/// Finds a setting by its names.
pub(crate) fn find(section: &str, key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.section == section && setting.key == key)
}

/// Returns the setting whose name looks most like `name`, if one is close.
pub(crate) fn nearest(name: &str) -> Option<String> {
    let names = SETTINGS.iter().map(|setting| format!("{}.{}", setting.section, setting.key));
    let close = names.map(|known| (edit_distance(&known, name), known)).min()?;
    (close.0 <= 2 + name.chars().take(64).count() / 5).then_some(close.1)
}
