//! The validated configuration of a server.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serve::Door;
use types::{Limits, Timestamp};

use super::archives::ArchivesConfig;
use super::error::ConfigError;
use super::layers::{Flags, Layers};
use super::remote_write::RemoteWrite;
use super::ship::ShipConfig;
use super::sign_in::SignInConfig;
use super::tables::TablesConfig;
use super::{archives, bucket, fleet, public_url, tables, values};

/// Settings of `[storage]` that say where the object store is.
const OBJECT_STORE: [&str; 4] =
    ["object_store", "object_store_endpoint", "object_store_region", "object_store_allow_http"];

/// The validated configuration. Each room receives its own part of it by value.
#[derive(Clone)]
pub(crate) struct Config {
    /// The file that settings were read from.
    pub(crate) file: Option<PathBuf>,
    pub(crate) data_dir: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) hosts: Vec<String>,
    /// Where people reach the page, as links in notifications say it.
    pub(crate) public_url: Option<reqwest::Url>,
    pub(crate) trusted_proxies: Vec<ipnet::IpNet>,
    /// How people sign in besides with passwords.
    pub(crate) sign_in: SignInConfig,
    /// Where the door is one under TLS.
    pub(crate) tls: Option<Certificate>,
    pub(crate) store: storage::Options,
    pub(crate) tables: Option<TablesConfig>,
    pub(crate) archives: ArchivesConfig,
    /// The file with the secret that nodes show each other.
    pub(crate) fleet_secret: Option<PathBuf>,
    /// Where other nodes are answered, if not where all are.
    pub(crate) fleet_listen: Option<SocketAddr>,
    pub(crate) limits: Limits,
    /// Disk in bytes for queries that do not fit their memory, all together.
    pub(crate) spill_bytes: u64,
    /// Whether PromQL has what Prometheus calls experimental.
    pub(crate) promql_experimental: bool,
    pub(crate) key_rate_bytes_per_s: Option<u64>,
    pub(crate) time_zone: chrono_tz::Tz,
    /// The directory of formats of programs that are files.
    pub(crate) formats_dir: PathBuf,
    /// The sockets of doors of their own.
    pub(crate) doors: Vec<(Door, Sockets)>,
    pub(crate) xray: XRay,
    /// Definitions of pipelines, checked.
    pub(crate) pipelines: serde_json::Value,
    pub(crate) ship: ShipConfig,
    /// The directory of rule files.
    pub(crate) rules_dir: PathBuf,
    /// The directory of dashboards that are files.
    pub(crate) dashboards_dir: PathBuf,
    pub(crate) alerts: alert::Options,
    pub(crate) remote_write: Option<RemoteWrite>,
    /// How often pushed samples are written again.
    pub(crate) push_interval: std::time::Duration,
    pub(crate) service_graph_interval: Option<std::time::Duration>,
    pub(crate) own_interval: Option<std::time::Duration>,
}

impl fmt::Debug for Config {
    /// Without what may hold keys, such as pipelines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("data_dir", &self.data_dir).finish_non_exhaustive()
    }
}

