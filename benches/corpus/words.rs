//! The vocabulary of the corpus: all of it made up.

/// Things of the web site; also the nouns of composed messages.
pub(crate) const NOUNS: &[&str] = &[
    "roast", "harbor", "ledger", "lantern", "meadow", "orchard", "parcel", "quarry", "ripple", "saddle", "tunnel",
    "velvet", "walnut", "anchor", "basket", "canopy", "delta", "ember", "fabric", "garden", "hollow", "island",
    "jacket", "kettle", "ladder", "marble", "needle", "oyster", "pepper", "quiver", "ribbon", "silver", "timber",
    "upland", "violet", "willow", "acorn", "bridge", "cinder", "dragon", "engine", "feather", "glacier", "hammer",
    "indigo", "jungle", "kernel", "lagoon", "mirror", "nutmeg", "olive", "pebble", "rocket", "shelter", "thunder",
    "umbrella", "village", "window", "yonder", "zephyr",
];

/// Verbs of composed messages.
pub(crate) const VERBS: &[&str] = &[
    "accepted", "adjusted", "attached", "balanced", "cancelled", "checked", "closed", "collected", "committed",
    "compared", "copied", "dropped", "enqueued", "evicted", "expired", "fetched", "finished", "granted", "ignored",
    "joined", "leased", "loaded", "mounted", "moved", "opened", "parked", "paused", "pinned", "polled", "promoted",
    "queued", "received", "refreshed", "registered", "released", "removed", "renewed", "replaced", "reported",
    "requested", "resumed", "retired", "returned", "scanned", "scheduled", "sealed", "selected", "signalled",
    "skipped", "started", "stopped", "stored", "switched", "synced", "traced", "trimmed", "unlocked", "updated",
    "verified", "written",
];

/// Subjects of composed messages.
pub(crate) const SUBJECTS: &[&str] = &[
    "lease", "task", "peer", "queue", "worker", "session", "volume", "replica", "sensor", "cursor", "channel",
    "snapshot", "shard", "buffer", "daemon", "port", "fan tray", "power rail", "registry", "scheduler", "listener",
    "policy", "socket", "journal page", "heartbeat", "token", "cache line", "device", "mailbox", "route table",
    "thread", "request", "image", "profile", "window", "counter", "watchdog", "link", "module", "package",
    "descriptor", "container", "planner", "element",
];

/// What a composed message ends with, once or more often.
pub(crate) const TAILS: &[&str] = &[
    "after a short pause",
    "for the current epoch",
    "on behalf of its owner",
    "without a previous record",
    "in the background",
    "as told by the operator",
    "before the deadline",
    "because the quota was reached",
    "from the standby side",
    "while draining",
    "at the second attempt",
    "with reduced priority",
    "under the shared lock",
    "through the fallback path",
    "by the nightly sweep",
    "since nobody asked for it",
    "to keep the balance",
    "in read-only mode",
    "during the handover",
    "until the next round",
    "despite a stale hint",
    "outside the maintenance window",
    "in favour of a newer one",
    "near the configured limit",
];

/// What stands before a slot.
pub(crate) const LABELS: &[&str] = &[
    "id=", "size ", "took ", "from ", "to ", "of ", "slot ", "value=", "no. ", "at ", "seq:", "(", "left: ", "code=",
    "by ", "offset ",
];

/// Parts of component names.
pub(crate) const COMPONENTS: &[&str] = &[
    "store", "sched", "relay", "core", "net", "disk", "auth", "mesh", "pool", "queue", "sync", "gate", "view", "plan",
    "meta", "lease", "index", "cache", "stream", "worker", "router", "keeper", "driver", "broker", "mirror", "loader",
    "tracker", "planner",
];

/// Services at the edge.
pub(crate) const EDGES: [&str; 5] = ["edge-proxy", "api-gateway", "www", "asset-cdn", "office-web"];

