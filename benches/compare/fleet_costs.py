#!/usr/bin/env python3
"""What a fleet costs on paper: prints benches/fleet-costs.md from measurements, list prices and what is assumed.

usage: fleet_costs.py > ../fleet-costs.md
"""
import math

GB, TB, DAY_S, MIB, DAYS = 1e9, 1e12, 86_400, 1 << 20, 30

# Measured: value, and where.
MEASURED = {
    "mb_per_cpu_s": (108.2, "raw MB per CPU-second of one machine, flushed and compacted", "RESULTS.md, compare, 2026-11-23, d3fef58d"),
    "stored": (0.0597, "bytes kept per raw byte", "the same row"),
    "upkeep": (0.395, "share of that CPU that flush and compaction take; the rest is receiving", "run A"),
    "follow": (0.104, "CPU that each further node takes for the same events, in that of one machine", "run A"),
    "wal": (0.187, "bytes of objects of accepted events per raw byte", "run A; its texts compress worse than those of RESULTS.md"),
    "flush_raw": (0.72, "raw bytes per byte of `flush_bytes` that become one segment", "run D; 0.80 in run A, with the default of 128 MiB"),
    "row_us": (1.0, "CPU-microseconds per row of the catalog that a node reads, on the node and once more in PostgreSQL", "run B"),
    "scan_us": (0.1, "CPU-microseconds in PostgreSQL per row that it scans for retired groups and does not return", "run E"),
    "segment_kb": (31, "kB of memory per segment and node", "run B; segments of 18 kB with five groups each, larger ones may take more"),
    "row_bytes": (227, "bytes in PostgreSQL per row of a segment or of a group in it, with indexes", "run B"),
    "commits": (163, "objects a second listed by three nodes, `linger = 1ms`, everything on two cores", "run C"),
}

# List prices in USD without discounts, region us-east-1, 30 days of 24 hours.
PRICES = {
    "storage_gb": (0.023, "S3 Standard, a GB and month, first 50 TB; 0.022 for the next 450 TB", "aws.amazon.com/s3/pricing as devnotes.tech quotes it, read 23 November 2026"),
    "put": (5e-6, "S3 PUT or part of an upload", "the same"),
    "get": (0.4e-6, "S3 GET or HEAD; DELETE is free", "the same"),
    "vcpu_h": (0.0408, "vCPU-hour of EC2 m7g with 4 GiB (m7g.large 0.0816; other sizes in proportion)", "factualminds.com, On-Demand prices of 17 June 2026"),
    "db_small_h": (0.130, "RDS PostgreSQL db.t4g.medium in two zones, an hour", "infratally.com, 2026"),
    "db_large_h": (0.956, "RDS PostgreSQL db.r8g.xlarge in two zones, an hour (twice 0.478); 2xlarge in proportion", "usage.ai, June 2026"),
    "db_gb": (0.23, "RDS gp3 storage in two zones, a GB and month (twice 0.115)", "usage.ai, June 2026"),
    "zone_gb": (0.01, "traffic between zones, a GB in one direction; traffic with S3 in the region is free", "usage.ai, 2 June 2026"),
}

# Assumed: groups with events in every flush, streams in all groups, share of the nodes that are in another zone than the database,
# questions a day and GETs of each, bytes of a row and of a file's position in PostgreSQL's protocol, seconds of a GET.
GROUPS, STREAMS, FAR, QUESTIONS, GETS_EACH, WIRE_BYTES, POSITION_BYTES, GET_S = 20, 1000, 2 / 3, 10_000, 100, 75, 150, 0.03
# Assumed: share of the bytes that shippers send, raw bytes of a file until it is rotated, raw bytes of a batch with an id of the others.
SHIPPED, FILE_BYTES, BATCH_BYTES = 0.5, 1e9, 1e6
# Assumed: peaks as a multiple of the mean, share of upkeep that is compaction. Read from the code: compaction rests three times as long as it works.
PEAK, COMPACTION, COMPACTION_CORES = 2, 0.5, 0.25
FIXED_GIB = 1.5
PART_BYTES, PUT_BYTES_MAX, FULL_BYTES, MERGED_BYTES = 8 * MIB, 32 * MIB, 16 * MIB, 24 * MIB

