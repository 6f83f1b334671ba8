//! The sixteen systems in numbers: how many statements, how skewed, how long, with which slots and levels.
//!
//! The numbers were measured on samples of real systems of the same kinds; names and texts are made up.

/// The numbers that a system's rows follow.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) share: f64,
    pub(crate) n_types: usize,
    /// Zipf exponent of the types.
    pub(crate) skew: f64,
    pub(crate) n_components: usize,
    pub(crate) component_bytes: usize,
    pub(crate) text_bytes: f64,
    /// How likely a row has literals of its own instead of those of the type's previous row.
    pub(crate) fresh: f64,
    /// Slots per row: addresses, uuids, blocks, decimals, prefixed and plain hexadecimals.
    pub(crate) slots: [f64; 6],
    pub(crate) levels: &'static [(&'static str, f64)],
    pub(crate) texts: &'static [&'static str],
    /// Whether its errors sometimes carry a stack trace.
    pub(crate) throws: bool,
}

#[rustfmt::skip]
pub(crate) const SPECS: [Spec; 16] = [
    Spec { name: "vault", share: 0.18, n_types: 14, skew: 0.7, n_components: 6, component_bytes: 21, text_bytes: 48.0, fresh: 0.043,
        slots: [0.87, 0.0, 1.23, 1.18, 0.0, 0.0], levels: &[("info", 0.96), ("warn", 0.04)],
        texts: &["Taking block {blk} from /{ip}:{i5} for /{ip}:{i5}", "vault.Names.book: replica {ip}:{i5} now holds {blk} of size {i8}",
            "Writer {n} of block {blk} is through", "Served block {blk} to /{ip}", "Dropping {blk} file /srv/vault/cur/part{n}/{blk}"], throws: true },
    Spec { name: "flowcalc", share: 0.12, n_types: 36, skew: 0.9, n_components: 18, component_bytes: 22, text_bytes: 44.5, fresh: 0.60,
        slots: [0.04, 0.0, 0.0, 1.09, 0.0, 0.0], levels: &[("info", 1.0)],
        texts: &["Begin step {n}.{n} of phase {n}.{n} (STEP {i4})", "Clock: whole = {i3}, start = {n}, setup = {n}, end = {n}", "Held part set_{n}_{n} found here"], throws: true },
    Spec { name: "gatekeeper", share: 0.09, n_types: 27, skew: 0.8, n_components: 1, component_bytes: 5, text_bytes: 61.8, fresh: 0.095,
        slots: [0.87, 0.0, 0.0, 0.44, 0.0, 0.0], levels: &[("warn", 0.39), ("error", 0.305), ("info", 0.305)],
        texts: &["Wrong password of root from {ip} port {i5} v2", "gate_pam(knock:auth): sign-in failure; name= uid=0 euid=0 tty=knock user= from={ip}",
            "Visitor {ip} hung up: 11: So long [early]", "Invalid visitor {w}{n} from {ip}"], throws: false },
    Spec { name: "crunch", share: 0.09, n_types: 114, skew: 1.05, n_components: 31, component_bytes: 43, text_bytes: 69.8, fresh: 0.065,
        slots: [0.25, 0.0, 0.003, 1.89, 0.0, 0.002], levels: &[("info", 0.52), ("error", 0.075), ("warn", 0.404), ("fatal", 0.001)],
        texts: &["Peer moved. Was: node-ham-{n}/{ip}:{i4} Is: node-ham-{n}:{i4}", "Share of attempt try_{i13}_{i4}_m_000000_0 is : 0.{i4}",
            "Dialling head again: node-ham-{n}:{i4}. Already tried {n} time(s); policy is FixedPause(limit=10, pause=1000 MILLIS)"], throws: true },
    Spec { name: "hypercloud", share: 0.09, n_types: 43, skew: 1.0, n_components: 10, component_bytes: 27, text_bytes: 61.8, fresh: 0.04,
        slots: [0.61, 0.41, 0.0, 1.67, 0.0, 0.57], levels: &[("info", 0.985), ("warn", 0.015)],
        texts: &["{ip} \"GET /v2/{h32}/machines/detail HTTP/1.1\" code: 200 bytes: {i4} seconds: 0.{i7}",
            "[machine: {uuid}] Machine was {w} after {n}.{i3} s"], throws: false },
    Spec { name: "quorumkeeper", share: 0.07, n_types: 50, skew: 0.95, n_components: 70, component_bytes: 36, text_bytes: 38.4, fresh: 0.009,
        slots: [0.32, 0.0, 0.0, 0.53, 0.10, 0.0], levels: &[("info", 0.335), ("warn", 0.659), ("error", 0.006)],
        texts: &["Stopping the sender", "Lost the line to peer {i3}, own id = {n}, cause = ", "Took a call from /{ip}:{i5}", "Voice: {n} (n.leader), 0x{x9} (n.round)"], throws: true },
    Spec { name: "bigrack", share: 0.06, n_types: 120, skew: 0.95, n_components: 5, component_bytes: 6, text_bytes: 42.9, fresh: 0.105,
        slots: [0.02, 0.0, 0.0, 0.69, 0.17, 0.18], levels: &[("info", 0.798), ("fatal", 0.174), ("warn", 0.004), ("error", 0.024)],
        texts: &["writing core.{i4}", "instruction store parity fault mended", "{i3} double-word slips noticed and mended"], throws: false },
    Spec { name: "hostlog", share: 0.05, n_types: 118, skew: 0.9, n_components: 30, component_bytes: 8, text_bytes: 55.1, fresh: 0.073,
        slots: [0.63, 0.0, 0.0, 0.9, 0.003, 0.01], levels: &[("warn", 0.188), ("info", 0.73), ("error", 0.082)],
        texts: &["call from {ip} () at Sat Jun {n} 07:{n}:{n} 2025", "sign-in failure; name= uid=0 euid=0 tty=NODEV from={ip} user=root"], throws: false },
    Spec { name: "pagehost", share: 0.05, n_types: 6, skew: 0.35, n_components: 1, component_bytes: 8, text_bytes: 45.9, fresh: 0.012,
        slots: [0.02, 0.0, 0.0, 0.42, 0.0, 0.0], levels: &[("info", 0.7025), ("error", 0.2975)],
        texts: &["upkeep.begin() ok /etc/pagehost/helpers.cfg", "mod_glue helper in odd state {n}", "glue2.begin() sees kid {i4} in board seat {n}"], throws: false },
    Spec { name: "gridlog", share: 0.05, n_types: 149, skew: 0.85, n_components: 73, component_bytes: 22, text_bytes: 55.7, fresh: 0.075,
        slots: [0.32, 0.0, 0.0, 1.87, 0.02, 0.0], levels: &[("info", 0.9725), ("warn", 0.02), ("error", 0.0075)],
        texts: &["source_poll() found no answer for the [Hive C{n}] source", "clock set right with {ip}, tier {n}"], throws: false },
    Spec { name: "switchboard", share: 0.03, n_types: 46, skew: 1.0, n_components: 11, component_bytes: 8, text_bytes: 22.9, fresh: 0.05,
        slots: [0.05, 0.0, 0.0, 0.39, 0.01, 0.0], levels: &[("info", 0.7615), ("warn", 0.238), ("error", 0.0005)],
        texts: &["boot (order {i4}) Error: no answer", "Link fault on widebus {n}", "fan speeds ( {i4} {i4} {i4} )"], throws: false },
    Spec { name: "patchdesk", share: 0.03, n_types: 50, skew: 0.85, n_components: 2, component_bytes: 3, text_bytes: 72.6, fresh: 0.02,
        slots: [0.27, 0.01, 0.0, 1.38, 0.26, 0.28], levels: &[("info", 1.0)],
        texts: &["Patch session: {i8}_{i10} opened by desk agent.", "Reading bundle Pack_{n}_for_PD{i7}~{h16}~amd64~~{n}.1.1.0 [STATE = 0x{x8} - MISSING]"], throws: false },
    Spec { name: "maclike", share: 0.03, n_types: 341, skew: 0.65, n_components: 66, component_bytes: 11, text_bytes: 90.6, fresh: 0.13,
        slots: [0.02, 0.0, 0.0, 1.3, 0.24, 0.01], levels: &[("info", 0.822), ("warn", 0.086), ("error", 0.092)],
        texts: &["aide.wifi: own name is my-book-{n}.ham.example"], throws: false },
    Spec { name: "handset", share: 0.03, n_types: 166, skew: 0.9, n_components: 19, component_bytes: 17, text_bytes: 80.8, fresh: 0.053,
        slots: [0.0, 0.0, 0.0, 0.81, 0.06, 0.01], levels: &[("debug", 0.325), ("trace", 0.1285), ("info", 0.46), ("warn", 0.085), ("error", 0.0015)],
        texts: &["paintBar pkg: app.kopi.mixer, sysUi: {n}, flags: 0x{x8}, area: Box(0, 0 - 1080, 1920)", "holdAwake lock={i9}, bits=0x{n}, tag=\"See Bulb\", pkg=app.kopi.sysui"], throws: false },
    Spec { name: "stepcount", share: 0.015, n_types: 75, skew: 0.9, n_components: 20, component_bytes: 12, text_bytes: 33.9, fresh: 0.016,
        slots: [0.0, 0.0, 0.0, 2.25, 0.0, 0.0], levels: &[("info", 0.9955), ("error", 0.001), ("warn", 0.0035)],
        texts: &["onSteady {i4} {i3}", "addUpSum={i13}##{i4}##{i6}##{i4}##{i5}##{i8}"], throws: false },
    Spec { name: "tunneler", share: 0.015, n_types: 8, skew: 0.8, n_components: 32, component_bytes: 12, text_bytes: 77.6, fresh: 0.48,
        slots: [0.01, 0.0, 0.0, 2.1, 0.0, 0.0], levels: &[("info", 0.9515), ("warn", 0.04), ("error", 0.0085)],
        texts: &["relay.ham.example:{i4} end, {i4} bytes out, {i5} bytes in, lived {n}:{n}", "{w}-{w}.{w}.example:443 begin through tunnel relay.ham.example:{i4} SAFE"], throws: false },
];
