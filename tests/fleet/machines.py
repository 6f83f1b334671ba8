"""What the laboratory is made of: namespaces, PostgreSQL, the S3 server, and nodes."""
import contextlib
import ctypes
import glob
import http.client
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

import proxy

HUB = "10.77.0.1"
PORT = 22828
HERE = pathlib.Path(__file__).parent
prctl, PR_SET_PDEATHSIG = ctypes.CDLL(None).prctl, 1

# How long anything that must happen may take on a machine that is busy with other things.
PATIENCE_S = 180

# Nodes of the short and of the long form: what each does.
ALL_ROLES = "ingest,query,upkeep,alert,page"
SHORT_FORM = [ALL_ROLES] * 3
LONG_FORM = ["ingest,page"] * 3 + ["query,alert,page"] * 3 + ["upkeep"] * 2


class Failed(Exception):
    """What did not happen, or happened and must not."""


def until(what, condition, patience_s=PATIENCE_S):
    """Waits for a condition and returns what it gave."""
    deadline = time.monotonic() + patience_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed(f"not within {patience_s} s: {what() if callable(what) else what}")
        time.sleep(0.02)


def call(url, method, path, body=None, headers=None, timeout=20):
    """Asks a server; returns status, headers and body. OSError or HTTPException where there is no answer."""
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def run(*command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)


