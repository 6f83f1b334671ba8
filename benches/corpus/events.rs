//! The four kinds of events.

use std::fmt::Write as _;

use super::json::Object;
use super::pools::{Pools, Service};
use super::random::{Distribution, Random};
use super::systems::{Piece, Slot, System, systems};
use super::vocabulary::Vocabulary;
use super::{DAY_START_S, words};

/// What all events are made from.
pub(crate) struct Kinds {
    vocabulary: Vocabulary,
    pools: Pools,
    systems: Vec<System>,
    by_system: Distribution,
    by_micro_message: Distribution,
    by_block: Distribution,
}

/// What recurs within a chunk: open traces and the storage blocks that many messages speak of.
pub(crate) struct Locality {
    blocks: Vec<i64>,
    /// Trace id and the span that events of the trace name as their parent.
    traces: Vec<(u128, u64)>,
}

/// Blocks spoken of at a time, and open traces.
const N_BLOCKS: usize = 3000;
const N_TRACES: usize = 64;

impl Kinds {
    pub(crate) fn new(vocabulary: Vocabulary) -> Kinds {
        let (systems, by_system) = systems(&vocabulary);
        let weights = vocabulary.micro_messages.iter().map(|&(_, weight, _)| weight);
        Kinds {
            by_micro_message: Distribution::of_weights(weights),
            by_block: Distribution::zipf(N_BLOCKS, 0.8),
            pools: Pools::new(&vocabulary),
            systems,
            by_system,
            vocabulary,
        }
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    pub(crate) fn locality(&self, random: &mut Random) -> Locality {
        Locality {
            blocks: (0..N_BLOCKS).map(|_| random.next() as i64 / 2).collect(),
            traces: (0..N_TRACES).map(|_| (wide(random), random.next())).collect(),
        }
    }

    /// Appends one event and returns its kind and level.
    pub(crate) fn write_event(
        &self,
        time_ns: u64,
        needle: Option<&str>,
        locality: &mut Locality,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) -> (&'static str, &'static str) {
        let needle = needle.map(|token| format!(" ref={token}")).unwrap_or_default();
        let share = random.unit();
        let [web, app, micro] = self.vocabulary.passed_shares;
        if share < web {
            ("web", self.write_web(time_ns, &needle, random, out))
        } else if share < app {
            ("app", self.write_app(time_ns, &needle, locality, random, out))
        } else if share < micro {
            ("micro", self.write_micro(time_ns, &needle, locality, random, out))
        } else {
            ("flow", self.write_flow(time_ns, &needle, random, out))
        }
    }

    fn write_web(&self, time_ns: u64, needle: &str, random: &mut Random, out: &mut Vec<u8>) -> &'static str {
        let pools = &self.pools;
        let edge = pools.edges.pick(random);
        let status = *pools.statuses.pick(random);
        let is_api = edge.name == self.vocabulary.edges[1];
        let user = pools.user(pools.users.pick(random));
        let (method, path) = if is_api {
            let path = self.vocabulary.api_paths[pools.api_paths.pick(random)].replace('%', &user.to_string());
            (*pools.methods.pick(random), path)
        } else {
            (if random.unit() < 0.97 { "GET" } else { "HEAD" }, pools.paths.pick(random).clone())
        };
        let n_bytes = if matches!(status, 304 | 204) { 0 } else { response_bytes(random) };
        let duration_ms = duration_ms(random) * if status == 504 { 20.0 } else { 1.0 };
        let level = if status >= 500 {
            "error"
        } else if status >= 400 {
            "warn"
        } else {
            "info"
        };

        let mut event = Object::open(&self.vocabulary.names, out);
        event.text("timestamp", &timestamp(time_ns, 3));
        event.text("level", level);
        event.text("service", edge.name);
        event.text("host", pools.hosts.pick(random));
        event.text("message", &format!("{method} {path} HTTP/1.1 {status} {n_bytes}{needle}"));
        event.text("client_ip", pools.public_ips.pick(random));
        event.text("method", method);
        event.text("path", &path);
        event.plain("status", status);
        event.plain("bytes", n_bytes);
        event.decimal("duration_ms", duration_ms);
        event.text("referer", pools.referers.pick(random));
        event.text("user_agent", pools.agents.pick(random));
        event.text("pod", random.of_slice::<String>(&edge.pods));
        event.text("namespace", edge.namespace);
        if is_api {
            event.text("trace_id", &format!("{:032x}", wide(random)));
            if random.unit() < 0.6 {
                event.text("user_id", &format!("u{user}"));
            }
        }
        event.close_line();
        level
    }

