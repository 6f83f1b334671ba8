//! Black-box tests: everything here drives the release executable the way a user or a program would.
//!
//! One binary for all of them, one module per subject. Each test has a scratch directory of its own, talks to its own
//! server on a port the kernel chose, and leaves nothing behind. No test sleeps to make something true: waiting is
//! asking again until a deadline, and a deadline that passes is a failure with the server's output in it.

#[path = "../benches/corpus.rs"]
#[allow(dead_code, reason = "shared with the benches, which use the rest of it")]
mod corpus;

#[path = "it/server.rs"]
mod server;

#[path = "it/doors.rs"]
mod doors;

#[path = "it/forward.rs"]
mod forward;
#[path = "it/kafka.rs"]
mod kafka;
#[path = "it/lab.rs"]
mod lab;

#[path = "it/access.rs"]
mod access;
#[path = "it/alert.rs"]
mod alert;
#[path = "it/archive.rs"]
mod archive;
#[path = "it/backup.rs"]
mod backup;
#[path = "it/bad_input.rs"]
mod bad_input;
#[path = "it/bombs.rs"]
mod bombs;
#[path = "it/clock.rs"]
mod clock;
#[path = "it/command_line.rs"]
mod command_line;
#[path = "it/connections.rs"]
mod connections;
#[path = "it/conservation.rs"]
mod conservation;
#[path = "it/consistency.rs"]
mod consistency;
#[path = "it/corpus_facts.rs"]
mod corpus_facts;
#[path = "it/damage.rs"]
mod damage;
#[path = "it/databases.rs"]
mod databases;
#[path = "it/doctor.rs"]
mod doctor;
#[path = "it/documents.rs"]
mod documents;
#[path = "it/durability.rs"]
mod durability;
#[path = "it/erase.rs"]
mod erase;
#[path = "it/expansion.rs"]
mod expansion;
#[path = "it/export.rs"]
mod export;

#[path = "it/faults.rs"]
mod faults;
#[path = "it/files.rs"]
mod files;
#[path = "it/fleet.rs"]
mod fleet;
#[path = "it/fleet_commands.rs"]
mod fleet_commands;
#[path = "it/formats.rs"]
mod formats;
#[path = "it/full.rs"]
mod full;
#[path = "it/import.rs"]
mod import;
#[path = "it/ingest_query.rs"]
mod ingest_query;
#[path = "it/laptop.rs"]
mod laptop;
#[path = "it/ledger.rs"]
mod ledger;
#[path = "it/loki.rs"]
mod loki;
#[path = "it/manual_pages.rs"]
mod manual_pages;
#[path = "it/memory.rs"]
mod memory;
#[path = "it/object_store.rs"]
mod object_store;
#[path = "../crates/database/src/postgres/testing.rs"]
mod postgres;
#[path = "it/power.rs"]
mod power;
#[path = "it/pull.rs"]
mod pull;
#[path = "it/queries.rs"]
mod queries;
#[path = "it/real_logs.rs"]
mod real_logs;
#[path = "it/refusals.rs"]
mod refusals;
#[path = "it/rotation.rs"]
mod rotation;
#[path = "it/secrets.rs"]
mod secrets;
#[path = "it/security.rs"]
mod security;
#[path = "it/send.rs"]
mod send;
#[path = "it/senders.rs"]
mod senders;
#[path = "it/service.rs"]
mod service;
#[path = "it/service_graph.rs"]
mod service_graph;
#[path = "it/ship_again.rs"]
mod ship_again;
#[path = "it/ship_config.rs"]
mod ship_config;
#[path = "it/ship_inputs.rs"]
mod ship_inputs;
#[path = "it/ship_kills.rs"]
mod ship_kills;
#[path = "it/ship_network.rs"]
mod ship_network;
#[path = "it/start.rs"]
mod start;
#[path = "it/sweep.rs"]
mod sweep;
#[path = "it/tidy.rs"]
mod tidy;
#[path = "it/tls.rs"]
mod tls;
#[path = "it/up.rs"]
mod up;
#[path = "it/upgrade.rs"]
mod upgrade;
#[path = "it/upkeep.rs"]
mod upkeep;