def launch(command, log, last=signal.SIGKILL, **options):
    """Starts a process that gets a last signal when this one ends, however it ends."""
    with open(log, "ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, last), **options)


def isolate():
    """Starts this program again in namespaces of its own; whatever it starts or makes there ends with it."""
    if os.environ.pop("CATAT_FLEET_ISOLATED", None):
        run("mount", "-t", "tmpfs", "none", "/run/netns")
        for command in ("link set lo up", "link add hub type bridge", f"addr add {HUB}/24 dev hub", "link set hub up"):
            run("ip", *command.split())
        return True
    wrapper = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    trial = "mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip netns add trial && ip link add hub type bridge"
    try:
        subprocess.run([*wrapper, "sh", "-c", trial], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", b"").decode().strip() or str(error)
        print(f"left out: network namespaces ({why}); nodes have addresses 127.0.0.x, and one is cut off at its gates only")
        return False
    os.environ["CATAT_FLEET_ISOLATED"] = "yes"
    os.execvp("unshare", [*wrapper, sys.executable, *sys.argv])


class Database:
    """A PostgreSQL server of its own, on a socket."""

    def __init__(self, work):
        self.programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.dir = work / "postgres"
        self.dir.mkdir()
        self.as_user = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        own = {"cwd": self.dir, **self.as_user}
        run(f"{self.programs}/initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=catat",
            "-D", f"{self.dir}/data", **own)
        command = [f"{self.programs}/postgres", "-D", f"{self.dir}/data", "-k", str(self.dir), "-c", "listen_addresses=", "-c", "fsync=off"]
        launch(command, work / "postgres.log", signal.SIGQUIT, **own)
        ready = [f"{self.programs}/pg_isready", "-q", "-U", "catat", "-d", "postgres", "-h", str(self.dir)]
        until("PostgreSQL is ready", lambda: subprocess.run(ready, check=False, **own).returncode == 0)
        self.socket = f"{self.dir}/.s.PGSQL.5432"

    def sql(self, *statements, host=None, port=5432):
        """Runs statements one after the other; the error is that of psql."""
        command = [f"{self.programs}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "catat", "-d", "postgres",
                   "-h", host or str(self.dir), "-p", str(port)]
        command += [part for statement in statements for part in ("-c", statement)]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.dir, **self.as_user).stdout.strip()


class Bucket:
    """moto's S3 server with the bucket `logs`."""

    def __init__(self, work):
        self.port = free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{self.port}"
        launch([sys.executable, HERE / "bucket.py", str(self.port)], work / "moto.log")
        until("moto is ready", self.is_made)

    def is_made(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return call(self.url, "PUT", "/logs")[0] == 200


class Node:
    """A catat server with an address of its own, and its gates."""

    def __init__(self, lab, number, roles):
        self.lab, self.name, self.roles = lab, f"node-{number}", roles
        self.space, self.process, self.is_paused, self.is_cut, self.environment = None, None, False, False, {}
        hub = HUB if lab.has_spaces else "127.0.0.1"
        if lab.has_spaces:
            self.space, self.address, port = self.name, f"10.77.0.{10 + number}", PORT
            for command in (f"netns add {self.space}", f"link add veth{number} type veth peer name eth0 netns {self.space}",
                            f"link set veth{number} master hub up", f"-n {self.space} addr add {self.address}/24 dev eth0",
                            f"-n {self.space} link set eth0 up", f"-n {self.space} link set lo up"):
                run("ip", *command.split())
            self.link = f"veth{number}"
        else:
            self.address = f"127.0.0.{10 + number}"
            port = free_port(self.address)
        self.url = f"http://{self.address}:{port}"
        self.dir = lab.work / self.name
        self.bucket = lab.network.gate(proxy.BucketGate, hub, f"{lab.seed}/{self.name}/bucket")
        self.database = lab.network.gate(proxy.DatabaseGate, hub, f"{lab.seed}/{self.name}/database")
        self.settings = {
            "CATAT_FLEET__DATABASE": f"postgres://catat@{hub}:{self.database.port}/postgres?sslmode=disable",
            "CATAT_FLEET__NODE": self.name, "CATAT_FLEET__ADVERTISE": self.url, "CATAT_FLEET__ROLES": roles,
            "CATAT_FLEET__SECRET_FILE": str(lab.secret), "CATAT_FLEET__LINGER": f"{lab.linger_ms}ms", "CATAT_STORAGE__FLUSH_AGE": "1s",
            "CATAT_STORAGE__OBJECT_STORE": "s3://logs/fleet", "CATAT_STORAGE__OBJECT_STORE_REGION": "us-east-1",
            "CATAT_STORAGE__OBJECT_STORE_ENDPOINT": f"http://{hub}:{self.bucket.port}",
            "CATAT_STORAGE__OBJECT_STORE_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret",
        }

    def has(self, role):
        return role in self.roles.split(",")

    def start(self, binary=None, is_empty=False, environment=None):
        """Starts the node, with an empty directory where its state is to be elsewhere, and waits until it is ready."""
        self.environment = environment or {}
        if is_empty:
            shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(mode=0o700, exist_ok=True)
        self.process = start_server(binary or self.lab.binary, self.dir, self.url, self.settings | self.environment, self.space)
        until_ready(self.process, self.url, self.name)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends the node as an operator does."""
        self.process.terminate()
        status = self.process.wait(timeout=PATIENCE_S)
        if status != 0:
            raise Failed(f"{self.name} ended with {status} when it was asked to")

    def pause(self, is_paused=True):
        self.process.send_signal(signal.SIGSTOP if is_paused else signal.SIGCONT)
        self.is_paused = is_paused

    def cut(self, is_cut=True):
        """Cuts the node off from everything, or connects it again."""
        self.is_cut = is_cut
        if self.space:
            run("ip", "link", "set", self.link, "down" if is_cut else "up")
        else:
            for gate in (self.bucket, self.database):
                gate.set(state=proxy.SILENT if is_cut else proxy.OPEN)

    def end_leases(self):
        """Ends the leases of the node, as if they had not been renewed for long."""
        sql, long_ago = self.lab.database.sql, "now() - interval '1 hour'"
        tables = sql("SELECT schemaname FROM pg_tables WHERE tablename = 'nodes'")
        mine = f"(SELECT epoch FROM {tables}.nodes WHERE name = '{self.name}')"
        sql(f"UPDATE {tables}.leases SET until = {long_ago} WHERE epoch IN {mine}",
            f"UPDATE {tables}.nodes SET renewed = {long_ago} WHERE name = '{self.name}'")


def start_server(binary, directory, url, settings, space=None):
    """Starts a catat on a directory; its log is beside that."""
    command = [binary, "serve", "--data-dir", directory, "--listen", url.removeprefix("http://"), "--insecure-allow-anonymous"]
    wrapper = ["ip", "netns", "exec", space] if space else []
    environment = os.environ | {"CATAT_LOG": "info"} | settings
    return launch([*wrapper, *command], f"{directory}.log", cwd=directory.parent, env=environment)


def until_ready(process, url, name):
    answered = ["nothing"]

    def is_ready():
        if process.poll() is not None:
            raise Failed(f"{name} ended with {process.returncode} at its start")
        with contextlib.suppress(OSError, http.client.HTTPException):
            answered[0] = call(url, "GET", "/-/ready", timeout=5)
            return answered[0][0] == 200
    until(lambda: f"{name} is ready, it answers {answered[0]}", is_ready)


class Laboratory:
    """A bucket, a database, the network and the nodes."""

    def __init__(self, binary, work, seed, has_spaces, topology, previous=None):
        self.binary, self.previous, self.work, self.seed, self.has_spaces = binary, previous, work, seed, has_spaces
        self.database, self.bucket = Database(work), Bucket(work)
        self.secret = work / "secret"
        self.secret.write_text("a secret that the nodes of the laboratory share")
        self.network = proxy.Network(self.bucket.port, self.database.socket)
        # Every node reads every object of the others, and moto answers some eighty requests a second.
        self.linger_ms = 10 * len(topology) ** 2
        self.nodes = [Node(self, number, roles) for number, roles in enumerate(topology)]

    def gates(self, kind):
        return [getattr(node, kind) for node in self.nodes]

    def restore(self):
        """Lets everything pass again."""
        for kind in ("bucket", "database"):
            for gate in self.gates(kind):
                gate.set(state=proxy.OPEN, delay_s=0, fail_share=0, swallow_share=0)