# TB a day, nodes, vCPUs of each, flush_bytes in GiB, linger in s, the database's size in those of db_large (0: db_small).
SIZES = [(1, 3, 2, 1, 0.25, 0), (1, 3, 2, 1, 1, 0), (1, 2, 1, 1, 1, 0), (10, 3, 4, 4, 1, 1), (100, 6, 16, 4, 1, 2)]


def measured(name):
    return MEASURED[name][0]


def price(name):
    return PRICES[name][0]


class Fleet:
    """A fleet of one size, with everything that follows from its size."""

    def __init__(self, tb, nodes, vcpus, flush_gib, linger, database, file_bytes=FILE_BYTES):
        self.tb, self.nodes, self.vcpus, self.linger, self.database = tb, nodes, vcpus, linger, database
        self.flush_gib = flush_gib
        raw = tb * TB
        self.mb_s = raw / DAY_S / 1e6
        self.flushes = max(raw / (measured("flush_raw") * flush_gib * 1024 * MIB), DAY_S / 600)
        self.segment_bytes = raw * measured("stored") / self.flushes
        # Small segments are merged on the second day.
        share = min(1, self.segment_bytes / MERGED_BYTES) if self.segment_bytes < FULL_BYTES else 1
        self.segments = self.flushes * (1 + (DAYS - 1) * share)
        self.rows = self.segments * (1 + GROUPS)
        # Each segment is written once, and once more when it is merged or cold. Its name, an upload in parts and the commit are changes.
        writes = self.flushes * (1 + share)
        self.changes = writes * (2 if self.segment_bytes <= PUT_BYTES_MAX else 3)
        # Positions of files are never deleted.
        self.positions = raw * SHIPPED / file_bytes * DAYS
        self.batches = raw * (1 - SHIPPED) / BATCH_BYTES
        # One in two or three changes has a segment and its groups.
        changed = writes / self.changes * (1 + GROUPS)
        self.rows_read = changed + GROUPS + STREAMS + self.positions
        self.read_s = self.rows_read * measured("row_us") / 1e6
        reads = self.changes / DAY_S
        self.read_cores = self.read_s * reads
        self.database_cores = nodes * reads * (self.read_s + self.rows * measured("scan_us") / 1e6)
        self.read_gb = (self.positions * POSITION_BYTES + (self.rows_read - self.positions) * WIRE_BYTES) * self.changes * nodes / GB
        self.start_s = (self.rows + self.positions) * measured("row_us") / 1e6
        self.open_s = self.segments * GET_S
        self.cpu = self.mb_s / measured("mb_per_cpu_s")
        self.cores = self.cpu * (1 + (nodes - 1) * measured("follow")) + nodes * self.read_cores
        self.upkeep_cores = self.cpu * measured("upkeep")
        self.gib_of_node = FIXED_GIB + flush_gib + self.segments * measured("segment_kb") * 1e3 / (1 << 30)

    def requests(self):
        """PUTs and GETs a day."""
        objects = self.nodes / self.linger * DAY_S
        size = self.segment_bytes
        puts_of_one = 1 if size <= PUT_BYTES_MAX else 2 + math.ceil(size / PART_BYTES)
        parts = math.ceil(size / PART_BYTES)
        # Written twice, each time compared (HEAD and parts) and its end read by the others; read whole once in between.
        gets_of_one = 2 * (1 + parts + 2 * (self.nodes - 1)) + parts
        puts = objects + 2 * puts_of_one * self.flushes
        gets = objects * (self.nodes - 1) + gets_of_one * self.flushes + QUESTIONS * GETS_EACH
        return objects, puts, gets

    def money(self):
        """Dollars in 30 days."""
        _, puts, gets = self.requests()
        kept_gb = self.tb * TB * measured("stored") * DAYS / GB
        hours = 24 * DAYS
        database_h = self.database * price("db_large_h") or price("db_small_h")
        return {
            "machines": self.nodes * self.vcpus * price("vcpu_h") * hours,
            "bytes kept": min(kept_gb, 50_000) * price("storage_gb") + max(kept_gb - 50_000, 0) * 0.022,
            "PUTs": puts * DAYS * price("put"),
            "GETs": gets * DAYS * price("get"),
            "database": database_h * hours + max(20, self.database_gb()) * price("db_gb"),
            "catalog between zones": self.read_gb * FAR * DAYS * price("zone_gb"),
        }

    def database_gb(self):
        return (self.rows + self.positions + self.batches) * measured("row_bytes") / GB


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value):
    if value >= 1e6:
        return f"{value / 1e6:,.1f} million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def span(seconds):
    """Formats a time with its unit."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def sizes_table(fleets):
    requests = [fleet.requests() for fleet in fleets]
    rows = [
        ("`linger`, `flush_bytes`", [f"{fleet.linger:g} s, {fleet.flush_gib} GiB" for fleet in fleets]),
        ("nodes (vCPU, GiB of each)", [f"{fleet.nodes} ({fleet.vcpus}, {fleet.vcpus * 4})" for fleet in fleets]),
        ("raw MB a second, mean", [number(fleet.mb_s) for fleet in fleets]),
        ("cores in use, all nodes, mean", [number(fleet.cores) for fleet in fleets]),
        ("of these upkeep", [number(fleet.upkeep_cores) for fleet in fleets]),
        ("GiB in use on a node", [number(fleet.gib_of_node) for fleet in fleets]),
        ("objects of accepted events a day", [number(one[0]) for one in requests]),
        ("PUTs a day", [number(one[1]) for one in requests]),
        ("GETs a day", [number(one[2]) for one in requests]),
        ("GB kept after 30 days", [number(fleet.tb * 1000 * measured("stored") * DAYS) for fleet in fleets]),
        ("MB a second that each node reads of others' objects", [number(fleet.mb_s * measured("wal") * (1 - 1 / fleet.nodes)) for fleet in fleets]),
        ("segments after 30 days", [number(fleet.segments) for fleet in fleets]),
        ("rows of segments and their groups", [number(fleet.rows) for fleet in fleets]),
        ("rows of batch ids (24 hours)", [number(fleet.batches) for fleet in fleets]),
        ("rows of positions of shipped files", [number(fleet.positions) for fleet in fleets]),
        ("GB in PostgreSQL", [number(fleet.database_gb()) for fleet in fleets]),
        ("commits of objects a second", [number(fleet.nodes / fleet.linger) for fleet in fleets]),
        ("changes of the catalog: one every", [span(DAY_S / fleet.changes) for fleet in fleets]),
        ("rows that each node then reads", [number(fleet.rows_read) for fleet in fleets]),
        ("for which it needs", [span(fleet.read_s) for fleet in fleets]),
        ("cores of PostgreSQL for that, all nodes", [number(fleet.database_cores) for fleet in fleets]),
        ("a node that starts reads the whole catalog in", [span(fleet.start_s) for fleet in fleets]),
        ("and with an empty cache opens all segments in", [span(fleet.open_s) for fleet in fleets]),
    ]
    return table(["", *(f"{fleet.tb} TB a day" for fleet in fleets)], [[name, *cells] for name, cells in rows])


def money_table(fleets):
    bills = [fleet.money() for fleet in fleets]
    rows = [[name, *(number(bill[name]) for bill in bills)] for name in bills[0]]
    per_tb = lambda bill, fleet, without: sum(v for k, v in bill.items() if k not in without) / (fleet.tb * DAYS)
    for name, without in [
        ("**per TB taken in and kept 30 days**", ()),
        ("the same in one zone", ("catalog between zones",)),
        ("the same in one zone, with a database that runs anyway", ("catalog between zones", "database")),
    ]:
        rows.append([name, *(f"{per_tb(bill, fleet, without):.2f}" for bill, fleet in zip(bills, fleets))])
    return table(["USD in 30 days", *(f"{fleet.tb} TB a day" for fleet in fleets)], rows)


def reached(is_over):
    """Returns the TB a day at which a condition begins to hold."""
    low, high = 0.01, 10_000
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_over(middle) else (middle, high)
    return high


def limits_table():
    """Where each limit is reached."""
    rows = []
    mb_s = measured("mb_per_cpu_s") / measured("upkeep")
    per_day = lambda rate: f"{rate * DAY_S / 1e6:.1f} TB a day"
    rows.append([f"compaction, on one thread of each of three nodes that rests three quarters of the time, if it is {COMPACTION:.0%} of upkeep", per_day(3 * mb_s / COMPACTION * COMPACTION_CORES)])
    rows.append([f"flush, on one thread of one node, peaks of {PEAK} × the mean, if it is {1 - COMPACTION:.0%} of upkeep", per_day(mb_s / (1 - COMPACTION) / PEAK)])
    for flush_gib, file_bytes in ((1, FILE_BYTES), (4, FILE_BYTES), (4, FILE_BYTES / 10)):
        one = lambda tb: Fleet(tb, 3, 4, flush_gib, 1, 1, file_bytes)
        setting = f"`flush_bytes` {flush_gib} GiB, files of {file_bytes / 1e6:,.0f} MB"
        rows.append([f"PostgreSQL spends two cores on what three nodes read: {setting}", f"{reached(lambda tb: one(tb).database_cores > 2):.1f} TB a day"])
        rows.append([f"a node reads for half of the time: {setting}", f"{reached(lambda tb: one(tb).read_cores > 0.5):.1f} TB a day"])
    rows.append(["16 GiB on each node, `flush_bytes` 4 GiB", f"{reached(lambda tb: Fleet(tb, 3, 4, 4, 1, 1).gib_of_node > 16):.0f} TB a day"])
    n_max = lambda linger: int(measured("commits") * linger)
    rows.append(["commits of objects, one after the other in PostgreSQL", f"{n_max(0.25)} nodes with `linger` 250 ms, {n_max(1)} with 1 s"])
    return table(["limit", "reached at"], rows)


def inputs_table(inputs):
    return table(["value", "what", "from"], [[f"{value:g}", what, source] for value, what, source in inputs.values()])


PAPER = """# What a fleet costs