    fn write_app(
        &self,
        time_ns: u64,
        needle: &str,
        locality: &Locality,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) -> &'static str {
        let system = &self.systems[self.by_system.pick(random)];
        let row = random.of_slice(&system.rows);
        let mut message = String::with_capacity(160);
        let short_number = (duration_ms(random) * 1000.0) as u64;
        let filling = Filling { kinds: self, locality, short_number, is_public: system.is_public };
        for (slot_idx, piece) in row.pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => message += text,
                Piece::Slot(slot) => filling.fill(*slot, slot_idx, random, &mut message),
            }
        }
        if system.throws && matches!(row.level, "error" | "fatal") && random.unit() < 0.15 {
            append_stack_trace(random, &mut message);
        }
        message += needle;

        let pid = 1000 + self.pools.users.pick(random) % 30_000;
        let mut event = Object::open(&self.vocabulary.names, out);
        event.text("timestamp", &timestamp(time_ns, 3));
        event.text("level", row.level);
        event.text("service", system.name);
        event.text("host", self.pools.hosts.pick(random));
        event.text("message", &message);
        event.text("component", &row.component);
        event.plain("pid", pid);
        event.text("thread", &format!("lane-{}-worker-{}", random.below(7), random.below(32)));
        event.text("event_id", &row.event_id);
        event.text("env", if random.unit() < 0.85 { "prod" } else { "staging" });
        self.vocabulary.extras.iter().for_each(|extra| extra.write(&mut event, random));
        event.close_line();
        row.level
    }

    fn write_micro(
        &self,
        time_ns: u64,
        needle: &str,
        locality: &mut Locality,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) -> &'static str {
        let pools = &self.pools;
        let service: &Service = pools.micros.pick(random);
        let (level, _, template) = self.vocabulary.micro_messages[self.by_micro_message.pick(random)];
        let span = random.next();
        if random.unit() < 0.22 {
            let replaced = random.below(N_TRACES as u64) as usize;
            locality.traces[replaced] = (wide(random), span);
        }
        let (trace, parent) = *random.of_slice(&locality.traces);
        let (slowness, status) = match level {
            "info" | "debug" => (1.0, 200),
            "warn" => (6.0, 429),
            _ => (6.0, 503),
        };
        let duration_ms = duration_ms(random) * slowness;
        let user = pools.user(pools.users.pick(random));
        let method = *pools.methods.pick(random);
        let host = pools.hosts.pick(random);
        let message = self.micro_message(template, method, status, duration_ms, user, random) + needle;

        let mut event = Object::open(&self.vocabulary.names, out);
        event.text("timestamp", &timestamp(time_ns, 9));
        event.text("level", level);
        event.text("service", service.name);
        event.text("host", host);
        event.text("message", &message);
        event.text("trace_id", &format!("{trace:032x}"));
        event.text("span_id", &format!("{span:016x}"));
        event.text("parent_span_id", &format!("{parent:016x}"));
        event.text("user_id", &format!("u{user}"));
        event.plain("status", status);
        event.text("method", method);
        event.decimal("duration_ms", duration_ms);
        event.text("pod", random.of_slice::<String>(&service.pods));
        event.text("namespace", service.namespace);
        event.text("version", &service.version);
        event.text("region", random.word(&["ap-south-1", "eu-central-1", "us-east-1"]));
        event.plain("k8s", format_args!("{{\"node\":\"{host}\",\"container\":\"{}\"}}", service.name));
        event.close_line();
        level
    }

    fn micro_message(
        &self,
        template: &str,
        method: &str,
        status: u16,
        duration_ms: f64,
        user: usize,
        random: &mut Random,
    ) -> String {
        // One number for all small slots of a message, as in the logs that this follows.
        let small = 1 + random.below(12);
        let order = 10_000_000 + random.below(90_000_000);
        let mut message = String::with_capacity(96);
        let mut rest = template;
        while let Some((before, slot, after)) = next_slot(rest) {
            message += before;
            let written = match slot {
                "method" => write!(message, "{method}"),
                "route" => write!(message, "{}", random.word(&self.vocabulary.routes)),
                "status" => write!(message, "{status}"),
                "ms" => write!(message, "{}", duration_ms as u64),
                "order" => write!(message, "{order}"),
                "user" => write!(message, "{user}"),
                "money" => write!(message, "{:.2}", response_bytes(random) as f64 / 100.0),
                "address" => write!(message, "{}", self.pools.private_ips.pick(random)),
                "sku" => write!(message, "SKU-{:05}", self.pools.paths.by.pick(random)),
                _ => write!(message, "{small}"),
            };
            written.expect("a String takes every write");
            rest = after;
        }
        message + rest
    }

    fn write_flow(&self, time_ns: u64, needle: &str, random: &mut Random, out: &mut Vec<u8>) -> &'static str {
        const PORTS: [u16; 8] = [443, 80, 22, 5432, 6379, 53, 9092, 3306];
        let pools = &self.pools;
        let start_s = DAY_START_S + time_ns / 1_000_000_000;
        let source_port = 1024 + random.below(64_000);
        let port = PORTS[((-random.unit().max(1e-9).ln() * 1.6) as usize).min(7)];
        let response = response_bytes(random);
        let n_packets = 1 + response % 500;
        let n_bytes = response + 40 * n_packets;
        let (action, level) = if random.unit() < 0.93 { ("ACCEPT", "info") } else { ("REJECT", "warn") };
        let interface = format!("eni-0{:015x}", 0xb71_0000_0000u64 + random.below(200) * 7723);
        let source = pools.public_ips.pick(random);
        let target = pools.private_ips.pick(random);
        let message = format!(
            "2 210987654321 {interface} {source} {target} {source_port} {port} 6 {n_packets} {n_bytes} {start_s} {} {action} OK{needle}",
            start_s + 60
        );

        let mut event = Object::open(&self.vocabulary.names, out);
        event.text("timestamp", &timestamp(time_ns, 9));
        event.text("level", level);
        event.text("service", "net-flow");
        event.text("host", pools.hosts.pick(random));
        event.text("message", &message);
        event.text("interface_id", &interface);
        event.text("client_ip", source);
        event.text("dst_addr", target);
        event.plain("src_port", source_port);
        event.plain("dst_port", port);
        event.plain("protocol", 6);
        event.plain("packets", n_packets);
        event.plain("bytes", n_bytes);
        event.text("action", action);
        event.close_line();
        level
    }
}

