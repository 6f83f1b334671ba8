"""Samples as node_exporter's pages have them, drawn from a seed: remote writes in order of time.

Nothing of a real page is in it but its proportions: counters of seconds with two digits, of which most hardly move, counters of
bytes and packets, gauges of memory in pages, constants, and a few numbers that no decimal scale holds.
"""
import random
import struct

import cramjam

SERIES_PER_REQUEST = 2000


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


class Series:
    """One series: its labels as a request has them, and how its value goes on."""

    def __init__(self, rng, labels, kind):
        pairs = (field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items()))
        self.labels, self.kind = b"".join(pairs), kind
        self.rate = rng.choice([0, 0, 1, 1, 5, 50]) if kind in ("seconds", "count") else 1
        self.value = {"seconds": lambda: round(rng.random() * 1e6, 2), "count": lambda: float(rng.randint(0, 10**9)),
                      "bytes": lambda: float(rng.randint(10**5, 10**7) * 4096), "constant": lambda: float(rng.randint(0, 4)),
                      "ratio": rng.random}[kind]()

    def step(self, rng):
        if self.kind == "seconds":
            self.value = round(self.value + rng.random() * self.rate, 2)
        elif self.kind == "count":
            self.value += float(rng.randint(0, self.rate * 20))
        elif self.kind == "bytes":
            self.value = max(0.0, self.value + rng.randint(-500, 500) * 4096)
        elif self.kind == "ratio":
            self.value = rng.random()


def host(rng, name):
    """The series of one host, about 660."""
    own = {"instance": f"{name}:9100", "job": "node"}
    series = []

    def add(metric, kind, **labels):
        series.append(Series(rng, {"__name__": metric, **own, **labels}, kind))
    for cpu in range(16):
        for mode in ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"):
            add("node_cpu_seconds_total", "seconds", cpu=str(cpu), mode=mode)
    for device in ("sda", "sdb", "nvme0n1", "dm-0"):
        for metric in ("read_bytes", "written_bytes", "reads_completed", "writes_completed"):
            add(f"node_disk_{metric}_total", "count", device=device)
        for metric in ("io_time", "read_time", "write_time"):
            add(f"node_disk_{metric}_seconds_total", "seconds", device=device)
    for device in ("eth0", "eth1", "lo", "docker0"):
        for way in ("receive", "transmit"):
            add(f"node_network_{way}_bytes_total", "count", device=device)
            add(f"node_network_{way}_packets_total", "count", device=device)
            add(f"node_network_{way}_errs_total", "constant", device=device)
            add(f"node_network_{way}_drop_total", "constant", device=device)
    for part in ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "Active", "Inactive", "Dirty", *(f"Other{n}" for n in range(40))):
        add(f"node_memory_{part}_bytes", "constant" if part == "MemTotal" else "bytes")
    for mount in ("/", "/boot", "/home", "/var"):
        disk = {"device": "/dev/sda1", "fstype": "ext4", "mountpoint": mount}
        for metric, kind in (("avail_bytes", "bytes"), ("free_bytes", "bytes"), ("size_bytes", "constant"), ("files", "constant"),
                             ("files_free", "count"), ("readonly", "constant")):
            add(f"node_filesystem_{metric}", kind, **disk)
    for number in range(300):
        add(f"node_setting_{number % 60}", "constant", index=str(number // 60))
    for number in range(100):
        add(f"node_netstat_Counter{number}", "count")
    for load in ("1", "5", "15"):
        add(f"node_load{load}", "ratio")
    return series


def bodies(seed, n_series, n_steps, end_ms, step_ms):
    """Bodies of remote writes, and how many samples each has."""
    rng = random.Random(seed)
    series = []
    while len(series) < n_series:
        series += host(rng, f"host-{len(series)}")
    del series[n_series:]
    for step in range(n_steps):
        time = b"\x10" + varint(end_ms - (n_steps - 1 - step) * step_ms)
        for first in range(0, n_series, SERIES_PER_REQUEST):
            some = series[first:first + SERIES_PER_REQUEST]
            for one in some:
                one.step(rng)
            plain = b"".join(field(1, one.labels + field(2, b"\x09" + struct.pack("<d", one.value) + time)) for one in some)
            yield bytes(cramjam.snappy.compress_raw(plain)), len(some)