/// Microservices with their namespaces.
pub(crate) const MICROS: [(&str, &str); 20] = [
    ("basket", "prod-platform"),
    ("billing", "prod-payments"),
    ("orders", "prod-payments"),
    ("stockroom", "prod-platform"),
    ("showcase", "prod-platform"),
    ("lookup", "prod-platform"),
    ("identity", "prod-platform"),
    ("member-profile", "prod-platform"),
    ("messenger", "prod-platform"),
    ("delivery", "prod-platform"),
    ("suggestions", "prod-platform"),
    ("price-engine", "prod-payments"),
    ("abuse-detector", "prod-payments"),
    ("bookkeeping", "prod-payments"),
    ("mail-worker", "prod-platform"),
    ("picture-resizer", "prod-platform"),
    ("toggles", "prod-platform"),
    ("session-cache", "prod-platform"),
    ("maps", "prod-platform"),
    ("callback-sender", "prod-platform"),
];

/// API paths; `%` stands for a user's number.
pub(crate) const API_PATHS: [&str; 13] = [
    "/api/v1/members/%",
    "/api/v1/members/%/baskets",
    "/api/v1/baskets/%",
    "/api/v1/baskets/%/lines",
    "/api/v1/goods/%",
    "/api/v1/goods/%/ratings?page=1",
    "/api/v2/stock/%/moves",
    "/api/v1/lookup?q=good%&limit=20",
    "/api/v1/sign-in",
    "/api/v1/pay-now",
    "/alive",
    "/api/v1/charges/%/confirm",
    "/gql",
];

/// The paths that most requests ask for, most frequent first.
pub(crate) const TOP_PATHS: [&str; 20] = [
    "/favicon.svg",
    "/assets/styles/main.v2.css",
    "/assets/styles/shared/base.css",
    "/pictures/people/portrait-64.png",
    "/pictures/site/2025/wide/header-dawn.png",
    "/notes/tags/espresso?format=atom",
    "/tools/grinder-reader/manual/",
    "/?format=atom",
    "/",
    "/robots.txt",
    "/pictures/badge.svg",
    "/notes/brewing/filter-basics.html",
    "/tools/scale-reader/",
    "/talks/upcoming/",
    "/notes/water/hardness.html",
    "/pictures/icons/feed.png",
    "/talks/cold-brew-2025/assets/slide-theme.css",
    "/talks/cold-brew-2025/assets/logo-large.png",
    "/about/",
    "/notes/page/2/",
];

/// First parts of the other paths.
pub(crate) const SECTIONS: &[&str] = &[
    "notes",
    "talks",
    "tools",
    "shop",
    "recipes/brewing",
    "archive",
    "notes/water",
    "people",
    "talks/cold-brew-2025/assets",
    "labs",
];

/// Search engines, which do not exist.
pub(crate) const ENGINES: &[&str] =
    &["www.seekwell.example", "find.oyen.example", "www.cari.example", "search.lantern.example"];

/// Crawlers, which do not exist either.
pub(crate) const BOTS: &[&str] = &[
    "SeekwellBot", "OyenCrawler", "CariSpider", "LanternFetch", "PageKeeper", "LinkWeigher", "FeedMonkey",
    "ArchiveSnail", "PixelGull", "RankTurtle",
];

/// Programs that fetch pages.
pub(crate) const TOOLS: &[&str] = &["fetchling", "libgrab", "uptime-probe", "mirrorctl", "health-pinger", "http-kit"];

/// Operating systems as agents spell them.
pub(crate) const PLATFORMS: &[&str] = &[
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "X11; Ubuntu; Linux x86_64",
    "iPhone; CPU iPhone OS 17_4 like Mac OS X",
    "iPad; CPU OS 16_6 like Mac OS X",
    "Linux; Android 14; Handset K2",
    "Linux; Android 13; Tablet T7 Build/TP1A",
    "Windows NT 6.1; WOW64",
    "X11; CrOS x86_64 15633.69",
];