/// What the slots of one message are filled from.
struct Filling<'a> {
    kinds: &'a Kinds,
    locality: &'a Locality,
    /// The message's one measurement, from which its short numbers derive.
    short_number: u64,
    is_public: bool,
}

impl Filling<'_> {
    /// Fills one slot. Short numbers cluster as durations do, long ones are fresh.
    fn fill(&self, slot: Slot, slot_idx: usize, random: &mut Random, message: &mut String) {
        let pools = &self.kinds.pools;
        let written = match slot {
            Slot::Address if self.is_public && slot_idx > 2 => {
                write!(message, "{}", random.of_slice(&pools.public_ips.values))
            }
            Slot::Address => write!(message, "{}", pools.private_ips.pick(random)),
            Slot::Block => write!(message, "blk_{}", self.locality.blocks[self.kinds.by_block.pick(random)]),
            Slot::Uuid => {
                let hex = format!("{:032x}", wide(random));
                write!(message, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
            }
            Slot::Digits(n) => {
                let lowest = 10u64.pow(u32::from(n) - 1);
                let number = if n < 6 { self.short_number + slot_idx as u64 } else { random.next() };
                write!(message, "{}", number % (9 * lowest) + lowest)
            }
            Slot::Prefixed(n) | Slot::Hex(n) => {
                let hex = format!("{:032x}{:032x}", wide(random), wide(random));
                write!(message, "{}", &hex[..usize::from(n)])
            }
        };
        written.expect("a String takes every write");
    }
}

/// Splits a text at its first `{slot}` of lower-case letters.
fn next_slot(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('{')?;
    let close = open + text[open..].find('}')?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

fn append_stack_trace(random: &mut Random, message: &mut String) {
    message.push('\n');
    message.push_str(random.word(&words::EXCEPTIONS));
    for _ in 0..3 + random.below(9) {
        message.push_str("\n\tat ");
        message.push_str(&random.word(&words::FRAMES).replace('%', &(100 + random.below(900)).to_string()));
    }
}

fn wide(random: &mut Random) -> u128 {
    (u128::from(random.next()) << 64) | u128::from(random.next())
}

fn response_bytes(random: &mut Random) -> u64 {
    random.log_normal(8.5, 1.8) as u64
}

fn duration_ms(random: &mut Random) -> f64 {
    (random.log_normal(3.2, 1.1) * 1000.0).round() / 1000.0
}

/// RFC 3339 with `n_decimals` decimals of the second (3 or 9).
fn timestamp(time_ns: u64, n_decimals: usize) -> String {
    let (second, fraction) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    match n_decimals {
        3 => format!("2026-11-19T{hour:02}:{minute:02}:{second:02}.{:03}Z", fraction / 1_000_000),
        _ => format!("2026-11-19T{hour:02}:{minute:02}:{second:02}.{fraction:09}Z"),
    }
}
