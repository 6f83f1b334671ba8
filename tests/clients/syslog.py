#!/usr/bin/env python3
"""Senders of syslog, to a server of this program's own that listens by datagram, connection and TLS.

Python's SysLogHandler, util-linux' logger, rsyslog's omfwd, and syslog-ng with its listeners' and HTTP destinations. Of each
it is asked what became of the lines. What is not installed is said and left out.
"""
import atexit
import logging
import logging.handlers
import os
import pathlib
import shutil
import socket
import subprocess
import time

import requests

from check import check, main
from server import ENVIRONMENT, Server, free_port, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
# syslog-ng cannot be installed beside rsyslog: tests/run unpacks its packages here.
SYSLOG_NG = pathlib.Path(os.environ.get("CATAT_SYSLOG_NG") or ROOT / "target/syslog-ng")
LINES = 200
BEGAN = time.time()


class SyslogServer(Server):
    """A server with all three listeners of syslog."""

    def settings(self):
        self.certificate()
        self.udp, self.tcp, self.tls = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        settings = {"UDP": f"127.0.0.1:{self.udp}", "TCP": f"127.0.0.1:{self.tcp}"}
        if self.has_tls:
            settings.update(TLS=f"127.0.0.1:{self.tls}", TLS_CERT=self.path("cert.pem"), TLS_KEY=self.path("key.pem"))
        return {f"CATAT_SYSLOG__{name}": value for name, value in settings.items()}

    def certificate(self):
        self.has_tls = shutil.which("openssl") is not None
        if self.has_tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                            "-keyout", self.path("key.pem"), "-out", self.path("cert.pem")], check=True, capture_output=True)


SERVER = SyslogServer()
atexit.register(SERVER.stop)


def check_stored(app, by, expected, group=None, text="@message"):
    """What a sender's numbered lines became: all there, once, in order, at about now, with these fields."""
    group = group or f"syslog/{app}"
    mine = f'filter @log = "{group}"'
    counted = lambda: SERVER.rows(f"{mine} | stats count(*)") == [[LINES]]
    until(lambda: f"{app}: {SERVER.rows(f'{mine} | stats count(*)')}", counted)
    found = SERVER.rows(f"{mine} | stats count(*) as n, count_distinct({text}) as d by @level, {by}")
    assert found == [[*expected, LINES, LINES]], (app, found)
    lines = [row[0] for row in SERVER.rows(f"{mine} | fields {text} | sort @timestamp asc, @id asc | limit {LINES + 1}")]
    ends = [f"parcel {n}" for n in range(LINES)]
    assert all(line.rstrip().endswith(end) for line, end in zip(lines, ends)), (app, lines[:5])
    first, last = SERVER.rows(f"{mine} | stats min(toMillis(@timestamp)), max(toMillis(@timestamp))")[0]
    assert BEGAN - 2 <= first / 1000 <= last / 1000 <= time.time() + 2, (app, first, last)


def parcels():
    return "".join(f"parcel {n}\n" for n in range(LINES))


def log_with_python(name, kind):
    address = ("127.0.0.1", SERVER.udp if kind == socket.SOCK_DGRAM else SERVER.tcp)
    handler = logging.handlers.SysLogHandler(address, facility="local3", socktype=kind)
    handler.ident = f"{name}: "
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    return logger, handler


@check
def pythons_handler_sends_datagrams_and_by_connection():
    for name, kind in [("py-udp", socket.SOCK_DGRAM), ("py-tcp", socket.SOCK_STREAM)]:
        logger, handler = log_with_python(name, kind)
        for n in range(LINES):
            logger.error("parcel %d", n)
        handler.close()
        check_stored(name, "appname, facility, severity, @logStream", ["error", name, "local3", "err", "127.0.0.1"])


@check
def pythons_levels_are_kept_and_stack_traces_stay_whole():
    logger, handler = log_with_python("py-levels", socket.SOCK_STREAM)
    levels = {"debug": "debug", "info": "info", "warning": "warn", "error": "error", "critical": "fatal"}
    for name in levels:
        getattr(logger, name)("grüße")
    for name in levels:
        getattr(logger, name)("it broke\n  File \"a.py\", line 7\n%s", name)
    handler.close()
    query = 'filter @log = "syslog/py-levels" | fields @level, @message | sort @id asc'
    names = {"debug": 159, "info": 158, "warning": 156, "error": 155, "critical": 154}
    expected = [[levels[name], f"<{names[name]}>py-levels: grüße"] for name in levels]
    expected += [[levels[name], f'<{names[name]}>py-levels: it broke\n  File "a.py", line 7\n{name}'] for name in levels]
    until(lambda: SERVER.rows(query), lambda: SERVER.rows(query) == expected)


LOGGER_FORMS = {
    "udp-3164": ["--udp", "--rfc3164"],
    "tcp-3164": ["--tcp", "--rfc3164"],
    "tcp-3164-counted": ["--tcp", "--rfc3164", "--octet-count"],
    "udp-5424": ["--udp", "--rfc5424"],
    "tcp-5424": ["--tcp", "--rfc5424"],
    "tcp-5424-counted": ["--tcp", "--rfc5424", "--octet-count"],
}


