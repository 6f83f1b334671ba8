#!/usr/bin/env python3
"""Installs every package on a system of its own and uses it: starts it, sends a line, asks for it, upgrades, removes.

    tests/packages.py [DIRECTORY]

Packages are made three times: twice of one version, which must give the same bytes, and of an older one, from which is upgraded. A
directory that has executables already is that of `packaging/build --executables`. The systems are Debian 11 with glibc 2.31, the
oldest that is promised; systemd-nspawn boots them, so units, users and scripts are systemd's business as they are for users. rpm is Debian's. runc
runs the image. Needs root.
"""

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tests/clients"), str(ROOT / "packaging")]
import documents  # noqa: E402
from check import check, main  # noqa: E402

OLD, NEW = "0.0.1", "0.1.0~test"
PATIENCE_S = 60
# What an installation may take until somebody has an answer.
FIRST_ANSWER_S = 60
scratch = Path(tempfile.mkdtemp(prefix="catat-packages-"))
atexit.register(shutil.rmtree, scratch, ignore_errors=True)


def run(*command, **options):
    """Runs a command and returns what it prints, errors included."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
    return done.stdout


def until(what, condition):
    """Waits for a condition, and returns what it returns."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE_S} s: {what}")


def free_port():
    with socket.socket() as socket_:
        socket_.bind(("127.0.0.1", 0))
        return socket_.getsockname()[1]


