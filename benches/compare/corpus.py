"""The corpus of the project's generator: as a file kept from run to run, or streamed and never on disk."""
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# What a shipper with a second of backlog sends.
BODY_BYTES = 3 << 20


def command(n_events, out, seed, kind="fixed"):
    return ["cargo", "bench", "-q", "-p", "catat", "--bench", "write_corpus", "--", str(n_events), str(out), str(seed), kind]


def make(path, n_events, seed, kind="fixed"):
    """Writes the corpus unless it is there with its facts; returns what the generator counted.

    A `fixed` corpus is that of the same company for every seed, a `drawn` one is of a company of its own.
    """
    facts = pathlib.Path(f"{path}.facts.json")
    if not (pathlib.Path(path).exists() and facts.exists()):
        written = subprocess.run(command(n_events, path, seed, kind), cwd=ROOT, check=True, stdout=subprocess.PIPE)
        facts.write_bytes(written.stdout)
    return json.loads(facts.read_text())


def trace_of(path, field):
    """A trace id from the middle of the corpus; `field` is what holds it."""
    with open(path, "rb") as file:
        file.seek(os.path.getsize(path) // 2)
        file.readline()
        for line in file:
            trace_id = json.loads(line).get(field)
            if trace_id:
                return trace_id
    raise SystemExit("no event of the corpus has a trace id")


def bodies(file):
    """Yields what a file holds in bodies of whole lines."""
    while part := file.read(BODY_BYTES):
        yield part + file.readline()


class Stream:
    """The corpus through a pipe: twenty million events are 8 GB, and none of them need lie on a disk."""

    def __init__(self, n_events, seed):
        self.directory = tempfile.TemporaryDirectory(prefix="catat-corpus-")
        pipe = os.path.join(self.directory.name, "pipe")
        os.mkfifo(pipe)
        self.generator = subprocess.Popen(command(n_events, pipe, seed), cwd=ROOT, stdout=subprocess.DEVNULL)
        self.file = open(pipe, "rb")

    def bodies(self, n_events):
        """Yields bodies until they held at least the next `n_events` lines."""
        left = n_events
        while left > 0 and (lines := self.file.readlines(BODY_BYTES)):
            left -= len(lines)
            yield b"".join(lines)

    def close(self):
        self.file.close()
        self.generator.wait()
        self.directory.cleanup()