def logger_to(port, app, *options):
    command = ["logger", "--server", "127.0.0.1", "--port", str(port), "--tag", app, "--priority", "daemon.warning", "--id=4242"]
    subprocess.run([*command, *options], input=parcels(), text=True, check=True, env=ENVIRONMENT, timeout=30)


@check
def logger_sends_in_every_form_it_has():
    if not shutil.which("logger"):
        print("# there is no logger: left out")
        return
    host = socket.gethostname()
    for form, options in LOGGER_FORMS.items():
        app = f"logger-{form}"
        logger_to(SERVER.udp if "udp" in form else SERVER.tcp, app, *options)
        by = "hostname, appname, procid, facility, severity"
        names = [host if "5424" in form else host.split(".")[0], app, "4242", "daemon", "warning"]
        check_stored(app, by, ["warn", *names])


@check
def logger_sends_structured_data():
    if not shutil.which("logger"):
        print("# there is no logger: left out")
        return
    data = ["--sd-id", "zoo@123", "--sd-param", 'tiger="hungry é"', "--sd-param", 'zebra="running"']
    logger_to(SERVER.tcp, "logger-data", "--tcp", "--rfc5424", "--octet-count", "--msgid", "ID47", *data)
    by = "msgid, `zoo@123.tiger`, `zoo@123.zebra`, ispresent(`timeQuality.tzKnown`) as quality"
    check_stored("logger-data", by, ["warn", "ID47", "hungry é", "running", True])


class Daemon:
    """rsyslogd or syslog-ng with a socket of its own that logger sends to."""

    def __init__(self, name, command, config, environment=None):
        self.directory = pathlib.Path(SERVER.path(name))
        self.directory.mkdir()
        self.socket = str(self.directory / "log")
        (self.directory / "config").write_text(config.replace("{dir}", str(self.directory)), encoding="utf-8")
        command = [part.replace("{dir}", str(self.directory)) for part in command]
        self.process = subprocess.Popen(command, env=environment or ENVIRONMENT)

    def __enter__(self):
        def listens():
            assert self.process.poll() is None, "the daemon does not start"
            return os.path.exists(self.socket)
        until("the daemon does not listen", listens)
        return self

    def log(self, app):
        command = ["logger", "-u", self.socket, "--tag", app, "-p", "user.err", "--id=77"]
        subprocess.run(command, input=parcels(), text=True, check=True, env=ENVIRONMENT, timeout=30)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


RSYSLOG = """
global(workDirectory="{dir}" defaultNetstreamDriverCAFile="{ca}")
module(load="imuxsock" sysSock.use="off")
input(type="imuxsock" socket="{dir}/log")
"""