class Server:
    """What a client needs of a server."""

    def __init__(self, port, key=None):
        self.url, self.headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {key}"} if key else {}

    def request(self, path, body=None):
        request = urllib.request.Request(self.url + path, body, self.headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def is_ready(self):
        try:
            return bool(self.request("/-/ready"))
        except (urllib.error.URLError, ConnectionError):
            return False

    def wait(self):
        until(f"{self.url} is ready", self.is_ready)

    def send(self, message):
        self.request("/api/v1/ingest?group=package", json.dumps({"message": message}).encode())

    def has(self, message):
        self.headers["Content-Type"] = "application/json"
        query = {"query": f'filter @message = "{message}" | stats count(*) as n'}
        return json.loads(self.request("/api/v1/query", json.dumps(query).encode()))["rows"] == [[1]]


@contextlib.contextmanager
def first_answer(kind, server):
    """Says how long it takes from what is in the body, an installation, to the first answered query."""
    began = time.monotonic()
    yield
    server.wait()
    server.send(f"first by {kind}")
    until("a query is answered", lambda: server.has(f"first by {kind}"))
    seconds = time.monotonic() - began
    print(f"{kind}: {seconds:.1f} s from nothing to the first answer")
    assert seconds <= FIRST_ANSWER_S


class Machine:
    """A booted system; the server on it listens on a port of this machine."""

    def __init__(self, name):
        self.root, self.server = scratch / name, Server(port := free_port())
        self.root.mkdir()
        run("tar", "-xf", system(), "-C", self.root)
        (self.root / "etc/default/catat").write_text(f"CATAT_LISTEN=127.0.0.1:{port}\n")
        (self.root / "packages").mkdir()
        self.log = (scratch / f"{name}.log").open("w")
        boot = ["systemd-nspawn", "--directory", self.root, "--register=no", "--keep-unit", "--machine", f"catat-{name}", "--boot"]
        self.container = subprocess.Popen(boot, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = until("a system boots", self.first_process)
        until("a system is up", lambda: self.state() in ["running", "degraded"])

    def first_process(self):
        assert self.container.poll() is None, Path(self.log.name).read_text()
        path = f"/proc/{self.container.pid}/task/{self.container.pid}/children"
        return Path(path).read_text().strip()

    def state(self):
        return self.call("systemctl", "is-system-running").stdout.strip()

    def call(self, *command):
        enter = ["nsenter", "--target", self.pid, "--mount", "--uts", "--ipc", "--pid", "--root", "--wd", "env", "-i"]
        enter += ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]
        return subprocess.run([*enter, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *command):
        done = self.call(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def bring(self, package):
        run("cp", package, self.root / "packages")
        return f"/packages/{package.name}"

    def is_active(self, unit):
        return self.call("systemctl", "is-active", unit).stdout.strip() == "active"

    def process_of(self, unit):
        return self.run("systemctl", "show", "--property=MainPID", "--value", unit).strip()

    def stop(self):
        self.call("systemctl", "poweroff")
        try:
            self.container.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.container.kill()


def system():
    """Returns the archive of a fresh system."""
    archive = scratch / "system.tar"
    if not archive.exists():
        run("mmdebstrap", "--variant=minbase", "--include=systemd,systemd-sysv,rpm,ca-certificates", "bullseye", archive)
    return archive


def packages(name, version, *formats):
    """Makes packages; returns their folder."""
    out = scratch / name
    run(ROOT / "packaging/build", "--out", out, "--version", version, *EXECUTABLES, *formats)
    return out


def package(folder, name, suffix):
    """Returns a package: those of `old` have the older version."""
    [found] = (scratch / folder).glob(f"{name}[-_]{OLD if folder == 'old' else NEW}[-_]*{suffix}")
    return found


def unpacked(name):
    """Returns the executable of a tarball."""
    archive = package("new", name, ".tar.gz")
    run("tar", "-xf", archive, "-C", scratch)
    return scratch / archive.name.removesuffix(".tar.gz") / "usr/bin" / name


@check
def two_builds_give_the_same_bytes():
    one, other = packages("new", NEW), packages("again", NEW)
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir()) and len(names) == 10, names
    different = [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()]
    assert not different, different
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=one)


@check
def executables_need_glibc_2_31_and_nothing_else():
    for name in ["catat", "catat-ship"]:
        listed = run("objdump", "-p", "-T", unpacked(name))
        versions = {word.strip("()").removeprefix("GLIBC_") for word in listed.split() if word.strip("()").startswith("GLIBC_2")}
        assert max(tuple(map(int, version.split("."))) for version in versions) <= (2, 31), sorted(versions)
        needed = {line.split()[1].split(".so")[0] for line in listed.splitlines() if "NEEDED" in line}
        assert needed <= {"libc", "libm", "libdl", "libpthread", "librt", "libutil", "ld-linux-x86-64", "ld-linux-aarch64"}, needed


def lives(machine, install, upgrade, remove, start):
    """The life of a package: installed, used, upgraded, removed; its data stays."""
    server = machine.server
    with first_answer(install[0], server):
        machine.run(*install)
        if start:
            assert not machine.is_active("catat")
            machine.run("systemctl", "enable", "--now", "catat")
    server.send("kept by an upgrade")
    status = machine.run("systemctl", "show", "--property=User,UMask,NoNewPrivileges,ProtectSystem", "catat")
    assert "User=catat\n" in status and "NoNewPrivileges=yes" in status and "ProtectSystem=strict" in status, status
    verified = machine.call("systemd-analyze", "verify", "catat.service", "catat-ship.service").stdout
    assert "catat" not in verified, verified
    (machine.root / "var/log/shop.log").write_text("a line of a file\n")
    (machine.root / "etc/default/catat-ship").write_text(f"CATAT_URL={server.url}\n")
    machine.run("systemctl", "enable", "--now", "catat-ship")
    until("a shipped line arrives", lambda: server.has("a line of a file"))
    settings = machine.root / "etc/catat/catat.toml"
    settings.write_text(settings.read_text() + "\n# ours\n")
    before = {unit: machine.process_of(unit) for unit in ["catat", "catat-ship"]}
    machine.run(*upgrade)
    server.wait()
    for unit, process in before.items():
        until(f"{unit} is restarted", lambda: machine.is_active(unit) and machine.process_of(unit) != process)
    assert server.has("kept by an upgrade") and settings.read_text().endswith("# ours\n")
    said = machine.run(*remove)
    assert "data stays in /var/lib/catat;" in said and "data stays in /var/lib/catat-ship;" in said, said
    assert not machine.is_active("catat") and not machine.is_active("catat-ship") and not server.is_ready()
    for folder in ["catat", "catat-ship"]:
        assert any((machine.root / "var/lib" / folder).iterdir())
        assert (machine.root / "var/lib" / folder).stat().st_mode & 0o777 == 0o700
    left = [path for path in machine.root.glob("usr/**/*catat*") if path.is_file()]
    assert not left, left


@check
def what_describes_the_packages_is_in_its_format_and_complete():
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    folder = scratch / "new"
    bill = (folder / f"catat-{NEW}.cdx.json").read_text()
    problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(bill)
    assert problem is None, problem
    named = {(one["name"], one["version"]) for one in json.loads(bill)["components"]}
    listed = {tuple(line.split("|")[1].split()) for line in (ROOT / "LICENSES.md").read_text().splitlines() if line.startswith("| ")}
    assert listed - {("package",), ("---",)} <= named, sorted(listed - named)[:9]
    statement = json.loads((folder / "provenance.json").read_text())
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    for subject in statement["subject"]:
        assert subject["digest"]["sha256"] == documents.sha256(folder / subject["name"]), subject
    described = {subject["name"] for subject in statement["subject"]}
    assert described | {"provenance.json", "SHA256SUMS"} == {path.name for path in folder.iterdir()}


@check
def a_deb_is_installed_upgraded_and_removed_and_data_stays():
    packages("old", OLD, "deb", "rpm")
    machine = Machine("deb")
    try:
        old, new = [machine.bring(package(folder, "catat", ".deb")) for folder in ["old", "new"]]
        lives(machine, ["dpkg", "-i", old], ["dpkg", "--force-confold", "-i", new], ["dpkg", "--remove", "catat"], start=False)
        said = machine.run("dpkg", "--purge", "catat")
        assert "data stays in /var/lib/catat;" in said and not (machine.root / "etc/catat").exists(), said
        machine.run("dpkg", "-i", new)
        machine.server.wait()
        assert machine.server.has("kept by an upgrade")
    finally:
        machine.stop()


@check
def an_rpm_is_installed_upgraded_and_removed_and_data_stays():
    machine = Machine("rpm")
    try:
        old, new = [machine.bring(package(folder, "catat", ".rpm")) for folder in ["old", "new"]]
        command = ["rpm", "--nodeps", "--force-debian"]
        lives(machine, [*command, "-i", old], [*command, "-U", new], ["rpm", "-e", "catat"], start=True)
    finally:
        machine.stop()


@check
def the_shipper_alone_ships_to_a_server_and_is_replaced_by_the_whole():
    server = Server(port := free_port())
    with first_answer("tarball", server):
        serve = [unpacked("catat"), "serve", "--data-dir", scratch / "data", "--listen", f"127.0.0.1:{port}"]
        process = subprocess.Popen(serve, stderr=subprocess.DEVNULL, cwd=scratch)
    machine = Machine("ship")
    try:
        machine.run("dpkg", "-i", machine.bring(package("new", "catat-ship", ".deb")))
        assert not machine.is_active("catat-ship")
        (machine.root / "var/log/shop.log").write_text("sent by the shipper alone\n")
        (machine.root / "etc/default/catat-ship").write_text(f"CATAT_URL={server.url}\n")
        machine.run("systemctl", "enable", "--now", "catat-ship")
        until("a line arrives", lambda: server.has("sent by the shipper alone"))
        resident = machine.run("sed", "-n", "s/^VmRSS: *//p", f"/proc/{machine.process_of('catat-ship')}/status").split()
        size = (machine.root / "usr/bin/catat-ship").stat().st_size
        print(f"catat-ship: {size / 1e6:.1f} MB, {int(resident[0]) / 1024:.1f} MiB resident")
        assert size <= 12_000_000 and int(resident[0]) <= 20 * 1024
        machine.run("dpkg", "-i", machine.bring(package("new", "catat", ".deb")))
        until("the whole ships on", lambda: machine.is_active("catat-ship"))
        with (machine.root / "var/log/shop.log").open("a") as log:
            log.write("sent by the whole\n")
        until("a line arrives", lambda: server.has("sent by the whole"))
        assert server.has("sent by the shipper alone")
    finally:
        machine.stop()
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def container(volume, *arguments, variables=()):
    """Returns the command that runs the image with a root that is read-only and a volume, on the network of this machine."""
    bundle = scratch / "bundle"
    if not bundle.exists():
        layout = scratch / "layout"
        layout.mkdir()
        run("tar", "-xf", package("new", "catat", ".tar"), "-C", layout)
        run("umoci", "unpack", "--image", f"{layout}:{NEW.replace('~', '-')}", bundle)
        (bundle / "config.json").rename(bundle / "original.json")
    config = json.loads((bundle / "original.json").read_text())
    config["process"] |= {"terminal": False, "args": config["process"]["args"][:1] + list(arguments) if arguments else config["process"]["args"]}
    config["process"]["env"] += variables
    assert config["process"]["user"]["uid"] == 22828, config["process"]["user"]
    config["root"]["readonly"] = True
    own = {"destination": "/var/lib/catat", "type": "bind", "source": str(volume), "options": ["rbind", "rw"]}
    temporary = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}
    config["mounts"] = [one for one in config["mounts"] if one["destination"] != "/var/lib/catat"] + [own, temporary]
    config["linux"]["namespaces"] = [one for one in config["linux"]["namespaces"] if one["type"] != "network"]
    (bundle / "config.json").write_text(json.dumps(config))
    return ["runc", "--root", scratch / "runc", "run", "--bundle", bundle, f"catat-{time.monotonic_ns()}"]