impl Config {
    /// Returns the certificates of all listeners.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        let of_doors = self.doors.iter().filter_map(|(_, sockets)| sockets.tls.as_ref()?.certificate.as_ref());
        self.tls.iter().chain(of_doors)
    }

    /// Reads every layer and validates all values. All errors are reported: of names, and of the values that have one.
    pub(crate) fn read(flags: &Flags, environment: &[(String, String)]) -> Result<Self, Vec<ConfigError>> {
        let (layers, mut errors) = Layers::read_all(flags, environment);
        match Self::of_layers(&layers) {
            Ok(config) if errors.is_empty() => Ok(config),
            Ok(_) => Err(errors),
            Err(of_values) => {
                errors.extend(of_values);
                Err(errors)
            }
        }
    }

    /// Validates all values; every error is reported.
    pub(crate) fn of_layers(layers: &Layers) -> Result<Self, Vec<ConfigError>> {
        let mut read = values::Reader::new(layers);
        let public_url = public_url::read(&mut read);
        let mut config = Self {
            file: layers.file.clone(),
            data_dir: PathBuf::from(read.text("storage", "dir")),
            listen: (read.parsed("server", "listen", "an address such as 127.0.0.1:22828"))
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 22828))),
            hosts: read.list("server", "hosts"),
            trusted_proxies: read.networks("server", "trusted_proxies"),
            sign_in: SignInConfig::read(&mut read, public_url.as_ref()),
            public_url,
            tls: read_server_certificate(&mut read),
            store: read_store(&mut read),
            tables: tables::read(&mut read),
            archives: archives::read(&mut read),
            fleet_secret: read.optional("fleet", "secret_file").map(PathBuf::from),
            fleet_listen: read_address(&mut read, "fleet", "listen", "10.0.0.1:22829"),
            limits: read_limits(&mut read),
            spill_bytes: read.size("query", "spill"),
            promql_experimental: read.switch("query", "promql_experimental"),
            key_rate_bytes_per_s: read.rate("limits", "key_rate"),
            time_zone: read.parsed("ingest", "time_zone", "a time zone such as Asia/Jakarta").unwrap_or(chrono_tz::UTC),
            formats_dir: read_formats_dir(&mut read, layers.file.as_deref()),
            doors: Door::ALL.map(|door| (door, read_sockets(&mut read, door))).into(),
            xray: read_xray(&mut read),
            pipelines: layers.pipelines.clone(),
            ship: ShipConfig::read(&mut read, layers),
            rules_dir: read_dir(&mut read, ("alerts", "rules_dir"), "rules"),
            dashboards_dir: read_dir(&mut read, ("dashboards", "dir"), "dashboards"),
            alerts: read_alerts(&mut read),
            remote_write: RemoteWrite::read(&mut read),
            push_interval: read_push_interval(&mut read),
            service_graph_interval: read_interval(&mut read, "service_graph"),
            own_interval: read_interval(&mut read, "own_interval"),
        };
        config.hosts.extend(public_url::host(config.public_url.as_ref()).filter(|host| !config.hosts.contains(host)));
        read.require(config.store.flush_bytes >= 1 << 20, "storage", "flush_bytes", "at least 1MiB");
        read.require(config.store.wal_segment_bytes >= 1 << 20, "storage", "wal_segment_bytes", "at least 1MiB");
        read.require(config.limits.event_bytes_max >= 1024, "limits", "max_event_bytes", "at least 1KiB");
        let is_slow = config.store.scrub_interval_ns.is_none_or(|interval_ns| interval_ns >= Timestamp::SECOND);
        read.require(is_slow, "storage", "scrub_interval", "at least 1s, or \"never\"");
        let is_possible =
            config.store.object_store.is_some() || config.store.retention.tiers.cold_place == storage::ColdPlace::Local;
        read.require(is_possible, "retention", "cold_place", "\"local\" unless storage.object_store is set");
        let has_bucket = config.store.fleet.is_none() || config.store.object_store.is_some();
        read.require(has_bucket, "storage", "object_store", "set if fleet.database is set");
        let of_nodes = (config.fleet_secret.is_some(), config.fleet_listen.is_some());
        fleet::require_secret(&mut read, config.store.fleet.as_ref(), of_nodes);
        let is_alone = config.store.fleet.is_none() || !config.store.databases.is_remote();
        read.require(is_alone, "storage", "catalog", "empty if fleet.database is set, which holds the catalog");
        let fits = config.limits.event_bytes_max <= config.limits.body_bytes_max;
        read.require(fits, "limits", "max_body_bytes", "no less than limits.max_event_bytes");
        read.finish(config)
    }
}

/// Reads a directory; the default is the given one in the data directory.
fn read_dir(read: &mut values::Reader<'_>, (section, name): (&'static str, &'static str), default: &str) -> PathBuf {
    let named = read.optional(section, name).map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(read.text("storage", "dir")).join(default))
}

/// Formats of programs lie beside the configuration unless it names another place.
fn read_formats_dir(read: &mut values::Reader<'_>, file: Option<&Path>) -> PathBuf {
    let named = read.optional("ingest", "formats_dir").map(PathBuf::from);
    let beside = || file.and_then(Path::parent).map(|dir| dir.join("formats"));
    named.or_else(beside).unwrap_or_else(|| PathBuf::from(read.text("storage", "dir")).join("formats"))
}