On paper: `benches/compare/fleet_costs.py` prints this page from its inputs. Nothing of this size was run: every number
before "Measured" is calculated from the measurements there, list prices and assumptions. Queries count only with their GETs. Load balancers,
traffic between nodes and discounts do not count.

{sizes}

{money}

The first column has the default `linger`, the others 1 s. The last column is hypothetical: a fleet of that size does not run
(see Bottlenecks). For comparison, per TB taken in and kept 30 days: Quickwit's own figures give $10.4 ($2 a TB taken in, $8.4 a TB and month),
CloudWatch Logs lists $530 ($0.50 a GB taken in, $0.03 a GB and month).

**At 1 TB a day, $5 is enough for two nodes with one vCPU each, in the zone of a database that runs anyway: ${small_shared}.** Three nodes with two vCPUs each cost
${per_tb_1_default} with the default `linger` and a database of their own in two zones, ${per_tb_1} with `linger` 1 s: machines, database and requests hardly depend on the
bytes, they are ${fixed_1} of the ${per_tb_1}. Kept bytes cost ${kept_1}. At 10 TB a day it is ${per_tb_10}, or ${per_tb_10_shared} in one zone with a
database that runs anyway.

## Bottlenecks

* **1 TB a day: fixed costs.** With `flush_bytes` of 1 GiB no limit is near, except that a node with an empty cache starts slowly, and that two
  nodes of 4 GiB have little memory to spare. One machine is cheaper and accepts faster.