@check
def the_image_serves_and_ships_with_a_read_only_root_and_one_volume():
    image = package("new", "catat", ".tar")
    print(f"image: {image.stat().st_size / 1e6:.1f} MB compressed")
    assert image.stat().st_size < 60_000_000
    data, state = scratch / "volume", scratch / "state"
    for folder in [data, state]:
        folder.mkdir()
        os.chown(folder, 22828, 22828)
    listen, server = [f"CATAT_LISTEN=0.0.0.0:{(port := free_port())}"], Server(port)
    with first_answer("image", server):
        refused = subprocess.run(container(data, variables=listen), stderr=subprocess.PIPE, text=True)
        assert refused.returncode == 2 and "no key exists yet" in refused.stderr, refused
        made = ["keys", "create", "--data-dir", "/var/lib/catat", "--name", "me", "--role", "admin"]
        key = json.loads(next(line for line in run(*container(data, *made)).splitlines() if line.startswith("{")))["key"]
        server.headers["Authorization"] = f"Bearer {key}"
        serving = subprocess.Popen(container(data, variables=listen), stderr=subprocess.DEVNULL)
    server.send("said to a container")
    assert server.has("said to a container")
    (state / "shop.log").write_text("shipped by a container\n")
    variables = [f"CATAT_URL={server.url}", f"CATAT_KEY={key}", "CATAT_SHIP__STATE_DIR=/var/lib/catat/ship"]
    shipping = subprocess.Popen(container(state, "ship", "/var/lib/catat/shop.log", variables=variables), stderr=subprocess.DEVNULL)
    until("a shipped line arrives", lambda: server.has("shipped by a container"))
    for process in [shipping, serving]:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


