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
    "row_us": (1.0, "CPU-microseconds per row and node to read the catalog again, on the node and once more in PostgreSQL", "run B"),
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

# Assumed: groups with events in every flush, share of the nodes that are in another zone than the database, raw bytes of a batch
# with an id, questions a day and GETs of each, bytes of a row in PostgreSQL's protocol.
GROUPS, FAR, BATCH_BYTES, QUESTIONS, GETS_EACH, WIRE_BYTES = 20, 2 / 3, 1e6, 10_000, 100, 75
PEAK = 2
FIXED_GIB = 1.5
PART_BYTES, PUT_BYTES_MAX, FULL_BYTES, MERGED_BYTES = 8 * MIB, 32 * MIB, 16 * MIB, 24 * MIB
CORES_OF_FLUSH = 1

# TB a day, nodes, vCPUs of each, flush_bytes in GiB, linger in s, the database's size in those of db_large (0: db_small).
SIZES = [(1, 3, 2, 1, 0.25, 0), (1, 3, 2, 1, 1, 0), (10, 3, 4, 4, 1, 1), (100, 6, 16, 4, 1, 2)]


def measured(name):
    return MEASURED[name][0]


def price(name):
    return PRICES[name][0]


class Fleet:
    """A fleet of one size, with everything that follows from its size."""

    def __init__(self, tb, nodes, vcpus, flush_gib, linger, database):
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
        # Each segment is listed once, and replaced when it is merged or cold.
        self.changes = self.flushes * (1 + share)
        self.reload_s = self.rows * measured("row_us") / 1e6
        self.reload_cores = self.reload_s * self.changes / DAY_S
        self.reload_gb = self.rows * WIRE_BYTES * self.changes * nodes / GB
        self.cpu = self.mb_s / measured("mb_per_cpu_s")
        self.cores = self.cpu * (1 + (nodes - 1) * measured("follow")) + nodes * self.reload_cores
        self.upkeep_cores = self.cpu * measured("upkeep")
        self.gib_of_node = FIXED_GIB + flush_gib + self.segments * measured("segment_kb") * 1e3 / (1 << 30)
        self.batches = raw / BATCH_BYTES

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
            "catalog between zones": self.reload_gb * FAR * DAYS * price("zone_gb"),
        }

    def database_gb(self):
        return (self.rows + self.batches) * measured("row_bytes") / GB


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value):
    if value >= 1e6:
        return f"{value / 1e6:,.1f} million"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def sizes_table(fleets):
    requests = [fleet.requests() for fleet in fleets]
    rows = [
        ("`linger`, `flush_bytes`", [f"{fleet.linger:g} s, {fleet.flush_gib} GiB" for fleet in fleets]),
        ("nodes (vCPU, GiB of each)", [f"{fleet.nodes} ({fleet.vcpus}, {fleet.vcpus * 4})" for fleet in fleets]),
        ("raw MB a second, mean", [number(fleet.mb_s) for fleet in fleets]),
        ("cores in use, all nodes, mean", [number(fleet.cores) for fleet in fleets]),
        ("of these upkeep, on one node", [number(fleet.upkeep_cores) for fleet in fleets]),
        ("GiB in use on a node", [number(fleet.gib_of_node) for fleet in fleets]),
        ("objects of accepted events a day", [number(one[0]) for one in requests]),
        ("PUTs a day", [number(one[1]) for one in requests]),
        ("GETs a day", [number(one[2]) for one in requests]),
        ("GB kept after 30 days", [number(fleet.tb * 1000 * measured("stored") * DAYS) for fleet in fleets]),
        ("MB a second that each node reads of others' objects", [number(fleet.mb_s * measured("wal") * (1 - 1 / fleet.nodes)) for fleet in fleets]),
        ("segments after 30 days", [number(fleet.segments) for fleet in fleets]),
        ("rows of segments and their groups", [number(fleet.rows) for fleet in fleets]),
        ("rows of batch ids (24 hours)", [number(fleet.batches) for fleet in fleets]),
        ("new rows a day: segments and groups", [number(fleet.flushes * (1 + GROUPS)) for fleet in fleets]),
        ("GB in PostgreSQL", [number(fleet.database_gb()) for fleet in fleets]),
        ("commits of objects a second", [number(fleet.nodes / fleet.linger) for fleet in fleets]),
        ("changes of the catalog: one every", [f"{number(DAY_S / fleet.changes)} s" for fleet in fleets]),
        ("a node then reads it again for", [f"{number(fleet.reload_s)} s" for fleet in fleets]),
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


def limits_table():
    """Where each limit is reached."""
    mb_s_of_flush = measured("mb_per_cpu_s") / measured("upkeep") * CORES_OF_FLUSH
    rows = []
    for flush_gib, groups in ((0.125, GROUPS), (1, GROUPS), (1, 5 * GROUPS), (4, GROUPS)):
        # Both the time to read and the number of changes grow with the bytes.
        one = Fleet(1, 3, 2, flush_gib, 1, 0)
        tb = math.sqrt(DAY_S / one.changes / (one.reload_s * (1 + groups) / (1 + GROUPS)))
        rows.append([f"the catalog is read again without a pause: `flush_bytes` {flush_gib:g} GiB, {groups} groups", f"{tb:.1f} TB a day"])
    rows.append(["flush and compaction, one thread each on one node, need a core between them at the mean", f"{mb_s_of_flush * DAY_S / 1e6:.1f} TB a day"])
    rows.append([f"the same with peaks of {PEAK} × the mean", f"{mb_s_of_flush * DAY_S / 1e6 / PEAK:.1f} TB a day"])
    n_max = lambda linger: int(measured("commits") * linger)
    rows.append(["commits of objects, one after the other in PostgreSQL", f"{n_max(0.25)} nodes with `linger` 250 ms, {n_max(1)} with 1 s"])
    return table(["limit", "reached at"], rows)


def inputs_table(inputs):
    return table(["value", "what", "from"], [[f"{value:g}", what, source] for value, what, source in inputs.values()])


PAPER = """# What a fleet costs

On paper: `benches/compare/fleet_costs.py` prints this page from its inputs, which are listed below. The tables are reckoned; nothing of
this size was run. Queries count only with their GETs, load balancers and discounts not at all.

{sizes}

{money}

The first column has the default `linger`, the others 1 s. For comparison, per TB taken in and kept 30 days: Quickwit's own figures give
$10.4 ($2 a TB taken in, $8.4 a TB and month), CloudWatch Logs lists $530 ($0.50 a GB taken in, $0.03 a GB and month).

The goal is $5. At 1 TB a day it is missed, since nodes, database and requests cost the same for fewer bytes; at 10 TB a day it is reached
where the database runs anyway.

## Bottlenecks

* **1 TB a day runs, with `flush_bytes` of 1 GiB.** Its bottleneck is what does not depend on the bytes: three nodes, a database in two
  zones, and objects every `linger` on every node. One machine is cheaper and accepts faster.
* **10 TB a day is at the limit.** It needs `flush_bytes` of 4 GiB, which was not tried. One node flushes for all ({upkeep_10} of a core at
  the mean, twice that at peaks), on one thread. After each change every node reads the whole catalog again, and answers wait
  meanwhile: {reload_10} s, every {every_10} s.
* **100 TB a day does not run.** Upkeep needs {upkeep_100} cores and has one thread for flush and one for compaction, on one node. The catalog
  would take {reload_100} s to read and changes every {every_100} s. Each node would keep {gib_100} GiB. Its column is what the bytes,
  the requests and the machines would cost if upkeep were shared among nodes and the catalog followed by its changes.

{limits}

Further limits:

* Every node reads and unpacks every object of the others: {follow} of the CPU of one machine for each further node. Six nodes do 1.5 times
  the work of one. Few large nodes cost less than many small ones.
* Every node holds all events that are in no segment yet, and what it knows of every segment.
* Objects are listed one after the other. A commit has about 18 statements under one lock: at 0.5 ms to the database and back that is 9 ms,
  so about 100 a second, instead of the {commits:g} that were measured on loopback.
* Rows of batch ids stay 24 hours, whoever sends them; larger batches are the remedy. Positions of files and names of streams are read again
  with the catalog as well; they are not counted here.

## Formulas

* cores = raw MB/s ÷ MB per CPU-second × (1 + (nodes − 1) × follow) + nodes × seconds to read the catalog ÷ seconds between changes
* GiB of a node = {fixed} + `flush_bytes` + segments × kB of a segment; {fixed} GiB are caches, queries and the process
* flushes a day = raw bytes ÷ ({flush_raw:g} × `flush_bytes`), at least one in `flush_age`; each writes one segment, which is written once more when it is
  cold (`cold_after`, 7 days): two changes of the catalog. Segments below 16 MiB are merged to 24 MiB or so after a day
* rows = segments × (1 + {groups} groups with events in every flush)
* PUTs a day = nodes ÷ `linger` × 86,400 + 2 for each segment of up to 32 MiB, else 2 × (2 + parts of 8 MiB)
* GETs a day = objects × (nodes − 1) + for each segment 2 × (1 + parts + 2 × (nodes − 1)) + parts + {questions:,} questions × {gets} GETs
* traffic between zones = rows × {wire} bytes × changes × nodes × {far:.2f} (in another zone than the database)
* rows of batch ids = raw bytes ÷ {batch:g} MB

## Measured

{measured}

Run A: 23 November 2026, e5cafe4c, two shared cores of an AMD EPYC, three nodes on loopback, bucket in memory, 353 MB (a million events)
sent to a node without upkeep by two senders: CPU-seconds 3.7 for the node that received, 0.65 for one that only followed, 3.1 for the one
that followed, flushed and compacted; 57 objects of 66 MB, read 114 times; four segments of 32 MB together, four PUTs, four HEADs, 33 GETs. Idle:
0.04 CPU-seconds and 230 transactions a node in 10 s.

Run B: the same day, two nodes, 1,018 segments of 18 kB in 5,050 runs: a change costs the node that follows 5 ms, PostgreSQL 6.5 ms for each node;
70 MB resident, 38 MB when empty. The way from 1,018 segments to the sizes above is a straight line, not a measurement.

Run C: the same day, three nodes with `linger = 1ms` and nine senders of one event each: 980 objects in 6 s.

Run D: the same day, three nodes with `flush_bytes = "1GiB"` and moto as the bucket, 1.76 GB to one node: two segments of 70 MB, at most 1.1 GB
resident on a node. During the first flush the lease of the node with upkeep ended, another node took over, and senders waited some 40 s; why was
not examined.

## Prices

{prices}

Region us-east-1, on demand, 30 days of 24 hours. Prices change; edit the script and run it again.
"""


def main():
    fleets = [Fleet(*size) for size in SIZES]
    ten, hundred = fleets[2:]
    print(PAPER.format(
        sizes=sizes_table(fleets), money=money_table(fleets), limits=limits_table(), measured=inputs_table(MEASURED), prices=inputs_table(PRICES),
        upkeep_10=number(ten.upkeep_cores), reload_10=number(ten.reload_s), every_10=number(DAY_S / ten.changes),
        upkeep_100=number(hundred.upkeep_cores), reload_100=number(hundred.reload_s), every_100=number(DAY_S / hundred.changes),
        gib_100=number(hundred.gib_of_node), follow=f"{measured('follow'):.0%}", commits=measured("commits"), fixed=FIXED_GIB, groups=GROUPS,
        questions=QUESTIONS, gets=GETS_EACH, wire=WIRE_BYTES, far=FAR, batch=BATCH_BYTES / 1e6, flush_raw=measured("flush_raw")), end="")


if __name__ == "__main__":
    main()