* **10 TB a day: one node flushes for all**, on one thread. All nodes compact, each on one thread, which rests three times as long as it
  works (at most 500 ms per block) while events come. Together flush and compaction need {upkeep_10} of a core at the mean, and twice that at peaks;
  how much of this is compaction was not measured. It also needs `flush_bytes` of 4 GiB, which was not tried.
* **100 TB a day does not run.** Upkeep needs {upkeep_100} cores, and flush has one thread on one node. After each change, one every {every_100},
  each node reads {rows_100} rows, nearly all of them positions of files, which takes {read_100}. PostgreSQL would need {db_100} cores. Each node would keep
  {gib_100} GiB.

{limits}

Further limits:

* **A change costs more than what changed.** A node reads the rows of the changed segments, and all groups, streams and positions of
  files. Answers wait meanwhile. Positions are never deleted: each file that was ever shipped has a row. PostgreSQL also scans the rows of
  all groups in all segments for retired ones, without an index.
* **Nodes also read when no segment changed.** The name of a segment is a change of its own before the upload, and so is an upload in parts.
* **A node reads the whole catalog when it starts** or missed 1,000 changes. It opens the segments one after the other before it
  answers; with an empty cache each needs a GET or two. Keep the data directory.
* **Every node has the whole catalog in memory**, {segment_kb} kB for each segment, and all events that are in no segment yet. More nodes do not help.
* Every node reads and unpacks every object of the others: {follow} of the CPU of one machine for each further node. Six nodes do 1.5 times
  the work of one. Few large nodes cost less than many small ones.