@check
def the_chart_is_what_helm_and_kubernetes_accept():
    import helm_python
    import kubernetes_validate
    import yaml

    chart = ROOT / "packaging/helm"
    fleet = yaml.safe_load((ROOT / "config/fleet/values.yaml").read_text())
    bucket = {"url": "s3://logs", "region": "eu-central-1"}
    servers = [{"image": "catat:1"}, {"image": "catat:1", "setup": True}, fleet | {"image": "catat:1", "bucket": bucket, "secretName": "catat"}]
    kinds = ["ConfigMap", "Service", "StatefulSet"]
    for values, further in [(servers[0], []), (servers[1], []), (servers[2], ["PodDisruptionBudget"])]:
        for ship in [{}, {"secretName": "keys"}, {"secretName": "keys", "podLabels": False}]:
            found = helm_python.lint(chart, values | {"ship": ship})
            assert not found["errors"] and all(message["severity"] < 2 for message in found["messages"]), found
            with helm_python.Chart.load(chart) as loaded:
                rendered = loaded.render(values | {"ship": ship}, name="logs", namespace="default").values()
            objects = [one for text in rendered for one in yaml.safe_load_all(text) if one]
            for one in objects:
                kubernetes_validate.validate(one, "1.31", strict=True)
            shipper = ["ConfigMap", "DaemonSet"] if ship else []
            if ship and ship.get("podLabels", True):
                shipper += ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"]
            assert sorted(one["kind"] for one in objects) == sorted(kinds + further + shipper), objects
    with helm_python.Chart.load(chart) as loaded:
        try:
            loaded.render({"image": "catat:1", "replicas": 3}, name="logs", namespace="default")
        except helm_python.HelmError as error:
            assert "bucket.url" in str(error), error
        else:
            raise AssertionError("three nodes without a bucket")


@check
def the_compose_files_are_what_compose_accepts():
    variables = ["IMAGE", "DATABASE", "BUCKET", "REGION", "SECRET"]
    os.environ |= {f"CATAT_{name}": "x" for name in variables} | {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    for folder in ["packaging", "config/fleet"]:
        run("docker-compose", "--file", ROOT / folder / "compose.yaml", "config", "--quiet")


EXECUTABLES = ["--executables", Path(sys.argv[1]).resolve()] if sys.argv[1:] else []

if __name__ == "__main__":
    main()
