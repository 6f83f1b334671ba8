//! Builds a server out of its rooms, runs it, and takes it down in order.

pub(crate) mod certificate;
pub(crate) mod data_dir;
pub(crate) mod rules;
pub(crate) mod signals;
mod sockets;
mod xray;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use alert::metrics::Metrics;
use alert::{Alerts, RuleSet};
use ingest::Intake;
use serve::{Access, App};
use storage::{Clock, Recovery, Store};
use tables::Tables;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::service_manager;
use certificate::load_certificate;
use data_dir::{admin_key, make_data_dir};
use rules::{make_default_rules, read_rules};
use signals::reload_on_hangup;

/// Interval at which a node of a fleet reads the keys and pipelines that others have set.
const FOLLOW_PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// Stack of a thread besides what its work on queries takes, in bytes.
const OWN_STACK_BYTES: usize = 2 << 20;

/// A server whose rooms are open and whose port is bound, not yet answering.
pub(crate) struct PreparedServer {
    pub(crate) app: App,
    pub(crate) store: Arc<Store>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) recovery: Recovery,
    pub(crate) listener: std::net::TcpListener,
    pub(crate) others: serve::OtherListeners,
    pub(crate) tables: Option<Arc<Tables>>,
}

impl PreparedServer {
    /// Returns the URL of the server.
    pub(crate) fn url(&self) -> String {
        let address = self.listener.local_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string());
        url_at(self.app.tls.is_some(), &address)
    }
}