fn read_limits(read: &mut values::Reader<'_>) -> Limits {
    let groups = read.count("limits", "groups");
    read.require(groups >= 1, "limits", "groups", "at least 1");
    Limits {
        groups,
        event_bytes_max: read.size("limits", "max_event_bytes") as usize,
        body_bytes_max: read.size("limits", "max_body_bytes") as usize,
        future_ns_max: read.duration("limits", "max_future"),
        query_memory_bytes: read.size("limits", "query_memory") as usize,
        query_timeout_ns: read.duration("limits", "query_timeout"),
        query_cache_bytes: read.size("query", "cache") as usize,
        queries_memory_bytes: read.size("query", "memory_total") as usize,
        ..Limits::default()
    }
}

/// Where a door listens, and who may send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets {
    pub(crate) udp: Option<SocketAddr>,
    pub(crate) tcp: Option<SocketAddr>,
    pub(crate) tls: Option<TlsSocket>,
    pub(crate) allow: Vec<ipnet::IpNet>,
}

/// The listening address for documents of X-Ray, and the networks that may send them.
#[derive(Clone, Debug, Default)]
pub(crate) struct XRay {
    pub(crate) udp: Option<SocketAddr>,
    pub(crate) allow: Vec<ipnet::IpNet>,
}

/// Where a door listens with TLS, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct TlsSocket {
    pub(crate) address: SocketAddr,
    /// Its own; without one that of `[server]` is shown.
    pub(crate) certificate: Option<Certificate>,
}

/// The files of a certificate and of its key.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    /// By whom certificates of clients have to be, if they are asked for.
    pub(crate) clients: Option<serve::ClientAuthority>,
}

/// Reads where the store is, how much it may use and what makes the server a node of a fleet.
fn read_store(read: &mut values::Reader<'_>) -> storage::Options {
    storage::Options {
        databases: storage::Databases {
            catalog: read.database("storage", "catalog"),
            control: read.database("storage", "control_store"),
        },
        flush_age_ns: read.duration("storage", "flush_age"),
        flush_bytes: read.size("storage", "flush_bytes"),
        wal_segment_bytes: read.size("storage", "wal_segment_bytes"),
        memory_limit_bytes: read.size("storage", "memory_limit"),
        disk_reserve_bytes: read.size("storage", "disk_reserve"),
        scrub_interval_ns: read.duration_or_never("storage", "scrub_interval"),
        object_store: bucket::read(read, "storage", OBJECT_STORE),
        fleet: fleet::read(read),
        read_cache_bytes: read.size("storage", "read_cache"),
        section_cache_bytes: read.size("storage", "section_cache"),
        retention: read_retention(read),
        ..storage::Options::new(read.text("storage", "dir"))
    }
}

/// Reads how long events are kept, and where.
fn read_retention(read: &mut values::Reader<'_>) -> storage::RetentionOptions {
    let (interval_ns, age_ns) = (read.duration("retention", "interval"), read.duration_or_never("retention", "age"));
    read.require(interval_ns >= Timestamp::SECOND, "retention", "interval", "at least 1s");
    let is_long = age_ns.is_none_or(|age_ns| age_ns >= Timestamp::MINUTE);
    read.require(is_long, "retention", "age", "at least 1m, or \"never\"");
    storage::RetentionOptions {
        interval_ns,
        age_ns,
        size: read.size_limit("retention", "size"),
        undo_window_ns: read.duration("retention", "undo_window"),
        tiers: storage::TierOptions {
            warm_after_ns: read.duration_or_never("retention", "warm_after"),
            cold_after_ns: read.duration_or_never("retention", "cold_after"),
            cold_place: read.parsed("retention", "cold_place", "\"local\" or \"object_store\"").unwrap_or_default(),
        },
    }
}

/// Reads an optional address to listen on.
fn read_address(
    read: &mut values::Reader<'_>,
    section: &'static str,
    key: &'static str,
    example: &str,
) -> Option<SocketAddr> {
    read.optional(section, key)?;
    read.parsed(section, key, &format!("an address such as {example}"))
}

/// Reads how often pushed samples are written again; PromQL forgets what is older than five minutes.
fn read_push_interval(read: &mut values::Reader<'_>) -> std::time::Duration {
    let interval_ns = read.duration("pushgateway", "interval");
    let is_possible = (Timestamp::SECOND..=4 * Timestamp::MINUTE).contains(&interval_ns);
    read.require(is_possible, "pushgateway", "interval", "1s to 4m");
    std::time::Duration::from_nanos(interval_ns.unsigned_abs())
}