def rsyslogs_ways():
    tcp = f'protocol="tcp" port="{SERVER.tcp}"'
    ways = {
        "rsyslog-udp": f'protocol="udp" port="{SERVER.udp}"',
        "rsyslog-udp-5424": f'protocol="udp" port="{SERVER.udp}" template="RSYSLOG_SyslogProtocol23Format"',
        "rsyslog-tcp": tcp,
        "rsyslog-tcp-counted": f'{tcp} TCP_Framing="octet-counted"',
        "rsyslog-tcp-forward": f'{tcp} template="RSYSLOG_ForwardFormat"',
        "rsyslog-tcp-5424": f'{tcp} template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted"',
    }
    if SERVER.has_tls and list(pathlib.Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")):
        driver = 'StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"'
        ways["rsyslog-tls"] = f'protocol="tcp" port="{SERVER.tls}" {driver} TCP_Framing="octet-counted"'
    else:
        print("# openssl or rsyslog-gnutls is not installed: TLS is left out")
    return ways


@check
def rsyslog_forwards_in_every_form_it_has():
    if not (shutil.which("rsyslogd") and shutil.which("logger")):
        print("# rsyslog is not installed: left out")
        return
    ways = rsyslogs_ways()
    target = 'type="omfwd" target="127.0.0.1"'
    rules = "".join(f"if $programname == '{app}' then action({target} {way})\n" for app, way in ways.items())
    config = RSYSLOG.replace("{ca}", SERVER.path("cert.pem")) + rules
    with Daemon("rsyslog", ["rsyslogd", "-n", "-f", "{dir}/config", "-i", "{dir}/pid"], config) as daemon:
        host = socket.gethostname().split(".")[0]
        for app in ways:
            daemon.log(app)
            check_stored(app, "hostname, appname, procid, facility, severity", ["error", host, app, "77", "user", "err"])


SYSLOG_NG_HEAD = """@version: 3.38
options { keep-hostname(yes); create-dirs(no); stats-freq(0); };
source local { unix-dgram("{dir}/log"); };
"""
HTTP = 'http(url("{url}/{path}") method("POST") headers("Content-Type: {kind}", "Authorization: {key}") batch-lines(40) batch-timeout(100) {more});'


def over_http(path, kind, more, key="Bearer any"):
    return HTTP.format(url=SERVER.url, path=path, kind=kind, more=more, key=key)


def syslog_ngs_ways():
    """Destinations by the name of the program whose lines go there."""
    udp, tcp, tls = [f'"127.0.0.1" port({port}) transport("{kind}")' for kind, port in
                     [("udp", SERVER.udp), ("tcp", SERVER.tcp), ("tls", SERVER.tls)]]
    plain = '$(format-json time=$ISODATE level=$LEVEL host=$HOST app=$PROGRAM pid=$PID message=$MSG)'
    nanoseconds = "$(substr $S_UNIXTIME 0 10)000000000"
    ways = {
        "sng-network-udp": f'network({udp} persist-name("a"));',
        "sng-network-tcp": f'network({tcp} persist-name("b"));',
        "sng-syslog-udp": f'syslog({udp} persist-name("c"));',
        "sng-syslog-tcp": f'syslog({tcp} persist-name("d"));',
        "sng-native": over_http("api/v1/ingest?group=sng-native", "application/x-ndjson", f"""delimiter("\\n") body('{plain}')"""),
        "sng-bulk": over_http("elasticsearch/_bulk", "application/x-ndjson", f"""delimiter("\\n") body-suffix("\\n")
            body('{{"index":{{"_index":"sng-bulk"}}}}\n{plain}')""", "ApiKey any"),
        "sng-hec": over_http("services/collector/event", "application/json", """delimiter("\\n")
            body('$(format-json time=$S_UNIXTIME host=$HOST source=$PROGRAM index=sng-hec event.message=$MSG event.level=$LEVEL
                  event.app=$PROGRAM event.pid=$PID)')""", "Splunk any"),
        "sng-loki": over_http("loki/api/v1/push", "application/json", f"""delimiter(",") body-prefix('{{"streams":[')
            body('{{"stream":{{"job":"sng-loki","host":"$HOST","app":"$PROGRAM","pid":"$PID","level":"$LEVEL"}},
                  "values":[["{nanoseconds}","$MSG"]]}}') body-suffix("]}}")"""),
    }
    if SERVER.has_tls:
        authority = f'tls(ca-file("{SERVER.path("cert.pem")}") peer-verify(required-trusted))'
        ways["sng-syslog-tls"] = f"syslog({tls} {authority});"
    return ways


def syslog_ng_command():
    """The command that runs syslog-ng, and its environment: as it is installed, or as it was unpacked."""
    if shutil.which("syslog-ng"):
        return ["syslog-ng"], ENVIRONMENT
    if not (SYSLOG_NG / "usr/sbin/syslog-ng").exists():
        return None, None
    libraries = [str(path) for path in [SYSLOG_NG / "usr/lib/syslog-ng", *SYSLOG_NG.glob("**/*-linux-gnu*")] if path.is_dir()]
    modules = next(iter((SYSLOG_NG / "usr/lib/syslog-ng").glob("[0-9]*")))
    command = [str(SYSLOG_NG / "usr/sbin/syslog-ng"), "--module-path", str(modules)]
    return command, {**ENVIRONMENT, "LD_LIBRARY_PATH": ":".join(libraries)}


@check
def syslog_ng_forwards_to_listeners_and_over_http():
    command, environment = syslog_ng_command()
    if not (command and shutil.which("logger")):
        print("# syslog-ng is not installed: left out")
        return
    ways = syslog_ngs_ways()
    config = SYSLOG_NG_HEAD + "".join(
        f'filter f_{n} {{ program("^{app}$" type("pcre")); }};\ndestination d_{n} {{ {way} }};\n'
        f"log {{ source(local); filter(f_{n}); destination(d_{n}); }};\n" for n, (app, way) in enumerate(ways.items()))
    files = ["--cfgfile", "{dir}/config", "--persist-file", "{dir}/persist", "--pidfile", "{dir}/pid", "--control", "{dir}/control"]
    host = socket.gethostname()
    with Daemon("syslog-ng", [*command, "--foreground", "--stderr", "--no-caps", *files], config, environment) as daemon:
        for app in ways:
            daemon.log(app)
            if "network" in app or "syslog" in app:
                check_stored(app, "hostname, appname, procid, facility, severity", ["error", host, app, "77", "user", "err"])
            else:
                check_stored(app, "host, app, pid", ["error", host, app, "77"], group=app, text="message" if app != "sng-loki" else "@message")


@check
def nothing_was_lost_on_the_way_and_the_server_ends_in_peace():
    counted = requests.get(f"{SERVER.url}/api/v1/status", timeout=30).json()["syslog"]
    assert (counted["datagrams_dropped"], counted["messages_lost"]) == (0, 0), counted
    atexit.unregister(SERVER.stop)
    assert SERVER.stop() == 0


main()