/// Opens everything a server needs. What is cheap to find wrong is looked at first, so that a mistake leaves
/// nothing behind.
pub(crate) fn prepare(
    config: &Config,
    allow_anonymous: bool,
    read_again: impl Fn() -> Result<Config> + Send + Sync + 'static,
) -> Result<PreparedServer> {
    let must_have_keys = !config.listen.ip().is_loopback() && !allow_anonymous;
    // A fleet's keys are in its database, which is asked below.
    if must_have_keys && config.store.fleet.is_none() && !config.data_dir.join("STORE").exists() {
        return Err(no_keys(config));
    }
    crate::formats::check_formats(&config.data_dir)?;
    crate::program_formats::install_formats(&config.formats_dir);
    let tls = config.tls.as_ref().map(load_certificate).transpose()?;
    let listener = bind(config.listen, "choose another address with --listen 127.0.0.1:PORT")?;
    let others = bind_others(config, tls.as_ref())?;
    let address = address_of(&listener)?;
    let for_nodes = address_of(others.nodes.as_ref().unwrap_or(&listener))?;
    make_data_dir(&config.data_dir)?;
    let clock = Clock::system();
    let (store, recovery) =
        Store::open(store_options(config, for_nodes, &clock)).map_err(|error| Failure::usage(error.to_string()))?;
    let keys = serve::Keys::open(store.clone(), config.key_rate_bytes_per_s, clock.now())
        .map_err(|error| Failure::usage(error.to_string()))?;
    types::ensure!(!must_have_keys || !keys.admits_anonymous(), no_keys(config));
    let admin_key = admin_key(&config.data_dir)?;
    note_address(config, address);
    make_default_rules(&config.rules_dir)?;
    let rules = read_rules(&config.rules_dir).map_err(Failure::usage)?;
    let cache = Arc::new(execute::PartialCache::new(config.limits.query_cache_bytes));
    let metrics = start_metrics(config, &store, &rules, &clock, address, &cache)?;
    let clocks = Arc::new(ingest::Clocks::default());
    let intake = Intake::new(store.clone(), config.limits.clone(), parse::Zone::Named(config.time_zone))
        .with_clocks(clocks.clone());
    let intake = Arc::new(intake);
    intake.configure_pipelines(&config.pipelines).map_err(Failure::usage)?;
    let alerts = start_alerts((config, address), &intake, &store, rules, (&clock, &clocks), &cache)?;
    let reload = reload(&intake, &alerts, read_again);
    let keys = Arc::new(keys);
    if config.store.fleet.is_some() {
        follow_settings(&keys, &intake, &clock);
    }
    let app = App {
        intake: intake.clone(),
        alerts: alerts.clone(),
        metrics: metrics.clone(),
        cache,
        spill: open_spill(config)?,
        archives: config.archives.open(config.time_zone, &config.limits, &clock),
        limits: config.limits.clone(),
        reload: Some(reload),
        examine: None,
        access: Access { admin_key: Some(admin_key.into()), allow_anonymous, ..access_of(config, address) },
        sign_in: config.sign_in.open().map_err(Failure::usage)?,
        keys,
        tls,
        fleet: link_to_nodes(config)?,
        own_samples: own_samples(config, for_nodes),
        dashboards_dir: Some(config.dashboards_dir.clone()),
        map_file: config.data_dir.join("map.slices"),
        clock,
        n_threads: std::thread::available_parallelism().map_or(1, usize::from),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let tables = config.tables.as_ref().map(|tables| Tables::start(store.clone(), tables.options(&config.data_dir)));
    let tables = tables.transpose().map_err(|problem| Failure::usage(format!("tables.url: {problem}")))?;
    Ok(PreparedServer { app, store, intake, alerts, metrics, recovery, listener, others, tables })
}

fn own_samples(config: &Config, address: std::net::SocketAddr) -> serve::OwnSamples {
    serve::OwnSamples {
        pushes: config.push_interval,
        service_graph: config.service_graph_interval,
        metrics: config.own_interval,
        instance: crate::links::instance(config, address),
    }
}

/// Returns what reads pipelines and rules again.
fn reload(
    intake: &Arc<Intake>,
    alerts: &Arc<Alerts>,
    read_again: impl Fn() -> Result<Config> + Send + Sync + 'static,
) -> serve::Reload {
    let (intake, alerts) = (intake.clone(), alerts.clone());
    Arc::new(move || {
        let config = read_again().map_err(|failure| failure.message.to_owned())?;
        // Both are read before either holds: a mistake in one changes nothing.
        let rules = read_rules(&config.rules_dir)?;
        intake.configure_pipelines(&config.pipelines)?;
        alerts.replace(rules).map_err(|error| error.to_string())
    })
}

/// Binds all sockets except that of HTTP.
fn bind_others(config: &Config, of_door: Option<&Arc<serve::Tls>>) -> Result<serve::OtherListeners> {
    let nodes = config.fleet_listen.map(|address| bind(address, "choose another address in [fleet] listen"));
    let doors = sockets::bind(&config.doors, of_door)?;
    Ok(serve::OtherListeners { doors, xray: xray::bind(&config.xray)?, nodes: nodes.transpose()? })
}

/// Returns the way to the other nodes of the fleet; none on a machine of its own, and where nodes have no secret.
fn link_to_nodes(config: &Config) -> Result<Option<Arc<serve::FleetLink>>> {
    let (Some(fleet), Some(secret_file)) = (&config.store.fleet, &config.fleet_secret) else { return Ok(None) };
    let secret = crate::config::fleet::read_secret(secret_file).map_err(Failure::usage)?;
    let link = serve::FleetLink::new(fleet.clone(), secret).map_err(Failure::other)?;
    Ok(Some(Arc::new(if config.fleet_listen.is_some() { link.with_listener() } else { link })))
}

/// Follows what other nodes of the fleet set: a key revoked on any node is invalid here, and a pipeline made there holds
/// here, within a second.
fn follow_settings(keys: &Arc<serve::Keys>, intake: &Arc<Intake>, clock: &Clock) {
    let (keys, intake, clock) = (Arc::downgrade(keys), Arc::downgrade(intake), clock.clone());
    std::thread::spawn(move || {
        let mut problem = None;
        while let (Some(keys), Some(intake)) = (keys.upgrade(), intake.upgrade()) {
            // While the database is away, the known keys and pipelines stay valid.
            if let Err(error) = keys.reload(clock.now()) {
                tracing::debug!(%error, "keys of other nodes are not known");
            }
            let next = intake.follow_pipelines().err();
            if let Some(error) = next.as_ref().filter(|_| next != problem) {
                tracing::warn!(error, "pipelines of other nodes are not known");
            }
            problem = next;
            drop((keys, intake));
            std::thread::sleep(FOLLOW_PAUSE);
        }
    });
}

/// Opens the disk for queries that do not fit their memory, and deletes what a killed server may have left there.
fn open_spill(config: &Config) -> Result<Option<Arc<execute::SpillSpace>>> {
    let dir = config.data_dir.join("spill");
    let opened = execute::SpillSpace::open(&dir, config.spill_bytes, config.store.disk_reserve_bytes);
    let opened = opened.map_err(|error| Failure::other(format!("{}: {error}", dir.display())))?;
    Ok((config.spill_bytes > 0).then_some(opened))
}

/// Why a server that others reach is not started before there is a key.
fn no_keys(config: &Config) -> Failure {
    let first = match config.store.fleet {
        Some(_) => {
            "start this node with --listen 127.0.0.1:22828 and run: catat keys create --name ME --role operate; \
                    then all nodes have the key"
                .to_owned()
        }
        None => format!("catat keys create --data-dir {} --name ME --role operate", config.data_dir.display()),
    };
    Failure::usage(format!(
        "{} can be reached from other machines, and no key exists yet.\n\
         Create one first: {first}\n\
         Or listen on 127.0.0.1 (the default), or serve without keys with --insecure-allow-anonymous.",
        config.listen
    ))
}

/// Returns what access is decided by as far as settings say it.
fn access_of(config: &Config, address: std::net::SocketAddr) -> Access {
    Access {
        addresses: vec![address.ip()],
        hosts: config.hosts.clone(),
        is_public: config.public_url.as_ref().is_some_and(crate::config::public_url::is_elsewhere)
            || config.sign_in.is_set(),
        proxies: config.trusted_proxies.clone().into(),
        ..Access::default()
    }
}

fn store_options(config: &Config, address: std::net::SocketAddr, clock: &Clock) -> storage::Options {
    let (mut options, clock) = (config.store.clone(), clock.clone());
    // A node on its own accepts one request after the other.
    options.repeat_finder = options.fleet.as_ref().map(|_| ingest::span::repeated_spans as _);
    if let Some(fleet) = &mut options.fleet
        && fleet.address.is_empty()
        && !address.ip().is_unspecified()
    {
        fleet.address = url_at(config.tls.is_some(), &address);
    }
    storage::Options { groups_max: config.limits.groups, clock, ..options }
}

fn bind(address: std::net::SocketAddr, next: &str) -> Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there (another catat?); ",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need root; ",
            _ => "",
        };
        Failure::usage(format!("cannot listen on {address}: {error}\n{reason}{next}"))
    })?;
    listener.set_nonblocking(true).map_err(|error| Failure::other(error.to_string()))?;
    Ok(listener)
}