/// Reads how often metrics of a kind are written, if they are.
fn read_interval(read: &mut values::Reader<'_>, key: &'static str) -> Option<std::time::Duration> {
    let interval_ns = read.duration_or_never("metrics", key);
    let is_possible = interval_ns.is_none_or(|ns| (Timestamp::SECOND..=4 * Timestamp::MINUTE).contains(&ns));
    read.require(is_possible, "metrics", key, "1s to 4m, or \"never\"");
    interval_ns.map(|ns| std::time::Duration::from_nanos(ns.unsigned_abs()))
}

fn read_xray(read: &mut values::Reader<'_>) -> XRay {
    XRay { udp: read_address(read, "xray", "udp", "127.0.0.1:2000"), allow: read.networks("xray", "allow") }
}

fn read_sockets(read: &mut values::Reader<'_>, door: Door) -> Sockets {
    let (section, example) = match door {
        Door::Syslog => ("syslog", "127.0.0.1:514"),
        Door::Gelf => ("gelf", "127.0.0.1:12201"),
        Door::Forward => ("forward", "127.0.0.1:24224"),
        Door::Lumberjack => ("lumberjack", "127.0.0.1:5044"),
        Door::Lines => ("lines", "127.0.0.1:5170"),
    };
    let has_datagrams = matches!(door, Door::Syslog | Door::Gelf);
    let udp = if has_datagrams { read_address(read, section, "udp", example) } else { None };
    let [tcp, tls] = ["tcp", "tls"].map(|key| read_address(read, section, key, example));
    let allow = read.networks(section, "allow");
    let certificate = read_certificate(read, section);
    let is_there = certificate.is_some() || read.optional("server", "tls_cert").is_some();
    let needed = format!("a PEM file if {section}.tls is set and server.tls_cert is not");
    read.require(tls.is_none() || is_there, section, "tls_cert", &needed);
    let tls = tls.map(|address| TlsSocket { address, certificate });
    Sockets { udp, tcp, tls, allow }
}

/// Reads the files of a section's certificate and its key: both or neither.
fn read_certificate(read: &mut values::Reader<'_>, section: &'static str) -> Option<Certificate> {
    let [cert, key] = ["tls_cert", "tls_key"].map(|name| read.optional(section, name).map(PathBuf::from));
    read.require(cert.is_none() || key.is_some(), section, "tls_key", &format!("set if {section}.tls_cert is set"));
    read.require(key.is_none() || cert.is_some(), section, "tls_cert", &format!("set if {section}.tls_key is set"));
    cert.zip(key).map(|(cert, key)| Certificate { cert, key, clients: None })
}

/// Reads the certificate of the server, and by whom those of its clients have to be.
fn read_server_certificate(read: &mut values::Reader<'_>) -> Option<Certificate> {
    let certificate = read_certificate(read, "server");
    let file = read.optional("server", "tls_client_ca").map(PathBuf::from);
    let clients = read.text("server", "tls_clients");
    let is_known = ["optional", "required"].contains(&clients);
    read.require(is_known, "server", "tls_clients", "optional or required");
    let is_under_tls = file.is_none() || certificate.is_some();
    read.require(is_under_tls, "server", "tls_client_ca", "omitted unless server.tls_cert is set");
    let is_required = clients == "required";
    let are_nodes_apart = read.optional("fleet", "node").is_none() || read.optional("fleet", "listen").is_some();
    let needed = "optional in a fleet without fleet.listen, since nodes show no certificate";
    read.require(file.is_none() || !is_required || are_nodes_apart, "server", "tls_clients", needed);
    let clients = file.map(|file| serve::ClientAuthority { file, is_required });
    certificate.map(|certificate| Certificate { clients, ..certificate })
}

/// Reads how rules are evaluated that do not say it, and how channels are told.
fn read_alerts(read: &mut values::Reader<'_>) -> alert::Options {
    let interval_ns = read.duration("alerts", "interval");
    read.require(interval_ns >= Timestamp::SECOND, "alerts", "interval", "at least 1s");
    alert::Options {
        interval_ns,
        group_wait_ns: read.duration("alerts", "group_wait"),
        group_interval_ns: read.duration("alerts", "group_interval"),
        repeat_interval_ns: read.duration("alerts", "repeat_interval"),
        allow_private_addresses: read.switch("alerts", "allow_private_addresses"),
        allow_commands: read.switch("alerts", "allow_commands"),
        ..alert::Options::new(PathBuf::from(read.text("storage", "dir")).join("alerts"))
    }
}
