"""What reads files and sends their lines: catat's shipper and Debian's rsyslog, and a sink that takes from either.

The sink acknowledges everything at once and counts what it was given, so that a run measures whoever sends and nobody else.
"""
import http.server
import pathlib
import resource
import shutil
import subprocess
import sys
import threading
import time

import cramjam

import measure

RSYSLOG = """
global(workDirectory="{work}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
template(name="line" type="list" option.json="on") {{
  constant(value="{{\\"message\\":\\"") property(name="msg") constant(value="\\"}}")
}}
ruleset(name="send" queue.type="LinkedList" queue.size="20000" queue.dequeueBatchSize="2000") {{
  action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" searchType="" searchIndex="bench" bulkmode="on"
         maxbytes="1m" template="line" action.resumeRetryCount="-1")
}}
input(type="imfile" File="{paths}" Tag="bench" ruleset="send" addMetadata="off")
"""


class Sink(http.server.ThreadingHTTPServer):
    """Takes batches of lines and bulks of Elasticsearch, and forgets them."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.port = self.server_address[1]
        self.n_batches, self.n_bytes, self.n_lines, self.n_sent = 0, 0, 0, 0
        self.changed = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def took(self, n_sent, n_bytes, n_lines):
        with self.changed:
            self.n_batches += 1
            self.n_sent += n_sent
            self.n_bytes += n_bytes
            self.n_lines += n_lines
            self.changed.notify_all()

    def wait_for_lines(self, n_lines, agent, timeout_s=600):
        """Waits until so many lines have come in all."""
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while not self.changed.wait_for(lambda: self.n_lines >= n_lines, 5):
                if time.monotonic() > deadline or agent.process.poll() is not None:
                    sys.exit(f"only {self.n_lines:,} of {n_lines:,} lines came, see {agent.log.name}")


class Answers(http.server.BaseHTTPRequestHandler):
    """One connection to the sink."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/api/v1/ingest"):
            body = bytes(cramjam.zstd.decompress(sent))
            start = body.index(b"\n") + 1
            self.server.took(len(sent), len(body) - start, body.count(b"\n", start))
            return self.answer(b'{"accepted":1}')
        self.server.took(len(sent), len(sent), sent.count(b"\n") // 2)
        self.answer(b'{"took":1,"errors":false,"items":[]}')

    def do_GET(self):
        self.answer(b"{}")

    do_HEAD = do_GET

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Agent(measure.Costs):
    """A process that reads files and sends them."""

    def __init__(self, command, work):
        super().__init__()
        self.data_dir = pathlib.Path(work)
        self.log = open(self.data_dir / "agent.log", "ab")
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.remember_costs()
        self.process.terminate()
        self.process.wait(timeout=60)
        self.log.close()


class Catat:
    """catat's shipper."""

    name = "catat"
    n_files_max = sys.maxsize

    def __init__(self, binary):
        self.binary = binary

    def below(self, directory):
        """What it is told to read all files two levels below a directory."""
        return directory

    def start(self, directory, port, work):
        state = pathlib.Path(work) / "state"
        return Agent([self.binary, "ship", "--url", f"http://127.0.0.1:{port}", "--state-dir", state, "--group", "bench", directory], work)


class Rsyslog:
    """Debian's rsyslog: imfile to omelasticsearch, as Debian has no omhttp."""

    name = "rsyslog"
    # It keeps two descriptors for each file that it follows, and asks for all files again and again: it is not through with
    # 9,900 after ten minutes.
    n_descriptors_max = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    n_files_max = 1_000

    @staticmethod
    def is_there():
        modules = [list(pathlib.Path("/usr/lib").glob(f"*/rsyslog/{name}.so")) for name in ("imfile", "omelasticsearch")]
        return bool(shutil.which("rsyslogd") and all(modules))

    def below(self, directory):
        return f"{directory}/*"

    def start(self, directory, port, work):
        config = pathlib.Path(work) / "rsyslog.conf"
        config.write_text(RSYSLOG.format(work=work, port=port, paths=f"{directory}/*.log"))
        return Agent(["prlimit", f"--nofile={self.n_descriptors_max}", "rsyslogd", "-n", "-f", config, "-i", pathlib.Path(work) / "pid"], work)


def wait_quiet(agent, share=0.2, timeout_s=120):
    """Waits until a process is through with what it found: less than this share of a core over a second."""
    deadline, before = time.monotonic() + timeout_s, agent.cpu_s()
    while time.monotonic() < deadline:
        time.sleep(1)
        after = agent.cpu_s()
        if after - before < share:
            return
        before = after