fn address_of(listener: &std::net::TcpListener) -> Result<std::net::SocketAddr> {
    listener.local_addr().map_err(|error| Failure::other(error.to_string()))
}

/// Writes down where the server answers, for commands that are given the data directory. One that cannot be written
/// costs them their way here and nothing else.
fn note_address(config: &Config, mut address: std::net::SocketAddr) {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let url = url_at(config.tls.is_some(), &address);
    let _ = storage::create_file(&config.data_dir.join("address")).and_then(|mut file| writeln!(file, "{url}"));
}

/// Returns the URL of an address, with TLS or without.
fn url_at(has_tls: bool, address: &dyn std::fmt::Display) -> String {
    format!("{}://{address}", if has_tls { "https" } else { "http" })
}

fn start_alerts(
    (config, address): (&Config, std::net::SocketAddr),
    intake: &Arc<Intake>,
    store: &Arc<Store>,
    rules: RuleSet,
    (clock, clocks): (&Clock, &Arc<ingest::Clocks>),
    cache: &Arc<execute::PartialCache>,
) -> Result<Arc<Alerts>> {
    let mut options = config.alerts.clone();
    // Who reaches a server that listens on this machine alone is here already.
    options.allow_private_addresses |= config.listen.ip().is_loopback();
    options.base_url = crate::links::base_url(config, address);
    options.clock = clock.clone();
    let clocks = clocks.clone();
    options.clock_offsets = Some(Arc::new(move || clocks.certain()));
    options.cache = Some(cache.clone());
    options.sink = Some(Arc::new(series::StoreSink::new(intake.clone())));
    Alerts::start(store.clone(), rules, options).map_err(|error| Failure::usage(error.to_string()))
}