* Nodes share aggregations (`[fleet] secret_file`): each segment has a home, which caches it. This spreads CPU and saves GETs; the tables contain
  neither. Rows of events, patterns and comparisons are computed by the node that is asked.
* Objects are listed one after the other. A commit has about 18 statements under one lock: at 0.5 ms to the database and back that is 9 ms,
  so about 100 a second, instead of the {commits:g} that were measured on loopback.
* Rows of batch ids stay 24 hours; larger batches are the remedy.

## Formulas

Assumed: {groups} groups with events in every flush, {streams:,} streams; {shipped:.0%} of the bytes come from shippers, in files of {file:g} GB, the others in
batches of {batch:g} MB with an id; {questions:,} questions a day with {gets} GETs each; a GET takes {get_ms:g} ms; {far:.2f} of the nodes are in another zone
than the database.

* cores = raw MB/s ÷ MB per CPU-second × (1 + (nodes − 1) × follow) + nodes × seconds to read a change ÷ seconds between changes
* seconds to open all segments = segments × one GET
* GiB of a node = {fixed} + `flush_bytes` + segments × kB of a segment; {fixed} GiB are caches, queries and the process; positions are
  not included
* flushes a day = raw bytes ÷ ({flush_raw:g} × `flush_bytes`), at least one in `flush_age`; each writes one segment, which is written once more when it is
  cold (`cold_after`, 7 days). Segments below 16 MiB are merged to 24 MiB or so after a day
* changes of the catalog = 2 for each segment that is written, 3 for one above 32 MiB; a node reads after each
* rows = segments × (1 + groups)
* rows of positions = raw bytes from shippers in 30 days ÷ bytes of a file
* rows that a node reads = rows of the segment ÷ changes for it + groups + streams + positions
* cores of PostgreSQL = nodes × changes a second × (rows read × {row_us:g} µs + rows × {scan_us:g} µs); commits of events are not included
* PUTs a day = nodes ÷ `linger` × 86,400 + 2 for each segment of up to 32 MiB, else 2 × (2 + parts of 8 MiB)
* GETs a day = objects × (nodes − 1) + for each segment 2 × (1 + parts + 2 × (nodes − 1)) + parts + those of questions
* traffic between zones = ({position_bytes} bytes × positions + {wire} bytes × other rows read) × changes × nodes × {far:.2f}

