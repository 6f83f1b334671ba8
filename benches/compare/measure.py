"""What the kernel says of a process and of a disk: CPU time, memory, bytes written, bytes that stay.

Wall time depends on who else is at work on the machine, so costs are taken in CPU-seconds of all threads.
"""
import datetime
import os
import pathlib
import platform
import statistics
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
DROP_CACHES = pathlib.Path("/proc/sys/vm/drop_caches")
N_REPEATS = 7

# Background work counts, so the end of it is waited for: this much CPU in so many seconds is idling.
IDLE_CPU_S = 0.03
IDLE_FOR_S = 2.0


def cpu_s(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid, name):
    """`VmHWM` (the most that was resident so far) or `VmRSS` (what is now)."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return float("nan")


def written_bytes(pid):
    """Bytes that a process has sent to disks; what was truncated away before it got there is not counted."""
    numbers = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(numbers["write_bytes"]) - int(numbers["cancelled_write_bytes"])


def bytes_below(directory):
    """Bytes of all files below a directory."""
    total = 0
    for path in pathlib.Path(directory).rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            pass  # files of a living store come and go
    return total


class Costs:
    """What a process costs, over all the times that it was started anew. Who is one has a `pid` and a `data_dir`."""

    def __init__(self):
        self.cpu_before = 0.0
        self.written_before = 0
        self.peak_mb = 0.0

    def remember_costs(self):
        """To be called before the process ends."""
        self.cpu_before, self.written_before = self.cpu_s(), self.written_bytes()
        self.peak_mb = self.memory_peak_mb()

    def cpu_s(self):
        return self.cpu_before + cpu_s(self.pid)

    def written_bytes(self):
        return self.written_before + written_bytes(self.pid)

    def disk_bytes(self):
        return bytes_below(self.data_dir)

    def memory_peak_mb(self):
        return max(self.peak_mb, memory_mb(self.pid, "VmHWM"))

    def memory_now_mb(self):
        return memory_mb(self.pid, "VmRSS")


def wait_idle(current_cpu_s, timeout_s=600):
    """Waits until a process does nothing any more; `current_cpu_s` tells its CPU time."""
    deadline = time.monotonic() + timeout_s
    before = current_cpu_s()
    while time.monotonic() < deadline:
        time.sleep(IDLE_FOR_S)
        after = current_cpu_s()
        if after - before <= IDLE_CPU_S:
            return
        before = after
    print(f"still at work after {timeout_s} s; its costs are counted so far")


def drop_page_cache():
    """Lets the next read come from the disk; tells whether that was permitted."""
    if not os.access(DROP_CACHES, os.W_OK):
        return False
    os.sync()
    try:
        DROP_CACHES.write_text("1")
    except OSError:
        return False
    return True


def drop_files(directory):
    """Lets the next read of every file below a directory come from the disk; needs no privileges."""
    for path in pathlib.Path(directory).rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_rate(directory):
    """Bytes per millisecond that the disk gives whoever reads the files below a directory one after the other."""
    drop_files(directory)
    started, n_bytes = time.perf_counter(), 0
    for path in sorted(pathlib.Path(directory).rglob("*")):
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                while part := file.read(1 << 20):
                    n_bytes += len(part)
    return n_bytes / ((time.perf_counter() - started) * 1000)


def read_bytes(pid):
    """Bytes that a process has had read from disks; what lay in the page cache is not counted."""
    numbers = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(numbers["read_bytes"])


def timed(work):
    """Milliseconds that `work` took, and its result."""
    started = time.perf_counter()
    result = work()
    return (time.perf_counter() - started) * 1000, result


def median_of(work, n=N_REPEATS):
    """The median of the times that `work` reports, and its last result."""
    pairs = [work() for _ in range(n)]
    return statistics.median(ms for ms, _ in pairs), pairs[-1][1]


def provenance():
    """Date, commit and machine of a row of results."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=pathlib.Path(__file__).parent, capture_output=True, text=True, check=False).stdout.strip()
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    return f"{datetime.date.today()}, {commit}\n\n{os.cpu_count()} cores, {model}"


def zstd_bytes(paths, level=3):
    """Bytes of files compressed one by one by the `zstd` program."""
    return sum(int(subprocess.run(f"zstd -{level} -q -c '{path}' | wc -c", shell=True, check=True, capture_output=True).stdout) for path in paths)