/// First lines of stack traces.
pub(crate) const EXCEPTIONS: [&str; 5] = [
    "store.net.DialException: Connection refused by peer",
    "store.io.BrokenChannelException: channel closed while writing",
    "lang.MissingValueException",
    "store.net.DeadlineException: no answer in 60000 ms while waiting for the channel to become readable",
    "lang.MemoryExhausted: collector overhead above limit",
];

/// Frames of stack traces; `%` stands for a line number.
pub(crate) const FRAMES: [&str; 9] = [
    "store.ipc.Caller$Link.dial(Caller.java:%)",
    "store.ipc.Server$Desk.answer(Server.java:%)",
    "lang.net.TimedSocket.connect(TimedSocket.java:%)",
    "store.block.server.BlockSink.receiveBlock(BlockSink.java:%)",
    "lang.Thread.run(Thread.java:%)",
    "flow.planner.Task.run(Task.scala:%)",
    "lang.pool.WorkerPool.runWorker(WorkerPool.java:%)",
    "lang.nio.ChannelPort.finishConnect(ChannelPort.java:%)",
    "wire.loop.EventLoop.drainSelectedKeys(EventLoop.java:%)",
];

/// Messages of microservices: level, weight, text. Slots: `{method} {route} {status} {ms} {order} {user} {money}
/// {n} {address} {sku}`.
pub(crate) const MICRO_MESSAGES: [(&str, f64, &str); 23] = [
    ("info", 14.0, "call was handled verb={method} route={route} code={status} elapsed={ms}ms"),
    ("info", 8.0, "basket {order} bought by member {user} sum={money} currency=EUR lines={n} via=web"),
    ("info", 7.0, "charge approved for basket {order} sum={money} gateway=gopay"),
    ("debug", 10.0, "store lookup missed key=good:{sku} keep=300s shelf={n}"),
    ("debug", 9.0, "store lookup found key=member:{user} age={ms}ms"),
    ("debug", 6.0, "statement SELECT id, state FROM baskets WHERE member = {user} LIMIT {n} ran {ms}ms"),
    ("info", 6.0, "took message stream=baskets.bought part={n} position={order} behind={n}"),
    ("info", 5.0, "member {user} signed in from {address} otp=true"),
    ("info", 5.0, "set aside {n} pieces of good {sku} in store ham-{n}"),
    ("info", 4.0, "letter queued layout=basket-receipt member={user} letter_id={order}"),
    ("info", 4.0, "sent event kind=BasketBought key={order} to stream baskets.bought"),
    ("info", 3.0, "all dependencies answer count={n} slowest={ms}ms"),
    ("warn", 3.0, "slow statement noticed elapsed={ms}ms limit=500ms table=baskets rows={order}"),
    ("warn", 2.5, "asking upstream {address}:8080 again attempt={n} pause={ms}ms"),
    ("warn", 2.0, "member {user} calls too often allowed=100 window=60s"),
    ("warn", 1.5, "breaker half-open towards {address} failures={n}"),
    ("error", 1.2, "cannot call upstream {address}:9090: dial tcp: connection refused"),
    ("error", 1.0, "upstream {address} gave no answer within {ms}ms: deadline passed"),
    ("error", 0.8, "charge declined for basket {order}: balance too low code={n}"),
    ("error", 0.6, "store error: deadlock found while updating good {sku}, changes rolled back"),
    ("warn", 0.5, "connection refused by {address}, next attempt in {ms}ms"),
    ("error", 0.4, "uncaught exception in desk: MissingValue at BasketDesk.Finish basket={order}"),
    ("fatal", 0.05, "memory exhausted: heap of {order} bytes is above the limit, going down"),
];

/// Routes in the messages of microservices.
pub(crate) const ROUTES: [&str; 8] =
    ["/baskets", "/baskets/{id}", "/stock", "/goods/{sku}", "/sign-in", "/lookup", "/charges", "/members/me"];
