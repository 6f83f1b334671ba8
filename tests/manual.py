#!/usr/bin/env python3
"""Runs every command of the manual (docs/) and compares what it prints with the manual.

    tests/manual.py [--executable target/debug/catat] [--write] [PAGE ...]

A fenced `sh` block is run by a shell that lasts for the whole page. A `text` block directly after it is the expected
output. Times, ids, sizes and the width of columns may differ; nothing else may. `--write` puts the real output into the pages
instead of comparing. Listings of other kinds (`console`, `conf`, `toml`, ...) are not run.

Pages run side by side, four at a time. Each page has a directory, a network and a host name of its own (`unshare`), so that its addresses and names are those that
the reader sees. Pages that do not start their own server find one with the events of `EVENTS` in the group `shop`. A page
that needs a program that is missing is left out, and the report says so. Ends with 1 if a page differs.
"""

import argparse
import os
import re
import select
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS_PER_BLOCK = 60

# Most of a page's time is waiting: for servers, and for background processes to print.
PAGES_AT_ONCE = 4

# Pages that start their own server, or need none.
WITHOUT_SERVER = {"tutorial.md", "language.md"}

# Programs that are not on every machine, by the text that shows that a page needs them.
PROGRAMS = {"aws ": "aws", "logger ": "logger", "jq ": "jq", "curl ": "curl"}

EVENTS = """
now=$(date +%s)
for i in 1 2 3 4 5 6; do
  level=info status=200 service=cart
  [ $((i % 3)) = 0 ] && level=error status=502
  [ $((i % 2)) = 0 ] && service=pay
  echo '{"@timestamp":'$((now - i * 60))',"message":"request '$i' done","level":"'$level'","service":"'$service'",' \
    '"ms":'$((i * 37))',"took":'$((i * 37))',"status":'$status',"path":"/p'$((i % 2))'","user":"ann"}'
done | curl -s -o answer --data-binary @- 'http://127.0.0.1:22828/api/v1/ingest?group=shop'
"""

START = "mount -t tmpfs none /srv && mkdir /srv/try && cd /srv/try && hostname vm && ip link set lo up && exec bash --norc"

# What differs from run to run, and what stands for it in comparisons.
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z"), "TIME"),
    (re.compile(r"\b[0-9a-v]{32}\b|\b[0-9a-f]{16,}\b"), "ID"),
    (re.compile(r"\b\d+(\.\d+)? (B|KiB|MiB|GiB)\b"), "SIZE"),
    (re.compile(r"process \d+"), "process N"),
    (re.compile(r"\b(curl|catat)/\d+(\.\d+)+"), r"\1/VERSION"),
    (re.compile(r'"took":\d+'), '"took":N'),
    (re.compile(r"[ \t]+"), " "),
]


class Shell:
    """A shell in a network, a mount table and a process table of its own."""

    def __init__(self, executable: Path):
        environment = {
            "PATH": f"{executable.parent}:{os.environ['PATH']}",
            "HOME": "/srv/home",
            "TZ": "UTC",
            "COLUMNS": "110",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
        }
        separate = ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child=KILL"]
        if os.getuid() != 0:
            separate += ["--user", "--map-root-user"]
        self.process = subprocess.Popen(
            [*separate, "bash", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        self.n_run = 0

    def run(self, command: str) -> str:
        """Runs a block and returns what it printed, background processes for some seconds included."""
        self.n_run += 1
        mark = f"__end_of_block_{self.n_run}__"
        self.process.stdin.write(f"{{\n{command}\n}} </dev/null\necho; echo {mark}\n".encode())
        self.process.stdin.flush()
        printed = self.read_until(mark, SECONDS_PER_BLOCK)
        if command.rstrip().endswith("&"):
            printed += "\n" + self.read_until(None, 3)
        lines = [line.rstrip() for line in printed.replace(mark, "").strip("\n").split("\n")]
        return "\n".join(lines).strip("\n")

    def read_until(self, mark: str | None, seconds: float) -> str:
        """Reads until a line is the mark, or for so many seconds where there is none."""
        printed, deadline = "", time.monotonic() + seconds
        output = self.process.stdout.fileno()
        while time.monotonic() < deadline:
            if select.select([output], [], [], 0.1)[0]:
                piece = os.read(output, 1 << 16).decode(errors="replace")
                printed += piece
                if not piece or (mark is not None and mark in printed):
                    return printed
        if mark is not None:
            raise TimeoutError(f"no end within {seconds} s after: {printed[-300:]}")
        return printed

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def comparable(text: str) -> str:
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return text.strip()


def run_page(page: Path, executable: Path) -> tuple[str, list[str], int]:
    """Returns the page with its real output, the differences, and how many commands were run."""
    parts = re.split(r"(^```[a-z]*\n.*?^```\n)", page.read_text(), flags=re.S | re.M)
    shell, differences, n_run, printed = Shell(executable), [], 0, None
    try:
        if page.name not in WITHOUT_SERVER:
            shell.run("catat serve --data-dir data >server.out 2>&1 &")
            shell.run(EVENTS)
        for i, part in enumerate(parts):
            if part.startswith("```sh\n"):
                command = part.removeprefix("```sh\n").removesuffix("```\n").strip("\n")
                printed, n_run = shell.run(command), n_run + 1
            elif part.startswith("```text\n") and printed is not None and not parts[i - 1].strip():
                expected = part.removeprefix("```text\n").removesuffix("```\n")
                if comparable(expected) != comparable(printed):
                    differences.append(f"$ {command}\n--- manual\n{expected.strip()}\n--- now\n{printed}\n")
                parts[i] = f"```text\n{printed}\n```\n"
    except TimeoutError as error:
        differences.append(f"$ {command}\n{error}\n")
    finally:
        shell.close()
    return "".join(parts), differences, n_run


def try_page(page: Path, executable: Path, writes: bool) -> bool:
    """Runs a page and reports on it; returns whether it is right or was left out."""
    text = page.read_text()
    missing = [program for sign, program in PROGRAMS.items() if sign in text and not shutil.which(program)]
    if missing:
        print(f"left out  {page}: needs {', '.join(missing)}", flush=True)
        return True
    real, differences, n_run = run_page(page, executable)
    if writes:
        page.write_text(real)
        differences = []
    verdict = "differs " if differences else "as is   "
    print("\n".join([f"{verdict}  {page}: {n_run} commands", *differences]), flush=True)
    return not differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executable", type=Path, default=ROOT / "target/debug/catat")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("pages", nargs="*", type=Path)
    arguments = parser.parse_args()
    pages = arguments.pages or sorted((ROOT / "docs").rglob("*.md"))
    pages = [page for page in pages if "```sh\n" in page.read_text()]
    executable = arguments.executable.resolve()
    with ThreadPoolExecutor(PAGES_AT_ONCE) as pool:
        is_right = list(pool.map(lambda page: try_page(page, executable, arguments.write), pages))
    n_failed = is_right.count(False)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
