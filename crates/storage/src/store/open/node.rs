//! Opening a store as a node of a fleet: nothing of it is in the data directory but copies.

use std::sync::Arc;
use std::time::Instant;

use super::directory::prepare_node_directory;
use super::opened::{OpenedStore, Work};
use super::scope::FIRST_SEQUENCE;
use crate::batch_ids::{Age, ValidEntries};
use crate::catalog::postgres::PostgresCatalog;
use crate::catalog::postgres::fleet::members::Membership;
use crate::control::ControlStore;
use crate::control::postgres::{PostgresControl, states};
use crate::deletion::Receipts;
use crate::fleet::collector::{Collector, Places};
use crate::fleet::follower::Follower;
use crate::fleet::{self, FleetOptions};
use crate::maintenance::Maintenance;
use crate::segments::files::SegmentFiles;
use crate::segments::{Segments, SegmentsParts};
use crate::state::State;
use crate::writer::Writer;
use crate::{OpenError, Options, Recovery};

/// Joins the fleet.
pub(super) fn open(options: Options, node: FleetOptions) -> Result<OpenedStore, OpenError> {
    let began = Instant::now();
    let url = &node.database;
    types::ensure!(options.object_store.is_some(), OpenError::ObjectStore("a fleet needs one".into()));
    let store = fleet::identity(url)?;
    let (lock, created) = prepare_node_directory(&options.dir, store)?;
    let maintenance = Maintenance::open(&options.dir, &store, &options.clock);
    let now = options.clock.now();
    let age = Age::new(now, &options.clock);
    let member = Arc::new(Membership::new(node.clone()));
    let catalog = PostgresCatalog::join(url, store, member.clone(), FIRST_SEQUENCE)?;
    let mut control: Box<dyn ControlStore> = Box::new(PostgresControl::open(url, store, false)?);
    let state = State {
        retentions: crate::control::retentions(&mut *control)?,
        trims: crate::control::trims(&mut *control)?,
        ..State::default()
    };
    let files = SegmentFiles::new(&options, store).map_err(OpenError::ObjectStore)?;
    let receipts = Receipts::new();
    let catalog = Box::new(catalog);
    let parts = SegmentsParts { options, store, files, maintenance, age, state, catalog, control, receipts };
    let segments = Arc::new(Segments::new(parts));
    let writer = Arc::new(Writer::new(segments.clone()));
    let connect = || PostgresCatalog::connect(url, store);
    let follower = Arc::new(Follower::new(segments.clone(), writer.clone(), member, (connect()?, states(url, store)?)));
    let (listing, mut renewing, mut sweeping) = (connect()?, connect()?, connect()?);
    follower.member.renew(&mut renewing)?;
    follower.meet(&mut renewing)?;
    segments.set_follower(follower.clone());
    let mut recovery = Recovery { created, ..Recovery::default() };
    if let Err(error) = segments.catch_up() {
        // It goes on by itself; questions say what is missing until then.
        tracing::warn!(%error, "this node does not have all events yet");
    }
    recovery.elapsed = began.elapsed();
    let does_upkeep = node.does("upkeep");
    let collector = Collector {
        segments: segments.clone(),
        writer: writer.clone(),
        follower: follower.clone(),
        database: listing,
        options: node,
        places: Places::default(),
        away: None,
    };
    let (kept, following) = (segments.clone(), (segments.clone(), follower.clone()));
    let threads: Vec<(&'static str, Work)> = vec![
        ("wal-writer", Box::new(move || collector.run())),
        ("catalog", Box::new(move || fleet::follow(&following.0, &following.1, &mut sweeping, does_upkeep))),
        ("lease", Box::new(move || fleet::run_heartbeat(&kept, &follower, &mut renewing))),
    ];
    Ok(OpenedStore { segments, writer, threads, batch_files: ValidEntries::default(), recovery, lock })
}