## Measured

{measured}

Run A: 23 November 2026, e5cafe4c, two shared cores of an AMD EPYC, three nodes on loopback, bucket in memory, 353 MB (a million events)
sent to a node without upkeep by two senders: CPU-seconds 3.7 for the node that received, 0.65 for one that only followed, 3.1 for the one
that followed, flushed and compacted; 57 objects of 66 MB, read 114 times; four segments of 32 MB together, four PUTs, four HEADs, 33 GETs. Idle:
0.04 CPU-seconds and 230 transactions a node in 10 s.

Run B: the same day, two nodes, 1,018 segments of 18 kB in 5,050 runs, when nodes still read the whole catalog: a change costs the node that
follows 5 ms, PostgreSQL 6.5 ms for each node; 70 MB resident, 38 MB when empty. The way from 1,018 segments to the sizes above is a straight
line, not a measurement.

Run C: the same day, three nodes with `linger = 1ms` and nine senders of one event each: 980 objects in 6 s.

Run D: the same day, three nodes with `flush_bytes = "1GiB"` and moto as the bucket, 1.76 GB to one node: two segments of 70 MB, at most 1.1 GB
resident on a node. During the first flush the lease of the node with upkeep ended, another node took over, and senders waited some 40 s. Since then
leases are renewed by a thread that does not wait for the bucket (7dfee4d4); the run was not repeated.

Run E: the same day, PostgreSQL 15 alone on two shared cores, everything cached, tables of the catalog's shape: the scan for retired groups takes
0.13 to 0.17 s for 800,000 rows and 0.17 to 0.22 s for 2 million; the index finds the rows of one segment in 0.5 ms. Reading 100,000 positions takes
0.06 to 0.09 s, 15 MB as text. Nodes that read by changes were not measured.

## Prices

{prices}

Region us-east-1, on demand, 30 days of 24 hours. Prices change; edit the script and run it again.
"""


def main():
    fleets = [Fleet(*size) for size in SIZES]
    one, small, ten, hundred = fleets[1:]
    per_tb = lambda fleet, names: sum(value for name, value in fleet.money().items() if names(name)) / (fleet.tb * DAYS)
    dollars = lambda fleet, names=lambda name: True: f"{per_tb(fleet, names):.2f}"
    is_shared = lambda name: name not in ("catalog between zones", "database")
    print(PAPER.format(
        sizes=sizes_table(fleets), money=money_table(fleets), limits=limits_table(), measured=inputs_table(MEASURED), prices=inputs_table(PRICES),
        per_tb_1_default=dollars(fleets[0]), per_tb_1=dollars(one), per_tb_10=dollars(ten),
        fixed_1=dollars(one, lambda name: name in ("machines", "database", "PUTs", "GETs")), kept_1=dollars(one, lambda name: name == "bytes kept"),
        per_tb_10_shared=dollars(ten, is_shared), small_shared=dollars(small, is_shared),
        upkeep_10=number(ten.upkeep_cores), upkeep_100=number(hundred.upkeep_cores), every_100=span(DAY_S / hundred.changes),
        rows_100=number(hundred.rows_read), read_100=span(hundred.read_s), db_100=number(hundred.database_cores), gib_100=number(hundred.gib_of_node),
        segment_kb=measured("segment_kb"), follow=f"{measured('follow'):.0%}", commits=measured("commits"), fixed=FIXED_GIB, groups=GROUPS,
        streams=STREAMS, shipped=SHIPPED, file=FILE_BYTES / 1e9, batch=BATCH_BYTES / 1e6, questions=QUESTIONS, gets=GETS_EACH, get_ms=GET_S * 1000,
        far=FAR, flush_raw=measured("flush_raw"), row_us=measured("row_us"), scan_us=measured("scan_us"), position_bytes=POSITION_BYTES,
        wire=WIRE_BYTES), end="")


if __name__ == "__main__":
    main()