fn start_metrics(
    config: &Config,
    store: &Arc<Store>,
    rules: &RuleSet,
    clock: &Clock,
    address: std::net::SocketAddr,
    cache: &Arc<execute::PartialCache>,
) -> Result<Arc<Metrics>> {
    let options = alert::metrics::Options {
        files: rules.metrics.clone(),
        recordings: rules.recordings.clone(),
        interval_ns: config.alerts.interval_ns,
        cache: Some(cache.clone()),
        remote: config.remote_write.as_ref().map(|remote| remote.to(address.to_string())),
        ..alert::metrics::Options::new(config.alerts.dir.clone(), clock.clone())
    };
    Metrics::start(store.clone(), options).map_err(|error| Failure::usage(error.to_string()))
}

/// Serves until a signal comes, then ends in order: no new requests, no new evaluations, the store last.
pub(crate) fn run(prepared: PreparedServer, stop_first: impl FnOnce()) -> Result<()> {
    let url = prepared.url();
    let PreparedServer { app, store, intake, alerts, metrics, listener, others, tables, .. } = prepared;
    let published = tables.clone();
    let (clock, keys) = (app.clock.clone(), app.keys.clone());
    let reload = app.reload.clone();
    let failed = |error: std::io::Error| Failure::other(error.to_string());
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // Who asks a query works on it. Of a stack only what was used takes memory.
    runtime.thread_stack_size(execute::STACK_BYTES + OWN_STACK_BYTES).on_thread_start(execute::take_part);
    let runtime = runtime.enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let of_doors = others.doors.iter().filter_map(|(_, sockets)| Some(&sockets.tls.as_ref()?.1));
        let certificates = app.tls.iter().chain(of_doors).cloned().collect();
        let reloading = tokio::spawn(reload_on_hangup(certificates, reload));
        // The socket is bound, and the store read: whoever connects is answered.
        service_manager::ready(&format!("serves {url}"));
        let living = tokio::spawn(service_manager::live());
        // As a task it runs on the threads of connections; this one would have to be woken for each of them.
        let served =
            tokio::spawn(serve::serve(store.clone(), app, others, tables, listener, service_manager::stop_signal()))
                .await;
        reloading.abort();
        living.abort();
        served.map_err(std::io::Error::from).flatten().map_err(failed)
    })?;
    stop_first();
    published.iter().for_each(|tables| tables.close());
    alerts.stop();
    metrics.stop();
    if let Err(error) = intake.sources.keep_changes(&store, clock.now()) {
        say!("catat: names of shippers not saved; shippers send them again ({error})");
    }
    if let Err(error) = keys.keep_uses(clock.now()) {
        say!("catat: time of last use of keys not saved ({error})");
    }
    if let Err(error) = store.close() {
        // No reason to end as if something were lost: what was accepted is durable in the WAL.
        say!("catat: {error}");
        say!("  events accepted since the last flush stay in the write-ahead log and are read back at the next start");
    }
    Ok(())
}

/// Returns the state directory of the shipper in this process.
pub(crate) fn ship_dir(config: &Config) -> PathBuf {
    config.data_dir.join("ship")
}
